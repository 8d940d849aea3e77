"""The running service branches as callers see it."""

from dataclasses import dataclass

import grpc.aio
from support.rpc import Metadata, bearer
from zhibu.branches.v1 import organisation_pb2, organisation_service_pb2_grpc
from zhibu.branches.v1 import organisation_service_pb2 as pb
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.issuer import TokenIssuer

PROVINCE_ADMIN = "account-province-admin"
LINQU_ADMIN = "account-linqu-admin"
LINQU_APPROVER = "account-linqu-approver"
STRANGER = "account-stranger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches:
    """The running service as callers see it."""

    stub: "organisation_service_pb2_grpc.OrganisationServiceAsyncStub"
    issuer: TokenIssuer
    channel: grpc.aio.Channel

    def as_account(self, account_id: str) -> Metadata:
        return bearer(self.issuer.token(account_id))

    async def create(
        self,
        parent_id: str,
        level: int,
        name: str,
        *,
        code: str = "",
        account_id: str = PROVINCE_ADMIN,
        request_id: str = "",
    ) -> organisation_pb2.Organisation:
        response = await self.stub.CreateOrganisation(
            pb.CreateOrganisationRequest(
                parent_id=parent_id,
                organisation_id=code,
                level=organisation_pb2.OrganisationLevel.ValueType(level),
                name=name,
                request_id=request_id or new_ulid(),
            ),
            metadata=self.as_account(account_id),
        )
        return response.organisation

    async def rename(
        self, organisation_id: str, name: str, etag: str, *, account_id: str = PROVINCE_ADMIN
    ) -> pb.RenameOrganisationResponse:
        return await self.stub.RenameOrganisation(
            pb.RenameOrganisationRequest(organisation_id=organisation_id, name=name, etag=etag, request_id=new_ulid()),
            metadata=self.as_account(account_id),
        )

    async def get(self, organisation_id: str) -> organisation_pb2.Organisation:
        response = await self.stub.GetOrganisation(pb.GetOrganisationRequest(organisation_id=organisation_id))
        return response.organisation
