"""Paging: opaque tokens that carry the sort key of the last row shown, bound to the query they were made for."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import orjson

from zhibu_kit.errors import INVALID_PAGE_TOKEN, field_error

DEFAULT_PAGE_SIZE: Final = 50
# Larger pages make slow calls and large answers; a larger request is cut to this, as AIP-158 asks.
MAX_PAGE_SIZE: Final = 200
# A token holds a few sort keys; anything longer is not ours.
MAX_TOKEN_LENGTH: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one list call asks for: at most `size` rows that sort after `after` (None for the first page)."""

    size: int
    after: tuple[str, ...] | None


def page_of(page_size: int, page_token: str, *, query: str = "", keys: int = 1) -> Page:
    """Read the paging fields of a request; `query` is whatever must stay the same from page to page (the filter).

    Tokens are not signed, so what they hold is judged as any other input: `keys` is how many values the list sorts by.

    Raises:
        ServiceError: a field error on `page_token` when the token is not ours or belongs to another query.
    """
    after = decode_page_token(page_token, query=query) if page_token else None
    if after is not None and (len(after) != keys or any("\0" in key for key in after)):
        raise field_error("page_token", INVALID_PAGE_TOKEN)
    return Page(size=page_size_of(page_size), after=after)


def page_size_of(page_size: int) -> int:
    """Return the number of rows to give: 50 when none was asked for, at most 200."""
    return min(page_size, MAX_PAGE_SIZE) if page_size > 0 else DEFAULT_PAGE_SIZE


def encode_page_token(after: Sequence[str], *, query: str = "") -> str:
    """Return the token for the page after the row with the given sort key."""
    return base64.urlsafe_b64encode(orjson.dumps([_digest(query), *after])).decode().rstrip("=")


def decode_page_token(token: str, *, query: str = "") -> tuple[str, ...]:
    """Return the sort key held by a token.

    Raises:
        ServiceError: a field error on `page_token` when the token is not ours or belongs to another query.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        raise field_error("page_token", INVALID_PAGE_TOKEN)
    try:
        parts: object = orjson.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise field_error("page_token", INVALID_PAGE_TOKEN) from None
    match parts:
        case [str() as digest, *after] if digest == _digest(query) and all(isinstance(part, str) for part in after):
            return tuple(cast("list[str]", after))
        case _:
            raise field_error("page_token", INVALID_PAGE_TOKEN)


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:16]
