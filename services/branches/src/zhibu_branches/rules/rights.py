"""By which membership an act is done. Data: a county may decide otherwise.

Which membership counts is the project's reading of the regulations: they know physical branches only, and say who may vote,
not in which of two branches. Compared with published copies (November 2026): articles 4, 5, 7, 8 and 42 of the constitution
(4, 5 and 42 in the text of 2017; of the text of 2022 only 7 and 8 could be read), article 25 of 党员教育管理工作条例, section 1 of
the rules on dues. Not found in a copy with numbers, and therefore named without one: study in 党员教育管理工作条例, the yearly review in
支部工作条例. What a county decides (积分、表彰、网上党支部) has no article at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhibu_branches.rules.members import MEMBERS, MembershipKind, PartyStatus


class RightsRefusal(StrEnum):
    """What is wrong with a county's rights."""

    ACT_UNKNOWN = "act_unknown"
    ACT_TWICE = "act_twice"
    ACT_MISSING = "act_missing"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A thing that members do in a branch, with its name in both languages."""

    name: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """By which membership an act is done, and where that is written."""

    act: str
    by_physical: bool
    by_virtual: bool
    full_members_only: bool
    article: str


_CONSTITUTION_RIGHTS: Final = "《中国共产党章程》第四条、第七条"
_CONSTITUTION_BRANCH: Final = "《中国共产党章程》第八条"

_ACTS: Final = (
    (Act(name="committee_vote", zh="选举支部委员会", en="Electing the committee"), True, True, _CONSTITUTION_RIGHTS),
    (Act(name="committee_candidacy", zh="作支部委员会候选人", en="Standing for the committee"), True, True,
     _CONSTITUTION_RIGHTS),
    (Act(name="decision_vote", zh="表决支部事项", en="Voting on decisions"), True, True, _CONSTITUTION_RIGHTS),
    (Act(name="delegate_vote", zh="选举党代表大会代表", en="Electing delegates"), True, False, _CONSTITUTION_RIGHTS),
    (Act(name="admission_vote", zh="表决接收党员", en="Voting on admissions"), True, False,
     "《中国共产党章程》第五条、第七条"),
    (Act(name="discipline_vote", zh="表决党纪处分", en="Voting on discipline"), True, False,
     "《中国共产党章程》第四十二条"),
    (Act(name="meeting", zh="参加组织生活", en="Taking part in meetings"), True, True, _CONSTITUTION_BRANCH),
    (Act(name="dues", zh="交纳党费", en="Paying dues"), True, False,
     "《关于中国共产党党费收缴、使用和管理的规定》第一部分"),
    (Act(name="transfer", zh="接转组织关系", en="Transfer of the relation"), True, False,
     "《中国共产党党员教育管理工作条例》第二十五条"),
    (Act(name="democratic_review", zh="民主评议", en="Democratic review"), True, False,
     "《中国共产党支部工作条例（试行）》（民主评议党员）"),
    (Act(name="study_credits", zh="学习学分", en="Study credits"), True, False,
     "《中国共产党党员教育管理工作条例》（学习培训）"),
    (Act(name="points", zh="积分", en="Points"), True, False, "县（市、区）委组织部积分办法"),
    (Act(name="statistics", zh="党内统计", en="Statistics"), True, False, _CONSTITUTION_BRANCH),
    (Act(name="survey", zh="电脑和网络调查", en="Survey of computers and networks"), True, False,
     "县（市、区）委组织部网上党支部办法"),
    (Act(name="awards", zh="推荐和评选表彰", en="Awards"), True, False, "县（市、区）委组织部表彰办法"),
)  # fmt: skip
_FULL_MEMBERS_ONLY: Final = frozenset(
    {"committee_vote", "committee_candidacy", "decision_vote", "delegate_vote", "admission_vote", "discipline_vote"}
)
ACTS: Final[Mapping[str, Act]] = {act.name: act for act, _, _, _ in _ACTS}
DEFAULT_RIGHTS: Final = tuple(
    Right(
        act=act.name,
        by_physical=by_physical,
        by_virtual=by_virtual,
        full_members_only=act.name in _FULL_MEMBERS_ONLY,
        article=article,
    )
    for act, by_physical, by_virtual, article in _ACTS
)


def check_rights(rights: Iterable[Right]) -> RightsRefusal | None:
    """What is wrong with the rights that a county wants, or None: one line for each act, done somewhere."""
    seen: set[str] = set()
    for right in rights:
        if right.act not in ACTS:
            return RightsRefusal.ACT_UNKNOWN
        if right.act in seen:
            return RightsRefusal.ACT_TWICE
        if not (right.by_physical or right.by_virtual):
            return RightsRefusal.NOWHERE
        seen.add(right.act)
    return None if seen == set(ACTS) else RightsRefusal.ACT_MISSING


def acts_of(rights: Iterable[Right], *, kind: MembershipKind, status: PartyStatus) -> list[str]:
    """What a membership entitles to, in the order of the rights.

    Who is not yet a member does nothing of it but take part; a member under probation neither votes nor stands.
    """
    here = [right for right in rights if (right.by_physical if kind is MembershipKind.PHYSICAL else right.by_virtual)]
    return [
        right.act
        for right in here
        if (status is PartyStatus.FULL or not right.full_members_only)
        and (status in MEMBERS or right.act in _OF_EVERYBODY)
    ]


# What applicants, activists and development targets do in their branch too.
_OF_EVERYBODY: Final = frozenset({"meeting", "study_credits", "statistics"})


def counts_in_physical(rights: Iterable[Right], act: str) -> bool:
    """Whether an act counts in the physical branch, whichever reports it; False: in the branch where it was done.

    What both kinds do is done for each branch of its own, and what no line names belongs to the physical one.
    """
    return all(not (right.act == act and right.by_virtual) for right in rights)
