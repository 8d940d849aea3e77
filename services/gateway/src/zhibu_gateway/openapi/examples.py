"""Examples for the reference. Every person in them is impossible: no such telephone prefix, no such area code."""

import re
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from zhibu_gateway.openapi.constraints import rules_of

# By the name of the field, and by the first pattern that one matches.
_BY_NAME: Final[dict[str, str]] = {
    "organisation_id": "370724",
    "parent_id": "370724",
    "county_code": "370724",
    "real_name": "示例·测试",
    "telephone": "10000000001",
    "resident_number": "999999199001010017",
    "page_token": "",
    "request_id": "01kb0f5m4q3z8v7x6w5t4r3s2p",
    "etag": "v3",
    "language": "zh-CN",
    "code": "123456",
}
_CANDIDATES: Final = (
    "370724",
    "01kb0f5m4q3z8v7x6w5t4r3s2p",
    "10000000001",
    "999999199001010017",
    "2026-11-23",
    "123456",
    "county-approver",
    "0536-0000000",
    "AB12-CD34",
    "approver",
    "text",
    "2026-11",
)
_BY_MESSAGE: Final[dict[str, Any]] = {
    "google.protobuf.Timestamp": "2026-11-23T08:00:00Z",
    "google.protobuf.Duration": "90s",
    "google.protobuf.FieldMask": "text",
}
_ULID_LENGTH: Final = 26


def example_of(field: FieldDescriptor) -> Any | None:
    """Gives an example that keeps the field's rules, or None when none is at hand."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return None
    value = _scalar(field)
    if value is None:
        return None
    return [value] if field.is_repeated else value


def _scalar(field: FieldDescriptor) -> Any | None:
    if field.message_type is not None:
        return _BY_MESSAGE.get(field.message_type.full_name)
    if field.enum_type is not None:
        return None
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return _text(field)
        case FieldDescriptor.TYPE_BOOL:
            return True
        case FieldDescriptor.TYPE_INT32 | FieldDescriptor.TYPE_UINT32:
            rules = rules_of(field).int32
            if allowed := getattr(rules, "in"):
                return allowed[-1]
            return 50 if field.name == "page_size" else max(1, rules.gte)
        case FieldDescriptor.TYPE_INT64 | FieldDescriptor.TYPE_UINT64:
            return "1"
        case _:
            return None


def _text(field: FieldDescriptor) -> str | None:
    rules = rules_of(field)
    text = rules.repeated.items.string if field.is_repeated else rules.string
    named = _BY_NAME.get(field.name)
    for candidate in (named, *_CANDIDATES, "x" * 24):
        if candidate is None:
            continue
        length = len(candidate)
        fits = (not text.len or text.len == length) and text.min_len <= length <= (text.max_len or 10_000)
        if fits and (not text.HasField("pattern") or re.search(text.pattern, candidate)):
            # Free text needs no invented identifier as its example.
            is_free = named is None and not text.HasField("pattern") and text.len != _ULID_LENGTH
            return None if is_free else candidate
    return None
