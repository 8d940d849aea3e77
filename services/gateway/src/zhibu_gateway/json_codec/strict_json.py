"""Reads JSON text without any of the leniencies that make two readers see two documents."""

import json
from typing import TypeAlias, cast

from zhibu_gateway.json_codec.errors import DecodeError, Fault

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

# Messages nested deeper than this are refused, as protobuf's own parsers do.
MAX_DEPTH = 100


class _DuplicateKeyError(ValueError):
    """Two members of an object have one name."""


def _object_of(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DuplicateKeyError
    return members


def _refuse_constant(_name: str) -> Json:
    # RFC 8259 has no NaN and no Infinity; the proto mapping writes them as strings.
    raise ValueError


_decoder = json.JSONDecoder(object_pairs_hook=_object_of, parse_constant=_refuse_constant)


def loads(body: bytes) -> Json:
    """Reads one JSON document from UTF-8 bytes.

    Raises:
        DecodeError: not UTF-8, not JSON (NaN and a byte-order mark are not), an object with a name twice, or nesting
            beyond what the interpreter can hold.
    """
    try:
        text = body.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise DecodeError(Fault.NOT_UTF8) from error
    try:
        return cast("Json", _decoder.decode(text))
    except _DuplicateKeyError as error:
        raise DecodeError(Fault.DUPLICATE_KEY) from error
    except RecursionError as error:
        raise DecodeError(Fault.TOO_DEEP) from error
    except ValueError as error:
        raise DecodeError(Fault.NOT_JSON) from error
