"""Filing an application and following it, without an account."""

from __future__ import annotations

import asyncio

import pytest
from integration.identity.running_identity import LINQU, LINQU_BRANCH, QINGZHOU_BRANCH, Applicant, Filed, Identity
from integration.identity.setting_up import Databases
from support.rpc import refusal_of
from support.synthetic_people import new_telephone
from zhibu.identity.v1 import application_pb2
from zhibu.identity.v1 import application_service_pb2 as pb
from zhibu_identity.telephones.sending import Purpose
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.waiting import wait_until


async def test_a_person_files_and_follows_the_case_without_an_account(identity: Identity) -> None:
    filed = await identity.file(Applicant(branch_id=LINQU_BRANCH))
    assert filed.case_number.startswith("370724-26-")
    case = await identity.look_up(filed)
    assert case == application_pb2.Case(
        case_number=filed.case_number,
        state=application_pb2.APPLICATION_STATE_SUBMITTED,
        steps=case.steps,
        organisation_id=LINQU,
    )
    assert [step.state for step in case.steps] == [application_pb2.APPLICATION_STATE_SUBMITTED]


async def test_the_code_opens_the_case_however_it_is_typed(identity: Identity) -> None:
    filed = await identity.file()
    typed = f"{filed.case_code[:5].lower()} {filed.case_code[5:]}"
    key = application_pb2.CaseKey(case_number=filed.case_number, case_code=typed)
    assert (await identity.applications.LookUpCase(pb.LookUpCaseRequest(key=key))).case.case_number == filed.case_number


async def test_every_fault_is_told_at_once_with_its_field_and_reason(identity: Identity) -> None:
    applicant = Applicant(real_name="Zhang Wei", resident_number="11010519491231002" + "1", telephone="11012345678")
    request = identity.submission(applicant, "x" * 20)
    error = await refusal_of(lambda: identity.applications.SubmitApplication(request))
    assert {(field.field, field.reason) for field in error.fields} == {
        ("real_name", "REAL_NAME_CHARACTER"),
        ("resident_number", "RESIDENT_NUMBER_CHECK_CHARACTER"),
        ("telephone", "TELEPHONE_PREFIX"),
    }


async def test_the_same_request_id_files_once_and_gives_the_same_answer(identity: Identity) -> None:
    applicant = Applicant()
    request = identity.submission(applicant, await identity.prove(applicant.telephone))
    first, second = await asyncio.gather(
        identity.applications.SubmitApplication(request), identity.applications.SubmitApplication(request)
    )
    assert first == second
    request.real_name = "李娜"
    assert (await refusal_of(lambda: identity.applications.SubmitApplication(request))).reason == "REQUEST_ID_REUSED"


async def test_a_proof_is_good_for_one_application_one_telephone_and_one_hour(identity: Identity) -> None:
    applicant = Applicant()
    token = await identity.prove(applicant.telephone)
    other = Applicant()
    refused = await refusal_of(lambda: identity.applications.SubmitApplication(identity.submission(other, token)))
    assert refused.reason == "TELEPHONE_PROOF_INVALID"
    await identity.applications.SubmitApplication(identity.submission(applicant, token))
    again = await refusal_of(lambda: identity.applications.SubmitApplication(identity.submission(applicant, token)))
    assert again.reason == "TELEPHONE_PROOF_INVALID"
    late = Applicant()
    token = await identity.prove(late.telephone)
    identity.clock.advance(3600)
    refused = await refusal_of(lambda: identity.applications.SubmitApplication(identity.submission(late, token)))
    assert refused.reason == "TELEPHONE_PROOF_INVALID"


async def test_five_wrong_codes_end_a_proof_even_for_the_right_one(identity: Identity) -> None:
    telephone = new_telephone()
    started = await identity.applications.StartTelephoneProof(pb.StartTelephoneProofRequest(telephone=telephone))
    code = await identity.telephones.wait_for(telephone, Purpose.TELEPHONE_PROOF)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    def confirm(text: str) -> pb.ConfirmTelephoneProofRequest:
        return pb.ConfirmTelephoneProofRequest(telephone_proof_id=started.telephone_proof_id, code=text)

    for _ in range(5):
        error = await refusal_of(lambda: identity.applications.ConfirmTelephoneProof(confirm(wrong)))
        assert error.reason == "TELEPHONE_CODE_WRONG"
    error = await refusal_of(lambda: identity.applications.ConfirmTelephoneProof(confirm(code)))
    assert error.reason == "TELEPHONE_CODE_WRONG"


async def test_a_telephone_gets_a_code_a_minute_and_five_an_hour(identity: Identity) -> None:
    telephone = new_telephone()

    async def start() -> pb.StartTelephoneProofResponse:
        return await identity.applications.StartTelephoneProof(pb.StartTelephoneProofRequest(telephone=telephone))

    for _ in range(5):
        await start()
        soon = await refusal_of(start)
        assert (soon.reason, soon.metadata["retry_after_s"]) in {
            ("RESEND_TOO_SOON", "60"),
            ("RESEND_TOO_SOON", f"{3600 - 4 * 60}"),
        }
        identity.clock.advance(60)
    assert (await refusal_of(start)).reason == "RESEND_TOO_SOON"
    identity.clock.advance(3600)
    await start()
    assert len(identity.telephones.arrived[telephone]) == 6


async def test_many_who_ask_at_once_for_one_telephone_get_one_code(identity: Identity) -> None:
    telephone = new_telephone()
    request = pb.StartTelephoneProofRequest(telephone=telephone)
    answers = await asyncio.gather(
        *(identity.applications.StartTelephoneProof(request) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(answer, pb.StartTelephoneProofResponse) for answer in answers) == 1
    assert len(identity.telephones.arrived[telephone]) == 1


async def test_a_code_that_could_not_be_sent_leaves_nothing_and_the_request_can_be_repeated(
    identity: Identity, databases: Databases
) -> None:
    request = pb.StartTelephoneProofRequest(telephone=new_telephone(), request_id=new_ulid())
    before = await databases.owner.fetchval("select count(*) from telephone_proof")
    identity.telephones.down = True
    try:
        error = await refusal_of(lambda: identity.applications.StartTelephoneProof(request))
    finally:
        identity.telephones.down = False
    assert error.reason == "CODE_NOT_SENT"
    assert await databases.owner.fetchval("select count(*) from telephone_proof") == before
    # The failed attempt counts: nobody knows whether the message arrived after all.
    assert (await refusal_of(lambda: identity.applications.StartTelephoneProof(request))).reason == "RESEND_TOO_SOON"
    identity.clock.advance(60)
    await identity.applications.StartTelephoneProof(request)
    assert len(identity.telephones.arrived[request.telephone]) == 1


async def test_an_unknown_case_and_a_wrong_code_get_the_same_answer(identity: Identity) -> None:
    filed = await identity.file()
    wrong_code = application_pb2.CaseKey(case_number=filed.case_number, case_code="AAAAAAAAAA")
    unknown = application_pb2.CaseKey(case_number="370724-26-900000-0", case_code=filed.case_code)
    impossible = application_pb2.CaseKey(case_number="12345678", case_code=filed.case_code)
    errors = [
        await refusal_of(lambda key=key: identity.applications.LookUpCase(pb.LookUpCaseRequest(key=key)))
        for key in (wrong_code, unknown, impossible)
    ]
    assert {(error.reason, error.text("en"), tuple(error.metadata)) for error in errors} == {
        ("CASE_KEY_WRONG", errors[0].text("en"), ())
    }


@pytest.mark.parametrize("known", [True, False])
async def test_wrong_codes_close_a_case_for_a_while_whether_or_not_it_exists(
    identity: Identity, *, known: bool
) -> None:
    filed = await identity.file()
    number = filed.case_number if known else "370724-26-777777-5"
    wrong = pb.LookUpCaseRequest(key=application_pb2.CaseKey(case_number=number, case_code="AAAAAAAAAA"))
    for _ in range(10):
        assert (await refusal_of(lambda: identity.applications.LookUpCase(wrong))).reason == "CASE_KEY_WRONG"
    assert (await refusal_of(lambda: identity.applications.LookUpCase(wrong))).reason == "CASE_CLOSED_TO_TRIES"
    if known:
        assert (await refusal_of(lambda: identity.look_up(filed))).reason == "CASE_CLOSED_TO_TRIES"
        identity.clock.advance(15 * 60)
        await identity.look_up(filed)


async def test_organisation_and_branch_must_exist_and_belong_together(identity: Identity) -> None:
    async def fault(**values: str) -> tuple[str, str]:
        applicant = Applicant(**values)
        token = await identity.prove(applicant.telephone)
        error = await refusal_of(lambda: identity.applications.SubmitApplication(identity.submission(applicant, token)))
        (field,) = error.fields
        return field.field, field.reason

    assert await fault(organisation_id="370799") == ("organisation_id", "ORGANISATION_UNKNOWN")
    assert await fault(branch_id=QINGZHOU_BRANCH) == ("branch_id", "BRANCH_UNKNOWN")
    assert await fault(branch_id="370724101") == ("branch_id", "BRANCH_UNKNOWN")


async def test_staff_of_the_province_apply_to_the_province_itself(identity: Identity) -> None:
    filed = await identity.file(Applicant(organisation_id="37"))
    assert filed.case_number.startswith("370000-26-")
    assert (await identity.look_up(filed)).organisation_id == "37"


async def test_a_withdrawn_case_is_over_and_its_number_is_free_again(identity: Identity, databases: Databases) -> None:
    filed = await identity.file()
    request = pb.WithdrawApplicationRequest(key=filed.key, request_id=new_ulid())
    withdrawn = (await identity.applications.WithdrawApplication(request)).case
    assert withdrawn.state == application_pb2.APPLICATION_STATE_WITHDRAWN
    assert (await identity.applications.WithdrawApplication(request)).case == withdrawn
    request.request_id = new_ulid()
    error = await refusal_of(lambda: identity.applications.WithdrawApplication(request))
    assert error.reason == "APPLICATION_ALREADY_DECIDED"
    member_id = await databases.owner.fetchval(
        "select member_id from application where case_number = $1", filed.case_number
    )

    async def released() -> bool:
        query = "select count(*) from number_index where member_id = $1"
        return await databases.keys_owner.fetchval(query, member_id) == 0

    await wait_until(released)


async def test_answers_that_are_kept_for_repeated_requests_tell_nothing_to_a_reader_of_the_table(
    identity: Identity, databases: Databases
) -> None:
    filed: Filed = await identity.file(Applicant(real_name="欧阳若曦"))
    rows = await databases.owner.fetch("select response from kit_request where response is not null")
    assert rows
    for row in rows:
        assert filed.case_code.encode() not in row["response"]
        assert "欧阳若曦".encode() not in row["response"]
