"""The telephone of somebody who has an e-ID: no roster changes it, record and e-ID never part, and those that had parted are mended."""

from __future__ import annotations

import io

import pytest
from integration.identity.batches_by_hand import begin, eids_in, enter, work_out
from integration.identity.people_by_hand import RosterPerson, people_of
from integration.identity.running_identity import CLERK, LINQU, LINQU_ADMIN, Applicant, Identity
from integration.identity.setting_up import Databases, Workbench
from integration.identity.test_rosters import (
    SCOPE,
    checked,
    commit,
    commit_by_hand,
    download,
    load,
    roster_by_hand,
    service,
    work_with_a_power_cut,
)
from support.roster_files import person_row
from support.rpc import bearer
from support.synthetic_people import new_telephone
from zhibu.identity.v1 import eid_pb2, identity_events_pb2, people_service_pb2, person_pb2, roster_pb2
from zhibu.identity.v1 import eid_service_pb2 as eid_pb
from zhibu.identity.v1 import roster_service_pb2 as pb
from zhibu.identity.v1.roster_events_pb2 import TelephoneChanged
from zhibu_identity.models import eid as eid_table
from zhibu_identity.models import person as person_table
from zhibu_identity.people.records import open_details
from zhibu_identity.rosters.reading.files import inspect
from zhibu_identity.rosters.records import RosterState
from zhibu_identity.rosters.worker import work_rosters
from zhibu_identity.telephones.apart import find_apart
from zhibu_identity.telephones.sending import Purpose
from zhibu_kit.ids import new_ulid


async def get(identity: Identity, member_id: str) -> people_service_pb2.GetPersonResponse:
    request = people_service_pb2.GetPersonRequest(organisation_id=LINQU, member_id=member_id)
    return await people_of(identity).GetPerson(request, metadata=identity.officer(CLERK))


async def change_telephone(identity: Identity, member_id: str, telephone: str) -> person_pb2.Person:
    request = people_service_pb2.ChangeTelephoneRequest(
        organisation_id=LINQU,
        member_id=member_id,
        telephone=telephone,
        etag=(await get(identity, member_id)).etag,
        request_id=new_ulid(),
    )
    return (await people_of(identity).ChangeTelephone(request, metadata=identity.officer(CLERK))).person


async def code_arrives(identity: Identity, eid: eid_pb2.Eid, telephone: str) -> bool:
    before = sum(one.purpose is Purpose.LOGIN for one in identity.telephones.arrived[telephone])
    identity.clock.advance(61)
    await identity.eids.SendLoginCode(eid_pb.SendLoginCodeRequest(eid_number=eid.eid_number))
    return bool(await identity.telephones.wait_for(telephone, Purpose.LOGIN, count=before + 1))


async def told_of(databases: Databases, member_id: str) -> list[TelephoneChanged]:
    rows = await databases.owner.fetch(
        "select payload from kit_outbox where key = $1 and event_type like '%TelephoneChanged' order by position",
        member_id,
    )
    return [TelephoneChanged.FromString(row["payload"]) for row in rows]


async def former_of(identity: Identity, event: TelephoneChanged) -> list[str]:
    former = people_service_pb2.FormerTelephone(member_id=event.member_id, version=event.version)
    stream = people_of(identity).ResolveFormerTelephones(
        people_service_pb2.ResolveFormerTelephonesRequest(former_telephones=[former]),
        metadata=bearer(identity.issuer.token("account-of-svc-notify", service="notify")),
    )
    return [one.telephone async for one in stream]


async def holder_on_a_roster(identity: Identity, name: str) -> tuple[Applicant, eid_pb2.Eid]:
    """Return somebody whom a roster names and who then got an e-ID for the same telephone."""
    applicant = Applicant(real_name=name)
    row = person_row(name, applicant.resident_number, telephone=applicant.telephone)
    await commit(identity, await checked(identity, [row]))
    return applicant, await identity.issue(applicant)


async def part(identity: Identity, member_id: str, telephone: str) -> None:
    """Have record and e-ID differ, as rosters left them in release 0.2."""
    key = await identity.parts.vault.find_member_key(member_id, LINQU)
    assert key is not None
    async with identity.parts.database.transaction(SCOPE) as transaction:
        sealed = key.seal(telephone, place="eid.telephone")
        await transaction.execute(eid_table.update().where(eid_table.c.member_id == member_id).values(telephone=sealed))


# Through the service


async def test_the_telephone_of_an_e_id_is_not_taken_over_the_rest_of_the_row_is_and_the_officer_is_told(
    identity: Identity, databases: Databases
) -> None:
    applicant, eid = await holder_on_a_roster(identity, "何静")
    other, without_eid = new_telephone(), person_row("吕方")
    await commit(identity, await checked(identity, [without_eid]))
    row = person_row("何静", applicant.resident_number, telephone=other, admitted="2003-07-01")
    moved = [*without_eid[:7], new_telephone(), without_eid[8]]
    roster = await checked(identity, [row, moved])
    assert (roster.changed_count, roster.problem_count, roster.notice_count) == (2, 0, 1)

    request = pb.ListRosterRowsRequest(organisation_id=LINQU, roster_id=roster.roster_id, with_notices=True)
    (noticed,) = (await service(identity).ListRosterRows(request, metadata=identity.officer(LINQU_ADMIN))).rows
    assert (noticed.member_id, noticed.difference) == (eid.member_id, roster_pb2.ROSTER_DIFFERENCE_CHANGED)
    (notice,) = noticed.notices
    assert (notice.cell, notice.field, notice.reason) == ("H2", roster_pb2.ROSTER_FIELD_TELEPHONE, "TELEPHONE_OF_EID")
    assert other[-4:] in notice.message
    assert other not in notice.message
    assert [change.field for change in noticed.changes] == [roster_pb2.ROSTER_FIELD_ADMITTED_DATE]
    asked = pb.DownloadRosterProblemsRequest(organisation_id=LINQU, roster_id=roster.roster_id, notices=True)
    file = await download(service(identity).DownloadRosterProblems(asked, metadata=identity.officer(LINQU_ADMIN)))
    (sheet,) = inspect(io.BytesIO(file))
    assert [line[0] for line in sheet.first_rows] == ["姓名", "何静"]
    assert str(sheet.first_rows[1][9]).startswith("H2 ")

    await commit(identity, roster)
    person = (await get(identity, eid.member_id)).person
    assert (person.telephone, person.eid_telephone) == (applicant.telephone, "")
    assert await code_arrives(identity, eid, applicant.telephone)
    assert await told_of(databases, eid.member_id) == []
    again = await checked(identity, [row, moved])
    # The date was taken over, and somebody without an e-ID has the telephone of the roster.
    assert (again.same_count, again.changed_count, again.notice_count) == (2, 0, 1)


async def test_a_name_that_a_roster_corrects_stands_in_record_and_e_id(identity: Identity) -> None:
    applicant, eid = await holder_on_a_roster(identity, "施晓")
    row = person_row("施小", applicant.resident_number, telephone=applicant.telephone)
    roster = await checked(identity, [row])
    assert (roster.changed_count, roster.notice_count) == (1, 0)
    await commit(identity, roster)
    assert (await get(identity, eid.member_id)).person.real_name == "施小"
    assert (await identity.get_eid(eid.eid_id)).real_name == "施小"


async def test_record_and_e_id_that_had_parted_are_shown_left_alone_by_corrections_and_mended_at_the_counter(
    identity: Identity, databases: Databases
) -> None:
    applicant, eid = await holder_on_a_roster(identity, "孔明")
    of_eid = new_telephone()
    await part(identity, eid.member_id, of_eid)
    seen = await get(identity, eid.member_id)
    assert (seen.person.telephone, seen.person.eid_telephone) == (applicant.telephone, of_eid)
    found = await find_apart(identity.parts.database, identity.parts.vault)
    assert (LINQU, eid.member_id) in found
    assert len(found) == len({member_id for _, member_id in found})
    # The next roster says so, whichever of the two it names.
    for named in (applicant.telephone, of_eid):
        row = person_row("孔明", applicant.resident_number, telephone=named)
        assert (await checked(identity, [row])).notice_count == 1
    request = people_service_pb2.CorrectPersonRequest(
        organisation_id=LINQU, member_id=eid.member_id, ethnicity="回族", etag=seen.etag, request_id=new_ulid()
    )
    corrected = await people_of(identity).CorrectPerson(request, metadata=identity.officer(CLERK))
    assert (corrected.person.ethnicity, corrected.person.eid_telephone) == ("回族", of_eid)
    assert await code_arrives(identity, eid, of_eid)
    mended = await change_telephone(identity, eid.member_id, applicant.telephone)
    assert (mended.telephone, mended.eid_telephone) == (applicant.telephone, "")
    assert (LINQU, eid.member_id) not in await find_apart(identity.parts.database, identity.parts.vault)
    assert await code_arrives(identity, eid, applicant.telephone)
    (event,) = await told_of(databases, eid.member_id)
    assert event.replaced
    assert await former_of(identity, event) == [of_eid]


async def test_who_kept_the_telephone_of_the_e_id_has_it_in_the_record_and_the_other_number_is_told(
    identity: Identity, databases: Databases
) -> None:
    applicant, eid = await holder_on_a_roster(identity, "常青")
    of_eid = new_telephone()
    await part(identity, eid.member_id, of_eid)
    mended = await change_telephone(identity, eid.member_id, of_eid)
    assert (mended.telephone, mended.eid_telephone) == (of_eid, "")
    (event,) = await told_of(databases, eid.member_id)
    assert await former_of(identity, event) == [applicant.telephone]


async def test_an_applicant_whom_a_roster_names_with_another_telephone_has_the_proven_one_and_the_other_is_told(
    identity: Identity, databases: Databases
) -> None:
    applicant, in_roster = Applicant(real_name="华安"), new_telephone()
    row = person_row("华安", applicant.resident_number, telephone=in_roster)
    await commit(identity, await checked(identity, [row]))
    eid = await identity.issue(applicant)
    person = (await get(identity, eid.member_id)).person
    assert (person.in_roster, person.telephone, person.eid_telephone) == (True, applicant.telephone, "")
    (event,) = await told_of(databases, eid.member_id)
    assert await former_of(identity, event) == [in_roster]


# By hand: an e-ID that is issued between two steps of a roster


async def telephones_in(workbench: Workbench, member_id: str) -> tuple[str, str]:
    """Return the telephones of record and e-ID."""
    key = await workbench.vault.find_member_key(member_id, LINQU)
    assert key is not None
    async with workbench.parts.database.transaction(SCOPE) as transaction:
        details = await transaction.scalar(
            person_table.select().with_only_columns(person_table.c.details).where(person_table.c.member_id == member_id)
        )
    eid = (await eids_in(workbench, [member_id]))[member_id]
    return open_details(details, key).telephone, key.open(eid["telephone"], place="eid.telephone")


@pytest.mark.parametrize("step", ["checked", "rows prepared", "roster written, not committed"])
async def test_an_e_id_that_is_issued_while_a_roster_waits_keeps_its_telephone(workbench: Workbench, step: str) -> None:
    person = RosterPerson(real_name="柳青")
    (member_id,) = await enter(workbench, [person])
    row = person_row("柳青", person.resident_number)
    roster = await roster_by_hand(workbench, [row])
    await work_rosters(workbench.parts)
    record = await load(workbench, roster.roster_id)
    assert (record.changed_count, record.notice_count) == (1, 0)
    await commit_by_hand(workbench, roster.roster_id)
    if step != "checked":
        await work_with_a_power_cut(workbench, step)
    await work_out(workbench, await begin(workbench))
    await work_rosters(workbench.parts)
    record = await load(workbench, roster.roster_id)
    # Checked anew: the officer sees what is not taken over before committing again.
    assert (record.state, record.changed_count, record.notice_count) == (RosterState.CHECKED, 1, 1)
    assert await telephones_in(workbench, member_id) == (person.telephone, person.telephone)
    await commit_by_hand(workbench, roster.roster_id)
    await work_rosters(workbench.parts)
    assert (await load(workbench, roster.roster_id)).state is RosterState.COMMITTED
    assert await telephones_in(workbench, member_id) == (person.telephone, person.telephone)


async def test_an_e_id_that_is_issued_after_the_commit_has_the_telephone_of_the_roster(workbench: Workbench) -> None:
    person, other = RosterPerson(real_name="柳青"), new_telephone()
    (member_id,) = await enter(workbench, [person])
    roster = await roster_by_hand(workbench, [person_row("柳青", person.resident_number, telephone=other)])
    await work_rosters(workbench.parts)
    await commit_by_hand(workbench, roster.roster_id)
    await work_rosters(workbench.parts)
    await work_out(workbench, await begin(workbench))
    assert await telephones_in(workbench, member_id) == (other, other)


async def test_a_new_name_is_told_of_the_e_id_with_the_commit(workbench: Workbench) -> None:
    person = RosterPerson(real_name="柳青")
    (member_id,) = await enter(workbench, [person])
    await work_out(workbench, await begin(workbench))
    row = person_row("柳清", person.resident_number, telephone=person.telephone)
    roster = await roster_by_hand(workbench, [row])
    await work_rosters(workbench.parts)
    await commit_by_hand(workbench, roster.roster_id)
    await work_rosters(workbench.parts)
    rows = await workbench.databases.owner.fetch(
        "select payload from kit_outbox where event_type like '%EidChanged' order by position"
    )
    events = [identity_events_pb2.EidChanged.FromString(one["payload"]) for one in rows]
    assert [(one.member_id, one.version) for one in events] == [(member_id, 1), (member_id, 2)]
