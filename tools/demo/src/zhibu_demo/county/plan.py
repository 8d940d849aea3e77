"""Linqu as the paper tells of it: 121 physical branches with 24,000 members, 118 virtual branches founded by 1,493 of them.

What the small demonstration has made in Linqu is part of these numbers: its branches, its members and its virtual branch come
first. Everything follows from the seed. All names are invented and all numbers provably synthetic (see synthetic.py).
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from zhibu_demo.branches import BRANCHES
from zhibu_demo.divisions import LINQU_COUNTY_CODE, children_of
from zhibu_demo.people import Claim, Outcome, Person
from zhibu_demo.synthetic import resident_number, telephone

# The small demonstration founds one virtual branch in Linqu, which its secretary and three more sign (load.py).
_SMALL_VIRTUAL_COUNT: Final = 1
_SMALL_FOUNDER_COUNT: Final = 4

_VILLAGES: Final = ("兴隆", "东河", "西岭", "南湖", "北苑", "龙泉", "青石", "柳沟")
_SECTORS: Final = (
    ("中共临朐县委县直机关工作委员会", "县直机关", ("办公室", "财政局", "税务局", "司法局", "档案馆", "信访局", "统计局", "审计局", "供销社")),
    ("中共临朐县教育和体育局委员会", "教育系统", ("第一中学", "第二中学", "实验小学", "职业学校", "特教学校", "幼教中心", "教研室", "青少年宫")),
    ("中共临朐县卫生健康局委员会", "卫健系统", ("人民医院", "中医院", "妇幼保健院", "疾控中心", "急救中心", "血站", "卫校", "康养中心")),
    ("中共临朐县委非公有制经济组织和社会组织工作委员会", "两新组织", ("铝材", "建材", "物流", "餐饮", "家居", "电商", "农资", "物业")),
    ("中共临朐县国有企业委员会", "国有企业", ("自来水", "热力", "公交", "粮库", "林场", "水库", "环卫", "城投")),
)  # fmt: skip
_KINDS: Final = (
    ("mobile_members", "流动党员"),
    ("village_graduates", "大学生村官"),
    ("trade", "铝型材行业"),
    ("organisation_cadres", "组工干部"),
    ("activists", "入党积极分子"),
)
_PLACES: Final = ("北京", "上海", "济南", "青岛", "苏州", "深圳", "天津", "杭州", "淄博", "潍坊", "烟台", "临沂")

_SURNAMES: Final = "王李张刘陈杨赵孙马高郭林徐朱胡于宋郑韩冯董程曹吕魏崔谭窦祝冀付钟衣谷井"
_FIRST: Final = "建志文秀玉春晓永国海红庆桂成淑宝德兴云立家学金银新"
_SECOND: Final = "华平英军霞明芳伟民兰杰超梅东莲涛娟峰国强珍亮慧忠香波"
_OLDEST: Final = date(1936, 1, 1)
_YOUNGEST: Final = date(2006, 6, 30)
_TODAY: Final = date(2026, 11, 23)
_ADULT_DAYS: Final = 18 * 366
_RETIRED_AGE_YEARS: Final = 60
_STUDENT_AGE_YEARS: Final = 23
_FULL_SHARE: Final = 0.97


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large the county is; what the small demonstration holds of it is counted in."""

    physical_branches: int
    virtual_branches: int
    founders: int
    members: int


# 《党员网上党支部》: the numbers of Linqu in the paper that the platform comes from.
PAPER: Final = Sizes(physical_branches=121, virtual_branches=118, founders=1_493, members=24_000)
# The same county for tests: every part is there, with few of each.
_LEAST: Final = Sizes(physical_branches=8, virtual_branches=3, founders=13, members=160)


@dataclass(frozen=True, slots=True, kw_only=True)
class Committee:
    """An organisation between county and branches. `organisation_id` is None for a sector, which gets its own."""

    name: str
    organisation_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalBranch:
    """A branch as the roster names it."""

    number: int
    committee: Committee
    name: str
    term_years: int
    people_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualBranch:
    """A virtual branch: who signs comes from FOUNDER_COUNT people, one branch each."""

    number: int
    name: str
    kind: str
    founder_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyPerson:
    """One row of the roster; dates as the departments write them."""

    number: int
    branch: PhysicalBranch
    real_name: str
    gender: str
    birth_date: date
    resident_number: str
    telephone: str
    ethnicity: str
    education: str
    status: str
    admitted: str
    confirmed: str
    occupation: str
    work_unit: str
    address: str
    equipped: bool

    @property
    def is_full(self) -> bool:
        """True for full members: only they found branches and sit in committees."""
        return self.status == "正式党员"


def sizes_at(part: int) -> Sizes:
    """Return the sizes of the paper, or those of its nth part, which never has less than one of everything."""
    return Sizes(
        physical_branches=max(PAPER.physical_branches // part, _LEAST.physical_branches),
        virtual_branches=max(PAPER.virtual_branches // part, _LEAST.virtual_branches),
        founders=max(PAPER.founders // part, _LEAST.founders),
        members=max(PAPER.members // part, _LEAST.members),
    )


def members_of_small(people: Iterable[Person]) -> int:
    """Return how many members the small demonstration places in Linqu's branches."""
    return sum(
        person.county_code == LINQU_COUNTY_CODE
        and person.branch is not None
        and person.outcome in (Outcome.ISSUED, Outcome.ACTIVATED)
        and person.claim is not Claim.APPLICANT
        for person in people
    )


def committees() -> tuple[Committee, ...]:
    """Return the ten townships and the five sector committees."""
    townships = tuple(
        Committee(name=division.name, organisation_id=division.code) for division in children_of(LINQU_COUNTY_CODE)
    )
    return (*townships, *(Committee(name=name, organisation_id=None) for name, _, _ in _SECTORS))


def physical_branches(seed: str, sizes: Sizes, *, rows: int) -> tuple[PhysicalBranch, ...]:
    """Return the branches, those of the small demonstration first; the roster has so many rows for them together."""
    source = random.Random(f"{seed}/branches")  # noqa: S311 - the county shall be the same each time
    townships, sectors = committees()[: -len(_SECTORS)], committees()[-len(_SECTORS) :]
    present = [branch for branch in BRANCHES if branch.county_code == LINQU_COUNTY_CODE]
    named = [
        (township, branch.name, 5)
        for branch in present
        for township in townships
        if township.organisation_id == branch.parent_code
    ]
    villages = [
        [(township, f"临朐县{township.name}{village}{'社区' if township.name.endswith('街道') else '村'}党支部", 5) for village in _VILLAGES]
        for township in townships
    ]  # fmt: skip
    for township, own in zip(townships, villages, strict=True):
        there = sum(committee is township for committee, _, _ in named[: len(present)])
        # One name is the small demonstration's already.
        fresh = [each for each in own if each[1] not in {name for _, name, _ in named[: len(present)]}]
        named += fresh[: len(_VILLAGES) - there]
    named += [
        (committee, f"临朐县{short}{unit}党支部", 3)
        for committee, (_, short, units) in zip(sectors, _SECTORS, strict=True)
        for unit in units
    ]
    if sizes != PAPER:
        # Some of a township's and some of a sector's, so that a small county has both.
        more = sizes.physical_branches - len(present)
        named = [*named[: len(present) + more // 2], *named[-(more - more // 2) :]]
    shares = _shares(rows, len(named), smallest=rows // len(named) * 3 // 5, source=source)
    return tuple(
        PhysicalBranch(number=number, committee=committee, name=name, term_years=years, people_count=share)
        for number, ((committee, name, years), share) in enumerate(zip(named, shares, strict=True))
    )


def virtual_branches(seed: str, sizes: Sizes) -> tuple[VirtualBranch, ...]:
    """Return the virtual branches that are founded beside the small demonstration's, with how many people sign each."""
    source = random.Random(f"{seed}/virtual")  # noqa: S311 - as above
    count = sizes.virtual_branches - _SMALL_VIRTUAL_COUNT
    founders = sizes.founders - _SMALL_FOUNDER_COUNT
    found: list[VirtualBranch] = []
    for number, size in enumerate(_shares(founders, count, smallest=3, source=source)):
        kind, title = _KINDS[number % len(_KINDS)]
        serial = number // len(_KINDS)
        place = _PLACES[serial % len(_PLACES)]
        name = f"临朐县驻{place}{title}网上党支部" if serial < len(_PLACES) else f"临朐县{place}片区{title}网上党支部"
        found.append(VirtualBranch(number=number, name=name, kind=kind, founder_count=size))
    return tuple(found)


def people(seed: str, branches: Iterable[PhysicalBranch]) -> Iterator[CountyPerson]:
    """Give the people of the roster, branch by branch."""
    source = random.Random(f"{seed}/people")  # noqa: S311 - as above
    number = 0
    for branch in branches:
        for _ in range(branch.people_count):
            yield _person(number, branch, source)
            number += 1


def _person(number: int, branch: PhysicalBranch, source: random.Random) -> CountyPerson:
    birth_date = _OLDEST + timedelta(days=source.randrange((_YOUNGEST - _OLDEST).days))
    age_years = (_TODAY - birth_date).days // 365
    woman = source.random() < 0.3
    # The sequence is odd for men; the area keeps people of one birthday apart.
    sequence = source.randrange(0, 999, 2) if woman else source.randrange(1, 999, 2)
    status = "正式党员" if source.random() < _FULL_SHARE else "预备党员"
    admitted, confirmed = _dates(status, birth_date, source)
    given = source.choice(_FIRST) + source.choice(_SECOND) if source.random() < 0.75 else source.choice(_SECOND)
    village = branch.name.removeprefix("临朐县").removesuffix("党支部")
    occupation = _occupation(branch, age_years, source)
    return CountyPerson(
        number=number,
        branch=branch,
        real_name=source.choice(_SURNAMES) + given,
        gender="女" if woman else "男",
        birth_date=birth_date,
        resident_number=resident_number(f"99{number % 10_000:04d}", birth_date, sequence),
        telephone=telephone(400_000_000 + number * 7),
        ethnicity=source.choices(("汉族", "回族", "满族", "蒙古族"), weights=(970, 20, 6, 4))[0],
        education=_education(age_years, source),
        status=status,
        admitted=admitted,
        confirmed=confirmed,
        occupation=occupation,
        work_unit="" if occupation == "农民" else village,
        address=f"临朐县{village}{source.randrange(1, 300)}号",
        equipped=source.random() < (0.95 if age_years < _RETIRED_AGE_YEARS else 0.62),
    )


def _dates(status: str, birth_date: date, source: random.Random) -> tuple[str, str]:
    """Return the dates of admission and confirmation as departments write them."""
    if status == "预备党员":
        admitted = _TODAY - timedelta(days=source.randrange(30, 360))
        return f"{admitted:%Y.%m.%d}", ""
    earliest = birth_date + timedelta(days=_ADULT_DAYS)
    latest = _TODAY - timedelta(days=500)
    span_days = max((latest - earliest).days, 1)
    admitted = earliest + timedelta(days=source.randrange(span_days))
    confirmed = admitted + timedelta(days=366)
    return f"{admitted:%Y.%m.%d}", f"{confirmed:%Y.%m.%d}"


def _education(age_years: int, source: random.Random) -> str:
    weights = (30, 40, 20, 7, 3, 0) if age_years >= _RETIRED_AGE_YEARS else (2, 18, 30, 25, 22, 3)
    return source.choices(("小学", "初中", "高中", "大专", "本科", "研究生"), weights=weights)[0]


def _occupation(branch: PhysicalBranch, age_years: int, source: random.Random) -> str:
    if age_years < _STUDENT_AGE_YEARS:
        return "学生"
    if branch.committee.organisation_id is None:
        return "离退休人员" if age_years >= _RETIRED_AGE_YEARS else "在职职工"
    return source.choices(("农民", "个体户", "在职职工", "下岗失业人员"), weights=(80, 8, 9, 3))[0]


def _shares(total: int, count: int, *, smallest: int, source: random.Random) -> list[int]:
    """Split a total into uneven shares, none below the smallest."""
    weights = [0.4 + source.random() for _ in range(count)]
    rest = total - smallest * count
    shares = [smallest + int(rest * weight / sum(weights)) for weight in weights]
    shares[0] += total - sum(shares)
    return shares
