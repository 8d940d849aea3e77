"""CodeService as the contract names it."""

from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from zhibu.notify.v1 import code_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.db import Database

from zhibu_notify.codes import CodeMessage, CodeSender
from zhibu_notify.rules import Purpose

# Time that is left after the message centre's answer for records and reply.
_REPLY_RESERVE_S: Final = 0.5

_PURPOSES: Final = {
    pb.CODE_PURPOSE_TELEPHONE_PROOF: Purpose.TELEPHONE_PROOF,
    pb.CODE_PURPOSE_LOGIN: Purpose.LOGIN,
    pb.CODE_PURPOSE_ACTIVATION: Purpose.ACTIVATION,
}


class CodeApi:
    """Handlers of zhibu.notify.v1.CodeService."""

    def __init__(self, database: Database, sender: CodeSender, *, submit_timeout_s: float) -> None:
        """Take the use cases and the longest time for handing a message over."""
        self._database = database
        self._sender = sender
        self._submit_timeout_s = submit_timeout_s

    async def SendCode(self, request: pb.SendCodeRequest, call: Call) -> pb.SendCodeResponse:
        """Sends a code; the audit row is written when the message centre has taken it."""
        deadline_s = call.deadline_s
        timeout_s = self._submit_timeout_s
        if deadline_s is not None:
            timeout_s = max(0.0, min(timeout_s, deadline_s - _REPLY_RESERVE_S))
        delivery = await self._sender.send(
            CodeMessage(
                caller=call.caller.service or "",
                request_id=request.request_id,
                number=request.telephone,
                code=request.code,
                purpose=_PURPOSES[request.purpose],
                language=request.language or call.language,
                expires_in_s=request.expires_in_s,
            ),
            timeout_s=timeout_s,
        )
        # The kit keeps a plain hash of a request's body, from which number and code could be found by trying. They are
        # left out: the sender has compared the whole body under its key.
        kept = pb.SendCodeRequest(purpose=request.purpose, request_id=request.request_id)
        async with self._database.write(call, kept, pb.SendCodeResponse) as write:
            if write.replayed is not None:
                return write.replayed
            response = pb.SendCodeResponse(
                delivery_id=delivery.delivery_id, accept_time=_timestamp(delivery.accept_time)
            )
            return write.reply(response, subjects=[delivery.delivery_id])


def _timestamp(instant: datetime | None) -> Timestamp:
    timestamp = Timestamp()
    if instant is not None:
        timestamp.FromDatetime(instant)
    return timestamp
