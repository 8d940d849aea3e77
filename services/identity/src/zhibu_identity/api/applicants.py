"""What applicants call, without an account: prove a telephone, file, follow the case."""

from __future__ import annotations

from zhibu.identity.v1 import application_pb2
from zhibu.identity.v1 import application_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.scope import Scope

from zhibu_identity.api.messages import case_message
from zhibu_identity.applications import cases
from zhibu_identity.applications.case_keys import open_case
from zhibu_identity.applications.submissions import Submission, submit
from zhibu_identity.errors import TELEPHONE_CODE_WRONG
from zhibu_identity.events import timestamp
from zhibu_identity.parts import Parts
from zhibu_identity.telephones import proofs as telephone_proofs


class ApplicantsApi:
    """The anonymous RPCs of ApplicationService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def StartTelephoneProof(
        self, request: pb.StartTelephoneProofRequest, call: Call
    ) -> pb.StartTelephoneProofResponse:
        """Make a code and send it."""
        parts = self._parts
        async with parts.database.write(call, request, pb.StartTelephoneProofResponse) as write:
            if write.replayed is not None:
                return write.replayed
            proof = await telephone_proofs.start_proof(write, parts, request.telephone)
            response = write.reply(
                pb.StartTelephoneProofResponse(
                    telephone_proof_id=proof.telephone_proof_id,
                    expire_time=timestamp(proof.expires_at),
                    resend_after_s=telephone_proofs.resend_after_s(),
                )
            )
        # After the commit: a slow message centre must not use up the database's connections.
        await telephone_proofs.send_proof_code(
            parts,
            proof,
            telephone=request.telephone,
            language=call.language,
            method=call.method.name,
            request_id=request.request_id,
        )
        return response

    async def ConfirmTelephoneProof(
        self, request: pb.ConfirmTelephoneProofRequest, call: Call
    ) -> pb.ConfirmTelephoneProofResponse:
        """Exchange the code for a token."""
        parts = self._parts
        # A transaction of its own: a wrong try is counted although the call is refused.
        async with parts.database.transaction(Scope.none()) as transaction:
            token = await telephone_proofs.confirm_proof(
                transaction, parts, request.telephone_proof_id, code=request.code
            )
        if token is None:
            raise TELEPHONE_CODE_WRONG()
        async with parts.database.write(call, request, pb.ConfirmTelephoneProofResponse) as write:
            return write.reply(pb.ConfirmTelephoneProofResponse(proof_token=token))

    async def SubmitApplication(self, request: pb.SubmitApplicationRequest, call: Call) -> pb.SubmitApplicationResponse:
        """File an application."""
        parts = self._parts
        call = call.within(Scope.of(request.organisation_id))
        async with parts.database.write(call, request, pb.SubmitApplicationResponse) as write:
            if write.replayed is not None:
                return write.replayed
            filed = await submit(
                write,
                parts,
                Submission(
                    organisation_id=request.organisation_id,
                    real_name=request.real_name,
                    resident_number=request.resident_number,
                    telephone=request.telephone,
                    proof_token=request.proof_token,
                    branch_id=request.branch_id,
                    membership_claim=request.membership_claim,
                    consent_version=request.consent_version,
                ),
            )
            record = filed.application
            response = write.reply(
                pb.SubmitApplicationResponse(
                    case_number=record.case_number,
                    case_code=filed.case_code,
                    state=application_pb2.ApplicationState.ValueType(record.state),
                ),
                subjects=[record.member_id],
            )
        await parts.vault.confirm(record.member_id, record.county_code)
        return response

    async def LookUpCase(self, request: pb.LookUpCaseRequest, call: Call) -> pb.LookUpCaseResponse:
        """Show the case."""
        opened = await open_case(self._parts, request.key.case_number, case_code=request.key.case_code)
        async with self._parts.database.read(call.within(opened.scope), request) as read:
            view = await cases.view_case(read, self._parts, opened)
            return read.reply(pb.LookUpCaseResponse(case=case_message(view)), subjects=[opened.member_id])

    async def AnswerQuestion(self, request: pb.AnswerQuestionRequest, call: Call) -> pb.AnswerQuestionResponse:
        """Give the clerk what they asked for."""
        parts = self._parts
        opened = await open_case(parts, request.key.case_number, case_code=request.key.case_code)
        async with parts.database.write(call.within(opened.scope), request, pb.AnswerQuestionResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await cases.answer_question(
                write,
                parts,
                opened,
                answer=request.answer,
                real_name=request.real_name,
                resident_number=request.resident_number,
            )
            view = await cases.view_application(write, parts, record)
            return write.reply(pb.AnswerQuestionResponse(case=case_message(view)), subjects=[opened.member_id])

    async def WithdrawApplication(
        self, request: pb.WithdrawApplicationRequest, call: Call
    ) -> pb.WithdrawApplicationResponse:
        """End the own case."""
        parts = self._parts
        opened = await open_case(parts, request.key.case_number, case_code=request.key.case_code)
        async with parts.database.write(call.within(opened.scope), request, pb.WithdrawApplicationResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await cases.withdraw(write, parts, opened)
            view = await cases.view_application(write, parts, record)
            return write.reply(pb.WithdrawApplicationResponse(case=case_message(view)), subjects=[opened.member_id])
