"""Sealed values: AES-256-GCM under a member's own key, bound to the place where they stand."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zhibu_identity.keys.master import NONCE_BYTES, KeyDamagedError
from zhibu_identity.rules.search_terms import Term

# First byte of a sealed value: how it was sealed.
_FORMAT: Final = b"\x01"
# Half a SHA-256: two of a million people share a token by chance once in 2^88 tries, and the index stays small.
TOKEN_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class MemberKey:
    """The data key of one person. A value sealed for one column of one person opens nowhere else."""

    member_id: str
    _key: bytes = field(repr=False)

    def seal(self, text: str, *, place: str) -> bytes:
        """Seal a text for a place, written `table.column`."""
        return self.seal_bytes(text.encode(), place=place)

    def seal_bytes(self, plain: bytes, *, place: str) -> bytes:
        """Seal bytes for a place."""
        nonce = os.urandom(NONCE_BYTES)
        return _FORMAT + nonce + AESGCM(self._key).encrypt(nonce, plain, self._place(place))

    def open(self, sealed: bytes, *, place: str) -> str:
        """Return the text.

        Raises:
            KeyDamagedError: when it was changed, moved, or sealed with another key.
        """
        return self.open_bytes(sealed, place=place).decode()

    def open_bytes(self, sealed: bytes, *, place: str) -> bytes:
        """Return the bytes.

        Raises:
            KeyDamagedError: when they were changed, moved, or sealed with another key.
        """
        if sealed[:1] != _FORMAT:
            raise KeyDamagedError
        nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return AESGCM(self._key).decrypt(nonce, rest, self._place(place))
        except InvalidTag:
            raise KeyDamagedError from None

    def _place(self, place: str) -> bytes:
        return f"{place}\0{self.member_id}".encode()


@dataclass(frozen=True, slots=True)
class IndexKey:
    """The key of a blind index."""

    _key: bytes = field(repr=False)

    def token(self, term: Term) -> bytes:
        """Return the token of a search term."""
        kind, value = term
        return self.digest(f"term:{kind.value}", value)

    def digest(self, purpose: str, value: str) -> bytes:
        """Return a keyed digest; one purpose's digests cannot be compared with another's."""
        return hmac.digest(self._key, f"{purpose}\0{value}".encode(), hashlib.sha256)[:TOKEN_BYTES]

    def secret_digest(self, purpose: str, value: str) -> bytes:
        """Return the whole keyed digest of a secret that somebody will have to show."""
        return hmac.digest(self._key, f"{purpose}\0{value}".encode(), hashlib.sha256)


def same(one: bytes, other: bytes) -> bool:
    """Compare two digests without telling by the time how far they agree."""
    return hmac.compare_digest(one, other)
