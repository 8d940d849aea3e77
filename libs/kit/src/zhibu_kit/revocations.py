"""Asks identity which accounts were revoked, when its events have been silent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from zhibu.identity.v1 import revocation_service_pb2
from zhibu.identity.v1.revocation_service_pb2_grpc import RevocationServiceStub

from zhibu_kit.deny_list import Fetch, Revocation
from zhibu_kit.peers import Peers

# A caller waits for this, so it must be short.
TIMEOUT_S: Final = 2.0


def fetch_from_identity(peers: Peers) -> Fetch:
    """Return a function that asks identity over gRPC."""
    stub = peers.stub(RevocationServiceStub)

    async def fetch(since: datetime) -> Iterable[Revocation]:
        since_time = Timestamp()
        since_time.FromDatetime(since)
        response = await stub.ListRevocations(
            revocation_service_pb2.ListRevocationsRequest(since_time=since_time), timeout=TIMEOUT_S
        )
        return [
            Revocation(account_id=one.account_id, revoked_at=one.revoke_time.ToDatetime(tzinfo=UTC))
            for one in response.revocations
        ]

    return fetch
