"""The 60 people of the demonstration: who they are, and what becomes of each application.

Everything follows from the seed, so that a second load finds the same people under the same request ids.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from zhibu_demo.divisions import LINQU_COUNTY_CODE, PROVINCE_CODE, QINGZHOU_COUNTY_CODE
from zhibu_demo.synthetic import resident_number, telephone

DEFAULT_SEED: Final = "zhibu-demo-2026"
PEOPLE_COUNT: Final = 60


class Outcome(StrEnum):
    """How far a person's case goes."""

    WAITING = "waiting"
    QUESTIONED = "questioned"
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ISSUED = "issued"
    ACTIVATED = "activated"
    REVOKED = "revoked"


class Role(StrEnum):
    """The offices that people of the demonstration hold; everybody else is a plain member or an applicant."""

    PROVINCE_ADMIN = "province_admin"
    COUNTY_ADMIN = "county_admin"
    COUNTY_APPROVER = "county_approver"
    SECURITY_OFFICER = "security_officer"
    BRANCH_SECRETARY = "branch_secretary"


class Claim(StrEnum):
    """What people say of their membership, as the contract names it."""

    FULL = "MEMBERSHIP_CLAIM_FULL_MEMBER"
    PROBATIONARY = "MEMBERSHIP_CLAIM_PROBATIONARY_MEMBER"
    APPLICANT = "MEMBERSHIP_CLAIM_APPLICANT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One synthetic person. `key` names them in request ids and in the saved progress: person-00 to person-59."""

    key: str
    real_name: str
    resident_number: str
    telephone: str
    county_code: str
    branch: int | None
    claim: Claim
    outcome: Outcome
    role: Role | None = None


# Names that software of this kind breaks on: characters beyond the basic plane (GB 18030-2022 level 3 and its
# extensions), rare ones inside it, the middle dot of minority names, and the shortest and longest that are usual.
_SPECIAL_NAMES: Final = (
    "𠮷永福",
    "王𬭚",
    "李𫍯之",
    "张䶮",
    "赵㛃",
    "刘𤧛然",
    "阿依努尔·吐尔逊",
    "买合木提·艾合买提江",
    "古丽米拉·赛力克",
    "其其格·巴图",
    "央金卓嘎",
    "欧阳𣲗",
    "于乐",
    "尉迟婉清",
)
_SURNAMES: Final = "王李张刘陈杨赵孙马高郭林徐朱胡于宋郑韩冯董程曹吕魏崔谭窦祝冀"
_FIRST: Final = "建志文秀玉春晓永国海红庆桂成淑宝德兴云立"
_SECOND: Final = "华平英军霞明芳伟民兰杰超梅东莲涛娟峰国强"

# The officers come first: the others cannot be decided without them.
_OFFICERS: Final = (
    (Role.PROVINCE_ADMIN, PROVINCE_CODE),
    (Role.COUNTY_ADMIN, LINQU_COUNTY_CODE),
    (Role.COUNTY_APPROVER, LINQU_COUNTY_CODE),
    (Role.COUNTY_APPROVER, QINGZHOU_COUNTY_CODE),
    (Role.SECURITY_OFFICER, LINQU_COUNTY_CODE),
    (Role.BRANCH_SECRETARY, LINQU_COUNTY_CODE),
)
# How many of the others end where; with the six officers, who are activated, they are sixty.
_OUTCOMES: Final = (
    (Outcome.ACTIVATED, 4),
    (Outcome.REVOKED, 3),
    (Outcome.ISSUED, 18),
    (Outcome.WAITING, 15),
    (Outcome.QUESTIONED, 4),
    (Outcome.ANSWERED, 2),
    (Outcome.REFUSED, 6),
    (Outcome.WITHDRAWN, 2),
)
_OLDEST: Final = date(1948, 1, 1)
_YOUNGEST: Final = date(2005, 12, 31)


def make_people(seed: str = DEFAULT_SEED, *, branch_counties: tuple[str, ...]) -> tuple[Person, ...]:
    """Make the people; `branch_counties` are the counties of the demonstration's branches, in their order."""
    source = random.Random(seed)  # noqa: S311  the people shall be the same each time
    names = _names(source)
    plans = [_Plan(role=role, county_code=county, outcome=Outcome.ACTIVATED) for role, county in _OFFICERS]
    for outcome, count in _OUTCOMES:
        # Two of three people are Linqu's, which is the county that the demonstration is about.
        counties = [QINGZHOU_COUNTY_CODE if n % 3 == 2 else LINQU_COUNTY_CODE for n in range(count)]
        plans += [_Plan(role=None, county_code=county, outcome=outcome) for county in counties]
    own_branches = {
        county: [index for index, own in enumerate(branch_counties) if own == county]
        for county in (PROVINCE_CODE, LINQU_COUNTY_CODE, QINGZHOU_COUNTY_CODE)
    }
    return tuple(
        _person(number, names[number], plan=plan, branches=own_branches[plan.county_code], source=source)
        for number, plan in enumerate(plans)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    role: Role | None
    county_code: str
    outcome: Outcome


def _person(number: int, name: str, *, plan: _Plan, branches: list[int], source: random.Random) -> Person:
    birth_date = _OLDEST + timedelta(days=source.randrange((_YOUNGEST - _OLDEST).days))
    claims = (Claim.FULL, Claim.FULL, Claim.FULL, Claim.PROBATIONARY, Claim.APPLICANT)
    branch = _branch(number, plan, branches, source)
    claim = Claim.FULL if plan.role else source.choice(claims)
    if plan.outcome is Outcome.ACTIVATED and branches:
        # Those who use the platform are full members of the first branch of their county: enough for a committee.
        branch, claim = branches[0], Claim.FULL
    return Person(
        key=f"person-{number:02d}",
        real_name=name,
        # The area tells the county apart by its last two digits, and the sequence keeps every number different.
        resident_number=resident_number(f"9900{plan.county_code[-2:]}", birth_date, number * 10 + source.randrange(10)),
        telephone=telephone(370_000_000 + number * 1_009),
        county_code=plan.county_code,
        branch=branch,
        claim=claim,
        outcome=plan.outcome,
        role=plan.role,
    )


def _branch(number: int, plan: _Plan, branches: list[int], source: random.Random) -> int | None:
    """Officers belong to the first branch of their county; the province has none; one in six does not know theirs."""
    if not branches or (plan.role is None and number % 6 == 0):
        return None
    return branches[0] if plan.role else source.choice(branches)


def _names(source: random.Random) -> list[str]:
    """Make sixty different names; the special ones lie among the people who are not officers."""
    usual: list[str] = []
    while len(usual) < PEOPLE_COUNT - len(_SPECIAL_NAMES):
        given = source.choice(_FIRST) + source.choice(_SECOND) if source.random() < 0.7 else source.choice(_SECOND)
        name = source.choice(_SURNAMES) + given
        if name not in usual:
            usual.append(name)
    others = [*usual[len(_OFFICERS) :], *_SPECIAL_NAMES]
    source.shuffle(others)
    return [*usual[: len(_OFFICERS)], *others]
