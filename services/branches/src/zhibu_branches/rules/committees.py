"""Who may form a committee, and how long it serves. Pure.

The numbers stand in `COMPOSITION` and `TERM_YEARS` with the article they come from; nothing else in the program knows them.
Compared with published copies (November 2026): size, posts and the one deputy stand in chapter 6 of 支部工作条例, right before its
article 21 (terms, vacancies); that the number is 20 follows from this and was not seen printed beside the text.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum, StrEnum
from typing import Final


class Post(IntEnum):
    """A post; the numbers are those of the contract and of the table."""

    SECRETARY = 1
    DEPUTY_SECRETARY = 2
    ORGANISATION = 3
    PUBLICITY = 4
    DISCIPLINE = 5
    YOUTH = 6
    MEMBER = 7


class Source(IntEnum):
    """How a committee came about."""

    APPOINTMENT = 1
    ELECTION = 2


class EndReason(IntEnum):
    """Why a post ended."""

    TERM_ENDED = 1
    RESIGNED = 2
    DISMISSED = 3
    LEFT_BRANCH = 4
    ORGANISATION_CHANGED = 5
    OTHER = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What a branch's leadership consists of, by one article."""

    article: str
    # From this many full members on there is a committee; below only a secretary and, when needed, a deputy.
    committee_from_full_members: int
    size_min: int
    # Three to five, "in general not more than seven": which branch is large enough for more than five is for the
    # committee above to judge, which appoints here, so only the outer bound is checked.
    size_max: int
    holders_max: Mapping[Post, int]


COMPOSITION: Final = Composition(
    article="《中国共产党支部工作条例（试行）》第二十条",
    committee_from_full_members=7,
    size_min=3,
    size_max=7,
    holders_max={
        Post.SECRETARY: 1,
        Post.DEPUTY_SECRETARY: 1,
        Post.ORGANISATION: 1,
        Post.PUBLICITY: 1,
        Post.DISCIPLINE: 1,
        Post.YOUTH: 1,
        Post.MEMBER: 7,
    },
)
# 《关于党的基层组织任期的意见》 (2018) and article 21 of 支部工作条例: villages and communities five years, others in general three.
# Article 3 of 基层组织选举工作条例 (2020): a later election needs the organisation above, and is in general not more than a year late.
TERM_YEARS: Final = (3, 5)
DEFAULT_TERM_YEARS: Final = 3
# Whole months before the end of a term at which somebody is warned; 0 is the end itself.
WARN_MONTHS: Final = (6, 3, 1, 0)


class Refusal(StrEnum):
    """Why these appointments are no committee."""

    NO_SECRETARY = "no_secretary"
    TOO_MANY_HOLDERS = "too_many_holders"
    POSTS_OF_ONE_CLASH = "posts_of_one_clash"
    NO_COMMITTEE_YET = "no_committee_yet"
    SIZE = "size"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A member and a post."""

    member_id: str
    post: Post


def refusal_of(
    appointments: Sequence[Appointment], *, full_members: int, rule: Composition = COMPOSITION
) -> tuple[Refusal, int] | None:
    """Why these appointments cannot be, with the index of the one at fault (0 when it is the whole); None when they can.

    One member may hold several posts (书记兼组织委员), but not two of which one includes the other.
    """
    counts = Counter(appointment.post for appointment in appointments)
    if counts[Post.SECRETARY] == 0:
        return Refusal.NO_SECRETARY, 0
    for at, appointment in enumerate(appointments):
        before = Counter(other.post for other in appointments[: at + 1])
        if before[appointment.post] > rule.holders_max[appointment.post]:
            return Refusal.TOO_MANY_HOLDERS, at
        held = [other.post for other in appointments[:at] if other.member_id == appointment.member_id]
        if not may_hold_together(held, appointment.post):
            return Refusal.POSTS_OF_ONE_CLASH, at
    size = len({appointment.member_id for appointment in appointments})
    if full_members < rule.committee_from_full_members:
        return _refusal_without_committee(appointments)
    return None if rule.size_min <= size <= rule.size_max else (Refusal.SIZE, 0)


def may_hold_together(held: Sequence[Post], wanted: Post) -> bool:
    """Tells whether one who holds these posts of a committee may have another one in it."""
    if wanted in held:
        return False
    together = {*held, wanted}
    # A member "without portfolio" has none, and a secretary is nobody's deputy, least of all his own.
    return len(together) == 1 or not (Post.MEMBER in together or {Post.SECRETARY, Post.DEPUTY_SECRETARY} <= together)


def may_be_filled(post: Post, *, held: Sequence[Post], full_members: int, rule: Composition = COMPOSITION) -> bool:
    """Tells whether a vacancy may be filled, held being the posts that are not vacant.

    A branch that has become too small for a committee keeps the one it has, and fills only what it may still have.
    """
    if full_members >= rule.committee_from_full_members or post is Post.SECRETARY:
        return True
    return post is Post.DEPUTY_SECRETARY and Counter(held)[post] < rule.holders_max[post]


def vacancies(seats: Sequence[Post], held: Sequence[Post]) -> list[Post]:
    """The posts that stand empty: those the committee was made with, less those that are held."""
    return sorted((Counter(seats) - Counter(held)).elements())


def term_end(start: date, years: int) -> date:
    """The last day of a term: the day before the one on which as many years are over."""
    return add_months(start, 12 * years) - timedelta(days=1)


def months_left(term_end_date: date, today: date) -> int:
    """Whole months until a term ends; 0 in its last month, negative from the first day after it."""
    over = term_end_date + timedelta(days=1)
    if today >= over:
        months = (today.year - over.year) * 12 + today.month - over.month
        return -1 - (months if add_months(over, months) <= today else months - 1)
    months = (over.year - today.year) * 12 + over.month - today.month
    return months if add_months(over, -months) >= today else months - 1


def warning_date(term_end_date: date, months: int) -> date:
    """The day from which a term has only so many months left; for 0 the first day after its end."""
    return add_months(term_end_date + timedelta(days=1), -months)


def warning_due(term_end_date: date, today: date) -> int | None:
    """The nearest warning whose day has come: 6, 3, 1 or 0; None while more than six months are left."""
    due = [months for months in WARN_MONTHS if warning_date(term_end_date, months) <= today]
    return min(due, default=None)


def next_warning_date(term_end_date: date, given: int | None) -> date | None:
    """The day of the first warning that is nearer than the one given last; None after the last one."""
    nearer = [months for months in WARN_MONTHS if given is None or months < given]
    return warning_date(term_end_date, max(nearer)) if nearer else None


def add_months(day: date, months: int) -> date:
    """The same day of the month so many months later (or earlier); the month's last day where it has no such day."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))


def _refusal_without_committee(appointments: Sequence[Appointment]) -> tuple[Refusal, int] | None:
    for at, appointment in enumerate(appointments):
        if appointment.post not in {Post.SECRETARY, Post.DEPUTY_SECRETARY}:
            return Refusal.NO_COMMITTEE_YET, at
    return None
