"""Notices by SMS: paced, behind the codes, in the county's hours, and never one twice, however the message centre behaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.notify.happenings import WAITS, application, organisation
from integration.notify.running_notify import Smsc, new_number
from integration.notify.sms_happenings import hours_around_now, ordinary, send_code, settings, urgent
from integration.notify.world import BRANCH, COUNTY, NAMES, World, instant, running_world
from zhibu.branches.v1 import organisation_pb2
from zhibu.branches.v1.branches_events_pb2 import OrganisationChanged
from zhibu.identity.v1 import certificate_service_pb2
from zhibu.identity.v1.identity_events_pb2 import CertificateChanged
from zhibu.notify.v1 import inbox_pb2
from zhibu.notify.v1 import inbox_service_pb2 as pb
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Database
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_notify.jobs import STALE, take_over_job
from zhibu_notify.notice_rules import ORDINARY_PER_DAY
from zhibu_notify.notices import URGENT_CHANNEL
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres

_MEMBERSHIP = inbox_pb2.NOTICE_KIND_MEMBERSHIP
_ORDINARY = f"【支部】您的组织关系已编入{NAMES[BRANCH]}。"
_URGENT = "【支部】您登记的手机号码已变更为本机。如非本人办理，请立即联系县委组织部。"
_REPLACED = "【支部】您登记的手机号码已换成别的号码，本机不再收到验证码。如非本人办理，请立即联系县委组织部。"


@pytest.fixture(scope="module")
async def running_once(
    database: ServiceDatabase, postgres: Postgres, nats: NatsServer, smsc: Smsc
) -> AsyncGenerator[World]:
    async with running_world(database=database, dsn=postgres.dsn(database.name), nats=nats, smsc=smsc) as world:
        yield world


@pytest.fixture
async def world(running_once: World) -> AsyncGenerator[World]:
    """The county sends notices of memberships by SMS at all hours, and the message centre behaves well."""
    running_once.smsc.running.faults.reset()
    await running_once.send_by_sms(_MEMBERSHIP)
    yield running_once
    running_once.smsc.running.faults.reset()
    running_once.people.down = False
    await running_once.everything.execute("delete from notice_sms where state = 'waiting'")
    await running_once.settle()
    await running_once.everything.execute("delete from notice_sms")


async def test_a_notice_arrives_with_signature_and_is_on_the_countys_bill(world: World) -> None:
    before = (await settings(world)).sent_this_month_count
    member_id = world.member()
    await world.tell(ordinary(member_id))
    await wait_until(lambda: world.texts(member_id) == [_ORDINARY])
    await world.settle()
    assert await world.sms(member_id) == [("accepted", None)]
    assert (await settings(world)).sent_this_month_count == before + 1


async def test_urgent_ones_go_at_once_and_ordinary_ones_when_the_quiet_hours_end(world: World) -> None:
    await world.send_by_sms(_MEMBERSHIP, quiet=hours_around_now())
    member_id = world.member()
    await world.tell(ordinary(member_id))
    await world.tell(urgent(member_id))
    await wait_until(lambda: world.texts(member_id) == [_URGENT])
    assert (await settings(world)).waiting_count == 1
    await world.send_by_sms(_MEMBERSHIP)
    await wait_until(lambda: world.texts(member_id) == [_URGENT, _ORDINARY])


async def test_a_certificate_that_waits_is_told_by_sms_at_once_whatever_member_and_county_have_switched_off(
    world: World,
) -> None:
    await world.send_by_sms(quiet=hours_around_now())
    member_id = world.member()
    off = inbox_pb2.NoticePreference(kind=inbox_pb2.NOTICE_KIND_EID)
    await world.inbox.UpdateMyNoticePreferences(
        pb.UpdateMyNoticePreferencesRequest(preferences=[off], etag="v0"), metadata=world.as_member(member_id)
    )
    await world.tell(
        CertificateChanged(
            certificate_id=new_ulid(),
            member_id=member_id,
            organisation_id=COUNTY,
            county_code=COUNTY,
            state=certificate_service_pb2.CERTIFICATE_STATE_WAITING,
            version=1,
            change_time=instant(),
        )
    )
    asked = "【支部】有人为您申请密钥盘证书，须您登录确认。如非本人申请，请登录拒绝并告知安全员。"
    await wait_until(lambda: world.texts(member_id) == [asked])
    assert await world.templates(member_id) == ["certificate_requested"]


async def test_the_telephone_that_was_replaced_is_told_at_once_and_the_inbox_says_it_once(world: World) -> None:
    await world.send_by_sms()
    member_id, former = world.member(), new_number()
    event = urgent(member_id, replaced=True)
    world.people.former_numbers[member_id, event.version] = former
    await world.tell(event)
    await wait_until(lambda: world.texts(member_id) == [_URGENT] and world.smsc.texts(former) == [_REPLACED])
    assert await world.templates(member_id) == ["telephone_changed"]
    assert await world.unread(member_id) == 1


async def test_a_replaced_telephone_that_nobody_knows_any_more_is_not_waited_for(world: World) -> None:
    member_id = world.member()
    await world.tell(urgent(member_id, replaced=True))
    await wait_until(lambda: world.texts(member_id) == [_URGENT])
    await world.settle()
    assert sorted(await world.sms(member_id), key=str) == [("accepted", None), ("not_sent", "NO_TELEPHONE")]


async def test_only_kinds_that_county_and_member_want_go_out_by_sms(world: World) -> None:
    wants, wants_not = world.member(), world.member()
    off = inbox_pb2.NoticePreference(kind=_MEMBERSHIP, in_inbox=True)
    await world.inbox.UpdateMyNoticePreferences(
        pb.UpdateMyNoticePreferencesRequest(preferences=[off], etag="v0"), metadata=world.as_member(wants_not)
    )
    await world.tell(ordinary(wants_not), ordinary(wants))
    # What waits when the county switches a kind off does not go out any more.
    await wait_until(lambda: world.texts(wants) == [_ORDINARY])
    await world.send_by_sms()
    unwanted = world.member()
    await world.tell(ordinary(unwanted), urgent(wants_not))
    await wait_until(lambda: world.texts(wants) and world.texts(wants_not))
    await world.settle()
    assert (world.texts(wants), world.texts(wants_not), world.texts(unwanted)) == ([_ORDINARY], [_URGENT], [])
    assert await world.templates(wants_not) == ["telephone_changed", "membership_began"]


async def test_a_kind_that_was_switched_off_meanwhile_is_not_sent_in_the_morning(world: World) -> None:
    await world.send_by_sms(_MEMBERSHIP, quiet=hours_around_now())
    changed_mind, other = world.member(), world.member()
    await world.tell(ordinary(changed_mind), ordinary(other))
    off = inbox_pb2.NoticePreference(kind=_MEMBERSHIP, in_inbox=True)
    await world.inbox.UpdateMyNoticePreferences(
        pb.UpdateMyNoticePreferencesRequest(preferences=[off], etag="v0"), metadata=world.as_member(changed_mind)
    )
    await world.send_by_sms(_MEMBERSHIP)
    await wait_until(lambda: world.texts(other) == [_ORDINARY])
    await world.settle()
    assert (await world.sms(changed_mind), world.texts(changed_mind)) == ([("not_sent", "SWITCHED_OFF")], [])
    # The same when it was the county.
    late = world.member()
    await world.send_by_sms(_MEMBERSHIP, quiet=hours_around_now())
    await world.tell(ordinary(late))
    await world.send_by_sms()
    await wait_until_closed(world, late)
    assert (await world.sms(late), world.texts(late)) == ([("not_sent", "SWITCHED_OFF")], [])


async def wait_until_closed(world: World, member_id: str) -> None:
    async def closed() -> bool:
        return all(state != "waiting" for state, _ in await world.sms(member_id))

    await wait_until(closed)


async def test_work_is_told_by_sms_once_a_day_to_whoever_wants_no_items(world: World) -> None:
    await world.send_by_sms(inbox_pb2.NOTICE_KIND_WORK)
    approver = await world.officer("county_approver", COUNTY)
    by_sms = inbox_pb2.NoticePreference(kind=inbox_pb2.NOTICE_KIND_WORK, by_sms=True)
    await world.inbox.UpdateMyNoticePreferences(
        pb.UpdateMyNoticePreferencesRequest(preferences=[by_sms], etag="v0"), metadata=world.as_member(approver)
    )
    waits = f"【支部】{NAMES[COUNTY]}有电子身份证申请等待审批。"
    await world.tell(*(application(WAITS) for _ in range(3)))
    await wait_until(lambda: world.texts(approver) == [waits])
    await world.settle()
    assert (await world.templates(approver), world.texts(approver)) == ([], [waits])


async def test_a_long_name_makes_several_parts_which_are_counted(world: World) -> None:
    name = "中共临朐县城关街道兴隆社区" + "流动党员" * 14 + "支部委员会"
    branch_id = "370724-blong"
    organisation = OrganisationChanged(
        organisation_id=branch_id,
        parent_id=COUNTY,
        level=organisation_pb2.ORGANISATION_LEVEL_BRANCH,
        name=name,
        county_code=COUNTY,
        active=True,
        version=1,
    )
    await world.tell(organisation)
    member_id = world.member()
    await world.tell(ordinary(member_id, branch_id))
    await wait_until(lambda: world.texts(member_id) == [f"【支部】您的组织关系已编入{name}。"])
    await world.settle()
    rows = await world.everything.fetch(
        "select segment_count, (select count(*) from notice_sms_part p where p.notice_sms_id = s.notice_sms_id) as parts"
        " from notice_sms s where member_id = $1",
        member_id,
    )
    assert [tuple(row) for row in rows] == [(2, 2)]


async def test_a_message_waits_for_the_name_of_a_branch_that_was_just_made(world: World) -> None:
    branch_id, member_id = f"370724-b{new_ulid()}", world.member()
    await world.tell(ordinary(member_id, branch_id))

    async def given_back() -> bool:
        return bool(
            await world.everything.fetchval(
                "select exists (select from notice_sms"
                " where member_id = $1 and state = 'waiting' and not_before > create_time)",
                member_id,
            )
        )

    await wait_until(given_back)
    assert world.texts(member_id) == []
    await world.tell(organisation(branch_id, "花卉行业党支部", parent_id=COUNTY))
    await wait_until(lambda: world.texts(member_id) == ["【支部】您的组织关系已编入花卉行业党支部。"])


async def test_a_member_gets_so_many_in_a_day_and_no_more(world: World) -> None:
    member_id = world.member()
    await world.tell(*(ordinary(member_id) for _ in range(ORDINARY_PER_DAY + 2)))
    await wait_until(lambda: len(world.texts(member_id)) == ORDINARY_PER_DAY)
    await world.settle()
    states = await world.sms(member_id)
    assert states.count(("accepted", None)) == ORDINARY_PER_DAY
    assert states.count(("not_sent", "DAILY_LIMIT")) == 2
    # The inbox has them all, and what is urgent comes nevertheless.
    assert await world.unread(member_id) == ORDINARY_PER_DAY + 2
    await world.tell(urgent(member_id))
    await wait_until(lambda: _URGENT in world.texts(member_id))


async def test_without_a_telephone_or_after_two_days_nothing_is_sent(world: World) -> None:
    without, late = world.member(), world.member()
    del world.people.numbers[without]
    await world.send_by_sms(_MEMBERSHIP, quiet=hours_around_now())
    await world.tell(ordinary(without), ordinary(late))
    await world.everything.execute(
        "update notice_sms set create_time = now() - interval '49 hours' where member_id = $1", late
    )
    await world.send_by_sms(_MEMBERSHIP)
    await wait_until(lambda: _is_closed(world, without, late))
    assert await world.sms(without) == [("not_sent", "NO_TELEPHONE")]
    assert await world.sms(late) == [("not_sent", "TOO_OLD")]
    assert world.texts(late) == []


async def test_while_identity_is_away_messages_wait_and_nobodys_number_is_kept(world: World) -> None:
    world.people.down = True
    member_id = world.member()
    await world.tell(urgent(member_id))

    async def given_back() -> bool:
        return await world.everything.fetchval(  # pyright: ignore[reportReturnType] - a boolean
            "select state = 'waiting' and not_before > now() from notice_sms where member_id = $1", member_id
        )

    await wait_until(given_back)
    world.people.down = False
    await world.everything.execute("update notice_sms set not_before = now() where member_id = $1", member_id)
    await world.everything.execute("select pg_notify($1, '')", URGENT_CHANNEL)
    await wait_until(lambda: world.texts(member_id) == [_URGENT])


async def test_a_misbehaving_message_centre_never_leads_to_a_second_message(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It throttles, fails, cuts the session before and after taking messages, and is started anew in the middle."""
    caplog.set_level(logging.DEBUG)
    members = [world.member() for _ in range(120)]
    faults = {"throttle_submits": 9, "fail_submits": 4, "drop_before_submits": 3, "drop_after_submits": 3}
    world.smsc.running.faults.change({**faults, "submit_delay_s": 0.01})
    await world.tell(*(ordinary(member_id) for member_id in members))
    await wait_until(lambda: world.smsc.running.faults.current.drop_after_submits == 0, timeout_s=20)
    arrived = {member_id: world.texts(member_id) for member_id in members}
    await world.smsc.stop()
    await world.smsc.start()

    async def over() -> bool:
        # What was told to wait for seconds need not wait for the test.
        await world.everything.execute("update notice_sms set not_before = now() where state = 'waiting'")
        return not await world.everything.fetchval(
            "select exists (select from notice_sms where state in ('waiting', 'claimed', 'submitting'))"
        )

    await wait_until(over, timeout_s=30)
    states = {member_id: await world.sms(member_id) for member_id in members}
    for member_id, ((state, reason),) in states.items():
        texts = arrived[member_id] + world.texts(member_id)
        assert len(texts) <= 1, "nothing twice"
        assert (state, reason) == ("accepted", None) or (state, reason) == ("unknown", "SMS_OUTCOME_UNKNOWN")
        assert texts or state == "unknown"
    # Nobody knows what became of those under way when a session was cut; they are few, and most arrived.
    unknown = [member_id for member_id, ((state, _),) in states.items() if state == "unknown"]
    assert 0 < len(unknown) <= 70
    written = "\n".join(f"{record.getMessage()} {getattr(record, 'fields', '')}" for record in caplog.records)
    tables = [
        row[0] for row in await world.everything.fetch("select tablename from pg_tables where schemaname = 'public'")
    ]
    kept = ""
    for table in tables:
        kept += str(
            await world.everything.fetchval(f"select coalesce(string_agg(t::text, chr(10)), '') from {table} t")
        )
    for secret in (*(world.people.numbers[member_id] for member_id in members), _ORDINARY):
        assert secret not in written
        assert secret not in kept


async def test_what_a_dead_process_had_in_hand_goes_out_only_if_it_had_not_left(world: World) -> None:
    """A claim is given back; a message that was being submitted may have arrived, and is never submitted again."""
    claimed, submitting = world.member(), world.member()
    died = datetime.now(UTC) - STALE - timedelta(seconds=1)
    for member_id, state in ((claimed, "claimed"), (submitting, "submitting")):
        await world.everything.execute(
            "insert into notice_sms (notice_sms_id, county_code, member_id, kind, template, parameters, urgent, state,"
            " not_before, create_time, state_time) values ($1, $2, $3, 2, 'membership_began', $4, false, $5, $6, $6, $6)",
            new_ulid(),
            COUNTY,
            member_id,
            f'{{"branch_id": "{BRANCH}"}}',
            state,
            died,
        )
    own = Database(world.database.app_url, service="notify")
    try:
        await take_over_job(own, SystemClock()).run()
    finally:
        await own.close()
    await wait_until(lambda: world.texts(claimed) == [_ORDINARY])
    assert await world.sms(submitting) == [("unknown", "SMS_OUTCOME_UNKNOWN")]
    assert world.texts(submitting) == []


@pytest.mark.parametrize(("receipts", "expected"), [("delivered", [True]), ("undeliverable", [False]), ("none", [])])
async def test_receipts_of_notices_are_recorded(world: World, receipts: str, expected: list[bool]) -> None:
    world.smsc.running.faults.change({"receipts": receipts})
    member_id = world.member()
    await world.tell(urgent(member_id))
    await wait_until(lambda: world.texts(member_id))
    await world.settle()

    async def recorded() -> bool:
        rows = await world.everything.fetch(
            "select delivered from delivery_receipt join notice_sms_part using (smsc_message_id)"
            " join notice_sms using (notice_sms_id) where member_id = $1",
            member_id,
        )
        return [row["delivered"] for row in rows] == expected

    await wait_until(recorded)


async def test_numbers_are_asked_for_in_bulk_and_only_for_what_goes_out_now(world: World) -> None:
    await world.send_by_sms(_MEMBERSHIP, quiet=hours_around_now())
    members = [world.member() for _ in range(50)]
    world.people.asked.clear()
    await world.tell(*(ordinary(member_id) for member_id in members))
    hurried = world.member()
    await world.tell(urgent(hurried))
    await wait_until(lambda: world.texts(hurried))
    assert world.people.asked == [[hurried]]
    world.people.asked.clear()
    await world.send_by_sms(_MEMBERSHIP)
    await wait_until(lambda: all(world.texts(member_id) for member_id in members))
    assert [sorted(asked) for asked in world.people.asked] == [sorted(members)]


async def test_a_code_does_not_wait_behind_notices(world: World) -> None:
    """The message centre takes a third of a second for each message, and every place of the notices' window is taken."""
    members = [world.member() for _ in range(150)]
    world.smsc.running.faults.change({"submit_delay_s": 0.3})
    await world.tell(*(ordinary(member_id) for member_id in members))
    await wait_until(lambda: any(world.texts(member_id) for member_id in members))
    for _ in range(4):
        await send_code(world, new_number())
    # How long each took is measured in bench/codes_beside_notices.py.
    assert not all(world.texts(member_id) for member_id in members), "notices were still going out"


async def test_when_codes_are_told_to_slow_down_notices_stop_for_them(world: World) -> None:
    members = [world.member() for _ in range(60)]
    world.smsc.running.faults.change({"submit_delay_s": 0.2})
    await world.tell(*(ordinary(member_id) for member_id in members))
    await wait_until(lambda: any(world.texts(member_id) for member_id in members))
    # Whoever submits next is throttled, codes and notices alike.
    world.smsc.running.faults.change({"throttle_submits": 12, "submit_delay_s": 0.0})
    # Each code is taken in the end, or this raises; the notices wait meanwhile instead of taking its place.
    await asyncio.gather(*(send_code(world, new_number()) for _ in range(3)))
    assert not all(world.texts(member_id) for member_id in members)


async def _is_closed(world: World, *member_ids: str) -> bool:
    states: list[Any] = [await world.sms(member_id) for member_id in member_ids]
    return all(state == "not_sent" for ((state, _),) in states)
