"""The gateway's own refusals, and which HTTP status each gRPC code becomes."""

from http import HTTPStatus
from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import EN, ETAG_MISMATCH, INTERNAL, RATE_LIMITED, REQUEST_TOO_LARGE, ErrorKind, ServiceError

from zhibu_gateway.json_codec import Fault

ROUTE_NOT_FOUND: Final = ErrorKind(
    reason="ROUTE_NOT_FOUND",
    code=StatusCode.NOT_FOUND,
    zh="没有这个地址。接口列表见 /docs。",
    en="There is nothing at this address. /docs lists the API.",
)
METHOD_NOT_ALLOWED: Final = ErrorKind(
    reason="METHOD_NOT_ALLOWED",
    code=StatusCode.UNIMPLEMENTED,
    zh="这个地址不支持该请求方法。",
    en="This address does not take this HTTP method.",
)
NOT_ACCEPTABLE: Final = ErrorKind(
    reason="NOT_ACCEPTABLE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="无法按要求的格式返回，本接口返回 {media_type}。",
    en="The answer cannot be had in the form asked for; it is {media_type}.",
)
UNSUPPORTED_MEDIA_TYPE: Final = ErrorKind(
    reason="UNSUPPORTED_MEDIA_TYPE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="请求内容的格式不受支持，应为 {media_type}，不压缩。",
    en="The body must be {media_type}, not compressed.",
)
MALFORMED_REQUEST: Final = ErrorKind(
    reason="MALFORMED_REQUEST",
    code=StatusCode.INVALID_ARGUMENT,
    zh="请求无法解析。",
    en="The request cannot be read.",
)
MALFORMED_HEADER: Final = ErrorKind(
    reason="MALFORMED_HEADER",
    code=StatusCode.INVALID_ARGUMENT,
    zh="请求头 {header} 无效。",
    en="The header {header} is not valid.",
)
IDEMPOTENCY_KEY_UNSUPPORTED: Final = ErrorKind(
    reason="IDEMPOTENCY_KEY_UNSUPPORTED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="本接口不支持 Idempotency-Key。",
    en="This operation does not take an Idempotency-Key.",
)
PRECONDITION_REQUIRED: Final = ErrorKind(
    reason="PRECONDITION_REQUIRED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="修改前请先读取记录，并在 If-Match 中带上它的 ETag。",
    en="Read the record first, and send its ETag as If-Match.",
)
REQUEST_TIMEOUT: Final = ErrorKind(
    reason="REQUEST_TIMEOUT",
    code=StatusCode.DEADLINE_EXCEEDED,
    zh="请求内容没有按时传完。",
    en="The body did not arrive in time.",
)
UNREPRESENTABLE: Final = ErrorKind(
    reason="UNREPRESENTABLE",
    code=StatusCode.INTERNAL,
    zh="系统出现错误，我们已经记录，请稍后再试。",
    en="Something went wrong on our side and has been recorded; please try again later.",
)

# A status that the code alone does not say.
_BY_REASON: Final = {
    METHOD_NOT_ALLOWED.reason: HTTPStatus.METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE.reason: HTTPStatus.NOT_ACCEPTABLE,
    UNSUPPORTED_MEDIA_TYPE.reason: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    PRECONDITION_REQUIRED.reason: HTTPStatus.PRECONDITION_REQUIRED,
    REQUEST_TIMEOUT.reason: HTTPStatus.REQUEST_TIMEOUT,
    REQUEST_TOO_LARGE.reason: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RATE_LIMITED.reason: HTTPStatus.TOO_MANY_REQUESTS,
    ETAG_MISMATCH.reason: HTTPStatus.PRECONDITION_FAILED,
}
# FAILED_PRECONDITION is 409 here, not Google's 400: the request is in order, the record's state forbids it.
_BY_CODE: Final = {
    StatusCode.CANCELLED: HTTPStatus.SERVICE_UNAVAILABLE,
    StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    StatusCode.OUT_OF_RANGE: HTTPStatus.BAD_REQUEST,
    StatusCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    StatusCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    StatusCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    StatusCode.FAILED_PRECONDITION: HTTPStatus.CONFLICT,
    StatusCode.ABORTED: HTTPStatus.CONFLICT,
    StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    StatusCode.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
}

_FAULT_TEXTS: Final[dict[Fault, tuple[str, str]]] = {
    Fault.NOT_JSON: ("请求内容不是有效的 JSON。", "The body is not JSON."),
    Fault.NOT_UTF8: ("应为 UTF-8 编码。", "This is not UTF-8 text."),
    Fault.DUPLICATE_KEY: ("同一个名称出现了两次。", "One name stands here twice."),
    Fault.TOO_DEEP: ("嵌套层数过多。", "This is nested too deeply."),
    Fault.WRONG_TYPE: ("数据类型不正确。", "This is a value of the wrong type."),
    Fault.UNKNOWN_FIELD: ("没有这个字段。", "There is no such field."),
    Fault.DUPLICATE_FIELD: ("同一个字段有两个不同的值。", "This field is given twice, or with two values."),
    Fault.ONEOF_CONFLICT: ("只能填写其中一项。", "Only one of these fields can be given."),
    Fault.NULL_ELEMENT: ("这里不能是 null。", "null is not allowed here."),
    Fault.NOT_INTEGER: ("应为整数。", "This must be a whole number."),
    Fault.NOT_NUMBER: ("应为数字。", "This must be a number."),
    Fault.OUT_OF_RANGE: ("超出允许的范围。", "This is out of range."),
    Fault.NOT_BASE64: ("不是有效的 Base64。", "This is not base64."),
    Fault.UNKNOWN_ENUM: ("不在允许的选项之内。", "This is not one of the allowed values."),
    Fault.BAD_TEXT: ("包含不允许的字符。", "This text has characters that are not allowed."),
    Fault.BAD_TIMESTAMP: (
        "应为 RFC 3339 时间，例如 2026-11-23T08:00:00Z。",
        "This must be an RFC 3339 instant such as 2026-11-23T08:00:00Z.",
    ),
    Fault.BAD_DURATION: ("应为时长，例如 1.5s。", "This must be a duration such as 1.5s."),
    Fault.BAD_FIELD_MASK: (
        "应为以逗号分隔的字段名，例如 fullName,state。",
        "This must be field names separated by commas, such as fullName,state.",
    ),
    Fault.UNKNOWN_TYPE: ("未知的类型。", "This type is not known."),
}

# The short title of a problem, which is the same for all problems of one status.
_TITLES: Final[dict[int, tuple[str, str]]] = {
    400: ("请求有误", "Bad request"),
    401: ("需要登录", "Not logged in"),
    403: ("没有权限", "Not allowed"),
    404: ("没有找到", "Not found"),
    405: ("请求方法不受支持", "Method not allowed"),
    406: ("无法提供所要求的格式", "Not acceptable"),
    408: ("请求超时", "Request timeout"),
    409: ("与当前状态冲突", "Conflict with the present state"),
    412: ("记录已被修改", "Precondition failed"),
    413: ("内容过大", "Content too large"),
    415: ("格式不受支持", "Unsupported media type"),
    428: ("需要前提条件", "Precondition required"),
    429: ("请求过于频繁", "Too many requests"),
    500: ("系统错误", "Internal error"),
    501: ("功能不存在", "Not implemented"),
    503: ("服务暂时不可用", "Service unavailable"),
    504: ("办理超时", "Timed out"),
}


def http_status(kind: ErrorKind) -> HTTPStatus:
    """Gives the HTTP status of a kind of error."""
    return _BY_REASON.get(kind.reason) or _BY_CODE.get(kind.code, HTTPStatus.INTERNAL_SERVER_ERROR)


def fault_text(fault: Fault, language: str) -> str:
    """Says to a person what is wrong with a piece of JSON."""
    zh, en = _FAULT_TEXTS[fault]
    return en if language == EN else zh


def title_of(status: int, language: str) -> str:
    """Gives the title of problems with this status."""
    zh, en = _TITLES.get(status, _TITLES[500])
    return en if language == EN else zh


def title_texts() -> dict[int, tuple[str, str]]:
    """Gives the titles of all statuses that the gateway answers with, in Chinese and English."""
    return dict(_TITLES)


def hide_foreign_failure(error: ServiceError) -> ServiceError:
    """Keeps a peer's own words about a failure of the peer inside: only the kit's general text leaves the house."""
    if http_status(error.kind) in (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.NOT_IMPLEMENTED):
        return INTERNAL()
    return error
