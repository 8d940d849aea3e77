"""Scalars: from JSON values, and from the text of path and query parameters.

Python's own conversions are too lenient for a contract: int() takes "1_000", " 5 " and digits of every script, and
b64decode() skips what it does not know. Each function here takes exactly what the proto3 JSON mapping lists.
"""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from zhibu_gateway.descriptors import enum_of
from zhibu_gateway.json_codec.errors import DecodeError, Fault
from zhibu_gateway.json_codec.strict_json import Json

Scalar = str | int | float | bool | bytes
FromJson = Callable[[Json], Scalar]
FromText = Callable[[str], Scalar]

# A JSON number (RFC 8259) and nothing else, in ASCII digits. Bounded, so that int() of a long text costs nothing.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,63})(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,19})", re.ASCII)
# Above this a double no longer holds every integer: a number written as 9007199254740993.0 has already lost its last digit.
_EXACT_DOUBLE = 2**53
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}", re.ASCII)
_TO_STANDARD = str.maketrans("-_", "+/")
_SPECIAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SINT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}


def from_json(field: FieldDescriptor) -> FromJson:
    """Compiles the conversion of one JSON value to the field's (or the element's) scalar."""
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return text_of
        case FieldDescriptor.TYPE_BYTES:
            return bytes_of
        case FieldDescriptor.TYPE_BOOL:
            return bool_of
        case FieldDescriptor.TYPE_DOUBLE:
            return double_of
        case FieldDescriptor.TYPE_FLOAT:
            return float_of
        case FieldDescriptor.TYPE_ENUM:
            return _enum_of(enum_of(field))
        case _:
            return _integer_of(*_RANGES[field.type])


def from_text(field: FieldDescriptor) -> FromText:
    """Compiles the conversion of a path segment, a query parameter or a map key to the field's scalar."""
    convert = from_json(field)
    match field.type:
        case FieldDescriptor.TYPE_BOOL:
            return _bool_of_text
        case FieldDescriptor.TYPE_ENUM:
            return _enum_of_text(convert)
        case _:
            # Numbers may be quoted in JSON too, so the conversion of a JSON string is the conversion of text.
            return convert


def text_of(value: Json) -> str:
    """Takes a string without U+0000, which PostgreSQL cannot hold, and without lone surrogates."""
    if not isinstance(value, str):
        raise DecodeError(Fault.WRONG_TYPE)
    if "\x00" in value:
        raise DecodeError(Fault.BAD_TEXT)
    if not value.isascii():
        try:
            value.encode("utf-8", "strict")
        except UnicodeEncodeError as error:
            raise DecodeError(Fault.BAD_TEXT) from error
    return value


def bytes_of(value: Json) -> bytes:
    """Takes base64 in either alphabet, padded or not."""
    if not isinstance(value, str):
        raise DecodeError(Fault.WRONG_TYPE)
    if _BASE64.fullmatch(value) is None:
        raise DecodeError(Fault.NOT_BASE64)
    bare = value.rstrip("=").translate(_TO_STANDARD)
    padding = -len(bare) % 4
    if padding == 3 or (len(bare) != len(value) and len(value) % 4 != 0):
        raise DecodeError(Fault.NOT_BASE64)
    try:
        return base64.b64decode(bare + "=" * padding, validate=True)
    except binascii.Error as error:
        raise DecodeError(Fault.NOT_BASE64) from error


def bool_of(value: Json) -> bool:
    """Takes true and false, never 0, 1 or text."""
    if not isinstance(value, bool):
        raise DecodeError(Fault.WRONG_TYPE)
    return value


def double_of(value: Json) -> float:
    """Takes a number, or text that is a JSON number, "NaN", "Infinity" or "-Infinity"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise DecodeError(Fault.WRONG_TYPE)
    if isinstance(value, str):
        special = _SPECIAL_FLOATS.get(value)
        if special is not None:
            return special
        if _NUMBER.fullmatch(value) is None:
            raise DecodeError(Fault.NOT_NUMBER)
    try:
        number = float(value)
    except OverflowError as error:
        raise DecodeError(Fault.OUT_OF_RANGE) from error
    # Reached only by numbers such as 1e400: the text forms of infinity have returned above.
    if math.isinf(number) or math.isnan(number):
        raise DecodeError(Fault.OUT_OF_RANGE)
    return number


def float_of(value: Json) -> float:
    """Takes what double_of takes, when it rounds to a 32-bit float.

    The largest one is written 3.4028235e+38, which is a little more than it is and rounds to it.
    """
    number = double_of(value)
    if not math.isfinite(number):
        return number
    rounded = _as_float32(number)
    if rounded is None:
        raise DecodeError(Fault.OUT_OF_RANGE)
    return rounded


def shortest_float(value: float) -> float | str:
    """Gives the shortest decimal that reads back as the same 32-bit float, or the mapping's word for a special one."""
    if not math.isfinite(value):
        return special_float(value)
    for precision in (6, 7, 8):
        short = float(f"{value:.{precision}g}")
        if _as_float32(short) == value:
            return short
    return float(f"{value:.9g}")


def _as_float32(value: float) -> float | None:
    """Rounds to 32 bits; None when that is infinite."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return None


def special_float(value: float) -> float | str:
    """Gives the number itself, or "NaN", "Infinity" or "-Infinity"."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _integer_of(low: int, high: int) -> FromJson:
    def convert(value: Json) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise DecodeError(Fault.WRONG_TYPE)
        number = value if isinstance(value, int) else _whole(value)
        if not low <= number <= high:
            raise DecodeError(Fault.OUT_OF_RANGE)
        return number

    return convert


def _whole(value: float | str) -> int:
    """Gives the integer that a float or a text stands for; 1.0 and "1e2" are integers in the mapping."""
    if isinstance(value, str):
        if _INTEGER.fullmatch(value) is not None:
            return int(value)
        if _NUMBER.fullmatch(value) is None:
            raise DecodeError(Fault.NOT_INTEGER)
    number = float(value)
    if not number.is_integer():
        raise DecodeError(Fault.NOT_INTEGER)
    if abs(number) > _EXACT_DOUBLE:
        raise DecodeError(Fault.OUT_OF_RANGE)
    return int(number)


def _enum_of(enum: EnumDescriptor) -> FromJson:
    numbers = {value.name: value.number for value in enum.values}
    known = frozenset(numbers.values())
    closed = enum.is_closed
    low, high = _RANGES[FieldDescriptor.TYPE_INT32]

    def convert(value: Json) -> int:
        if isinstance(value, str):
            number = numbers.get(value)
            if number is None:
                raise DecodeError(Fault.UNKNOWN_ENUM)
            return number
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DecodeError(Fault.WRONG_TYPE)
        number = value if isinstance(value, int) else _whole(value)
        if not low <= number <= high:
            raise DecodeError(Fault.OUT_OF_RANGE)
        if closed and number not in known:
            raise DecodeError(Fault.UNKNOWN_ENUM)
        return number

    return convert


def _bool_of_text(text: str) -> bool:
    if text == "true":
        return True
    if text == "false":
        return False
    raise DecodeError(Fault.WRONG_TYPE)


def _enum_of_text(convert: FromJson) -> FromText:
    def convert_text(text: str) -> Scalar:
        return convert(int(text) if _INTEGER.fullmatch(text) is not None else text)

    return convert_text
