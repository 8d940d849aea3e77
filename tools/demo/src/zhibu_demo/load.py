"""The whole load, stage by stage. Each stage finds out by itself what is left to do."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhibu_stack.secret_store import SecretStore

from zhibu_demo.accounts import Pages, write_accounts
from zhibu_demo.activation import LogIn
from zhibu_demo.api import Api, TokenSource
from zhibu_demo.applications import answer_question, apply, withdraw
from zhibu_demo.branch_life import BranchLife
from zhibu_demo.branches import BRANCHES, COLLECTING, FOUNDED
from zhibu_demo.concurrency import together
from zhibu_demo.desk import Desk
from zhibu_demo.divisions import LINQU_COUNTY_CODE, QINGZHOU_COUNTY_CODE
from zhibu_demo.foundings import Foundings
from zhibu_demo.login import Keycloak
from zhibu_demo.memberships import ask_for_correction, ask_to_join, place
from zhibu_demo.officers import grant, make_bootstrap_code, offices_of, redeem
from zhibu_demo.people import Outcome, Person, Role, make_people
from zhibu_demo.phone import Phone
from zhibu_demo.progress import Progress
from zhibu_demo.switches import set_switches
from zhibu_demo.tree import branch_id, load_tree

_COUNTIES: Final = (LINQU_COUNTY_CODE, QINGZHOU_COUNTY_CODE)
# Passwords are hashed slowly on purpose: more at once only take longer each.
_LOG_INS_AT_ONCE: Final = 3
_APPLICANTS_AT_ONCE: Final = 6
_REFUSALS: Final = (
    ("REFUSAL_REASON_DETAILS_DO_NOT_MATCH", ""),
    ("REFUSAL_REASON_NOT_KNOWN_TO_BRANCH", ""),
    ("REFUSAL_REASON_OTHER", "请先到所在支部登记后再申请。"),
)
_QUESTION: Final = "请说明姓名中生僻字的写法，并确认所在支部。"
_APPROVED: Final = frozenset({Outcome.ISSUED, Outcome.ACTIVATED, Outcome.REVOKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Where everything is."""

    gateway_url: str
    issuer: str
    phone_url: str
    web_url: str
    directory: Path
    seed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    options: Options
    api: Api
    phone: Phone
    progress: Progress
    log_in: LogIn
    people: tuple[Person, ...]
    say: Callable[[str], None]

    def with_outcome(self, *outcomes: Outcome, county: str = "", officers: bool = False) -> list[Person]:
        """Return the people who end there; officers only when asked for."""
        return [
            person
            for person in self.people
            if person.outcome in outcomes and bool(person.role) is officers and county in ("", person.county_code)
        ]

    def holder(self, role: Role, county: str = "") -> Person:
        """Return who holds an office."""
        return next(each for each in self.people if each.role is role and county in ("", each.county_code))


async def load(options: Options, say: Callable[[str], None]) -> None:
    """Put the demonstration in, or what is missing of it."""
    progress = Progress(options.directory / "demo" / "progress.jsonl", options.seed)
    started_s = time.monotonic()
    say = _with_seconds(say, started_s)
    if progress.get("complete"):
        say("演示数据已经就绪。 / The demonstration is loaded already.")
        return
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(Api(options.gateway_url))
        phone = await stack.enter_async_context(Phone(options.phone_url))
        keycloak = await stack.enter_async_context(Keycloak(options.issuer))
        log_in = LogIn(api, phone, keycloak, progress=progress, secret_store=SecretStore(options.directory / "secrets"))
        people = make_people(options.seed, branch_counties=tuple(branch.county_code for branch in BRANCHES))
        run = _Load(options=options, api=api, phone=phone, progress=progress, log_in=log_in, people=people, say=say)
        admin = await _first_office(run)
        await _tree_and_switches(run, admin)
        await _officers(run, admin)
        await _applications(run)
        await _decisions(run)
        await _members(run, admin)
        await _branches(run, admin)
        pages = Pages(web=options.web_url, phone=options.phone_url)
        write_accounts(
            options.directory / "demo" / "accounts.json", people, progress=progress, log_in=log_in, pages=pages
        )
    progress.put("complete", True)
    say("演示数据就绪 / demonstration loaded")


def _with_seconds(say: Callable[[str], None], started_s: float) -> Callable[[str], None]:
    return lambda text: say(f"[{time.monotonic() - started_s:5.1f} s] {text}")


async def _first_office(run: _Load) -> TokenSource:
    run.say("省级管理员 / province administrator")
    person = run.holder(Role.PROVINCE_ADMIN)
    await make_bootstrap_code(run.progress)
    await apply(run.api, run.phone, run.progress, person)
    await redeem(run.api, run.progress, person)
    return (await run.log_in.activate(person)).token


async def _tree_and_switches(run: _Load, admin: TokenSource) -> None:
    run.say("组织树 / organisation tree")
    await load_tree(run.api, run.progress, admin)
    await together(set_switches(run.api, run.progress, admin, county) for county in _COUNTIES)


async def _officers(run: _Load, admin: TokenSource) -> None:
    run.say("任职人员 / officers")
    officers = [person for person in run.people if person.role and person.role is not Role.PROVINCE_ADMIN]
    await _apply_all(run, officers)
    for county in _COUNTIES:
        own = [person for person in officers if person.county_code == county]
        desk = Desk(run.api, run.progress, admin, county)
        await desk.open()
        await together(desk.approve(person) for person in own)
        await desk.wait_until_issued(own)
        await _hand_over(run, desk, own)
    await together((_activate(run, person) for person in officers), at_once=_LOG_INS_AT_ONCE)
    await together(grant(run.api, run.progress, admin, office) for office in offices_of(run.people, run.progress))


async def _applications(run: _Load) -> None:
    run.say("实名申请 / applications")
    others = [person for person in run.people if person.role is None]
    await _apply_all(run, others)
    await together(withdraw(run.api, run.progress, person) for person in run.with_outcome(Outcome.WITHDRAWN))


async def _decisions(run: _Load) -> None:
    run.say("审批 / decisions")
    await together(_decisions_of(run, county) for county in _COUNTIES)
    await together(answer_question(run.api, run.progress, each) for each in run.with_outcome(Outcome.ANSWERED))


async def _decisions_of(run: _Load, county: str) -> None:
    approved = run.with_outcome(*_APPROVED, county=county)
    refused = run.with_outcome(Outcome.REFUSED, county=county)
    asked = run.with_outcome(Outcome.QUESTIONED, Outcome.ANSWERED, county=county)
    decided = [(approved, "approve"), (refused, "refuse"), (asked, "ask")]
    if all(run.progress.of(person.key).get(verb) for people, verb in decided for person in people) and all(
        run.progress.of(person.key).get("eid_id") for person in approved
    ):
        return
    clerk = await run.log_in.log_in(run.holder(Role.COUNTY_APPROVER, county))
    desk = Desk(run.api, run.progress, clerk.token, county)
    await desk.open()
    await together(desk.refuse(person, *_REFUSALS[number % len(_REFUSALS)]) for number, person in enumerate(refused))
    await together(desk.ask(person, _QUESTION) for person in asked)
    await desk.approve_many(approved)
    await desk.wait_until_issued(approved)


async def _members(run: _Load, admin: TokenSource) -> None:
    run.say("首次登录与注销 / first log-ins and revocations")
    used = run.with_outcome(Outcome.ACTIVATED, Outcome.REVOKED)
    one_to_try = run.with_outcome(Outcome.ISSUED)[:1]
    for county in _COUNTIES:
        desk = Desk(run.api, run.progress, admin, county)
        await _hand_over(run, desk, [person for person in used + one_to_try if person.county_code == county])
    await together((_activate(run, person) for person in used), at_once=_LOG_INS_AT_ONCE)
    for person in run.with_outcome(Outcome.REVOKED):
        desk = Desk(run.api, run.progress, admin, person.county_code)
        await desk.revoke(person, "REVOCATION_REASON_LEFT")


async def _branches(run: _Load, admin: TokenSource) -> None:
    if run.progress.get("branches.done"):
        return
    run.say("支部：编入、班子、上网率 / branches: members, committee, survey")
    with_eid = [person for person in run.people if person.outcome in (Outcome.ISSUED, Outcome.ACTIVATED)]
    await together(place(run.api, run.progress, admin, person) for person in with_eid)
    users = [person for person in with_eid if person.outcome is Outcome.ACTIVATED and person.branch == 0]
    tokens: dict[str, TokenSource] = {}
    for person in users:
        tokens[person.key] = (await run.log_in.log_in(person)).token
    secretary = run.holder(Role.BRANCH_SECRETARY)
    member, *others = [person for person in users if person.role is None]
    deputy = run.holder(Role.SECURITY_OFFICER)
    life = BranchLife(run.api, run.progress, branch_id(run.progress, 0))
    posts = [
        (secretary, "POST_SECRETARY"),
        (deputy, "POST_DEPUTY_SECRETARY"),
        *zip(others, ("POST_ORGANISATION", "POST_PUBLICITY"), strict=False),
    ]
    await life.appoint(admin, posts)
    for person in users:
        if person is not member:
            await life.answer(person, tokens[person.key], equipped=person is not deputy)
    # The member of the accounts finds something to confirm.
    await life.report(tokens[secretary.key], [member])
    await life.go_online(tokens[secretary.key])
    run.say("虚拟支部 / virtual branches")
    foundings = Foundings(run.api, run.progress)
    await foundings.propose(FOUNDED, tokens[secretary.key])
    await foundings.sign(FOUNDED, [(person.key, tokens[person.key]) for person in (member, *others)])
    virtual_branch = await foundings.approve(FOUNDED, initiator=tokens[secretary.key], county=admin)
    await foundings.propose(COLLECTING, tokens[others[0].key])
    await foundings.sign(COLLECTING, [(person.key, tokens[person.key]) for person in others[1:]])
    await ask_to_join(run.api, run.progress, tokens[deputy.key], deputy, virtual_branch)
    await ask_for_correction(run.api, run.progress, tokens[others[0].key], others[0])
    run.progress.put("branches.done", True)


async def _apply_all(run: _Load, people: Iterable[Person]) -> None:
    left = [person for person in people if not run.progress.of(person.key).get("case_number")]
    await together((apply(run.api, run.phone, run.progress, person) for person in left), at_once=_APPLICANTS_AT_ONCE)


async def _hand_over(run: _Load, desk: Desk, people: Iterable[Person]) -> None:
    left = [person for person in people if not run.progress.of(person.key).get("activated")]
    await together(desk.issue_activation_code(person) for person in left)


async def _activate(run: _Load, person: Person) -> None:
    if not run.progress.of(person.key).get("activated"):
        await run.log_in.activate(person)


def run_load(options: Options, say: Callable[[str], None]) -> None:
    """Load, from a program without an event loop."""
    asyncio.run(load(options, say))
