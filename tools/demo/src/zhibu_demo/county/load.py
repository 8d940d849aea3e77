"""Loads the whole county, stage by stage; each says how long it took, and each goes on where a former load stopped."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from zhibu_stack.secret_store import SecretStore

from zhibu_demo.activation import LogIn
from zhibu_demo.api import Api, TokenSource
from zhibu_demo.branches import BRANCHES
from zhibu_demo.concurrency import together
from zhibu_demo.county.desk import CountyDesk, by_branch, key_of
from zhibu_demo.county.founders import Founder, FounderLogIn, as_person, found, hand_over_code
from zhibu_demo.county.plan import (
    FOUNDER_COUNT,
    CountyPerson,
    VirtualBranch,
    committees,
    people,
    physical_branches,
    virtual_branches,
)
from zhibu_demo.county.roster_file import write_roster
from zhibu_demo.divisions import LINQU_COUNTY_CODE
from zhibu_demo.errors import DemoError
from zhibu_demo.load import Options
from zhibu_demo.login import Keycloak
from zhibu_demo.people import Role, make_people
from zhibu_demo.phone import Phone
from zhibu_demo.progress import Progress

# Passwords are hashed slowly on purpose: more at once only take longer each.
_LOG_INS_AT_ONCE: Final = 3


async def load_county(options: Options, say: Callable[[str], None]) -> None:
    """Put the whole of Linqu in, or what is missing of it.

    Raises:
        DemoError: the small demonstration, with its officers, is not there yet.
    """
    directory = options.directory / "demo"
    small = Progress(directory / "progress.jsonl", options.seed)
    if not small.get("complete"):
        raise DemoError(
            "请先运行 make run 装入演示数据。", "The small demonstration is not loaded: start `make run` first."
        )
    progress = Progress(directory / "county.jsonl", options.seed)
    secrets = SecretStore(options.directory / "secrets")
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(Api(options.gateway_url))
        phone = await stack.enter_async_context(Phone(options.phone_url))
        keycloak = await stack.enter_async_context(Keycloak(options.issuer))
        officers = make_people(options.seed, branch_counties=tuple(branch.county_code for branch in BRANCHES))
        admin = next(
            each for each in officers if each.role is Role.COUNTY_ADMIN and each.county_code == LINQU_COUNTY_CODE
        )
        log_in = LogIn(api, phone, keycloak, progress=small, secret_store=secrets)
        desk = CountyDesk(api, progress, (await log_in.log_in(admin)).token, say)
        founders = FounderLogIn(api, phone, keycloak, progress=progress, secret_store=secrets)
        founders.secret = secrets.get("demo-founders").encode()
        run = _Run(options=options, api=api, progress=progress, desk=desk, log_in=founders, say=say)
        await run.everything((await log_in.log_in(admin)).token)


class _Run:
    """One load."""

    def __init__(
        self,
        *,
        options: Options,
        api: Api,
        progress: Progress,
        desk: CountyDesk,
        log_in: FounderLogIn,
        say: Callable[[str], None],
    ) -> None:
        self._options = options
        self._api = api
        self._progress = progress
        self._desk = desk
        self._log_in = log_in
        self._say = say
        self._branches = physical_branches(options.seed)
        self._people = by_branch(people(options.seed))

    async def everything(self, admin: TokenSource) -> None:
        """Run the stages."""
        async with self._stage("121 个实体支部 / physical branches"):
            ids = {
                committee.name: await self._desk.make_committee(index, committee)
                for index, committee in enumerate(committees())
            }
            await together(self._desk.make_branch(branch, ids[branch.committee.name]) for branch in self._branches)
        async with self._stage("花名册 24000 人 / the roster"):
            file = self._options.directory / "demo" / "linqu-roster.xlsx"
            if not file.exists():
                write_roster(file, (person for each in self._branches for person in self._people[each.number]))
            await self._desk.import_roster(file)
        async with self._stage("电子身份证 / e-IDs"):
            await self._desk.issue_eids()
        async with self._stage("支部委员会 / committees"):
            await together(self._desk.appoint(branch) for branch in self._branches)
        async with self._stage("实体支部网络化 / branches go online"):
            await together(
                self._desk.go_online(branch, [each for each in self._people[branch.number] if each.equipped])
                for branch in self._branches
            )
        async with self._stage("118 个虚拟支部，1493 人发起 / virtual branches and their founders"):
            await self._virtual(admin)

    async def _virtual(self, admin: TokenSource) -> None:
        founders = await self._founders()
        done = 0

        async def one(branch: VirtualBranch, own: list[Founder]) -> None:
            nonlocal done
            for founder in own:
                await hand_over_code(self._api, self._progress, admin, founder)
            await found(self._api, self._progress, self._log_in, branch=branch, founders=own)
            await self._desk.approve(branch)
            done += 1
            self._say(f"虚拟支部 / virtual branches: {done}/{len(founders)}")

        await together((one(branch, own) for branch, own in founders), at_once=_LOG_INS_AT_ONCE)

    async def _founders(self) -> list[tuple[VirtualBranch, list[Founder]]]:
        """Choose who founds what: full members with a device, a dozen of each physical branch."""
        each_count = -(-FOUNDER_COUNT // len(self._branches))
        chosen: list[Founder] = []
        for branch in self._branches:
            known = await self._desk.eids_of(branch)
            own = [person for person in self._people[branch.number] if person.is_full and person.equipped]
            chosen += [_founder(person, known[key_of(person)]) for person in own[:each_count]]
        pairs: list[tuple[VirtualBranch, list[Founder]]] = []
        start = 0
        for branch in virtual_branches(self._options.seed):
            pairs.append((branch, chosen[start : start + branch.founder_count]))
            start += branch.founder_count
        return pairs

    @asynccontextmanager
    async def _stage(self, name: str) -> AsyncGenerator[None]:
        self._say(name)
        started_s = time.monotonic()
        yield
        self._say(f"{name}：{time.monotonic() - started_s:.1f} s")


def _founder(person: CountyPerson, seen: dict[str, object]) -> Founder:
    return Founder(person=as_person(person), eid_id=str(seen["eidId"]))
