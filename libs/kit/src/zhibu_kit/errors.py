"""The error model: every refusal has a declared kind, and travels as google.rpc.Status with one ErrorInfo.

A service declares its kinds in its own `errors.py`:

    APPLICATION_ALREADY_DECIDED = ErrorKind(
        reason="APPLICATION_ALREADY_DECIDED",
        code=StatusCode.FAILED_PRECONDITION,
        zh="这份申请已经办结。",
        en="This application has been decided already.",
    )
    ...
    raise APPLICATION_ALREADY_DECIDED(application_id=application.id)

Texts are templates: `{name}` is filled from the metadata. Metadata go over the wire and into logs: never personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from grpc import StatusCode

DOMAIN: Final = "zhibu"
ZH: Final = "zh-CN"
EN: Final = "en"

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_REASON = re.compile(r"^[A-Z][A-Z0-9_]{0,62}$")
_catalogue: dict[str, ErrorKind] = {}
_nouns: dict[str, tuple[str, str]] = {"record": ("记录", "record")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorKind:
    """A kind of refusal: its reason (the code which programs read), its gRPC code and its text in both languages.

    Declaring one enters it in the catalogue, from which docs/errors.md is made. Calling one returns the error to raise.
    """

    reason: str
    code: StatusCode
    zh: str
    en: str

    def __post_init__(self) -> None:
        """Enter the kind in the catalogue; one reason has one meaning over the whole platform."""
        if not _REASON.match(self.reason):
            raise ValueError(f"{self.reason!r} is no reason: capital letters, digits and underscores")
        known = _catalogue.setdefault(self.reason, self)
        if known != self:
            raise ValueError(f"error reason {self.reason} is declared twice with different meanings")

    @classmethod
    def received(cls, reason: str, code: StatusCode, text: str) -> ErrorKind:
        """Return a kind that another service declared, as it was received; it does not enter the catalogue."""
        kind = object.__new__(cls)
        for name, value in (("reason", reason), ("code", code), ("zh", text), ("en", text)):
            object.__setattr__(kind, name, value)
        return kind

    def __call__(self, **metadata: str) -> ServiceError:
        """Return an error of this kind, to be raised."""
        return ServiceError(self, **metadata)

    def text(self, language: str, metadata: Mapping[str, str]) -> str:
        """Return the text in the given language with the placeholders filled from the metadata."""
        return _fill(self.zh if language != EN else self.en, language, metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldViolation:
    """What is wrong with one field: its path in the request, a reason for programs and a text for people."""

    field: str
    reason: str
    zh: str
    en: str

    def text(self, language: str) -> str:
        """Return the text in the given language."""
        return self.en if language == EN else self.zh


class ServiceError(Exception):
    """A refusal of a declared kind; the kit turns it into a gRPC status, the gateway into an RFC 9457 problem."""

    def __init__(self, kind: ErrorKind, /, **metadata: str) -> None:
        """Make an error of a kind; metadata fill the placeholders of its texts and reach the caller."""
        super().__init__(kind.reason)
        self.kind = kind
        self.metadata: dict[str, str] = metadata
        self.fields: tuple[FieldViolation, ...] = ()
        # The text as another service rendered it, for kinds which this process does not know.
        self.received_text: str | None = None

    @classmethod
    def of(cls, kind: ErrorKind, /, **metadata: str) -> ServiceError:
        """Return an error of a kind, as calling the kind does."""
        return cls(kind, **metadata)

    def with_fields(self, fields: Iterable[FieldViolation]) -> ServiceError:
        """Name the fields at fault, and return the error itself."""
        self.fields = tuple(fields)
        return self

    @property
    def reason(self) -> str:
        """The reason of the kind: the code which programs read."""
        return self.kind.reason

    @property
    def code(self) -> StatusCode:
        """The gRPC code."""
        return self.kind.code

    def text(self, language: str) -> str:
        """Return the text in the given language."""
        return self.received_text or self.kind.text(language, self.metadata)

    def __str__(self) -> str:
        """Return reason and fields, for logs: no texts, no metadata."""
        names = ", ".join(f"{violation.field}: {violation.reason}" for violation in self.fields)
        return f"{self.reason} ({names})" if names else self.reason


def field_violation(field: str, kind: ErrorKind, /, **metadata: str) -> FieldViolation:
    """Return a violation of a field with the reason and texts of a kind."""
    return FieldViolation(field=field, reason=kind.reason, zh=kind.text(ZH, metadata), en=kind.text(EN, metadata))


def field_error(field: str, kind: ErrorKind, /, **metadata: str) -> ServiceError:
    """Return INVALID_ARGUMENT with one field at fault, whose reason and text are those of `kind`."""
    return field_errors([field_violation(field, kind, **metadata)])


def field_errors(violations: Iterable[FieldViolation]) -> ServiceError:
    """Return INVALID_ARGUMENT with the given fields at fault."""
    return INVALID_ARGUMENT().with_fields(violations)


def catalogue() -> dict[str, ErrorKind]:
    """Return every kind declared in this process, by reason, in alphabetical order."""
    return dict(sorted(_catalogue.items()))


def find_kind(reason: str) -> ErrorKind | None:
    """Return the kind with this reason, when this process knows it."""
    return _catalogue.get(reason)


def declare_noun(name: str, *, zh: str, en: str) -> None:
    """Tell how the value of the metadata `noun` reads: NOT_FOUND(noun="application") then says 申请."""
    _nouns[name] = (zh, en)


def _fill(template: str, language: str, metadata: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name == "noun":
            noun = metadata.get(name, "record")
            zh, en = _nouns.get(noun, _nouns["record"] if language != EN else (noun, noun))
            return en if language == EN else zh
        return metadata.get(name, "…")

    return _PLACEHOLDER.sub(value, template)


NOT_FOUND: Final = ErrorKind(
    reason="NOT_FOUND", code=StatusCode.NOT_FOUND, zh="没有找到这条{noun}。", en="There is no such {noun}."
)
PERMISSION_DENIED: Final = ErrorKind(
    reason="PERMISSION_DENIED",
    code=StatusCode.PERMISSION_DENIED,
    zh="您没有办理这项业务的权限。",
    en="You are not allowed to do this.",
)
INSUFFICIENT_SCOPE: Final = ErrorKind(
    reason="INSUFFICIENT_SCOPE",
    code=StatusCode.PERMISSION_DENIED,
    zh="这个应用只获准查看。要办理业务，需要为它登记范围 {scope}。",
    en="This application may only read. To write, it must be registered with the scope {scope}.",
)
UNAUTHENTICATED: Final = ErrorKind(
    reason="UNAUTHENTICATED",
    code=StatusCode.UNAUTHENTICATED,
    zh="请先登录。登录可能已经过期。",
    en="Please log in. Your log-in may have expired.",
)
INVALID_ARGUMENT: Final = ErrorKind(
    reason="INVALID_ARGUMENT",
    code=StatusCode.INVALID_ARGUMENT,
    zh="填写的内容有误，请按提示改正。",
    en="Some of what was entered is not right; please correct the fields named.",
)
INVALID_PAGE_TOKEN: Final = ErrorKind(
    reason="INVALID_PAGE_TOKEN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="翻页标记无效，请从第一页重新查看。",
    en="This page token is not valid for this query; start from the first page.",
)
ETAG_MISMATCH: Final = ErrorKind(
    reason="ETAG_MISMATCH",
    code=StatusCode.ABORTED,
    zh="这条记录已被他人修改，请重新打开后再办理。",
    en="This record has been changed in the meantime; open it again and repeat.",
)
REQUEST_ID_REUSED: Final = ErrorKind(
    reason="REQUEST_ID_REUSED",
    code=StatusCode.ALREADY_EXISTS,
    zh="同一个请求编号已用于另一个请求。",
    en="This request id was used for another request already.",
)
RATE_LIMITED: Final = ErrorKind(
    reason="RATE_LIMITED",
    code=StatusCode.RESOURCE_EXHAUSTED,
    zh="操作过于频繁，请稍后再试。",
    en="Too many requests; please try again later.",
)
REQUEST_TOO_LARGE: Final = ErrorKind(
    reason="REQUEST_TOO_LARGE",
    code=StatusCode.OUT_OF_RANGE,
    zh="提交的内容过大。",
    en="What was sent is too large.",
)
UNAVAILABLE: Final = ErrorKind(
    reason="UNAVAILABLE",
    code=StatusCode.UNAVAILABLE,
    zh="服务暂时不可用，请稍后再试。",
    en="The service is not available at the moment; please try again shortly.",
)
DEADLINE_EXCEEDED: Final = ErrorKind(
    reason="DEADLINE_EXCEEDED",
    code=StatusCode.DEADLINE_EXCEEDED,
    zh="办理超时，请稍后再试。",
    en="This took too long; please try again shortly.",
)
CANCELLED: Final = ErrorKind(
    reason="CANCELLED", code=StatusCode.CANCELLED, zh="请求已取消。", en="The request was cancelled."
)
UNIMPLEMENTED: Final = ErrorKind(
    reason="UNIMPLEMENTED", code=StatusCode.UNIMPLEMENTED, zh="没有这项功能。", en="There is no such operation."
)
INTERNAL: Final = ErrorKind(
    reason="INTERNAL",
    code=StatusCode.INTERNAL,
    zh="系统出现错误，我们已经记录，请稍后再试。",
    en="Something went wrong on our side and has been recorded; please try again later.",
)
