"""What goes wrong between JSON and messages."""

from collections.abc import Iterable
from enum import StrEnum


class Fault(StrEnum):
    """Why a piece of JSON is refused; the member's name travels in the problem's `errors[].code`."""

    NOT_JSON = "NOT_JSON"
    NOT_UTF8 = "NOT_UTF8"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    TOO_DEEP = "TOO_DEEP"
    WRONG_TYPE = "WRONG_TYPE"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    DUPLICATE_FIELD = "DUPLICATE_FIELD"
    ONEOF_CONFLICT = "ONEOF_CONFLICT"
    NULL_ELEMENT = "NULL_ELEMENT"
    NOT_INTEGER = "NOT_INTEGER"
    NOT_NUMBER = "NOT_NUMBER"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    NOT_BASE64 = "NOT_BASE64"
    UNKNOWN_ENUM = "UNKNOWN_ENUM"
    BAD_TEXT = "BAD_TEXT"
    BAD_TIMESTAMP = "BAD_TIMESTAMP"
    BAD_DURATION = "BAD_DURATION"
    BAD_FIELD_MASK = "BAD_FIELD_MASK"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"


class DecodeError(ValueError):
    """JSON that is not the message asked for.

    The path grows from the innermost segment outwards while the error travels up, so that the usual case builds none.
    It never holds a value, only names and positions: values may be personal data.
    """

    def __init__(self, fault: Fault, segments: Iterable[str] = ()) -> None:
        """Starts a path with its innermost segments, innermost first."""
        super().__init__(fault.value)
        self.fault = fault
        self._reversed = list(segments)

    def within(self, segment: str) -> "DecodeError":
        """Adds the segment that encloses the path so far; an index is written as "[3]"."""
        self._reversed.append(segment)
        return self

    @property
    def path(self) -> str:
        """The path as the client wrote it, for example "applications[3].fullName"; empty for the whole body."""
        path = ""
        for segment in reversed(self._reversed):
            path += segment if segment.startswith("[") or not path else f".{segment}"
        return path

    def __str__(self) -> str:
        return f"{self.fault.value} at {self.path!r}"


class EncodeError(ValueError):
    """A message that has no JSON form, for example a timestamp in the year 10000."""
