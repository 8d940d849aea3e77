"""The plan of a county's first day, as a TOML file. docs/how-to/onboard-a-county.md shows one."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from zhibuctl.errors import OperatorError

_T = TypeVar("_T")

_COUNTY_DIGITS: Final = 6
_TOWNSHIP_DIGITS: Final = 9
_TERMS: Final = (3, 5)
# Who looks after the county, and who decides on the first applications: two persons, one code each.
COUNTY_OFFICES: Final = ("county_admin", "county_approver", "county_clerk")
_FIRST_OFFICES: Final = ("county_admin", "county_approver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Township:
    """A township or sub-district."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A physical branch; `parent` is the code or the name of what stands above it."""

    parent: str
    name: str
    term_years: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The county's switches, as the API takes them."""

    applications_open: bool = True
    activation_by_telephone: bool = False
    help_telephone: str = ""
    help_hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPlan:
    """The roster: its file, and how far to go with it."""

    file: Path
    commit: bool
    create_branches: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything about one county."""

    code: str
    name: str
    switches: Switches
    townships: tuple[Township, ...] = ()
    sectors: tuple[str, ...] = ()
    branches: tuple[Branch, ...] = ()
    first_offices: tuple[str, ...] = _FIRST_OFFICES
    roster: RosterPlan | None = None

    @property
    def city(self) -> str:
        """The city that the county lies in."""
        return self.code[:4]


@dataclass(slots=True)
class _Reader:
    """Reads tables and collects every complaint, so that the operator mends all of them at once."""

    wrong: list[str] = field(default_factory=list)

    def take(self, table: dict[str, Any], name: str, kind: type, where: str, default: Any = None) -> Any:
        value = table.pop(name, default)
        if value is None:
            self.wrong.append(f"{where}.{name}: 缺少 / missing")
            return kind()
        if type(value) is not kind:
            self.wrong.append(f"{where}.{name}: 应为 {kind.__name__} / must be {kind.__name__}")
            return kind()
        return value

    def check(self, *, good: bool, complaint: str) -> None:
        if not good:
            self.wrong.append(complaint)

    def no_more(self, table: dict[str, Any], where: str) -> None:
        self.wrong += [f"{where}.{name}: 不认识 / unknown" for name in table]


def read_plan(path: Path) -> Plan:
    """Read and check a plan.

    Raises:
        OperatorError: the file cannot be read, or something in it is wrong; all of it is said at once.
    """
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OperatorError(f"读不了计划文件 {path}：{error}", "the plan cannot be read") from None
    reader = _Reader()
    plan = _plan(reader, text, path.parent)
    if reader.wrong:
        raise OperatorError("计划文件有误：\n  " + "\n  ".join(reader.wrong), "the plan is wrong")
    return plan


def _plan(reader: _Reader, text: dict[str, Any], directory: Path) -> Plan:
    county = reader.take(text, "county", dict, "plan")
    code = reader.take(county, "code", str, "county")
    name = reader.take(county, "name", str, "county")
    offices = reader.take(county, "first_offices", list, "county", list(_FIRST_OFFICES))
    reader.no_more(county, "county")
    reader.check(
        good=len(code) == _COUNTY_DIGITS and code.isascii() and code.isdigit(),
        complaint="county.code: 应为六位县级代码 / six digits of GB/T 2260",
    )
    reader.check(
        good=set(map(str, offices)) <= set(COUNTY_OFFICES),
        complaint=f"county.first_offices: 只能是 {', '.join(COUNTY_OFFICES)} / only these",
    )
    reader.check(good=bool(name.strip()), complaint="county.name: 不能为空 / must not be empty")
    switches = _switches(reader, reader.take(text, "switches", dict, "plan", {}))
    townships = _each(reader, text, "townships", lambda table, where: _township(reader, table, where, code))
    branches = _each(reader, text, "branches", lambda table, where: _branch(reader, table, where))
    listed: list[Any] = reader.take(text, "sectors", list, "plan", [])
    sectors = [each for each in listed if isinstance(each, str)]
    reader.check(good=len(sectors) == len(listed), complaint="sectors: 应为名称 / names are wanted")
    roster = _roster(reader, text.pop("roster", None), directory)
    reader.no_more(text, "plan")
    above = {code, *sectors, *(each for township in townships for each in (township.code, township.name))}
    reader.wrong += [
        f"branches[{number}].parent: 计划中没有“{branch.parent}” / the plan has no such organisation"
        for number, branch in enumerate(branches, start=1)
        if branch.parent not in above
    ]
    for what, names in (
        ("townships", [township.code for township in townships]),
        ("sectors", sectors),
        ("branches", [f"{branch.parent} {branch.name}" for branch in branches]),
    ):
        twice = sorted({name for name in names if names.count(name) > 1})
        reader.wrong += [f"{what}: “{name}”重复 / is there twice" for name in twice]
    return Plan(
        code=code,
        name=name,
        switches=switches,
        townships=tuple(townships),
        sectors=tuple(sectors),
        branches=tuple(branches),
        first_offices=tuple(map(str, offices)),
        roster=roster,
    )


def _each(reader: _Reader, text: dict[str, Any], name: str, read: Callable[[dict[str, Any], str], _T]) -> list[_T]:
    found: list[_T] = []
    for number, table in enumerate(reader.take(text, name, list, "plan", []), start=1):
        where = f"{name}[{number}]"
        if not isinstance(table, dict):
            reader.wrong.append(f"{where}: 应为表 / must be a table")
            continue
        found.append(read(table, where))
        reader.no_more(table, where)
    return found


def _switches(reader: _Reader, table: dict[str, Any]) -> Switches:
    switches = Switches(
        applications_open=reader.take(table, "applications_open", bool, "switches", True),
        activation_by_telephone=reader.take(table, "activation_by_telephone", bool, "switches", False),
        help_telephone=reader.take(table, "help_telephone", str, "switches", ""),
        help_hours=reader.take(table, "help_hours", str, "switches", ""),
    )
    reader.no_more(table, "switches")
    return switches


def _township(reader: _Reader, table: dict[str, Any], where: str, county: str) -> Township:
    code = reader.take(table, "code", str, where)
    reader.check(
        good=len(code) == _TOWNSHIP_DIGITS and code.isdigit() and code.startswith(county),
        complaint=f"{where}.code: 应为以 {county} 开头的九位代码 / nine digits that begin with {county}",
    )
    return Township(code=code, name=reader.take(table, "name", str, where))


def _branch(reader: _Reader, table: dict[str, Any], where: str) -> Branch:
    years = reader.take(table, "term_years", int, where, _TERMS[0])
    reader.check(good=years in _TERMS, complaint=f"{where}.term_years: 应为 3 或 5 / 3 or 5")
    return Branch(
        parent=reader.take(table, "parent", str, where), name=reader.take(table, "name", str, where), term_years=years
    )


def _roster(reader: _Reader, table: Any, directory: Path) -> RosterPlan | None:
    if table is None:
        return None
    if not isinstance(table, dict):
        reader.wrong.append("roster: 应为表 / must be a table")
        return None
    file = directory / reader.take(table, "file", str, "roster")
    reader.check(good=file.is_file(), complaint=f"roster.file: 没有这个文件 {file} / there is no such file")
    plan = RosterPlan(
        file=file,
        commit=reader.take(table, "commit", bool, "roster", False),
        create_branches=reader.take(table, "create_branches", bool, "roster", False),
    )
    reader.no_more(table, "roster")
    return plan
