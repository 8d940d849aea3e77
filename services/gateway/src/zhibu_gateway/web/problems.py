"""Every error in one shape: RFC 9457, with the code that programs read and the text that people read."""

from http import HTTPStatus
from typing import cast

import orjson
from google.protobuf.descriptor import Descriptor
from zhibu_kit.errors import EN, INSUFFICIENT_SCOPE, INVALID_ARGUMENT, ServiceError

from zhibu_gateway.contract.methods import Binding
from zhibu_gateway.errors import fault_text, hide_foreign_failure, http_status, title_of
from zhibu_gateway.json_codec import DecodeError
from zhibu_gateway.web.exchange import Exchange

MEDIA_TYPE = "application/problem+json"


class FieldPaths:
    """Spells the fields that services name as the client of one binding sees them."""

    def __init__(self, request: Descriptor, binding: Binding) -> None:
        """A body that is one field of the request is the client's whole document, so its name is left out."""
        self._request = request
        self._prefix = f"{binding.body_field.json_name}." if binding.body_field is not None else None

    def of(self, path: str) -> str:
        """Turns "record.full_name[0].text" into "record.fullName[0].text", or less for a body field."""
        spelt: list[str] = []
        message: Descriptor | None = self._request
        for piece in path.split("."):
            name, bracket, rest = piece.partition("[")
            field = message.fields_by_name.get(name) if message is not None else None
            spelt.append((field.json_name if field is not None else name) + bracket + rest)
            message = field.message_type if field is not None else None
        joined = ".".join(spelt)
        return joined.removeprefix(self._prefix) if self._prefix else joined


def problem_of(exchange: Exchange, error: ServiceError) -> dict[str, object]:
    """Makes the document that describes an error to a client."""
    error = hide_foreign_failure(error)
    status = http_status(error.kind)
    problem: dict[str, object] = {
        "type": f"/errors/{error.reason}",
        "title": title_of(status, exchange.language),
        "status": int(status),
        "detail": error.text(exchange.language),
        "instance": f"urn:zhibu:request:{exchange.request_id}",
        "code": error.reason,
        "trace_id": exchange.trace_id,
    }
    if error.metadata:
        problem["metadata"] = error.metadata
    if error.fields:
        problem["errors"] = [
            {
                "field": exchange.spell(violation.field) if exchange.spell is not None else violation.field,
                "detail": violation.text(exchange.language),
                "code": violation.reason,
            }
            for violation in error.fields
        ]
    return problem


def decode_problem(exchange: Exchange, error: DecodeError) -> dict[str, object]:
    """Makes the document that tells which part of the request could not be read."""
    problem = problem_of(exchange, INVALID_ARGUMENT())
    detail = fault_text(error.fault, exchange.language)
    problem["errors"] = [{"field": error.path, "detail": detail, "code": error.fault.value}]
    return problem


async def answer_problem(exchange: Exchange, problem: dict[str, object]) -> None:
    """Sends a problem, with the headers that its status calls for."""
    status = problem["status"]
    assert isinstance(status, int)
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 6750, 3: no error code where no token was sent.
        sent = "authorization" in exchange.headers
        exchange.add("www-authenticate", 'Bearer realm="zhibu"' + (', error="invalid_token"' if sent else ""))
    elif problem["code"] == INSUFFICIENT_SCOPE.reason:
        # RFC 6750, 3.1: the client learns which scope it lacks.
        scope = cast("dict[str, str]", problem.get("metadata", {})).get("scope", "")
        exchange.add("www-authenticate", f'Bearer realm="zhibu", error="insufficient_scope", scope="{scope}"')
    elif status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        _tell_when(exchange, problem)
    exchange.add("content-language", "en" if exchange.language == EN else "zh-CN")
    await exchange.answer(status, orjson.dumps(problem), media_type=MEDIA_TYPE)


def _tell_when(exchange: Exchange, problem: dict[str, object]) -> None:
    """Says when to come again: as the limiter has said already, as the service says in its metadata, or soon."""
    if any(name == b"retry-after" for name, _ in exchange.out):
        return
    metadata = problem.get("metadata")
    asked = metadata.get("retry_after_s") if isinstance(metadata, dict) else None
    exchange.add("retry-after", asked if isinstance(asked, str) and asked.isdecimal() else "2")
