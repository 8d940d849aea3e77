"""People: who sees whom, search, corrections, telephones, erasure before two officers, sums without persons."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import asyncpg
import pytest
from integration.identity.officers_and_keys import (
    cards_of,
    give_office,
    issue_certificate,
    new_key,
    signing_request,
)
from integration.identity.people_by_hand import (
    SECOND_ADMIN,
    SECRETARY,
    TOWNSHIP,
    TOWNSHIP_BRANCH,
    TOWNSHIP_OFFICER,
    VIRTUAL_BRANCH,
    VIRTUAL_SECRETARY,
    RosterPerson,
    add_organisations_and_officers,
    as_member,
    enter_people,
    people_of,
)
from integration.identity.running_identity import (
    CLERK,
    LINQU,
    LINQU_ADMIN,
    LINQU_BRANCH,
    PROVINCE,
    PROVINCE_ADMIN,
    QINGZHOU,
    QINGZHOU_BRANCH,
    QINGZHOU_CLERK,
    Applicant,
    Identity,
    Officer,
)
from integration.identity.setting_up import Databases
from support.rpc import bearer, outcome_of, refusal_of
from support.synthetic_people import new_resident_number, new_telephone
from zhibu.identity.v1 import card_service_pb2 as card_pb
from zhibu.identity.v1 import eid_service_pb2 as eid_pb
from zhibu.identity.v1 import people_service_pb2 as pb
from zhibu.identity.v1 import person_pb2
from zhibu.identity.v1.roster_events_pb2 import CorrectionChanged, TelephoneChanged
from zhibu_identity.models import person as person_table
from zhibu_identity.people.places import MemberPlace, settle_branch, store_place
from zhibu_identity.telephones.former import KEEP, purge_former
from zhibu_identity.telephones.sending import Purpose
from zhibu_kit.db import Role
from zhibu_kit.ids import new_ulid
from zhibu_kit.paging import encode_page_token
from zhibu_kit.scope import Scope
from zhibu_kit.testing.waiting import wait_until

VIRTUAL = 2


@pytest.fixture(scope="module", autouse=True)
async def more(databases: Databases) -> None:
    await add_organisations_and_officers(databases)


async def place(identity: Identity, person: RosterPerson, branch_id: str, *, kind: int = VIRTUAL) -> None:
    """Have branches' word that a member belongs to a branch."""
    async with identity.parts.database.transaction(Scope.of(branch_id[:6])) as transaction:
        await store_place(
            transaction,
            MemberPlace(
                membership_id=new_ulid(),
                member_id=person.member_id,
                branch_id=branch_id,
                county_code=branch_id[:6],
                kind=kind,
                active=True,
                version=1,
            ),
        )
        if kind != VIRTUAL:
            await settle_branch(transaction, identity.parts, person.member_id)


async def listed(
    identity: Identity, organisation_id: str, officer: Officer, *, page_size: int = 200, without_eid: bool = False
) -> list[person_pb2.Person]:
    """Return everybody, through all pages."""
    found: list[person_pb2.Person] = []
    token = ""
    while True:
        page = await people_of(identity).ListPeople(
            pb.ListPeopleRequest(
                organisation_id=organisation_id, page_size=page_size, page_token=token, without_eid=without_eid
            ),
            metadata=identity.officer(officer),
        )
        found += page.people
        token = page.next_page_token
        if not token:
            assert page.total_count == len(found)
            return found


async def get(
    identity: Identity, member_id: str, officer: Officer = CLERK, organisation_id: str = LINQU
) -> pb.GetPersonResponse:
    return await people_of(identity).GetPerson(
        pb.GetPersonRequest(organisation_id=organisation_id, member_id=member_id), metadata=identity.officer(officer)
    )


async def search(identity: Identity, query: str, officer: Officer = CLERK, organisation_id: str = LINQU) -> set[str]:
    found = await people_of(identity).SearchPeople(
        pb.SearchPeopleRequest(organisation_id=organisation_id, query=query), metadata=identity.officer(officer)
    )
    return {one.member_id for one in found.people}


async def correct(
    identity: Identity, member_id: str, officer: Officer = CLERK, *, correction_id: str = "", **fields: object
) -> pb.CorrectPersonResponse:
    seen = await get(identity, member_id, officer)
    request = pb.CorrectPersonRequest(
        organisation_id=LINQU,
        member_id=member_id,
        etag=seen.etag,
        correction_id=correction_id,
        request_id=new_ulid(),
        **fields,  # type: ignore[arg-type] - names of fields, chosen by each test
    )
    return await people_of(identity).CorrectPerson(request, metadata=identity.officer(officer))


async def close_record(identity: Identity, member_id: str) -> None:
    async with identity.parts.database.transaction(Scope.of(LINQU)) as transaction:
        await transaction.execute(person_table.update().where(person_table.c.member_id == member_id).values(standing=2))


async def look_up(
    identity: Identity, member_ids: Sequence[str], metadata: tuple[tuple[str, str], ...]
) -> dict[str, str]:
    found = await people_of(identity).LookUpNames(pb.LookUpNamesRequest(member_ids=member_ids), metadata=metadata)
    return {one.member_id: one.real_name for one in found.names}


async def test_an_approved_applicant_is_a_person_with_an_eid_whom_no_branch_holds(identity: Identity) -> None:
    applicant = Applicant(real_name="赵一鸣")
    eid = await identity.issue(applicant)
    person = (await get(identity, eid.member_id)).person
    assert (person.real_name, person.resident_number, person.telephone) == (
        applicant.real_name,
        applicant.resident_number,
        applicant.telephone,
    )
    assert (person.eid_id, person.branch_id, person.in_roster) == (eid.eid_id, "", False)
    assert person.birth_date == "1980-05-17"
    mine = await people_of(identity).GetMyPerson(pb.GetMyPersonRequest(), metadata=as_member(identity, eid.member_id))
    assert mine.person == person


async def test_a_branch_is_listed_by_name_and_in_lists_numbers_are_shortened(identity: Identity) -> None:
    branch = "370724-b01jd0000000000000000000005"
    people = [
        RosterPerson(real_name=name, branch_id=branch) for name in ("张三", "陈二", "李四", "阿卜杜拉·买买提", "陈一")
    ]
    await enter_people(identity.parts, people)
    async with identity.parts.database.transaction(Scope.none()) as transaction:
        raw = await transaction.raw()
        await raw.execute(
            "insert into kit_organisation values ($1, $2, 5, '第五党支部', $3, true, 1)", branch, LINQU, LINQU
        )
    for page_size in (200, 2):
        found = await listed(identity, branch, CLERK, page_size=page_size)
        assert [one.real_name for one in found] == ["阿卜杜拉·买买提", "陈二", "陈一", "李四", "张三"]
    numbers = {one.member_id: (one.resident_number, one.telephone, one.address, one.birth_date) for one in found}
    assert numbers == {one.member_id: (one.resident_number[-4:], one.telephone[-4:], "", "") for one in people}


async def test_a_page_goes_on_where_the_last_one_ended_although_its_last_person_has_left(identity: Identity) -> None:
    branch = "370724-b01jd0000000000000000000011"
    await add_branch(identity, branch)
    people = [RosterPerson(real_name=name, branch_id=branch) for name in ("安民", "白露", "曹正", "丁一")]
    await enter_people(identity.parts, people)
    first = await people_of(identity).ListPeople(
        pb.ListPeopleRequest(organisation_id=branch, page_size=2), metadata=identity.officer(CLERK)
    )
    assert [one.real_name for one in first.people] == ["安民", "白露"]
    await close_record(identity, first.people[-1].member_id)
    second = await people_of(identity).ListPeople(
        pb.ListPeopleRequest(organisation_id=branch, page_size=2, page_token=first.next_page_token),
        metadata=identity.officer(CLERK),
    )
    assert [one.real_name for one in second.people] == ["曹正", "丁一"]
    # Tokens are not signed: where somebody of elsewhere would stand among these names is not told.
    stranger = RosterPerson(real_name="包文", branch_id=LINQU_BRANCH)
    await enter_people(identity.parts, [stranger])
    forged = encode_page_token([LINQU_BRANCH, stranger.member_id], query=f"{branch}/False")
    for token in (
        forged,
        encode_page_token([], query=f"{branch}/False"),
        encode_page_token(["\0", "\0"], query=f"{branch}/False"),
    ):
        request = pb.ListPeopleRequest(organisation_id=branch, page_size=2, page_token=token)
        outcome = await outcome_of(people_of(identity).ListPeople(request, metadata=identity.officer(CLERK)))
        assert outcome == "INVALID_ARGUMENT"


async def test_of_a_branch_that_is_too_large_to_be_sorted_everybody_is_listed(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zhibu_identity.people.lists.MOST_SORTED", 3)
    branch = "370724-b01jd0000000000000000000012"
    await add_branch(identity, branch)
    people = [RosterPerson(branch_id=branch) for _ in range(5)]
    await enter_people(identity.parts, people)
    found = await listed(identity, branch, CLERK, page_size=2)
    assert sorted(one.member_id for one in found) == sorted(one.member_id for one in people)


async def add_branch(identity: Identity, branch_id: str) -> None:
    async with identity.parts.database.transaction(Scope.none()) as transaction:
        raw = await transaction.raw()
        await raw.execute("insert into kit_organisation values ($1, $2, 5, $1, $2, true, 1)", branch_id, LINQU)


async def test_a_branch_sees_the_branch_a_township_its_branches_a_county_all_of_its_own(identity: Identity) -> None:
    in_branch, in_township, elsewhere = (
        RosterPerson(branch_id=LINQU_BRANCH),
        RosterPerson(branch_id=TOWNSHIP_BRANCH),
        RosterPerson(county_code=QINGZHOU, branch_id=QINGZHOU_BRANCH),
    )
    for one in (in_branch, in_township, elsewhere):
        await enter_people(identity.parts, [one])
    everybody = {in_branch.member_id, in_township.member_id, elsewhere.member_id}

    async def seen(organisation_id: str, officer: Officer) -> set[str]:
        return {one.member_id for one in await listed(identity, organisation_id, officer)} & everybody

    assert await seen(LINQU_BRANCH, SECRETARY) == {in_branch.member_id}
    assert await seen(TOWNSHIP, TOWNSHIP_OFFICER) == {in_township.member_id}
    assert await seen(LINQU, CLERK) == {in_branch.member_id, in_township.member_id}
    assert await seen(QINGZHOU, QINGZHOU_CLERK) == {elsewhere.member_id}
    for query in (in_township.real_name, in_township.resident_number[-6:]):
        assert in_township.member_id in await search(identity, query, TOWNSHIP_OFFICER, TOWNSHIP)
        assert not {in_township.member_id} & await search(identity, query, SECRETARY, LINQU_BRANCH)
    for officer, organisation_id in ((SECRETARY, LINQU_BRANCH), (TOWNSHIP_OFFICER, TOWNSHIP)):
        error = await refusal_of(lambda: get(identity, elsewhere.member_id, officer, organisation_id))  # noqa: B023 - called at once
        assert error.reason == "NOT_FOUND"
    error = await refusal_of(lambda: get(identity, in_township.member_id, SECRETARY, TOWNSHIP))
    assert error.reason == "PERMISSION_DENIED"


async def test_a_virtual_branch_sees_its_members_of_other_counties_and_nobody_else_there(identity: Identity) -> None:
    near = RosterPerson(branch_id=TOWNSHIP_BRANCH)
    far, stranger = (RosterPerson(county_code=QINGZHOU, branch_id=QINGZHOU_BRANCH, real_name="钱远") for _ in range(2))
    for one in (near, far, stranger):
        await enter_people(identity.parts, [one])
    await place(identity, near, VIRTUAL_BRANCH)
    await place(identity, far, VIRTUAL_BRANCH)
    assert {one.member_id for one in await listed(identity, VIRTUAL_BRANCH, VIRTUAL_SECRETARY)} == {
        near.member_id,
        far.member_id,
    }
    assert (await get(identity, far.member_id, VIRTUAL_SECRETARY, VIRTUAL_BRANCH)).person.real_name == "钱远"
    error = await refusal_of(lambda: get(identity, stranger.member_id, VIRTUAL_SECRETARY, VIRTUAL_BRANCH))
    assert error.reason == "NOT_FOUND"


async def test_those_without_an_eid_can_be_listed_alone(identity: Identity) -> None:
    eid = await identity.issue()
    without = RosterPerson()
    await enter_people(identity.parts, [without])
    found = {one.member_id for one in await listed(identity, LINQU, CLERK, page_size=3, without_eid=True)}
    assert without.member_id in found
    assert eid.member_id not in found


async def test_people_are_found_by_name_pinyin_initials_and_last_digits(identity: Identity) -> None:
    person = RosterPerson(real_name="欧阳若曦")
    await enter_people(identity.parts, [person])
    for query in ("欧阳若曦", "ouyangruoxi", "OYRX", person.resident_number[-6:], person.telephone[-4:]):
        assert person.member_id in await search(identity, query), query
    for query in ("欧阳", "ouyang", "000000", person.resident_number):
        assert person.member_id not in await search(identity, query), query


async def test_a_page_of_a_search_tells_nothing_of_what_was_searched(identity: Identity) -> None:
    people = [RosterPerson(real_name="尉迟敬德") for _ in range(3)]
    await enter_people(identity.parts, people)
    request = pb.SearchPeopleRequest(organisation_id=LINQU, query="尉迟敬德", page_size=2)
    first = await people_of(identity).SearchPeople(request, metadata=identity.officer(CLERK))
    request.page_token = first.next_page_token
    second = await people_of(identity).SearchPeople(request, metadata=identity.officer(CLERK))
    assert {one.member_id for one in [*first.people, *second.people]} == {one.member_id for one in people}
    request.query = "别人"
    assert (
        await outcome_of(people_of(identity).SearchPeople(request, metadata=identity.officer(CLERK)))
        == "INVALID_ARGUMENT"
    )


async def test_names_are_told_within_a_branch_and_to_officers_and_to_nobody_else(identity: Identity) -> None:
    eid = await identity.issue(Applicant(real_name="孙同志"))
    me = RosterPerson(member_id=eid.member_id)
    comrade, virtual, stranger = (RosterPerson(real_name=name) for name in ("周同志", "吴同志", "郑同志"))
    await enter_people(identity.parts, [comrade, virtual, replace(stranger, branch_id=TOWNSHIP_BRANCH)])
    await place(identity, me, LINQU_BRANCH, kind=1)
    await place(identity, me, VIRTUAL_BRANCH)
    await place(identity, replace(virtual, branch_id=TOWNSHIP_BRANCH), VIRTUAL_BRANCH)
    wanted = [me.member_id, comrade.member_id, virtual.member_id, stranger.member_id, new_ulid()]
    mine = as_member(identity, eid.member_id)
    assert await look_up(identity, wanted, mine) == {
        me.member_id: "孙同志",
        comrade.member_id: "周同志",
        virtual.member_id: "吴同志",
    }
    assert set((await look_up(identity, wanted, identity.officer(SECRETARY))).values()) == {
        "孙同志",
        "周同志",
        "吴同志",
    }
    assert set(await look_up(identity, wanted, identity.officer(TOWNSHIP_OFFICER))) == {stranger.member_id}
    assert len(await look_up(identity, wanted, identity.officer(CLERK))) == 4
    assert await look_up(identity, wanted, identity.officer(QINGZHOU_CLERK)) == {}
    assert (
        len(
            await look_up(
                identity, wanted[:4], bearer(identity.issuer.token("nobody", member_id=new_ulid(), county_code=LINQU))
            )
        )
        == 0
    )


async def test_a_correction_changes_record_eid_and_search_at_once(identity: Identity) -> None:
    eid = await identity.issue(Applicant(real_name="王小明"))
    number = new_resident_number(date(1975, 2, 3))
    corrected = await correct(
        identity, eid.member_id, real_name="王晓明", resident_number=number, ethnicity="回族", education=6
    )
    person = corrected.person
    assert (person.real_name, person.resident_number, person.birth_date, person.ethnicity, person.education) == (
        "王晓明",
        number,
        number[6:10] + "-02-03",
        "回族",
        6,
    )
    shown = await identity.get_eid(eid.eid_id)
    assert (shown.real_name, shown.resident_number) == ("王晓明", number[-4:])

    async def found_anew() -> bool:
        return eid.member_id in await search(identity, "王晓明") and eid.member_id not in await search(
            identity, "王小明"
        )

    await wait_until(found_anew)
    # The old number is free again, the new one is not.
    second = await identity.file(Applicant(resident_number=number))
    assert (await identity.find(second)).findings


async def test_a_number_that_somebody_else_has_is_refused_anywhere_and_nothing_changes(identity: Identity) -> None:
    far, mine = RosterPerson(county_code=QINGZHOU, branch_id=QINGZHOU_BRANCH), RosterPerson()
    await enter_people(identity.parts, [far])
    await enter_people(identity.parts, [mine])
    error = await refusal_of(lambda: correct(identity, mine.member_id, resident_number=far.resident_number))
    assert (error.reason, [one.reason for one in error.fields]) == ("INVALID_ARGUMENT", ["NUMBER_HELD"])
    assert (await get(identity, mine.member_id)).person.resident_number == mine.resident_number
    assert mine.member_id in await search(identity, mine.resident_number[-6:])


async def test_of_two_who_are_given_one_number_at_once_one_gets_it(identity: Identity) -> None:
    people = [RosterPerson() for _ in range(4)]
    await enter_people(identity.parts, people)
    number = new_resident_number()
    outcomes = await asyncio.gather(
        *(outcome_of(correct(identity, one.member_id, resident_number=number)) for one in people)
    )
    assert sorted(outcomes) == ["INVALID_ARGUMENT"] * 3 + ["OK"]


async def test_who_corrects_what_somebody_has_changed_meanwhile_is_refused(identity: Identity) -> None:
    person = RosterPerson()
    await enter_people(identity.parts, [person])
    seen = await get(identity, person.member_id)
    await correct(identity, person.member_id, address="临朐县城关街道")
    request = pb.CorrectPersonRequest(
        organisation_id=LINQU, member_id=person.member_id, etag=seen.etag, address="别处", request_id=new_ulid()
    )
    assert (
        await outcome_of(people_of(identity).CorrectPerson(request, metadata=identity.officer(CLERK)))
        == "ETAG_MISMATCH"
    )


async def test_a_member_asks_and_an_officer_corrects_or_says_why_not(identity: Identity, databases: Databases) -> None:
    eid = await identity.issue(Applicant(real_name="李连杰"))
    mine = as_member(identity, eid.member_id)

    async def ask(field: person_pb2.PersonField.ValueType, wanted: str) -> person_pb2.Correction:
        identity.clock.advance(1)
        asked = await people_of(identity).RequestCorrection(
            pb.RequestCorrectionRequest(field=field, wanted_value=wanted, reason="见学历证书。", request_id=new_ulid()),
            metadata=mine,
        )
        return asked.correction

    async def decide(correction: person_pb2.Correction, *, accept: bool, note: str = "") -> str:
        return await outcome_of(
            people_of(identity).DecideCorrection(
                pb.DecideCorrectionRequest(
                    organisation_id=LINQU,
                    correction_id=correction.correction_id,
                    accept=accept,
                    reply_note=note,
                    etag=correction.etag,
                    request_id=new_ulid(),
                ),
                metadata=identity.officer(CLERK),
            )
        )

    schooling = await ask(person_pb2.PERSON_FIELD_EDUCATION, "研究生")
    address = await ask(person_pb2.PERSON_FIELD_ADDRESS, "临朐县东城街道1号")
    status = await ask(person_pb2.PERSON_FIELD_PARTY_STATUS, "正式党员")
    waiting = await people_of(identity).ListCorrections(
        pb.ListCorrectionsRequest(organisation_id=LINQU), metadata=identity.officer(CLERK)
    )
    mine_waiting = [one for one in waiting.corrections if one.member_id == eid.member_id]
    assert [(one.wanted_value, one.real_name) for one in mine_waiting] == [
        ("研究生", "李连杰"),
        ("临朐县东城街道1号", "李连杰"),
        ("正式党员", "李连杰"),
    ]
    assert await decide(schooling, accept=True) == "OK"
    assert await decide(schooling, accept=True) == "CORRECTION_ENDED"
    assert await decide(address, accept=False) == "INVALID_ARGUMENT"
    assert await decide(address, accept=False, note="请提供户口簿。") == "OK"
    withdrawn = await people_of(identity).WithdrawCorrection(
        pb.WithdrawCorrectionRequest(correction_id=status.correction_id, request_id=new_ulid()), metadata=mine
    )
    assert withdrawn.correction.state == person_pb2.CORRECTION_STATE_WITHDRAWN
    person = (await get(identity, eid.member_id)).person
    assert (person.education, person.address) == (person_pb2.EDUCATION_POSTGRADUATE, "")
    shown = await people_of(identity).ListMyCorrections(pb.ListMyCorrectionsRequest(), metadata=mine)
    assert [(one.state, one.reply_note) for one in shown.corrections] == [
        (person_pb2.CORRECTION_STATE_WITHDRAWN, ""),
        (person_pb2.CORRECTION_STATE_REFUSED, "请提供户口簿。"),
        (person_pb2.CORRECTION_STATE_DONE, ""),
    ]
    payloads = await databases.owner.fetch(
        "select payload from kit_outbox where key = $1 order by version", schooling.correction_id
    )
    assert [CorrectionChanged.FromString(row["payload"]).state for row in payloads] == [1, 2]


async def test_of_one_field_one_correction_waits_at_a_time_also_when_two_are_asked_at_once(identity: Identity) -> None:
    eid = await identity.issue()
    mine = as_member(identity, eid.member_id)

    async def ask(field: person_pb2.PersonField.ValueType) -> pb.RequestCorrectionResponse:
        request = pb.RequestCorrectionRequest(field=field, wanted_value="汉族", request_id=new_ulid())
        return await people_of(identity).RequestCorrection(request, metadata=mine)

    at_once = [outcome_of(ask(person_pb2.PERSON_FIELD_ETHNICITY)) for _ in range(3)]
    assert sorted(await asyncio.gather(*at_once)) == ["CORRECTION_OPEN", "CORRECTION_OPEN", "OK"]
    other = await ask(person_pb2.PERSON_FIELD_ADDRESS)
    identity.clock.advance(61)
    await people_of(identity).WithdrawCorrection(
        pb.WithdrawCorrectionRequest(correction_id=other.correction.correction_id, request_id=new_ulid()), metadata=mine
    )
    # Whoever wants it otherwise takes the first one back.
    await ask(person_pb2.PERSON_FIELD_ADDRESS)
    assert await outcome_of(ask(person_pb2.PERSON_FIELD_ADDRESS)) == "CORRECTION_OPEN"


async def test_the_database_holds_one_open_correction_of_a_field(identity: Identity, databases: Databases) -> None:
    eid = await identity.issue()
    request = pb.RequestCorrectionRequest(
        field=person_pb2.PERSON_FIELD_ADDRESS, wanted_value="临朐县", request_id=new_ulid()
    )
    await people_of(identity).RequestCorrection(request, metadata=as_member(identity, eid.member_id))
    row = await databases.owner.fetchrow("select * from correction where member_id = $1", eid.member_id)
    assert row is not None
    values = list((dict(row) | {"correction_id": new_ulid()}).values())
    places = ", ".join(f"${at}" for at in range(1, len(values) + 1))
    with pytest.raises(asyncpg.UniqueViolationError):
        await databases.owner.execute(f"insert into correction values ({places})", *values)


async def test_no_officer_corrects_or_decides_about_the_own_record(identity: Identity) -> None:
    eid = await identity.issue()
    own = identity.officer(Officer(account_id=SECOND_ADMIN.account_id, member_id=eid.member_id, county_code=LINQU))
    asked = await people_of(identity).RequestCorrection(
        pb.RequestCorrectionRequest(
            field=person_pb2.PERSON_FIELD_WORK_UNIT, wanted_value="临朐县供电公司", request_id=new_ulid()
        ),
        metadata=as_member(identity, eid.member_id),
    )
    etag = (await get(identity, eid.member_id)).etag
    outcomes = [
        await outcome_of(
            people_of(identity).CorrectPerson(
                pb.CorrectPersonRequest(
                    organisation_id=LINQU,
                    member_id=eid.member_id,
                    real_name="王建军",
                    etag=etag,
                    request_id=new_ulid(),
                ),
                metadata=own,
            )
        ),
        await outcome_of(
            people_of(identity).ChangeTelephone(
                pb.ChangeTelephoneRequest(
                    organisation_id=LINQU,
                    member_id=eid.member_id,
                    telephone=new_telephone(),
                    etag=etag,
                    request_id=new_ulid(),
                ),
                metadata=own,
            )
        ),
        await outcome_of(
            people_of(identity).DecideCorrection(
                pb.DecideCorrectionRequest(
                    organisation_id=LINQU,
                    correction_id=asked.correction.correction_id,
                    accept=True,
                    etag=asked.etag,
                    request_id=new_ulid(),
                ),
                metadata=own,
            )
        ),
    ]
    assert outcomes == ["OWN_RECORD"] * 3
    assert (await get(identity, eid.member_id)).etag == etag


async def test_a_wish_that_no_field_can_hold_is_refused_when_it_is_made(identity: Identity) -> None:
    eid = await identity.issue()
    request = pb.RequestCorrectionRequest(
        field=person_pb2.PERSON_FIELD_EDUCATION, wanted_value="很高", request_id=new_ulid()
    )
    outcome = await outcome_of(
        people_of(identity).RequestCorrection(request, metadata=as_member(identity, eid.member_id))
    )
    assert outcome == "INVALID_ARGUMENT"


async def test_login_codes_go_to_the_new_telephone_and_an_event_says_that_it_changed(
    identity: Identity, databases: Databases
) -> None:
    eid = await identity.issue()
    telephone = new_telephone()
    seen = await get(identity, eid.member_id)
    changed = await people_of(identity).ChangeTelephone(
        pb.ChangeTelephoneRequest(
            organisation_id=LINQU, member_id=eid.member_id, telephone=telephone, etag=seen.etag, request_id=new_ulid()
        ),
        metadata=identity.officer(CLERK),
    )
    assert changed.person.telephone == telephone
    await identity.eids.SendLoginCode(eid_pb.SendLoginCodeRequest(eid_number=eid.eid_number))
    assert len(await identity.telephones.wait_for(telephone, Purpose.LOGIN)) == 6
    rows = await databases.owner.fetch(
        "select payload from kit_outbox where key = $1 and event_type like '%TelephoneChanged'", eid.member_id
    )
    (event,) = [TelephoneChanged.FromString(row["payload"]) for row in rows]
    assert (event.member_id, event.county_code, event.replaced) == (eid.member_id, LINQU, True)
    assert telephone.encode() not in rows[0]["payload"]
    assert seen.person.telephone.encode() not in rows[0]["payload"]


async def test_notify_gets_replaced_telephones_for_three_days_and_nobody_else_does(identity: Identity) -> None:
    eid = await identity.issue()
    before = await get(identity, eid.member_id)
    former: list[pb.FormerTelephone] = []
    second = ""
    for _ in range(2):
        seen = await get(identity, eid.member_id)
        changed = await people_of(identity).ChangeTelephone(
            pb.ChangeTelephoneRequest(
                organisation_id=LINQU,
                member_id=eid.member_id,
                telephone=new_telephone(),
                etag=seen.etag,
                request_id=new_ulid(),
            ),
            metadata=identity.officer(CLERK),
        )
        former.append(pb.FormerTelephone(member_id=eid.member_id, version=int(changed.etag.removeprefix("v"))))
        second = seen.person.telephone
    unknown = pb.FormerTelephone(member_id=new_ulid(), version=2)
    request = pb.ResolveFormerTelephonesRequest(former_telephones=[*former, unknown])
    notify = bearer(identity.issuer.token("account-of-svc-notify", service="notify"))

    async def told() -> dict[int, str]:
        stream = people_of(identity).ResolveFormerTelephones(request, metadata=notify)
        return {one.former_telephone.version: one.telephone async for one in stream}

    assert await told() == {former[0].version: before.person.telephone, former[1].version: second}
    refused = identity.officer(LINQU_ADMIN)
    error = await refusal_of(
        lambda: anext(aiter(people_of(identity).ResolveFormerTelephones(request, metadata=refused)))
    )
    assert error.reason == "PERMISSION_DENIED"
    later = identity.clock.now() + KEEP + timedelta(minutes=1)
    async with identity.parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await purge_former(transaction, now=later)
    assert await told() == {}


async def test_a_member_changes_the_telephone_with_a_proof_soon_after_logging_in(identity: Identity) -> None:
    eid = await identity.issue()
    telephone = new_telephone()
    token = await identity.prove(telephone)
    request = pb.ChangeMyTelephoneRequest(telephone=telephone, telephone_proof_token=token, request_id=new_ulid())
    long_ago = int((identity.clock.now() - timedelta(minutes=11)).timestamp())
    for auth_time in (long_ago, None):
        stale = as_member(identity, eid.member_id, overrides={"auth_time": auth_time})
        assert await outcome_of(people_of(identity).ChangeMyTelephone(request, metadata=stale)) == "LOGIN_TOO_OLD"
    fresh = as_member(identity, eid.member_id)
    other = pb.ChangeMyTelephoneRequest(telephone=new_telephone(), telephone_proof_token=token, request_id=new_ulid())
    assert await outcome_of(people_of(identity).ChangeMyTelephone(other, metadata=fresh)) == "TELEPHONE_PROOF_INVALID"
    changed = await people_of(identity).ChangeMyTelephone(request, metadata=fresh)
    assert changed.person.telephone == telephone
    again = pb.ChangeMyTelephoneRequest(telephone=telephone, telephone_proof_token=token, request_id=new_ulid())
    assert await outcome_of(people_of(identity).ChangeMyTelephone(again, metadata=fresh)) == "TELEPHONE_PROOF_INVALID"


async def test_my_data_hold_everything_that_is_kept_about_me_and_nobody_else(identity: Identity) -> None:
    applicant = Applicant(real_name="冯同志")
    eid = await identity.issue(applicant)
    mine = as_member(identity, eid.member_id)
    await people_of(identity).RequestCorrection(
        pb.RequestCorrectionRequest(
            field=person_pb2.PERSON_FIELD_WORK_UNIT, wanted_value="临朐县供电公司", request_id=new_ulid()
        ),
        metadata=mine,
    )
    body = await people_of(identity).DownloadMyData(pb.DownloadMyDataRequest(), metadata=mine)
    assert body.content_type == "application/json"
    data = json.loads(body.data)
    assert data["person"]["resident_number"] == applicant.resident_number
    assert [one["eid_number"] for one in data["eids"]] == [eid.eid_number]
    assert [one["telephone"] for one in data["applications"]] == [applicant.telephone]
    assert [one["wanted_value"] for one in data["corrections"]] == ["临朐县供电公司"]
    assert len(data["application_steps"]) == 3
    assert b"case_code" not in body.data


async def test_my_data_hold_what_rosters_said_my_cards_and_my_certificates(
    identity: Identity, databases: Databases
) -> None:
    eid = await identity.issue()
    mine = as_member(identity, eid.member_id)
    await databases.owner.execute(
        "insert into roster_fact values ($1, $2, 4, '1998-03-01', '1999-07-01', '2000-07-01', 2)", eid.member_id, LINQU
    )
    await cards_of(identity).GetMyCardCode(card_pb.GetMyCardCodeRequest(), metadata=mine)
    # An office of the province: its certificate stands under another code than the member does.
    await give_office(identity, eid, office="province_admin", organisation_id=PROVINCE, granter=PROVINCE_ADMIN)
    issued = await issue_certificate(
        identity, eid.member_id, signing_request(new_key()), issuer=PROVINCE_ADMIN, organisation_id=PROVINCE
    )
    body = await people_of(identity).DownloadMyData(pb.DownloadMyDataRequest(), metadata=mine)
    data = json.loads(body.data)
    assert [one["admitted_date"] for one in data["roster_facts"]] == ["1999-07-01"]
    assert [one["eid_id"] for one in data["cards"]] == [eid.eid_id]
    assert [one["serial_number"] for one in data["certificates"]] == [issued.certificate.serial_number]
    assert [one["certificate_id"] for one in data["certificate_requests"]] == [issued.certificate.certificate_id]


async def test_an_account_that_is_not_the_living_eids_sees_no_record(identity: Identity) -> None:
    eid = await identity.issue()
    forged = bearer(identity.issuer.token("another-account", member_id=eid.member_id, county_code=LINQU))
    for call in (
        people_of(identity).GetMyPerson(pb.GetMyPersonRequest(), metadata=forged),
        people_of(identity).DownloadMyData(pb.DownloadMyDataRequest(), metadata=forged),
    ):
        assert await outcome_of(call) == "NOT_FOUND"


async def test_notify_gets_telephones_in_the_order_asked_and_nobody_else_does(identity: Identity) -> None:
    people = [RosterPerson() for _ in range(3)]
    far = RosterPerson(county_code=QINGZHOU, branch_id=QINGZHOU_BRANCH)
    await enter_people(identity.parts, people)
    await enter_people(identity.parts, [far])
    await close_record(identity, people[1].member_id)
    wanted = [far.member_id, people[2].member_id, people[1].member_id, people[0].member_id, new_ulid()]
    request = pb.ResolveTelephonesRequest(member_ids=wanted)
    notify = bearer(identity.issuer.token("account-of-svc-notify", service="notify"))
    got = [one async for one in people_of(identity).ResolveTelephones(request, metadata=notify)]
    assert [(one.member_id, one.telephone) for one in got] == [
        (one.member_id, one.telephone) for one in (far, people[2], people[0])
    ]
    branches = bearer(identity.issuer.token("account-of-svc-branches", service="branches"))
    for refused in (branches, identity.officer(LINQU_ADMIN)):
        error = await refusal_of(lambda: anext(aiter(people_of(identity).ResolveTelephones(request, metadata=refused))))  # noqa: B023 - called at once
        assert error.reason == "PERMISSION_DENIED"
