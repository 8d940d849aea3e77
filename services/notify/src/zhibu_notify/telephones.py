"""Telephones of members, asked of identity at the moment of sending and kept by nobody here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from zhibu.identity.v1 import people_service_pb2 as pb
from zhibu.identity.v1 import people_service_pb2_grpc
from zhibu_kit.errors import UNAVAILABLE
from zhibu_kit.peers import Peers

# Members that the contract lets us ask about in one call.
RESOLVE_MAX: Final = 1000
_RESOLVE_TIMEOUT_S: Final = 30.0


class TelephoneBook:
    """identity's ResolveTelephones and ResolveFormerTelephones."""

    def __init__(self, peers: Peers) -> None:
        """Ask by these."""
        self._peers = peers

    async def numbers_of(self, member_ids: Collection[str]) -> dict[str, str]:
        """The numbers of members, at most RESOLVE_MAX; those who have none are left out.

        Raises:
            ServiceError: when identity does not say.
        """
        if not member_ids:
            return {}
        request = pb.ResolveTelephonesRequest(member_ids=sorted(member_ids))
        numbers: dict[str, str] = {}
        async for response in self._stub().ResolveTelephones(request, timeout=_RESOLVE_TIMEOUT_S):
            numbers[response.member_id] = response.telephone
        return numbers

    async def former_numbers_of(self, changes: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """The numbers that changes (member and version of the record) replaced, at most RESOLVE_MAX.

        Raises:
            ServiceError: when identity does not say.
        """
        if not changes:
            return {}
        request = pb.ResolveFormerTelephonesRequest(
            former_telephones=[
                pb.FormerTelephone(member_id=member_id, version=version) for member_id, version in sorted(changes)
            ]
        )
        numbers: dict[tuple[str, int], str] = {}
        async for response in self._stub().ResolveFormerTelephones(request, timeout=_RESOLVE_TIMEOUT_S):
            former = response.former_telephone
            numbers[former.member_id, former.version] = response.telephone
        return numbers

    def _stub(self) -> people_service_pb2_grpc.PeopleServiceAsyncStub:
        try:
            return self._peers.stub(
                people_service_pb2_grpc.PeopleServiceStub  # pyright: ignore[reportArgumentType] - the stubs know synchronous channels
            )
        except LookupError as error:
            raise UNAVAILABLE() from error
