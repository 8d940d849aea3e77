"""The inbox: what members and officers are told, in words made when they read, and nothing of it twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from integration.notify.happenings import (
    ROSTER,
    WAITS,
    application,
    founding,
    membership,
    of_member,
    organisation,
    record,
)
from integration.notify.running_notify import Smsc
from integration.notify.world import (
    BRANCH,
    COUNTY,
    NAMES,
    OTHER_COUNTY,
    TOWNSHIP,
    VIRTUAL_BRANCH,
    World,
    instant,
    running_world,
)
from support.rpc import outcome_of, refusal_of
from zhibu.branches.v1 import branches_events_pb2 as branches
from zhibu.branches.v1 import (
    founding_pb2,
    membership_pb2,
    membership_service_pb2,
    survey_pb2,
)
from zhibu.identity.v1 import (
    application_pb2,
    certificate_service_pb2,
    eid_pb2,
    erasure_service_pb2,
    person_pb2,
    roster_events_pb2,
)
from zhibu.identity.v1 import identity_events_pb2 as identity
from zhibu.notify.v1 import inbox_pb2
from zhibu.notify.v1 import inbox_service_pb2 as pb
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres


@pytest.fixture(scope="module")
async def world(database: ServiceDatabase, postgres: Postgres, nats: NatsServer, smsc: Smsc) -> AsyncGenerator[World]:
    async with running_world(database=database, dsn=postgres.dsn(database.name), nats=nats, smsc=smsc) as world:
        yield world


async def test_each_event_is_told_to_the_member_as_the_table_says(world: World) -> None:
    """One member lives through everything that can be told."""
    member_id = world.member()
    for event, told in of_member(member_id):
        await world.everything.execute("delete from inbox_item where member_id = $1", member_id)
        await world.tell(event)
        assert await world.templates(member_id) == told, event


async def test_who_asked_is_told_when_it_comes_to_nothing_and_nobody_else(world: World) -> None:
    certificate = partial(identity.CertificateChanged, certificate_id=new_ulid(), organisation_id=COUNTY)
    erasure = roster_events_pb2.ErasureChanged
    happened = [
        (partial(erasure, state=erasure_service_pb2.ERASURE_STATE_REFUSED), ["erasure_refused"]),
        (partial(erasure, state=erasure_service_pb2.ERASURE_STATE_EXPIRED), ["erasure_expired"]),
        (partial(erasure, state=erasure_service_pb2.ERASURE_STATE_WITHDRAWN), []),
        (partial(erasure, state=erasure_service_pb2.ERASURE_STATE_DONE), []),
        (partial(certificate, state=certificate_service_pb2.CERTIFICATE_STATE_REFUSED), ["certificate_refused"]),
        (partial(certificate, state=certificate_service_pb2.CERTIFICATE_STATE_WITHDRAWN), []),
    ]
    for version, (make, told) in enumerate(happened, start=1):
        asker, subject = await world.officer("county_clerk", COUNTY), world.member()
        same: dict[str, Any] = {"county_code": COUNTY, "version": version, "change_time": instant()}
        event = make(member_id=subject, requested_by_member_id=asker, **same)
        await world.tell(event)
        assert [await world.templates(one) for one in (asker, subject)] == [told, []], event
        for item in (await world.list(asker)).items:
            assert item.link_path in (f"/desk/{COUNTY}/erasures", f"/desk/{COUNTY}/certificates")


async def test_words_are_made_when_they_are_read_from_the_names_of_then(world: World) -> None:
    member_id = world.member()
    await world.tell(founding(founding_pb2.FOUNDING_STATE_APPROVED, member_id))
    (item,) = (await world.list(member_id)).items
    assert item.title == f"虚拟支部获准成立：{NAMES[VIRTUAL_BRANCH]}"
    assert item.body == f"您发起或联署的虚拟支部“{NAMES[VIRTUAL_BRANCH]}”已获批准成立，您已是其成员。"
    assert item.link_path.startswith("/foundings/0")
    assert (item.kind, item.urgent, item.read) == (inbox_pb2.NOTICE_KIND_FOUNDING, False, False)
    await world.tell(organisation(VIRTUAL_BRANCH, "在外党员支部", parent_id=COUNTY, version=2))
    (item,) = (await world.list(member_id, language="en")).items
    assert item.title == "在外党员支部 was founded"
    await world.tell(organisation(VIRTUAL_BRANCH, NAMES[VIRTUAL_BRANCH], parent_id=COUNTY, version=3))


async def test_five_applications_are_one_item_until_it_is_read(world: World) -> None:
    approver = await world.officer("county_approver", COUNTY)
    await world.tell(*(application(WAITS) for _ in range(5)))
    (item,) = (await world.list(approver)).items
    assert (item.template, item.link_path) == ("applications_wait", f"/desk/{COUNTY}/applications")
    assert await world.unread(approver) == 1
    await world.inbox.MarkInboxRead(pb.MarkInboxReadRequest(), metadata=world.as_member(approver))
    await world.tell(application(WAITS), application(application_pb2.APPLICATION_STATE_APPROVED))
    assert await world.templates(approver) == ["applications_wait"] * 2
    assert await world.unread(approver) == 1


async def test_work_is_told_to_those_who_may_do_it_from_the_place_up_to_the_county(world: World) -> None:
    offices = {
        "township": ("township_officer", TOWNSHIP),
        "clerk": ("county_clerk", COUNTY),
        "admin": ("county_admin", COUNTY),
        "security": ("security_officer", COUNTY),
        "stranger": ("county_clerk", OTHER_COUNTY),
        "province": ("province_admin", "37"),
    }
    officers = {name: await world.officer(office, place) for name, (office, place) in offices.items()}
    same: dict[str, Any] = {"county_code": COUNTY, "version": 1, "change_time": instant()}
    correction = roster_events_pb2.CorrectionChanged(
        correction_id=new_ulid(),
        member_id=world.member(),
        branch_id=BRANCH,
        state=person_pb2.CORRECTION_STATE_OPEN,
        **same,
    )
    request = branches.MembershipRequestChanged(
        membership_request_id=new_ulid(),
        member_id=world.member(),
        branch_id=VIRTUAL_BRANCH,
        state=membership_service_pb2.MEMBERSHIP_REQUEST_STATE_OPEN,
        **same,
    )
    roster = branches.RosterApplied(
        roster_id=new_ulid(), organisation_id=COUNTY, applied_count=23980, conflict_count=20, **same
    )
    asked = roster_events_pb2.ErasureChanged(
        member_id=world.member(), state=erasure_service_pb2.ERASURE_STATE_WAITING, **same
    )
    refused = roster_events_pb2.ErasureChanged(
        member_id=world.member(), state=erasure_service_pb2.ERASURE_STATE_REFUSED, **same
    )
    await world.tell(asked, refused)
    await world.tell(correction, request, roster, founding(founding_pb2.FOUNDING_STATE_SUBMITTED))
    told = {name: sorted(await world.templates(officer)) for name, officer in officers.items()}
    assert told == {
        # A virtual branch of the county is none of the township's.
        "township": ["corrections_wait"],
        "clerk": ["corrections_wait", "foundings_wait", "requests_wait", "roster_applied"],
        "admin": ["corrections_wait", "erasures_wait", "foundings_wait", "requests_wait", "roster_applied"],
        "security": [],
        "stranger": [],
        # Somebody nearer can do it.
        "province": [],
    }
    links = {item.template: item.link_path for item in (await world.list(officers["clerk"])).items}
    assert links["corrections_wait"] == f"/desk/{COUNTY}/corrections"
    links |= {item.template: item.link_path for item in (await world.list(officers["admin"])).items}
    assert links["erasures_wait"] == f"/desk/{COUNTY}/erasures"
    (item,) = (await world.list(officers["township"])).items
    assert item.link_path == f"/desk/{TOWNSHIP}/corrections"
    # In a county without officers of its own the province does it.
    waits = identity.ApplicationChanged(
        application_id=new_ulid(), county_code="370799", state=WAITS, version=1, change_time=instant()
    )
    await world.tell(organisation("370799", "新区", parent_id="3707"))
    await world.tell(waits)
    assert await world.templates(officers["province"]) == ["applications_wait"]


async def test_terms_and_warnings_go_to_the_branch_and_to_those_above_it(world: World) -> None:
    secretary = await world.officer("branch_secretary", BRANCH)
    township = await world.officer("township_officer", TOWNSHIP)
    same: dict[str, Any] = {"branch_id": BRANCH, "county_code": COUNTY, "change_time": instant()}
    committee_id = new_ulid()
    await world.tell(
        branches.CommitteeTermWarned(
            committee_id=committee_id, months_left=6, term_end_date="2027-05-01", version=1, **same
        ),
        branches.OnlineStateChanged(state=survey_pb2.ONLINE_STATE_ONLINE, rate_permille=512, version=1, **same),
    )
    assert sorted(await world.templates(secretary)) == ["branch_online", "term_ending"]
    assert await world.templates(township) == ["term_ending"]
    await world.inbox.MarkInboxRead(pb.MarkInboxReadRequest(), metadata=world.as_member(secretary))
    await world.tell(
        branches.CommitteeTermWarned(
            committee_id=committee_id, months_left=0, term_end_date="2027-05-01", version=2, **same
        ),
        branches.OnlineStateChanged(state=survey_pb2.ONLINE_STATE_WARNED, rate_permille=455, version=2, **same),
    )
    bodies = {item.template: item.body for item in (await world.list(secretary, unread_only=True)).items}
    assert set(bodies) == {"term_ended", "branch_warned"}
    assert "45.5%" in bodies["branch_warned"]
    assert set(await world.templates(township)) == {"term_ending", "term_ended", "branch_warned"}


async def test_what_happened_long_ago_is_no_news(world: World) -> None:
    member_id = world.member()
    event = membership(member_id)
    event.change_time.CopyFrom(instant(timedelta(days=4)))
    await world.tell(event)
    assert await world.templates(member_id) == []


async def test_an_event_that_is_delivered_twice_is_one_item(world: World) -> None:
    member_id = world.member()
    event, event_id = membership(member_id), new_ulid()
    await world.tell(event, event_id=event_id)
    await world.tell(event, event_id=event_id)
    assert await world.templates(member_id) == ["membership_began"]
    assert await world.unread(member_id) == 1


async def test_pages_and_marks_keep_the_count_of_the_unread(world: World) -> None:
    member_id = world.member()
    await world.tell(*(membership(member_id) for _ in range(5)))
    first = await world.list(member_id, page_size=2)
    second = await world.list(member_id, page_size=2, page_token=first.next_page_token)
    third = await world.list(member_id, page_size=2, page_token=second.next_page_token)
    items = [*first.items, *second.items, *third.items]
    ids = [item.inbox_item_id for item in items]
    assert ids == sorted(ids, reverse=True)
    assert (len(set(ids)), third.next_page_token, first.unread_count) == (5, "", 5)
    request = pb.MarkInboxReadRequest(inbox_item_ids=ids[:2], request_id=new_ulid())
    for _ in range(2):
        marked = await world.inbox.MarkInboxRead(request, metadata=world.as_member(member_id))
        assert marked.unread_count == 3
    assert len((await world.list(member_id, unread_only=True)).items) == 3
    assert len((await world.list(member_id, kind=inbox_pb2.NOTICE_KIND_EID)).items) == 0
    # Another page's token is not this query's.
    refused = world.list(member_id, kind=inbox_pb2.NOTICE_KIND_EID, page_token=first.next_page_token)
    assert await outcome_of(refused) == "INVALID_ARGUMENT"


async def test_nobody_reads_or_marks_anothers_items(world: World) -> None:
    member_id, other = world.member(), world.member()
    await world.tell(membership(member_id))
    (item,) = (await world.list(member_id)).items
    request = pb.MarkInboxReadRequest(inbox_item_ids=[item.inbox_item_id])
    await world.inbox.MarkInboxRead(request, metadata=world.as_member(other))
    assert await world.templates(other) == []
    assert await world.unread(member_id) == 1
    assert await outcome_of(world.inbox.CountMyUnread(pb.CountMyUnreadRequest())) == "UNAUTHENTICATED"
    own: asyncpg.Connection = await asyncpg.connect(world.database.app_url)
    try:
        # The second wall: whatever a query forgets, a transaction that names no member sees none.
        assert await own.fetchval("select count(*) from inbox_item") == 0
        assert await own.fetchval("select count(*) from notice_sms") == 0
    finally:
        await own.close()


async def test_a_member_switches_kinds_off_but_not_what_is_urgent(world: World) -> None:
    member_id = world.member()
    metadata = world.as_member(member_id)
    before = await world.inbox.GetMyNoticePreferences(pb.GetMyNoticePreferencesRequest(), metadata=metadata)
    assert [(one.kind, one.in_inbox, one.by_sms) for one in before.preferences] == [
        (kind, True, True) for kind in range(1, 8)
    ]
    off = [
        inbox_pb2.NoticePreference(kind=inbox_pb2.NOTICE_KIND_MEMBERSHIP),
        inbox_pb2.NoticePreference(kind=inbox_pb2.NOTICE_KIND_EID),
    ]
    request = pb.UpdateMyNoticePreferencesRequest(preferences=off, etag=before.etag)
    after = await world.inbox.UpdateMyNoticePreferences(request, metadata=metadata)
    assert [one.kind for one in after.preferences if one.in_inbox] == [3, 4, 5, 6, 7]
    stale = await refusal_of(lambda: world.inbox.UpdateMyNoticePreferences(request, metadata=metadata))
    assert stale.reason == "ETAG_MISMATCH"
    twice = pb.UpdateMyNoticePreferencesRequest(preferences=[off[0], off[0]], etag=after.etag)
    assert await outcome_of(world.inbox.UpdateMyNoticePreferences(twice, metadata=metadata)) == "INVALID_ARGUMENT"
    same: dict[str, Any] = {"member_id": member_id, "county_code": COUNTY, "version": 1, "change_time": instant()}
    await world.tell(
        membership(member_id),
        identity.EidChanged(eid_id=new_ulid(), state=eid_pb2.EID_STATE_ACTIVE, **same),
        roster_events_pb2.TelephoneChanged(**same),
    )
    assert await world.templates(member_id) == ["telephone_changed"]


async def test_the_county_decides_what_goes_out_by_sms(world: World) -> None:
    admin, stranger = await world.officer("county_admin", COUNTY), await world.officer("county_admin", OTHER_COUNTY)
    metadata = world.as_member(admin)
    before = await world.inbox.GetNoticeSettings(pb.GetNoticeSettingsRequest(organisation_id=COUNTY), metadata=metadata)
    assert (before.settings.quiet_from_hour, before.settings.quiet_until_hour) == (21, 8)
    wanted = pb.NoticeSettings(
        sms_kinds=[inbox_pb2.NOTICE_KIND_WORK, inbox_pb2.NOTICE_KIND_FOUNDING], quiet_from_hour=22, quiet_until_hour=7
    )
    request = pb.UpdateNoticeSettingsRequest(organisation_id=COUNTY, settings=wanted, etag=before.etag)
    after = await world.inbox.UpdateNoticeSettings(request, metadata=metadata)
    assert list(after.settings.sms_kinds) == [inbox_pb2.NOTICE_KIND_FOUNDING, inbox_pb2.NOTICE_KIND_WORK]
    assert await outcome_of(world.inbox.UpdateNoticeSettings(request, metadata=metadata)) == "ETAG_MISMATCH"
    denied = world.inbox.UpdateNoticeSettings(request, metadata=world.as_member(stranger, county=OTHER_COUNTY))
    assert await outcome_of(denied) == "PERMISSION_DENIED"
    township = pb.GetNoticeSettingsRequest(organisation_id=TOWNSHIP)
    assert await outcome_of(world.inbox.GetNoticeSettings(township, metadata=metadata)) == "NOT_FOUND"


async def test_nothing_more_is_told_to_the_dead_and_the_erased_and_only_what_is_urgent_to_those_who_left(
    world: World,
) -> None:
    dead, erased, left = world.member(), world.member(), world.member()
    for member_id in (dead, erased, left):
        await world.tell(membership(member_id))
    looked_at = "insert into kit_audit_subject values ($1, sha256('c'), $1, 'salt')"
    await world.everything.execute(looked_at, erased)
    await world.tell(
        record(dead, standing=membership_pb2.STANDING_DIED),
        record(left, standing=membership_pb2.STANDING_LEFT),
        roster_events_pb2.PersonErased(member_id=erased, county_code=COUNTY, version=1, change_time=instant()),
    )
    for member_id in (dead, erased, left):
        same: dict[str, Any] = {"member_id": member_id, "county_code": COUNTY, "version": 1, "change_time": instant()}
        await world.tell(membership(member_id), roster_events_pb2.TelephoneChanged(**same))
    assert await world.templates(dead) == []
    assert await world.templates(erased) == []
    opening = "select subject_id, salt from kit_audit_subject where audit_id = $1"
    assert tuple(await world.everything.fetchrow(opening, erased) or ()) == (None, None)
    assert await world.templates(left) == ["telephone_changed", "membership_began"]
    # It was a mistake, and is recorded as one.
    await world.tell(record(dead, version=2))
    assert await world.templates(dead) == ["record_changed"]


async def test_a_roster_of_a_county_floods_nobody(world: World) -> None:
    members = [world.member() for _ in range(200)]
    await world.send_by_sms(inbox_pb2.NOTICE_KIND_MEMBERSHIP, inbox_pb2.NOTICE_KIND_RECORD)
    await world.tell(*(membership(one, source=ROSTER) for one in members))
    await world.tell(*(record(one, source=ROSTER) for one in members))
    told = "select count(*) from {} where member_id = any($1)"
    assert await world.everything.fetchval(told.format("inbox_item"), members) == 0
    assert await world.everything.fetchval(told.format("notice_sms"), members) == 0
