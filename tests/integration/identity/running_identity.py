"""The running service identity as callers see it, and what tests do with it again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc.aio
from support.outside_identity import MemoryAccounts, MemoryTelephones
from support.rpc import Metadata, bearer
from support.synthetic_people import new_resident_number, new_telephone
from zhibu.identity.v1 import application_pb2, eid_pb2
from zhibu.identity.v1 import application_service_pb2 as pb
from zhibu.identity.v1 import eid_service_pb2 as eid_service
from zhibu.identity.v1.application_service_pb2_grpc import ApplicationServiceStub
from zhibu.identity.v1.county_settings_service_pb2_grpc import CountySettingsServiceStub
from zhibu.identity.v1.eid_service_pb2_grpc import EidServiceStub
from zhibu.identity.v1.grant_service_pb2_grpc import GrantServiceStub
from zhibu.identity.v1.revocation_service_pb2_grpc import RevocationServiceStub
from zhibu_identity.parts import Parts
from zhibu_identity.telephones.sending import Purpose
from zhibu_kit.health import Health
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.waiting import wait_until

if TYPE_CHECKING:
    # The generated stubs know asynchronous callers only by these names, which do not exist at run time.
    from zhibu.identity.v1.application_service_pb2_grpc import ApplicationServiceAsyncStub
    from zhibu.identity.v1.county_settings_service_pb2_grpc import CountySettingsServiceAsyncStub
    from zhibu.identity.v1.eid_service_pb2_grpc import EidServiceAsyncStub
    from zhibu.identity.v1.grant_service_pb2_grpc import GrantServiceAsyncStub
    from zhibu.identity.v1.revocation_service_pb2_grpc import RevocationServiceAsyncStub

LINQU = "370724"
QINGZHOU = "370781"
WEIFANG = "3707"
PROVINCE = "37"
LINQU_BRANCH = "370724-b01jd0000000000000000000001"
QINGZHOU_BRANCH = "370781-b01jd0000000000000000000002"


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """An account with an office."""

    account_id: str
    member_id: str
    county_code: str


CLERK = Officer(account_id="account-clerk", member_id="0" * 25 + "a", county_code=LINQU)
OTHER_CLERK = Officer(account_id="account-other-clerk", member_id="0" * 25 + "b", county_code=LINQU)
LINQU_ADMIN = Officer(account_id="account-linqu-admin", member_id="0" * 25 + "c", county_code=LINQU)
QINGZHOU_CLERK = Officer(account_id="account-qingzhou-clerk", member_id="0" * 25 + "d", county_code=QINGZHOU)
PROVINCE_ADMIN = Officer(account_id="account-province-admin", member_id="0" * 25 + "e", county_code=PROVINCE)
OFFICES: Mapping[Officer, tuple[str, str]] = {
    CLERK: ("county_approver", LINQU),
    OTHER_CLERK: ("county_approver", LINQU),
    LINQU_ADMIN: ("county_admin", LINQU),
    QINGZHOU_CLERK: ("county_approver", QINGZHOU),
    PROVINCE_ADMIN: ("province_admin", PROVINCE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Somebody who applies."""

    real_name: str = "张伟"
    resident_number: str = field(default_factory=new_resident_number)
    telephone: str = field(default_factory=new_telephone)
    organisation_id: str = LINQU
    branch_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """An application that was filed."""

    applicant: Applicant
    case_number: str
    case_code: str

    @property
    def key(self) -> application_pb2.CaseKey:
        return application_pb2.CaseKey(case_number=self.case_number, case_code=self.case_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The running service."""

    health: Health
    # Where it is called.
    address: str
    channel: grpc.aio.Channel
    issuer: TokenIssuer
    clock: FixedClock
    parts: Parts
    accounts: MemoryAccounts
    telephones: MemoryTelephones

    @property
    def applications(self) -> ApplicationServiceAsyncStub:
        return ApplicationServiceStub(self.channel)

    @property
    def eids(self) -> EidServiceAsyncStub:
        return EidServiceStub(self.channel)

    @property
    def grants(self) -> GrantServiceAsyncStub:
        return GrantServiceStub(self.channel)

    @property
    def settings(self) -> CountySettingsServiceAsyncStub:
        return CountySettingsServiceStub(self.channel)

    @property
    def revocations(self) -> RevocationServiceAsyncStub:
        return RevocationServiceStub(self.channel)

    def officer(self, officer: Officer) -> Metadata:
        return bearer(
            self.issuer.token(officer.account_id, member_id=officer.member_id, county_code=officer.county_code)
        )

    def member(self, eid: eid_pb2.Eid) -> Metadata:
        """Return what a member sends after logging in."""
        (account,) = self.accounts.of_member(eid.member_id)
        return bearer(self.issuer.token(account.account_id, member_id=eid.member_id, county_code=eid.organisation_id))

    async def prove(self, telephone: str) -> str:
        """Prove a telephone and return the token."""
        before = len(self.telephones.arrived[telephone])
        started = await self.applications.StartTelephoneProof(pb.StartTelephoneProofRequest(telephone=telephone))
        code = await self.telephones.wait_for(telephone, Purpose.TELEPHONE_PROOF, count=before + 1)
        confirmed = await self.applications.ConfirmTelephoneProof(
            pb.ConfirmTelephoneProofRequest(telephone_proof_id=started.telephone_proof_id, code=code)
        )
        return confirmed.proof_token

    def submission(self, applicant: Applicant, proof_token: str) -> pb.SubmitApplicationRequest:
        return pb.SubmitApplicationRequest(
            organisation_id=applicant.organisation_id,
            real_name=applicant.real_name,
            resident_number=applicant.resident_number,
            telephone=applicant.telephone,
            proof_token=proof_token,
            branch_id=applicant.branch_id,
            membership_claim=application_pb2.MEMBERSHIP_CLAIM_FULL_MEMBER,
            consent_version="2026-11",
            request_id=new_ulid(),
        )

    async def file(self, applicant: Applicant | None = None) -> Filed:
        """File an application as a person would."""
        applicant = applicant or Applicant()
        token = await self.prove(applicant.telephone)
        filed = await self.applications.SubmitApplication(self.submission(applicant, token))
        return Filed(applicant=applicant, case_number=filed.case_number, case_code=filed.case_code)

    async def find(self, filed: Filed, officer: Officer = CLERK) -> application_pb2.Application:
        """Return an application as the clerk's desk shows it whole."""
        metadata = self.officer(officer)
        found = await self.applications.SearchApplications(
            pb.SearchApplicationsRequest(organisation_id=filed.applicant.organisation_id, query=filed.case_number),
            metadata=metadata,
        )
        (short,) = found.applications
        whole = await self.applications.GetApplication(
            pb.GetApplicationRequest(organisation_id=short.organisation_id, application_id=short.application_id),
            metadata=metadata,
        )
        return whole.application

    async def approve(
        self, application: application_pb2.Application, officer: Officer = CLERK, *, findings_checked: bool = True
    ) -> application_pb2.Application:
        approved = await self.applications.ApproveApplication(
            pb.ApproveApplicationRequest(
                organisation_id=application.organisation_id,
                application_id=application.application_id,
                etag=application.etag,
                findings_checked=findings_checked,
                request_id=new_ulid(),
            ),
            metadata=self.officer(officer),
        )
        return approved.application

    async def issued(self, filed: Filed, officer: Officer = CLERK) -> application_pb2.Application:
        """Wait until the e-ID of an approved application is issued."""

        async def look() -> application_pb2.Application | None:
            application = await self.find(filed, officer)
            return application if application.state == application_pb2.APPLICATION_STATE_ISSUED else None

        found = await wait_until(look)
        assert found is not None
        return found

    async def issue(self, applicant: Applicant | None = None, officer: Officer = CLERK) -> eid_pb2.Eid:
        """Take a person from nothing to an e-ID."""
        filed = await self.file(applicant)
        await self.approve(await self.find(filed, officer), officer)
        application = await self.issued(filed, officer)
        return await self.get_eid(application.eid_id, application.organisation_id, officer)

    async def get_eid(self, eid_id: str, organisation_id: str = LINQU, officer: Officer = CLERK) -> eid_pb2.Eid:
        got = await self.eids.GetEid(
            eid_service.GetEidRequest(organisation_id=organisation_id, eid_id=eid_id), metadata=self.officer(officer)
        )
        return got.eid

    async def look_up(self, filed: Filed) -> application_pb2.Case:
        return (await self.applications.LookUpCase(pb.LookUpCaseRequest(key=filed.key))).case
