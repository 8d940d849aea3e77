"""The clerk's desk: the queue, claims, decisions; nothing is approved twice."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from integration.identity.running_identity import (
    CLERK,
    LINQU,
    LINQU_ADMIN,
    LINQU_BRANCH,
    OTHER_CLERK,
    QINGZHOU,
    QINGZHOU_CLERK,
    Applicant,
    Filed,
    Identity,
    Officer,
)
from integration.identity.setting_up import Databases
from support.rpc import outcome_of, refusal_of
from support.synthetic_people import new_resident_number
from zhibu.identity.v1 import application_pb2, eid_pb2
from zhibu.identity.v1 import application_service_pb2 as pb
from zhibu.identity.v1.identity_events_pb2 import ApplicationChanged
from zhibu_kit.errors import ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.waiting import wait_until

SUBMITTED = application_pb2.APPLICATION_STATE_SUBMITTED
QUESTIONED = application_pb2.APPLICATION_STATE_QUESTIONED
ISSUED = application_pb2.APPLICATION_STATE_ISSUED


async def refused(identity: Identity, application: application_pb2.Application, officer: Officer) -> ServiceError:
    return await refusal_of(lambda: identity.approve(application, officer))


async def claim(
    identity: Identity, application: application_pb2.Application, officer: Officer, *, release: bool = False
) -> application_pb2.Application:
    claimed = await identity.applications.ClaimApplication(
        pb.ClaimApplicationRequest(
            organisation_id=LINQU, application_id=application.application_id, release=release, request_id=new_ulid()
        ),
        metadata=identity.officer(officer),
    )
    return claimed.application


async def ask(identity: Identity, application: application_pb2.Application) -> application_pb2.Application:
    asked = await identity.applications.AskApplicant(
        pb.AskApplicantRequest(
            organisation_id=LINQU,
            application_id=application.application_id,
            etag=application.etag,
            question="请核对姓名和号码。",
            request_id=new_ulid(),
        ),
        metadata=identity.officer(CLERK),
    )
    return asked.application


async def undo(identity: Identity, application: application_pb2.Application) -> application_pb2.Application:
    undone = await identity.applications.UndoApproval(
        pb.UndoApprovalRequest(
            organisation_id=LINQU,
            application_id=application.application_id,
            etag=application.etag,
            reason="点错了。",
            request_id=new_ulid(),
        ),
        metadata=identity.officer(CLERK),
    )
    return undone.application


async def test_a_clerk_sees_the_case_whole_and_lists_show_last_fours(identity: Identity) -> None:
    filed = await identity.file(Applicant(branch_id=LINQU_BRANCH))
    whole = await identity.find(filed)
    applicant = filed.applicant
    assert (whole.real_name, whole.resident_number, whole.telephone, whole.birth_date) == (
        applicant.real_name,
        applicant.resident_number,
        applicant.telephone,
        "1980-05-17",
    )
    found = await identity.applications.SearchApplications(
        pb.SearchApplicationsRequest(organisation_id=LINQU, query=applicant.telephone[-6:]),
        metadata=identity.officer(CLERK),
    )
    (short,) = found.applications
    assert (short.resident_number, short.telephone) == (applicant.resident_number[-4:], applicant.telephone[-4:])


async def test_the_queue_is_paged_oldest_first_with_a_total(identity: Identity) -> None:
    filed: list[Filed] = []
    for _ in range(5):
        identity.clock.advance(1)
        filed.append(await identity.file(Applicant(organisation_id=QINGZHOU)))
    metadata = identity.officer(QINGZHOU_CLERK)
    seen: list[str] = []
    token = ""
    while True:
        page = await identity.applications.ListApplications(
            pb.ListApplicationsRequest(organisation_id=QINGZHOU, page_size=2, page_token=token, states=[SUBMITTED]),
            metadata=metadata,
        )
        assert page.total_count == 5
        seen += [application.case_number for application in page.applications]
        token = page.next_page_token
        if not token:
            break
    assert seen == [one.case_number for one in filed]
    other_query = pb.ListApplicationsRequest(organisation_id=QINGZHOU, page_token="bm8")
    error = await refusal_of(lambda: identity.applications.ListApplications(other_query, metadata=metadata))
    assert error.reason == "INVALID_ARGUMENT"


async def test_of_two_clerks_who_approve_at_once_one_does(identity: Identity) -> None:
    filed = await identity.file()
    application = await identity.find(filed)
    outcomes = await asyncio.gather(
        *(outcome_of(identity.approve(application, clerk)) for clerk in (CLERK, OTHER_CLERK, LINQU_ADMIN))
    )
    assert sorted(outcomes) == ["APPLICATION_ALREADY_DECIDED", "APPLICATION_ALREADY_DECIDED", "OK"]
    issued = await identity.issued(filed)
    eid = await identity.get_eid(issued.eid_id)
    assert len(identity.accounts.of_member(eid.member_id)) == 1


async def test_the_same_approval_sent_twice_is_one(identity: Identity) -> None:
    application = await identity.find(await identity.file())
    request = pb.ApproveApplicationRequest(
        organisation_id=LINQU,
        application_id=application.application_id,
        etag=application.etag,
        request_id=new_ulid(),
    )
    metadata = identity.officer(CLERK)
    first = await identity.applications.ApproveApplication(request, metadata=metadata)
    assert await identity.applications.ApproveApplication(request, metadata=metadata) == first


async def test_a_decision_on_an_older_version_is_refused(identity: Identity) -> None:
    application = await identity.find(await identity.file())
    await ask(identity, application)
    assert (await refused(identity, application, CLERK)).reason == "ETAG_MISMATCH"


async def test_a_claimed_case_is_left_to_its_clerk_for_fifteen_minutes(identity: Identity) -> None:
    application = await identity.find(await identity.file())
    claimed = await claim(identity, application, CLERK)
    assert (claimed.claimed_by_member_id, claimed.etag) == (CLERK.member_id, application.etag)
    assert (await refused(identity, application, OTHER_CLERK)).reason == "CLAIMED_BY_ANOTHER"
    error = await refusal_of(lambda: claim(identity, application, OTHER_CLERK))
    assert error.reason == "CLAIMED_BY_ANOTHER"
    identity.clock.advance(15 * 60)
    assert (await identity.approve(application, OTHER_CLERK)).claimed_by_member_id == ""


async def test_a_claim_that_is_given_back_lets_others_decide(identity: Identity) -> None:
    application = await identity.find(await identity.file())
    await claim(identity, application, CLERK)
    await claim(identity, application, CLERK, release=True)
    await identity.approve(application, OTHER_CLERK)


async def test_findings_have_to_be_looked_at_and_are_not_told_to_the_applicant(identity: Identity) -> None:
    number = new_resident_number()
    first = await identity.file(Applicant(resident_number=number))
    await identity.file(Applicant(resident_number=number, organisation_id=QINGZHOU))
    second = await identity.file(Applicant(resident_number=number, real_name="王𠮷", telephone=Applicant().telephone))
    application = await identity.find(second)
    assert list(application.findings) == [
        application_pb2.FINDING_DUPLICATE_IN_COUNTY,
        application_pb2.FINDING_DUPLICATE_IN_OTHER_COUNTY,
        application_pb2.FINDING_RARE_CHARACTERS,
    ]
    error = await refusal_of(lambda: identity.approve(application, findings_checked=False))
    assert error.reason == "FINDINGS_NOT_CHECKED"
    assert "FINDING" not in str(await identity.look_up(second))
    assert not (await identity.find(first)).findings


async def test_a_shared_telephone_is_noticed(identity: Identity) -> None:
    applicant = Applicant()
    await identity.file(applicant)
    identity.clock.advance(61)
    other = await identity.file(Applicant(telephone=applicant.telephone))
    assert list((await identity.find(other)).findings) == [application_pb2.FINDING_TELEPHONE_SHARED]


async def test_one_resident_number_gets_one_living_eid_in_the_whole_province(identity: Identity) -> None:
    number = new_resident_number()
    here = await identity.file(Applicant(resident_number=number))
    there = await identity.file(Applicant(resident_number=number, organisation_id=QINGZHOU))
    await identity.approve(await identity.find(here))
    error = await refused(identity, await identity.find(there, QINGZHOU_CLERK), QINGZHOU_CLERK)
    assert error.reason == "NUMBER_HAS_EID"


async def test_a_refused_applicant_reads_why(identity: Identity) -> None:
    filed = await identity.file()
    application = await identity.find(filed)

    async def refuse(reason: application_pb2.RefusalReason.ValueType, note: str) -> object:
        return await identity.applications.RefuseApplication(
            pb.RefuseApplicationRequest(
                organisation_id=LINQU,
                application_id=application.application_id,
                etag=application.etag,
                reason=reason,
                note=note,
                request_id=new_ulid(),
            ),
            metadata=identity.officer(CLERK),
        )

    wordless = await refusal_of(lambda: refuse(application_pb2.REFUSAL_REASON_OTHER, " "))
    assert [(field.field, field.reason) for field in wordless.fields] == [("note", "REFUSAL_NOTE_NEEDED")]
    await refuse(application_pb2.REFUSAL_REASON_OTHER_COUNTY, "请向青州市申请。")
    case = await identity.look_up(filed)
    assert (case.state, case.refusal_reason, case.refusal_note) == (
        application_pb2.APPLICATION_STATE_REFUSED,
        application_pb2.REFUSAL_REASON_OTHER_COUNTY,
        "请向青州市申请。",
    )


async def test_a_question_is_answered_with_a_correction_and_the_case_is_back(identity: Identity) -> None:
    filed = await identity.file(Applicant(real_name="张韦"))
    await ask(identity, await identity.find(filed))
    case = await identity.look_up(filed)
    assert (case.state, case.question) == (QUESTIONED, "请核对姓名和号码。")
    answered = await identity.applications.AnswerQuestion(
        pb.AnswerQuestionRequest(key=filed.key, answer="姓名写错了。", real_name="张玮", request_id=new_ulid())
    )
    assert answered.case.state == SUBMITTED
    application = await identity.find(filed)
    assert (application.real_name, application.answer) == ("张玮", "姓名写错了。")

    async def found_by(query: str) -> bool:
        found = await identity.applications.SearchApplications(
            pb.SearchApplicationsRequest(organisation_id=LINQU, query=query), metadata=identity.officer(CLERK)
        )
        return filed.case_number in {one.case_number for one in found.applications}

    await wait_until(lambda: found_by("张玮"))
    assert not await found_by("张韦")
    error = await refusal_of(
        lambda: identity.applications.AnswerQuestion(
            pb.AnswerQuestionRequest(key=filed.key, answer="再说一次", request_id=new_ulid())
        )
    )
    assert error.reason == "NO_QUESTION_OPEN"


async def test_a_wrong_approval_is_undone_and_can_be_given_again(identity: Identity) -> None:
    filed = await identity.file()
    await identity.approve(await identity.find(filed))
    issued = await identity.issued(filed)
    first = await identity.get_eid(issued.eid_id)
    undone = await undo(identity, issued)
    assert (undone.state, undone.eid_id) == (SUBMITTED, "")
    revoked = await identity.get_eid(first.eid_id)
    assert (revoked.state, revoked.revocation_reason) == (
        eid_pb2.EID_STATE_REVOKED,
        eid_pb2.REVOCATION_REASON_WRONGLY_ISSUED,
    )
    await wait_until(lambda: not identity.accounts.by_number(first.eid_number))
    await identity.approve(undone)
    second = await identity.get_eid((await identity.issued(filed)).eid_id)
    assert second.eid_number != first.eid_number
    assert [account.eid_number for account in identity.accounts.of_member(second.member_id)] == [second.eid_number]


async def test_after_a_day_an_approval_stays(identity: Identity) -> None:
    filed = await identity.file()
    await identity.approve(await identity.find(filed))
    issued = await identity.issued(filed)
    identity.clock.advance(24 * 3600)
    assert (await refusal_of(lambda: undo(identity, issued))).reason == "UNDO_TOO_LATE"


@pytest.mark.parametrize("query", ["王𠮷", "ouyangruoxi", "oyrx", "欧阳若曦"])
async def test_search_finds_by_name_pinyin_and_initials(identity: Identity, query: str) -> None:
    filed = await identity.file(Applicant(real_name="王𠮷" if "𠮷" in query else "欧阳若曦"))
    found = await identity.applications.SearchApplications(
        pb.SearchApplicationsRequest(organisation_id=LINQU, query=query), metadata=identity.officer(CLERK)
    )
    assert filed.case_number in {application.case_number for application in found.applications}


async def test_another_county_sees_and_decides_nothing(identity: Identity) -> None:
    filed = await identity.file()
    application = await identity.find(filed)
    metadata = identity.officer(QINGZHOU_CLERK)
    for organisation_id, reason in ((LINQU, "PERMISSION_DENIED"), (QINGZHOU, "NOT_FOUND")):
        request = pb.GetApplicationRequest(organisation_id=organisation_id, application_id=application.application_id)
        error = await refusal_of(
            lambda request=request: identity.applications.GetApplication(request, metadata=metadata)
        )
        assert error.reason == reason
    found = await identity.applications.SearchApplications(
        pb.SearchApplicationsRequest(organisation_id=QINGZHOU, query=filed.applicant.telephone[-6:]),
        metadata=metadata,
    )
    assert not found.applications


async def test_the_databases_themselves_show_a_county_nothing_of_another(
    identity: Identity, databases: Databases
) -> None:
    await identity.file()
    for url, tables in (
        (databases.main.app_url, ("application", "application_step", "eid", "account_task", "county_sequence")),
        (databases.keys.app_url, ("member_key", "search_token", "totp_seed")),
    ):
        connection = await asyncpg.connect(url)
        try:
            for scope in ("", QINGZHOU + "0", "999999"):
                async with connection.transaction():
                    await connection.execute("select set_config('zhibu.counties', $1, true)", scope)
                    for table in tables:
                        assert await connection.fetchval(f"select count(*) from {table}") == 0
            if url == databases.keys.app_url:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch("select * from number_index")
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch("select * from number_holder")
        finally:
            await connection.close()


async def test_events_tell_of_each_state_without_personal_data(identity: Identity, databases: Databases) -> None:
    filed: Filed = await identity.file(Applicant(real_name="司马相如"))
    application = await identity.find(filed)
    await identity.approve(application)
    await identity.issued(filed)

    async def published() -> list[int]:
        rows = await databases.owner.fetch(
            "select payload from kit_outbox where key = $1 and published_at is not null order by version",
            application.application_id,
        )
        assert all("司马相如".encode() not in row["payload"] for row in rows)
        states = [int(ApplicationChanged.FromString(row["payload"]).state) for row in rows]
        return states if len(states) == 3 else []

    assert await wait_until(published) == [1, 3, 4]
