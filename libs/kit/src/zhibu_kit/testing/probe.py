"""The servicer of the test contract: one RPC for every feature, for tests of the kit and of the gateway."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from google.api import httpbody_pb2
from zhibu.testing.v1 import probe_service_pb2 as pb

from zhibu_kit.call import Call
from zhibu_kit.errors import NOT_FOUND, RATE_LIMITED, UNAVAILABLE, find_kind
from zhibu_kit.etag import check_etag, etag_of
from zhibu_kit.paging import encode_page_token, page_of

PROBE_SERVICE: Final = pb.DESCRIPTOR.services_by_name["ProbeService"]
# Pieces of a download; smaller than gRPC's largest message.
CHUNK_BYTES: Final = 64 * 1024


class ProbeError(Exception):
    """The mistake that `Fail` makes when asked for a bug; its text must reach neither caller nor log."""


class ProbeServicer:
    """Answers every RPC of ProbeService; records live in memory, `calls` keeps what the kit handed over."""

    def __init__(self) -> None:
        """Begin with three records of Linqu county."""
        self.calls: list[Call] = []
        self.slow_started = asyncio.Event()
        self.slow_may_end = asyncio.Event()
        self.upload_started = asyncio.Event()
        self._answers: dict[str, pb.UpdateRecordResponse] = {}
        self._records = {
            f"r{number}": pb.Record(
                record_id=f"r{number}", organisation_id="370724", text=f"记录{number}", etag=etag_of(1)
            )
            for number in (1, 2, 3)
        }

    async def Echo(self, request: pb.EchoRequest, call: Call) -> pb.EchoResponse:
        """Answer with the request, the trace, the deadline and the language."""
        self.calls.append(call)
        deadline_s = call.deadline_s
        return pb.EchoResponse(
            request=request,
            trace_id=call.trace_id,
            deadline_ms=-1 if deadline_s is None else round(deadline_s * 1000),
            language=call.language,
        )

    async def Fail(self, request: pb.FailRequest, call: Call) -> pb.FailResponse:
        """Fail as asked: not_found, bug, slow (until `slow_may_end`), unavailable, or with the kind of that reason."""
        match request.how:
            case "not_found":
                raise NOT_FOUND(noun="record")
            case "bug":
                raise ProbeError("李四 13800000000")
            case "unavailable":
                raise UNAVAILABLE()
            case "limited":
                raise RATE_LIMITED(retry_after_s="7")
            case "slow":
                self.slow_started.set()
                await self.slow_may_end.wait()
            case reason:
                kind = find_kind(reason)
                if kind is not None:
                    raise kind()
        return pb.FailResponse()

    async def Whoami(self, request: pb.WhoamiRequest, call: Call) -> pb.WhoamiResponse:
        """Tell who calls."""
        self.calls.append(call)
        return pb.WhoamiResponse(account_id=call.caller.account_id, member_id=call.caller.member_id or "")

    async def WhoamiWithOffices(self, request: pb.WhoamiWithOfficesRequest, call: Call) -> pb.WhoamiWithOfficesResponse:
        """Tell how many offices the caller holds."""
        self.calls.append(call)
        return pb.WhoamiWithOfficesResponse(count=len(call.caller.grants))

    async def WhoamiAnonymously(self, request: pb.WhoamiAnonymouslyRequest, call: Call) -> pb.WhoamiAnonymouslyResponse:
        """Tell whether a caller got through, which must not be."""
        self.calls.append(call)
        return pb.WhoamiAnonymouslyResponse(has_caller=call.principal is not None)

    async def CallFromService(self, request: pb.CallFromServiceRequest, call: Call) -> pb.CallFromServiceResponse:
        """Tell which service calls."""
        return pb.CallFromServiceResponse(service=call.caller.service or "")

    async def GetRecord(self, request: pb.GetRecordRequest, call: Call) -> pb.GetRecordResponse:
        """Show a record."""
        self.calls.append(call)
        record = self._get_record(request.record_id)
        return pb.GetRecordResponse(record=record, etag=record.etag)

    async def ListRecords(self, request: pb.ListRecordsRequest, call: Call) -> pb.ListRecordsResponse:
        """Page through the records."""
        page = page_of(request.page_size, request.page_token, query=request.organisation_id)
        after = page.after[0] if page.after else ""
        found = [record for name, record in sorted(self._records.items()) if name > after]
        shown = found[: page.size]
        more = len(found) > len(shown)
        return pb.ListRecordsResponse(
            records=shown,
            next_page_token=encode_page_token([shown[-1].record_id], query=request.organisation_id) if more else "",
        )

    async def UpdateRecord(self, request: pb.UpdateRecordRequest, call: Call) -> pb.UpdateRecordResponse:
        """Edit a record under its ETag; the same request id gets the same answer."""
        if request.request_id and request.request_id in self._answers:
            return self._answers[request.request_id]
        record = self._get_record(request.record_id)
        version = int(record.etag.removeprefix("v"))
        check_etag(request.etag, version)
        record.text = request.record.text
        record.etag = etag_of(version + 1)
        answer = pb.UpdateRecordResponse(record=record, etag=record.etag)
        if request.request_id:
            self._answers[request.request_id] = answer
        return answer

    async def Upload(self, requests: AsyncIterator[pb.UploadRequest], call: Call) -> pb.UploadResponse:
        """Count and digest the bytes of a file."""
        digest, size, content_type = hashlib.sha256(), 0, ""
        async for request in requests:
            self.upload_started.set()
            digest.update(request.file.data)
            size += len(request.file.data)
            content_type = content_type or request.file.content_type
        return pb.UploadResponse(size_bytes=size, sha256=digest.hexdigest(), content_type=content_type)

    async def Download(self, request: pb.DownloadRequest, call: Call) -> AsyncGenerator[httpbody_pb2.HttpBody]:
        """Make a file of zeros in pieces."""
        left = request.size_bytes
        content_type = "application/octet-stream"
        while left > 0 or content_type:
            piece = min(left, CHUNK_BYTES)
            yield httpbody_pb2.HttpBody(content_type=content_type, data=bytes(piece))
            left -= piece
            content_type = ""

    async def Watch(self, request: pb.WatchRequest, call: Call) -> AsyncGenerator[pb.WatchResponse]:
        """Count up, a message at a time; fail where asked."""
        for number in range(1, request.until + 1):
            if number == request.fail_at:
                raise NOT_FOUND(noun="record")
            yield pb.WatchResponse(number=number)
            if request.interval_ms:
                await asyncio.sleep(request.interval_ms / 1000)

    async def Webhook(self, request: pb.WebhookRequest, call: Call) -> pb.WebhookResponse:
        """Digest the exact bytes, and tell the signature that came with them."""
        signature = request.headers.get("x-signature", "")
        return pb.WebhookResponse(sha256=hashlib.sha256(request.body.data).hexdigest(), signature=signature)

    async def OldEcho(self, request: pb.OldEchoRequest, call: Call) -> pb.OldEchoResponse:
        """Answer with the text."""
        return pb.OldEchoResponse(text=request.text)

    def _get_record(self, record_id: str) -> pb.Record:
        record = self._records.get(record_id)
        if record is None:
            raise NOT_FOUND(noun="record")
        return record
