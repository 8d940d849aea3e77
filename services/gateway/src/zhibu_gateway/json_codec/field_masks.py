"""FieldMask: camelCase in JSON, snake_case in the message."""

import re
from collections.abc import Iterable

from zhibu_gateway.json_codec.errors import DecodeError, EncodeError, Fault
from zhibu_gateway.json_codec.strict_json import Json

_CAMEL_PATH = re.compile(r"[a-z][a-zA-Z0-9]*(?:\.[a-z][a-zA-Z0-9]*)*", re.ASCII)
_UPPER = re.compile(r"[A-Z]")
_UNDERSCORE = re.compile(r"_([a-z])")
# Paths in one mask; a mask names fields of one message, none of which has so many.
_MAX_PATHS = 200


def paths_of(value: Json) -> list[str]:
    """Gives the snake_case paths of a text such as "fullName,branch.organisationId"."""
    if not isinstance(value, str):
        raise DecodeError(Fault.WRONG_TYPE)
    if not value:
        return []
    paths = value.split(",")
    if len(paths) > _MAX_PATHS or not all(_CAMEL_PATH.fullmatch(path) for path in paths):
        raise DecodeError(Fault.BAD_FIELD_MASK)
    return [_UPPER.sub(lambda match: f"_{match.group().lower()}", path) for path in paths]


def mask_text(paths: Iterable[str]) -> str:
    """Writes paths in camelCase.

    Raises:
        EncodeError: a path that would not read back the same ("a_1", "A", "a_").
    """
    written: list[str] = []
    for path in paths:
        camel = _UNDERSCORE.sub(lambda match: match.group(1).upper(), path)
        if _UPPER.search(path) or "_" in camel:
            raise EncodeError("field mask path has no camelCase form")
        written.append(camel)
    return ",".join(written)
