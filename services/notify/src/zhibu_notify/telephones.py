"""Telephones of members, asked of identity at the moment of sending and kept by nobody here."""

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
    """identity's ResolveTelephones."""

    def __init__(self, peers: Peers) -> None:
        """Ask by these."""
        self._peers = peers

    async def numbers_of(self, member_ids: Collection[str]) -> dict[str, str]:
        """The numbers of members, at most RESOLVE_MAX; those who have none are left out.

        Raises:
            ServiceError: when identity does not say.
        """
        try:
            stub: people_service_pb2_grpc.PeopleServiceAsyncStub = self._peers.stub(
                people_service_pb2_grpc.PeopleServiceStub  # pyright: ignore[reportArgumentType] - the stubs know synchronous channels
            )
        except LookupError as error:
            raise UNAVAILABLE() from error
        request = pb.ResolveTelephonesRequest(member_ids=sorted(member_ids))
        numbers: dict[str, str] = {}
        async for response in stub.ResolveTelephones(request, timeout=_RESOLVE_TIMEOUT_S):
            numbers[response.member_id] = response.telephone
        return numbers
