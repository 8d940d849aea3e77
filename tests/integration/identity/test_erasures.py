"""Erasure before two officers: asked for, listed, confirmed, refused, taken back, lapsed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from integration.identity.people_by_hand import (
    SECOND_ADMIN,
    RosterPerson,
    add_organisations_and_officers,
    enter_people,
    erasures_of,
    people_of,
)
from integration.identity.running_identity import CLERK, LINQU, LINQU_ADMIN, Identity, Officer
from integration.identity.setting_up import Databases
from integration.identity.test_people import close_record, get
from support.rpc import outcome_of
from zhibu.identity.v1 import erasure_service_pb2 as erasure_pb
from zhibu.identity.v1 import people_service_pb2 as pb
from zhibu.identity.v1.roster_events_pb2 import ErasureChanged, PersonErased
from zhibu_identity.erasures.erasing import expire_erasures
from zhibu_kit.ids import new_ulid


@pytest.fixture(scope="module", autouse=True)
async def more(databases: Databases) -> None:
    await add_organisations_and_officers(databases)


async def test_a_person_is_erased_by_two_officers_after_the_record_is_closed(
    identity: Identity, databases: Databases
) -> None:
    person = RosterPerson(real_name="沈同志")
    await enter_people(identity.parts, [person])

    async def erase(officer: Officer, *, reason: str = "本人申请。") -> pb.ErasePersonResponse:
        return await people_of(identity).ErasePerson(
            pb.ErasePersonRequest(
                organisation_id=LINQU,
                member_id=person.member_id,
                reason=reason,
                etag=(await get(identity, person.member_id)).etag,
                request_id=new_ulid(),
            ),
            metadata=identity.officer(officer),
        )

    assert await outcome_of(erase(LINQU_ADMIN)) == "RECORD_NOT_CLOSED"
    await close_record(identity, person.member_id)
    for _ in range(2):
        proposed = await erase(LINQU_ADMIN)
        assert await openings_of(databases, person.member_id) > 0
        assert (proposed.done, proposed.proposed_by_member_id) == (False, LINQU_ADMIN.member_id)
    identity.clock.advance(timedelta(days=1, seconds=1).total_seconds())
    assert not (await erase(SECOND_ADMIN)).done
    done = await erase(LINQU_ADMIN)
    assert (done.done, done.proposed_by_member_id) == (True, SECOND_ADMIN.member_id)
    # The rows of before stay, with their commitments; whom they were about stands nowhere any more.
    assert await openings_of(databases, person.member_id) == 0
    assert (await get(identity, person.member_id)).person.real_name == ""
    assert (
        await databases.keys_owner.fetchval("select count(*) from member_key where member_id = $1", person.member_id)
        == 0
    )
    assert (
        await databases.keys_owner.fetchval("select count(*) from search_token where member_id = $1", person.member_id)
        == 0
    )
    assert await databases.owner.fetchval("select count(*) from erasure where member_id = $1", person.member_id) == 1
    assert await outcome_of(erase(SECOND_ADMIN)) == "PERSON_ERASED"
    rows = await databases.owner.fetch("select payload from kit_outbox where event_type like '%PersonErased'")
    assert [PersonErased.FromString(row["payload"]).member_id for row in rows] == [person.member_id]


async def openings_of(databases: Databases, member_id: str) -> int:
    count = await databases.owner.fetchval("select count(*) from kit_audit_subject where subject_id = $1", member_id)
    return int(count or 0)


async def test_of_two_second_officers_at_once_one_erases(identity: Identity) -> None:
    person = RosterPerson()
    await enter_people(identity.parts, [person])
    await close_record(identity, person.member_id)
    etag = (await get(identity, person.member_id)).etag

    async def erase(officer: Officer) -> str:
        return await outcome_of(
            people_of(identity).ErasePerson(
                pb.ErasePersonRequest(
                    organisation_id=LINQU, member_id=person.member_id, reason="去世。", etag=etag, request_id=new_ulid()
                ),
                metadata=identity.officer(officer),
            )
        )

    assert await erase(LINQU_ADMIN) == "OK"
    assert sorted(await asyncio.gather(*(erase(SECOND_ADMIN) for _ in range(3)))) == [
        "ETAG_MISMATCH",
        "ETAG_MISMATCH",
        "OK",
    ]


async def closed_person(identity: Identity, name: str) -> RosterPerson:
    person = RosterPerson(real_name=name)
    await enter_people(identity.parts, [person])
    await close_record(identity, person.member_id)
    return person


async def propose_erasure(identity: Identity, person: RosterPerson, officer: Officer = LINQU_ADMIN) -> None:
    request = pb.ErasePersonRequest(
        organisation_id=LINQU,
        member_id=person.member_id,
        reason="家属申请。",
        etag=(await get(identity, person.member_id)).etag,
        request_id=new_ulid(),
    )
    assert not (await people_of(identity).ErasePerson(request, metadata=identity.officer(officer))).done


async def waiting_erasures(identity: Identity, person: RosterPerson) -> list[erasure_pb.Erasure]:
    found: list[erasure_pb.Erasure] = []
    token = ""
    while True:
        page = await erasures_of(identity).ListErasures(
            erasure_pb.ListErasuresRequest(organisation_id=LINQU, page_size=1, page_token=token),
            metadata=identity.officer(SECOND_ADMIN),
        )
        found += page.erasures
        token = page.next_page_token
        if not token:
            break
    count = await erasures_of(identity).CountErasures(
        erasure_pb.CountErasuresRequest(organisation_id=LINQU), metadata=identity.officer(SECOND_ADMIN)
    )
    assert count.waiting_count == len(found)
    only = await erasures_of(identity).ListErasures(
        erasure_pb.ListErasuresRequest(organisation_id=LINQU, member_id=person.member_id),
        metadata=identity.officer(SECOND_ADMIN),
    )
    mine = [one for one in found if one.member_id == person.member_id]
    assert list(only.erasures) == mine
    return mine


async def decide_erasure(identity: Identity, erasure: erasure_pb.Erasure, officer: Officer, *, confirm: bool) -> str:
    given: dict[str, str] = {
        "organisation_id": LINQU,
        "member_id": erasure.member_id,
        "etag": erasure.etag,
        "request_id": new_ulid(),
    }
    service, metadata = erasures_of(identity), identity.officer(officer)
    if confirm:
        return await outcome_of(service.ConfirmErasure(erasure_pb.ConfirmErasureRequest(**given), metadata=metadata))
    return await outcome_of(service.RefuseErasure(erasure_pb.RefuseErasureRequest(**given), metadata=metadata))


async def test_an_erasure_stands_in_a_list_until_another_officer_confirms_it(
    identity: Identity, databases: Databases
) -> None:
    before, person = await closed_person(identity, "邵平"), await closed_person(identity, "汤和")
    await propose_erasure(identity, before)
    identity.clock.advance(1)
    await propose_erasure(identity, person)
    (waiting,) = await waiting_erasures(identity, person)
    assert (waiting.real_name, waiting.reason, waiting.state) == (
        "汤和",
        "家属申请。",
        erasure_pb.ERASURE_STATE_WAITING,
    )
    assert waiting.proposed_by_member_id == LINQU_ADMIN.member_id
    assert waiting.expire_time.ToDatetime() - waiting.create_time.ToDatetime() == timedelta(days=1)
    assert await decide_erasure(identity, waiting, LINQU_ADMIN, confirm=True) == "OTHER_OFFICER_NEEDED"
    # An approver may not erase, and sees nobody who shall be.
    listing = erasures_of(identity).ListErasures(
        erasure_pb.ListErasuresRequest(organisation_id=LINQU), metadata=identity.officer(CLERK)
    )
    assert await outcome_of(listing) == "PERMISSION_DENIED"
    waiting.etag, seen = "v9", waiting.etag
    assert await decide_erasure(identity, waiting, SECOND_ADMIN, confirm=True) == "ETAG_MISMATCH"
    waiting.etag = seen
    assert await decide_erasure(identity, waiting, SECOND_ADMIN, confirm=True) == "OK"
    assert (await get(identity, person.member_id)).person.real_name == ""
    keys = "select count(*) from member_key where member_id = $1"
    assert await databases.keys_owner.fetchval(keys, person.member_id) == 0
    assert await waiting_erasures(identity, person) == []
    assert await decide_erasure(identity, waiting, SECOND_ADMIN, confirm=True) == "ERASURE_ENDED"
    asker = LINQU_ADMIN.member_id
    assert await told_of_erasures(databases, person) == [(1, 1, asker), (2, 2, asker)]
    assert len(await waiting_erasures(identity, before)) == 1


async def test_an_erasure_is_taken_back_refused_or_lapses_and_can_be_asked_for_again(
    identity: Identity, databases: Databases
) -> None:
    person = await closed_person(identity, "花云")
    await propose_erasure(identity, person)
    (waiting,) = await waiting_erasures(identity, person)
    assert await decide_erasure(identity, waiting, LINQU_ADMIN, confirm=False) == "OK"
    assert await waiting_erasures(identity, person) == []
    assert await decide_erasure(identity, waiting, SECOND_ADMIN, confirm=True) == "ERASURE_ENDED"
    await propose_erasure(identity, person)
    (waiting,) = await waiting_erasures(identity, person)
    assert await decide_erasure(identity, waiting, SECOND_ADMIN, confirm=False) == "OK"
    # After an end it needs two officers again: the other one's wish is a first one.
    await propose_erasure(identity, person, SECOND_ADMIN)
    (waiting,) = await waiting_erasures(identity, person)
    identity.clock.advance(timedelta(days=1).total_seconds())
    assert await waiting_erasures(identity, person) == []
    assert await decide_erasure(identity, waiting, LINQU_ADMIN, confirm=True) in ("ERASURE_EXPIRED", "ERASURE_ENDED")
    await expire_erasures(identity.parts)
    # 1 waits, 4 taken back, 3 refused, 5 lapsed.
    first, second = LINQU_ADMIN.member_id, SECOND_ADMIN.member_id
    assert await told_of_erasures(databases, person) == [
        (1, 1, first),
        (4, 2, first),
        (1, 3, first),
        (3, 4, first),
        (1, 5, second),
        (5, 6, second),
    ]
    assert (await get(identity, person.member_id)).person.real_name == "花云"


async def told_of_erasures(databases: Databases, person: RosterPerson) -> list[tuple[int, int, str]]:
    rows = await databases.owner.fetch(
        "select payload from kit_outbox where key = $1 and event_type like '%ErasureChanged' order by version",
        person.member_id,
    )
    events = [ErasureChanged.FromString(row["payload"]) for row in rows]
    return [(event.state, event.version, event.requested_by_member_id) for event in events]


async def test_of_a_confirmation_and_a_refusal_at_once_one_is_done(identity: Identity) -> None:
    person = await closed_person(identity, "康茂才")
    await propose_erasure(identity, person)
    (waiting,) = await waiting_erasures(identity, person)
    outcomes = await asyncio.gather(
        decide_erasure(identity, waiting, SECOND_ADMIN, confirm=True),
        decide_erasure(identity, waiting, LINQU_ADMIN, confirm=False),
    )
    assert sorted(outcomes) == ["ERASURE_ENDED", "OK"]
