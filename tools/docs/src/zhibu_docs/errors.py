"""docs/errors.md: every kind of refusal, what it means and what the caller does about it."""

import importlib
import pkgutil

from grpc import StatusCode
from zhibu_gateway.errors import http_status
from zhibu_kit.errors import ErrorKind, catalogue

from zhibu_docs.markdown import page, table
from zhibu_docs.packages import runnable_packages

_ABOUT = """
Every refusal has a declared kind. Over gRPC it is a `google.rpc.Status` with one `ErrorInfo` (reason, domain `zhibu`, metadata); through
the gateway it is one RFC 9457 problem (`application/problem+json`) whose `code` is the reason and whose `type` is `/errors/<reason>`. Programs
read the reason, never the text; the text comes in the caller's language. `{name}` is filled from the metadata, which hold no personal data.
"""
# What a caller does is the same for every kind of one gRPC code; a kind's own text says the rest.
_REMEDIES = {
    StatusCode.INVALID_ARGUMENT: "Correct the fields named in `errors`, then send again.",
    StatusCode.OUT_OF_RANGE: "Send less.",
    StatusCode.UNAUTHENTICATED: "Log in again, then send again with the new token.",
    StatusCode.PERMISSION_DENIED: "Ask the organisation above for the office that carries the permission.",
    StatusCode.NOT_FOUND: "Check the identifier; do not repeat.",
    StatusCode.ALREADY_EXISTS: "Do not repeat; read what is there.",
    StatusCode.FAILED_PRECONDITION: "Read the record again: its state does not allow this.",
    StatusCode.ABORTED: "Read the record again and repeat with its new ETag.",
    StatusCode.RESOURCE_EXHAUSTED: "Wait as long as `Retry-After` says, then repeat.",
    StatusCode.UNAVAILABLE: "Repeat after a moment with the same `Idempotency-Key`.",
    StatusCode.DEADLINE_EXCEEDED: "Repeat with the same `Idempotency-Key`: it may have been done.",
    StatusCode.CANCELLED: "Nothing; the caller went away.",
    StatusCode.UNIMPLEMENTED: "Check method and address.",
    StatusCode.INTERNAL: "Report it with the `trace_id`; repeating later may help.",
    StatusCode.UNKNOWN: "Report it with the `trace_id`.",
    StatusCode.DATA_LOSS: "Report it with the `trace_id`.",
}


def render() -> str:
    """Write the page."""
    rows = (_kind(kind) for kind in all_kinds().values())
    return page(
        "Errors",
        "the ErrorKinds that kit and services declare",
        _ABOUT,
        table(["reason", "HTTP", "gRPC", "中文", "English", "what to do"], rows),
    )


def all_kinds() -> dict[str, ErrorKind]:
    """Import every module that may declare kinds, and return them by reason."""
    for package in runnable_packages():
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if module.name.rpartition(".")[2] == "errors":
                importlib.import_module(module.name)
    return catalogue()


def _kind(kind: ErrorKind) -> list[str]:
    return [
        f"`{kind.reason}`",
        str(http_status(kind).value),
        kind.code.name,
        kind.zh,
        kind.en,
        _REMEDIES.get(kind.code, ""),
    ]
