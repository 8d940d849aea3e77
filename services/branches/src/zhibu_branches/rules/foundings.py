"""When a virtual branch may be founded, and until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import IntEnum, StrEnum
from typing import Final
from zoneinfo import ZoneInfo

# Three full members make a branch: 《中国共产党支部工作条例（试行）》, article 4.
REQUIRED_FULL_MEMBERS: Final = 3
# So long co-signers are collected, and so long the county may then take to decide.
OPEN_DAYS: Final = 60
# A founding is one row that everybody who signs has to lock, and each signer becomes a member at its approval.
MAX_COSIGNERS: Final = 500
# Foundings that one member may have open at once, so that nobody fills the county's list.
MAX_OPEN_PER_INITIATOR: Final = 5

_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


class State(IntEnum):
    """Where a founding stands; the numbers are those of the contract and of the table."""

    COLLECTING = 1
    SUBMITTED = 2
    APPROVED = 3
    REFUSED = 4
    WITHDRAWN = 5
    EXPIRED = 6


OPEN: Final = frozenset({State.COLLECTING, State.SUBMITTED})
# Ends, whoever or whatever made them: who signed is told of each.
OVER: Final = frozenset(State) - OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of virtual branch; no new branch is founded of one that is not active."""

    name: str
    zh: str
    en: str
    active: bool = True


# The five that the paper of Linqu names; a county that says nothing has these.
DEFAULT_KINDS: Final = (
    Kind(name="mobile_members", zh="流动党员", en="Mobile members"),
    Kind(name="village_graduates", zh="大学生村官", en="Graduates serving in villages"),
    Kind(name="trade", zh="行业（如铝型材行业）", en="A trade (for example aluminium profiles)"),
    Kind(name="organisation_cadres", zh="组工干部", en="Cadres of organisation work"),
    Kind(name="activists", zh="入党积极分子", en="Activists on the way to membership"),
)


class KindRefusal(StrEnum):
    """What is wrong with a county's list of kinds."""

    NAMED_TWICE = "named_twice"
    IN_USE = "in_use"
    NONE_ACTIVE = "none_active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Somebody who signed, as the member records say now."""

    member_id: str
    present: bool
    full_member: bool


def expires_at(begun: datetime) -> datetime:
    """The instant at which a period that began then is over: the end of its sixtieth day in Shanghai."""
    last_day = begun.astimezone(_SHANGHAI).date() + timedelta(days=OPEN_DAYS)
    return datetime.combine(last_day + timedelta(days=1), time.min, tzinfo=_SHANGHAI)


def standing(signers: Iterable[Signer]) -> tuple[list[Signer], list[Signer]]:
    """Who still stands behind a founding, and whose signature lapsed because the record is no longer open."""
    present: list[Signer] = []
    lapsed: list[Signer] = []
    for signer in signers:
        (present if signer.present else lapsed).append(signer)
    return present, lapsed


def full_count(signers: Iterable[Signer]) -> int:
    """How many signatures count: those of full members whose record is open."""
    return sum(1 for signer in signers if signer.present and signer.full_member)


def may_be_submitted(signers: Iterable[Signer]) -> bool:
    """Tells whether enough full members stand behind a founding."""
    return full_count(signers) >= REQUIRED_FULL_MEMBERS


def refusal_of_kinds(wanted: Sequence[Kind], used: Iterable[str]) -> tuple[KindRefusal, str] | None:
    """Why a county cannot have this list, with the kind at fault; None when it can. `used` are kinds of foundings."""
    names = [kind.name for kind in wanted]
    for at, name in enumerate(names):
        if name in names[:at]:
            return KindRefusal.NAMED_TWICE, name
    for name in sorted(set(used)):
        if name not in names:
            return KindRefusal.IN_USE, name
    if not any(kind.active for kind in wanted):
        return KindRefusal.NONE_ACTIVE, names[0] if names else ""
    return None
