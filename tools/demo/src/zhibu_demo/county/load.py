"""Loads the whole county, part by part; each says how long it took, and each goes on where a former load stopped."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from zhibu_stack.secret_store import SecretStore

from zhibu_demo.activation import LogIn
from zhibu_demo.api import Api
from zhibu_demo.branches import BRANCHES
from zhibu_demo.county.coming_online import appoint_committees, go_online
from zhibu_demo.county.counts import Count, count_county, table_of
from zhibu_demo.county.desk import CountyDesk
from zhibu_demo.county.eid_batch import issue_eids
from zhibu_demo.county.founders import FounderLogIn, choose_founders, found_all
from zhibu_demo.county.organisations import make_organisations
from zhibu_demo.county.parts import Part, Parts, in_words
from zhibu_demo.county.plan import (
    CountyPerson,
    PhysicalBranch,
    Sizes,
    members_of_small,
    people,
    physical_branches,
    sizes_at,
    virtual_branches,
)
from zhibu_demo.county.roster_file import write_roster
from zhibu_demo.county.roster_import import check_roster, commit_roster, wait_until_applied
from zhibu_demo.divisions import LINQU_COUNTY_CODE
from zhibu_demo.errors import DemoError
from zhibu_demo.load import Options
from zhibu_demo.login import Keycloak, Session
from zhibu_demo.people import Person, Role, make_people
from zhibu_demo.phone import Phone
from zhibu_demo.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """What is loaded: how large, and who is on the roster."""

    sizes: Sizes
    people: Mapping[PhysicalBranch, Sequence[CountyPerson]]
    seed: str

    @property
    def row_count(self) -> int:
        """Rows of the roster."""
        return sum(map(len, self.people.values()))


def make_county(seed: str, sizes: Sizes, small: Sequence[Person]) -> County:
    """Make the county around what the small demonstration holds of it."""
    branches = physical_branches(seed, sizes, rows=sizes.members - members_of_small(small))
    by_branch: dict[PhysicalBranch, list[CountyPerson]] = {branch: [] for branch in branches}
    for person in people(seed, branches):
        by_branch[person.branch].append(person)
    return County(sizes=sizes, people=by_branch, seed=seed)


async def load_county(options: Options, say: Callable[[str], None], *, part: int = 1) -> list[Count]:
    """Put the whole of Linqu in (or a nth part of it), or what is missing of it; return what was counted in the end.

    Raises:
        DemoError: the small demonstration, with its officers, is not there yet, or something is missing in the end.
    """
    directory = options.directory / "demo"
    small = Progress(directory / "progress.jsonl", options.seed)
    if not small.get("complete"):
        raise DemoError(
            "请先运行 make run 装入演示数据。", "The small demonstration is not loaded: start `make run` first."
        )
    name = "county" if part == 1 else f"county-{part}"
    progress = Progress(directory / f"{name}.jsonl", f"{options.seed}/{part}")
    secrets = SecretStore(options.directory / "secrets")
    officers = make_people(options.seed, branch_counties=tuple(branch.county_code for branch in BRANCHES))
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(Api(options.gateway_url))
        phone = await stack.enter_async_context(Phone(options.phone_url))
        keycloak = await stack.enter_async_context(Keycloak(options.issuer))
        log_in = LogIn(api, phone, keycloak, progress=small, secret_store=secrets)
        session = await _log_in(keycloak, log_in, progress, _administrator(officers))
        desk = CountyDesk(api=api, progress=progress, token=session.token)
        founders = FounderLogIn(api, phone, keycloak, progress=progress, secret_store=secrets)
        founders.secret = secrets.get("demo-founders").encode()
        county = make_county(options.seed, sizes_at(part), officers)
        parts = Parts(progress)
        await _load_parts(desk, county, founders, parts=parts, file=directory / f"{name}-roster.xlsx")
        say("清点（经接口） / counting through the API …")
        counts = await count_county(desk, county.sizes)
    for line in table_of(counts):
        say(line)
    if not all(count.reached for count in counts):
        raise DemoError("清点不符，请再次运行。", "Something of the plan is missing; run the command again.")
    if parts.changed:
        say(
            f"全县已装入，各部分合计 {in_words(parts.total_seconds())} / the whole county is loaded; all parts together"
        )
    else:
        say(
            f"全县早已装入，没有改动（当时用时 {in_words(parts.total_seconds())}）"
            " / the whole county was loaded already; nothing was changed"
        )
    return counts


async def _load_parts(desk: CountyDesk, county: County, founders: FounderLogIn, *, parts: Parts, file: Path) -> None:
    branches = tuple(county.people)
    rows = county.row_count
    virtual = virtual_branches(county.seed, county.sizes)

    async def check(part: Part) -> None:
        write_roster(file, (person for own in county.people.values() for person in own))
        await check_roster(desk, file, part)

    async def found(part: Part) -> None:
        await found_all(desk, founders, await choose_founders(desk, county.people, virtual), part)

    await parts.run(
        "organisations",
        f"{len(branches)} 个实体支部 / physical branches",
        len(branches),
        lambda part: make_organisations(desk, branches, part),
    )
    await parts.run("roster-check", "花名册检查（试运行） / roster checked (dry run)", rows, check)
    await parts.run("roster-commit", "花名册提交 / roster committed", rows, lambda part: commit_roster(desk, part))
    await parts.run(
        "roster-apply", "编入支部 / records opened in the branches", rows, lambda part: wait_until_applied(desk, part)
    )
    await parts.run("eids", "电子身份证 / e-IDs", rows, lambda part: issue_eids(desk, part))
    await parts.run(
        "committees",
        "支部委员会 / committees",
        len(branches),
        lambda part: appoint_committees(desk, branches, part),
    )
    await parts.run(
        "online",
        "上网率调查、支部上线 / survey, branches go online",
        len(branches),
        lambda part: go_online(desk, county.people, part),
    )
    await parts.run(
        "founders",
        f"{len(virtual)} 个虚拟支部的发起人首次登录并签名 / founders of virtual branches log in and sign",
        sum(branch.founder_count for branch in virtual),
        found,
    )


async def _log_in(keycloak: Keycloak, log_in: LogIn, progress: Progress, administrator: Person) -> Session:
    """Go on with the session of an interrupted load: a code by SMS is sent once a minute only."""
    session = await keycloak.resume(str(progress.get("refresh_token") or ""))
    if session is None:
        session = await log_in.log_in(administrator)
        progress.put("refresh_token", session.refresh_token)
    return session


def _administrator(officers: Sequence[Person]) -> Person:
    return next(each for each in officers if each.role is Role.COUNTY_ADMIN and each.county_code == LINQU_COUNTY_CODE)
