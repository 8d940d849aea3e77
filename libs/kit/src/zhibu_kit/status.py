"""Errors on the wire: google.rpc.Status with one ErrorInfo, and BadRequest for fields, in both directions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

from zhibu_kit import errors
from zhibu_kit.errors import DOMAIN, ErrorKind, FieldViolation, ServiceError, find_kind

DETAILS_KEY: Final = "grpc-status-details-bin"
# HTTP/2 peers limit trailers to 8 KB by default; beyond this many fields nobody reads on.
MAX_FIELDS: Final = 20

# What a client hears of a server that is not there, or that was told to stop: gRPC resets calls that reach it before the
# client has heard so. Whoever cancels a call of its own gets asyncio's CancelledError instead.
NOT_SERVED: Final = frozenset({StatusCode.UNAVAILABLE, StatusCode.CANCELLED})

_CODES: Final = {code.value[0]: code for code in StatusCode}
# What an error without our details means. Another server's own failure is never passed on as ours.
_BARE: Final = {
    StatusCode.UNAVAILABLE: errors.UNAVAILABLE,
    StatusCode.DEADLINE_EXCEEDED: errors.DEADLINE_EXCEEDED,
    StatusCode.CANCELLED: errors.CANCELLED,
    StatusCode.UNIMPLEMENTED: errors.UNIMPLEMENTED,
    StatusCode.RESOURCE_EXHAUSTED: errors.REQUEST_TOO_LARGE,
}


def status_of(error: ServiceError, *, language: str) -> status_pb2.Status:
    """Return the status that tells a caller of the given language about the error."""
    status = status_pb2.Status(code=error.code.value[0], message=error.text(language))
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata))
    if error.fields:
        status.details.add().Pack(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=violation.field, description=violation.text(language), reason=violation.reason
                    )
                    for violation in error.fields[:MAX_FIELDS]
                ]
            )
        )
    return status


def trailers_of(status: status_pb2.Status) -> tuple[tuple[str, bytes], ...]:
    """Return the trailing metadata that carry a status."""
    return ((DETAILS_KEY, status.SerializeToString()),)


def error_of(rpc_error: grpc.aio.AioRpcError) -> ServiceError:
    """Return the refusal which a peer sent, as one of our own errors.

    A refusal without our details (the peer is down, too slow, or broken) becomes the kind that says so; a peer's
    internal error stays INTERNAL.
    """
    for key, value in cast("Iterable[tuple[str, str | bytes]]", rpc_error.trailing_metadata() or ()):
        if key == DETAILS_KEY and isinstance(value, bytes):
            error = _decode(value)
            if error is not None:
                return error
    return _BARE.get(rpc_error.code(), errors.INTERNAL)()


def _decode(details: bytes) -> ServiceError | None:
    try:
        status = status_pb2.Status.FromString(details)
    except DecodeError:
        return None
    info = error_details_pb2.ErrorInfo()
    bad_request = error_details_pb2.BadRequest()
    for detail in status.details:
        # Unpack leaves the message alone and says False when the detail is of another type.
        _ = detail.Unpack(info) or detail.Unpack(bad_request)
    if info.domain != DOMAIN or not info.reason:
        return None
    error = ServiceError(_kind_of(info.reason, status), **dict(info.metadata))
    error.received_text = status.message
    return error.with_fields(
        FieldViolation(
            field=violation.field, reason=violation.reason, zh=violation.description, en=violation.description
        )
        for violation in bad_request.field_violations
    )


def _kind_of(reason: str, status: status_pb2.Status) -> ErrorKind:
    """Return the kind as this process knows it, or one made from what was received, outside the catalogue."""
    code = _CODES.get(status.code, StatusCode.INTERNAL)
    known = find_kind(reason)
    return known if known and known.code is code else ErrorKind.received(reason, code, status.message)
