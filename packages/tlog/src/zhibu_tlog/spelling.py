"""Numbers and bytes in text, which have one spelling only: nothing can be changed without changing what is read."""

from __future__ import annotations

import base64
import binascii
from typing import Final

# A tree of more leaves than this is refused: it is what a signed 64-bit number holds, as other implementations use it.
LARGEST_NUMBER: Final = 2**63 - 1


class MalformedError(ValueError):
    """What was given is not spelt as its specification demands."""


def read_number(text: str) -> int:
    """Read a decimal number without signs, blanks and leading zeros."""
    if (
        not text.isascii()
        or not text.isdigit()
        or (len(text) > 1 and text[0] == "0")
        or len(text) > len(str(LARGEST_NUMBER))
    ):
        raise MalformedError(f"not a decimal number: {text[:30]!r}")
    number = int(text)
    if number > LARGEST_NUMBER:
        raise MalformedError(f"number too large: {text}")
    return number


def write_base64(data: bytes) -> str:
    """Write standard Base64 (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def read_base64(text: str) -> bytes:
    """Read standard Base64; other spellings of the same bytes (unused bits set, padding left out) are refused."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("not Base64") from error
    if write_base64(data) != text:
        raise MalformedError("not Base64 as it is written")
    return data
