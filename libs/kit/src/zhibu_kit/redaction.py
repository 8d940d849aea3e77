"""Redaction: a message as logs, traces and audit may show it, with everything marked `personal` replaced."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from zhibu.policy.v1 import policy_pb2

REDACTED: Final = "[personal]"
# A log line is read by people: longer texts and lists are cut.
MAX_TEXT: Final = 200
MAX_ITEMS: Final = 20

_Render = Callable[[object], object]


def redact(message: Message) -> dict[str, object]:
    """Return the fields of a message that are set, by name, with personal ones replaced and large ones cut."""
    return {field.name: _renderer(field)(value) for field, value in message.ListFields()}


@cache
def _renderer(field: FieldDescriptor) -> _Render:
    """Compile how one field is shown."""
    if field.GetOptions().Extensions[policy_pb2.personal]:
        return _hidden
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        show = _renderer(field.message_type.fields_by_name["value"])
        return lambda value: {
            str(key): show(item) for key, item in list(cast("dict[object, object]", value).items())[:MAX_ITEMS]
        }
    show = _redact_any if field.message_type is not None else _scalar
    if field.is_repeated:
        return lambda value: [show(item) for item in list(cast("list[object]", value))[:MAX_ITEMS]]
    return show


def _hidden(value: object) -> object:
    return REDACTED


def _redact_any(value: object) -> object:
    message = cast("Message", value)
    if message.DESCRIPTOR.full_name in ("google.protobuf.Any", "google.api.HttpBody"):
        # What is packed inside carries no marks that could be read here.
        return REDACTED
    return redact(message)


def _scalar(value: object) -> object:
    match value:
        case bytes():
            return f"[{len(value)} bytes]"
        case str() if len(value) > MAX_TEXT:
            return value[:MAX_TEXT] + "…"
        case _:
            return value
