"""Sheets of activation codes: whom they are for, what Keycloak and the log know of them, when the codes end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from integration.identity.people_by_hand import (
    TOWNSHIP,
    TOWNSHIP_BRANCH,
    RosterPerson,
    add_organisations_and_officers,
    enter_people,
    give_status,
)
from integration.identity.running_identity import CLERK, LINQU, LINQU_BRANCH, QINGZHOU_CLERK, Identity
from integration.identity.setting_up import Databases, Workbench, running
from integration.identity.working_by_hand import approve_by_hand, eids_of, file_by_hand, work_to_the_end
from support.outside_identity import MemoryAccounts
from support.pdf_text import pages_of
from support.rpc import outcome_of
from zhibu.identity.v1 import eid_batch_service_pb2 as pb
from zhibu.identity.v1.eid_batch_service_pb2_grpc import EidBatchServiceStub
from zhibu_identity.eid_batches.records import create_batch
from zhibu_identity.eid_batches.sheets import begin_sheet
from zhibu_identity.eid_batches.worker import work_eid_batches
from zhibu_identity.eids.activation import CODE_HOLDS, make_activation_code
from zhibu_identity.organisations import find_organisation
from zhibu_identity.people.reach import reach_of
from zhibu_identity.tasks.queue import TaskKind
from zhibu_identity.tasks.worker import work_once
from zhibu_kit.errors import ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until

if TYPE_CHECKING:
    from zhibu.identity.v1.eid_batch_service_pb2_grpc import EidBatchServiceAsyncStub

SCOPE = Scope.of(LINQU)
CODE = re.compile(r"激活码([34679ACDEFGHJKMNPQRTUVWXY]{10})")


def service(identity: Identity) -> EidBatchServiceAsyncStub:
    return EidBatchServiceStub(identity.channel)


@pytest.fixture(scope="module", autouse=True)
async def more_organisations(databases: Databases, workbench_databases: Databases) -> None:
    for made in (databases, workbench_databases):
        await add_organisations_and_officers(made)


async def issue(identity: Identity, databases: Databases, people: Sequence[RosterPerson]) -> None:
    """Have people of a roster get their e-IDs by a batch."""
    member_ids = [one.member_id for one in people]
    await enter_people(identity.parts, people)
    await give_status(databases, member_ids, 5)
    await service(identity).CreateEidBatch(
        pb.CreateEidBatchRequest(organisation_id=LINQU, request_id=new_ulid()), metadata=identity.officer(CLERK)
    )

    async def issued() -> bool:
        count = await databases.owner.fetchval("select count(*) from eid where member_id = any($1)", member_ids)
        return count == len(people)

    assert await wait_until(issued)


def printing(identity: Identity, organisation_id: str, officer: Any = CLERK) -> Any:
    return service(identity).PrintActivationSheet(
        pb.PrintActivationSheetRequest(organisation_id=organisation_id), metadata=identity.officer(officer)
    )


async def print_sheet(identity: Identity, organisation_id: str) -> list[str]:
    bodies = [body async for body in printing(identity, organisation_id)]
    assert {body.content_type for body in bodies} == {"application/pdf"}
    return pages_of(b"".join(body.data for body in bodies))


async def refusal_of_printing(identity: Identity, organisation_id: str, officer: Any = CLERK) -> str:
    async def read() -> list[Any]:
        return [body async for body in printing(identity, organisation_id, officer)]

    return await outcome_of(read())


async def test_a_sheet_opens_the_accounts_of_a_branch_and_printing_again_ends_its_codes(
    identity: Identity, databases: Databases
) -> None:
    here = [RosterPerson(real_name=name, branch_id=TOWNSHIP_BRANCH) for name in ("张伟", "李娜", "王建国")]
    elsewhere = RosterPerson(real_name="赵六", branch_id=LINQU_BRANCH)
    await issue(identity, databases, [*here, elsewhere])
    before = {one.member_id: identity.accounts.of_member(one.member_id)[0].password for one in [*here, elsewhere]}
    (page,) = await print_sheet(identity, TOWNSHIP_BRANCH)
    assert "辛寨街道第一党支部" in page
    accounts = [identity.accounts.of_member(one.member_id)[0] for one in here]
    for one, account in zip(here, accounts, strict=True):
        assert one.real_name in page
        assert account.eid_number in page
        assert account.password != before[one.member_id]
    # In the order of a telephone book, as the list shows people.
    assert [page.index(name) for name in ("李娜", "王建国", "张伟")] == sorted(
        page.index(one.real_name) for one in here
    )
    codes = CODE.findall(page)
    assert sorted(codes) == sorted(account.password for account in accounts)
    assert "赵六" not in page
    assert identity.accounts.of_member(elsewhere.member_id)[0].password == before[elsewhere.member_id]
    (again,) = await print_sheet(identity, TOWNSHIP_BRANCH)
    assert sorted(CODE.findall(again)) == sorted(account.password for account in accounts)
    assert not set(CODE.findall(again)) & set(codes)
    rows = await databases.owner.fetch(
        "select outcome, member_id, subjects_count from kit_audit"
        " where action = 'identity.activation_sheet.printed' and subject_id = $1",
        TOWNSHIP_BRANCH,
    )
    assert [tuple(row) for row in rows] == [("done", CLERK.member_id, 3)] * 2


async def test_codes_of_a_sheet_end_after_seven_days(identity: Identity, databases: Databases) -> None:
    person = RosterPerson(branch_id=LINQU_BRANCH)
    await issue(identity, databases, [person])
    (account,) = identity.accounts.of_member(person.member_id)
    page = "".join(await print_sheet(identity, LINQU_BRANCH))
    assert account.password in CODE.findall(page)
    expires_at = await databases.owner.fetchval(
        "select activation_expires_at from eid where member_id = $1", person.member_id
    )
    assert expires_at == identity.clock.now() + CODE_HOLDS
    code = account.password
    identity.clock.advance(timedelta(days=7, seconds=1).total_seconds())
    assert await wait_until(lambda: account.password != code)
    assert len(account.password) >= 40


@dataclass(slots=True)
class SlowAccounts(MemoryAccounts):
    """A Keycloak that takes its time to end a code."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def end_activation_code(self, account_id: str) -> None:
        self.asked.set()
        await self.answer.wait()
        await MemoryAccounts.end_activation_code(self, account_id)


async def test_a_code_made_in_the_moment_in_which_the_last_one_ends_is_good(workbench: Workbench) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_to_the_end(workbench)
    (record,) = await eids_of(workbench, application)
    accounts = SlowAccounts(accounts=workbench.accounts.accounts)
    parts = replace(workbench.parts, accounts=accounts)
    await make_activation_code(parts, record)
    workbench.clock.advance((CODE_HOLDS + timedelta(seconds=1)).total_seconds())
    ending = asyncio.create_task(work_once(parts, frozenset(TaskKind)))
    await accounts.asked.wait()
    making = asyncio.create_task(make_activation_code(parts, record))

    async def made_or_waits() -> bool:
        locks = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        return making.done() or await workbench.databases.owner.fetchval(locks) == 1

    await wait_until(made_or_waits)
    accounts.answer.set()
    made = await making
    await ending
    assert workbench.accounts.accounts[record.account_id].password == made.code
    # Its own end comes in its own time.
    workbench.clock.advance((CODE_HOLDS + timedelta(seconds=1)).total_seconds())
    await work_once(parts, frozenset(TaskKind))
    assert workbench.accounts.accounts[record.account_id].password != made.code


async def test_whoever_has_a_password_of_their_own_is_not_on_the_sheet_and_keeps_it(
    identity: Identity, databases: Databases
) -> None:
    mine, other = RosterPerson(real_name="钱七", branch_id=TOWNSHIP_BRANCH), RosterPerson(branch_id=TOWNSHIP_BRANCH)
    await issue(identity, databases, [mine, other])
    (account,) = identity.accounts.of_member(mine.member_id)
    account.own_password, account.password = True, "their own words"
    text = "".join(await print_sheet(identity, TOWNSHIP))
    assert "钱七" not in text
    assert identity.accounts.of_member(other.member_id)[0].password in CODE.findall(text)
    assert account.password == "their own words"


async def test_whose_account_was_deleted_by_hand_has_a_strip_without_a_code(
    identity: Identity, databases: Databases
) -> None:
    person = RosterPerson(real_name="孙八", branch_id=TOWNSHIP_BRANCH)
    await issue(identity, databases, [person])
    (account,) = identity.accounts.of_member(person.member_id)
    del identity.accounts.accounts[account.account_id]
    text = "".join(await print_sheet(identity, TOWNSHIP_BRANCH))
    assert "孙八" in text
    assert "登录账号不存在" in text


async def test_sheets_are_listed_by_branch_with_how_many_wait(identity: Identity, databases: Databases) -> None:
    await issue(identity, databases, [RosterPerson(branch_id=TOWNSHIP_BRANCH)])
    await print_sheet(identity, TOWNSHIP_BRANCH)
    await issue(identity, databases, [RosterPerson(branch_id=TOWNSHIP_BRANCH), RosterPerson(branch_id=LINQU_BRANCH)])
    metadata = identity.officer(CLERK)
    listed = await service(identity).ListActivationSheets(
        pb.ListActivationSheetsRequest(organisation_id=LINQU, page_size=1), metadata=metadata
    )
    (first,) = listed.activation_sheets
    rest = await service(identity).ListActivationSheets(
        pb.ListActivationSheetsRequest(organisation_id=LINQU, page_size=1, page_token=listed.next_page_token),
        metadata=metadata,
    )
    (second,) = rest.activation_sheets
    assert [one.organisation_name for one in (first, second)] == ["临朐县第一党支部", "辛寨街道第一党支部"]
    counts = await databases.owner.fetchrow(
        "select count(*), count(*) filter (where activation_expires_at is not null) from eid join person"
        " using (member_id) where state = 1 and person.branch_id = $1",
        TOWNSHIP_BRANCH,
    )
    assert counts is not None
    assert (second.waiting_count, second.coded_count) == tuple(counts)
    assert second.waiting_count == second.coded_count + 1
    assert rest.next_page_token == ""


async def test_nothing_is_printed_where_nobody_waits_or_the_caller_has_no_office(
    identity: Identity, databases: Databases
) -> None:
    await databases.owner.execute("update eid set state = 2")
    assert await refusal_of_printing(identity, TOWNSHIP_BRANCH) == "NO_EID_WAITING"
    assert await refusal_of_printing(identity, TOWNSHIP_BRANCH, QINGZHOU_CLERK) == "PERMISSION_DENIED"
    assert await refusal_of_printing(identity, "370724-b01jd00000000000000000009z") in (
        "NOT_FOUND",
        "PERMISSION_DENIED",
    )


async def test_while_keycloak_is_away_nothing_is_printed_and_the_act_can_be_repeated(
    identity: Identity, databases: Databases
) -> None:
    person = RosterPerson(branch_id=LINQU_BRANCH)
    await issue(identity, databases, [person])
    identity.accounts.down = True
    try:
        assert await refusal_of_printing(identity, LINQU_BRANCH) == "UNAVAILABLE"
    finally:
        identity.accounts.down = False
    (page,) = await print_sheet(identity, LINQU_BRANCH)
    assert identity.accounts.of_member(person.member_id)[0].password in CODE.findall(page)


async def test_without_a_font_no_code_is_made(
    databases: Databases, nats: NatsServer, issuer: TokenIssuer, clock: FixedClock, identity: Identity
) -> None:
    person = RosterPerson(branch_id=LINQU_BRANCH)
    await issue(identity, databases, [person])
    async with running(databases, nats, issuer, clock, card_font="/nowhere.ttf") as without_font:
        assert await refusal_of_printing(without_font, LINQU_BRANCH) == "FONT_MISSING"
    expires_at = await databases.owner.fetchval(
        "select activation_expires_at from eid where member_id = $1", person.member_id
    )
    assert expires_at is None


async def test_more_people_than_a_file_holds_are_refused_before_any_code_is_made(workbench: Workbench) -> None:
    people = [RosterPerson() for _ in range(3)]
    await enter_people(workbench.parts, people)
    await give_status(workbench.databases, [one.member_id for one in people], 5)
    async with workbench.parts.database.transaction(SCOPE) as transaction:
        reach = await reach_of(transaction, LINQU)
        await create_batch(transaction, workbench.parts, reach, organisation_id=LINQU, member_id=CLERK.member_id)
    await work_eid_batches(workbench.parts)
    async with workbench.parts.database.transaction(SCOPE) as transaction:
        organisation = await find_organisation(transaction, LINQU)
        reach = await reach_of(transaction, LINQU)
        assert organisation is not None
        with pytest.raises(ServiceError) as refused:
            await begin_sheet(transaction, reach, organisation, now=workbench.clock.now(), most=2)
    assert refused.value.reason == "SHEET_TOO_LARGE"
    assert await workbench.databases.owner.fetchval("select count(activation_expires_at) from eid") == 0
