"""The way to somebody's telephone: notify sends the codes, nobody keeps them."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Final, Protocol

from zhibu.notify.v1 import code_service_pb2 as pb
from zhibu.notify.v1.code_service_pb2_grpc import CodeServiceStub
from zhibu_kit.peers import Peers

# notify itself answers within eight seconds; the caller of ours waits for ten.
SEND_TIMEOUT_S: Final = 8.5


class Purpose(Enum):
    """What a code is for."""

    TELEPHONE_PROOF = pb.CODE_PURPOSE_TELEPHONE_PROOF
    LOGIN = pb.CODE_PURPOSE_LOGIN
    ACTIVATION = pb.CODE_PURPOSE_ACTIVATION


class Telephones(Protocol):
    """Sends codes."""

    async def send_code(
        self, telephone: str, code: str, *, purpose: Purpose, language: str, request_id: str, expires_in: timedelta
    ) -> None:
        """Send a code, once for each request id.

        Raises:
            ServiceError: when the message was not taken.
        """
        ...


class NotifyTelephones:
    """Sends codes through the service notify."""

    def __init__(self, peers: Peers) -> None:
        """Use the peer that the settings name, when it is first needed."""
        self._peers = peers

    async def send_code(
        self, telephone: str, code: str, *, purpose: Purpose, language: str, request_id: str, expires_in: timedelta
    ) -> None:
        """Send a code, once for each request id.

        Raises:
            ServiceError: when the message was not taken.
        """
        request = pb.SendCodeRequest(
            telephone=telephone,
            code=code,
            purpose=purpose.value,
            language=language,
            request_id=request_id,
            expires_in_s=int(expires_in.total_seconds()),
        )
        await self._peers.stub(CodeServiceStub).SendCode(request, timeout=SEND_TIMEOUT_S)
