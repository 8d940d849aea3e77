"""RevocationService: what services ask when the deny-list's events have been silent."""

from __future__ import annotations

from datetime import UTC

from zhibu.identity.v1 import revocation_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.deny_list import MEMORY

from zhibu_identity.eids.revocations import list_revocations
from zhibu_identity.events import timestamp
from zhibu_identity.parts import Parts


class RevocationApi:
    """The RPCs of RevocationService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def ListRevocations(self, request: pb.ListRevocationsRequest, call: Call) -> pb.ListRevocationsResponse:
        """List the accounts whose tokens are refused; older ones bite on no living token."""
        oldest = self._parts.clock.now() - MEMORY
        since = max(request.since_time.ToDatetime(tzinfo=UTC), oldest)
        revocations = await list_revocations(self._parts.database, since)
        return pb.ListRevocationsResponse(
            revocations=[
                pb.Revocation(account_id=one.account_id, revoke_time=timestamp(one.revoked_at)) for one in revocations
            ]
        )
