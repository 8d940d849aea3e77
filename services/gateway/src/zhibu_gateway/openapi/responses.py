"""The answers that many operations share: errors in their one shape, and the headers on everything."""

from typing import Any, Final

from zhibu_gateway.errors import title_texts

Part = dict[str, Any]

PROBLEM: Final[Part] = {
    "type": "object",
    "description": "An error in the shape of RFC 9457. Programs read `code`; `detail` is for people, in their language.",
    "required": ["type", "title", "status", "detail", "instance", "code", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Page that explains the error."},
        "title": {"type": "string", "description": "Short text, the same for every error of this status."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What is wrong and what to do, in the language asked for."},
        "instance": {"type": "string", "format": "uri", "description": "Names this one request."},
        "code": {
            "type": "string",
            "pattern": "^[A-Z][A-Z0-9_]*$",
            "description": "Reason, for programs; never changes.",
        },
        "trace_id": {
            "type": "string",
            "pattern": "^[0-9a-f]{32}$",
            "description": "W3C trace id; quote it when you report.",
        },
        "metadata": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Details for programs.",
        },
        "errors": {
            "type": "array",
            "description": "Which fields are wrong, and why.",
            "items": {
                "type": "object",
                "required": ["field", "detail", "code"],
                "properties": {
                    "field": {
                        "type": "string",
                        "description": "Path in the request as sent, for example `key.caseNumber`.",
                    },
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    },
}

_EXAMPLE_CODES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "REQUEST_TIMEOUT",
    409: "REQUEST_ID_REUSED",
    412: "ETAG_MISMATCH",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    428: "PRECONDITION_REQUIRED",
    429: "RATE_LIMITED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

HEADERS: Final[dict[str, Part]] = {
    "RequestId": {"description": "Names this request in logs.", "schema": {"type": "string"}},
    "RateLimit": {
        "description": 'Calls left (`r`) and seconds until the window begins anew (`t`): `"calls";r=42;t=17`.',
        "schema": {"type": "string"},
    },
    "RateLimitPolicy": {
        "description": 'The tightest limit that the call counts against: `"calls";q=60;w=60`.',
        "schema": {"type": "string"},
    },
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "ETag": {"description": "Version of the record; send it back as If-Match.", "schema": {"type": "string"}},
    "Deprecation": {"description": "Since when the operation is deprecated (RFC 9745).", "schema": {"type": "string"}},
    "Sunset": {"description": "After when the operation may be gone (RFC 8594).", "schema": {"type": "string"}},
    "ContentDisposition": {"description": "Name of the file (RFC 6266).", "schema": {"type": "string"}},
    "WWWAuthenticate": {"description": "How to authenticate (RFC 6750).", "schema": {"type": "string"}},
}


def header_references(*names: str) -> dict[str, Part]:
    """Gives references to shared headers, by their names on the wire."""
    wire = {
        "RequestId": "X-Request-Id",
        "RateLimit": "RateLimit",
        "RateLimitPolicy": "RateLimit-Policy",
        "RetryAfter": "Retry-After",
        "ContentDisposition": "Content-Disposition",
        "WWWAuthenticate": "WWW-Authenticate",
    }
    return {wire.get(name, name): {"$ref": f"#/components/headers/{name}"} for name in names}


def error_responses() -> dict[str, Part]:
    """Gives the shared error answers by component name."""
    return {f"Problem{status}": _error(status, zh, en) for status, (zh, en) in title_texts().items()}


def _error(status: int, zh: str, en: str) -> Part:
    names = ["RequestId"]
    if status == 401:
        names.append("WWWAuthenticate")
    if status in (429, 503):
        names.append("RetryAfter")
    example: Part = {
        "type": f"/errors/{_EXAMPLE_CODES[status]}",
        "title": zh,
        "status": status,
        "detail": f"{zh}。",
        "instance": "urn:zhibu:request:01kb0f5m4q3z8v7x6w5t4r3s2p",
        "code": _EXAMPLE_CODES[status],
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
    if status == 400:
        example["errors"] = [{"field": "organisationId", "detail": "格式不正确。", "code": "STRING_PATTERN"}]
    return {
        "description": f"{en} ({zh})",
        "headers": header_references(*names),
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
        },
    }
