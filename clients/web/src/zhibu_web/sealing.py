"""Sealing: what the browser or the database keeps for us is encrypted and bound to the place where it belongs."""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12


class BrokenSealError(Exception):
    """What was to be opened was changed, belongs elsewhere, or was sealed with a key that we no longer have."""


@dataclass(frozen=True, slots=True)
class _Key:
    key_id: bytes
    cipher: AESGCM
    mac_key: bytes


class Sealer:
    """Encrypts with the first of its secrets and opens with any of them, so that a secret can be changed."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Derive the keys from the secrets, newest first."""
        if not secrets:
            raise ValueError("ZHIBU_WEB_SESSION_KEY is not set")
        self._keys = [_key_of(secret) for secret in secrets]

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Return `plain` encrypted; only somebody who names the same context can open it."""
        key = self._keys[0]
        nonce = os.urandom(_NONCE_BYTES)
        return key.key_id + nonce + key.cipher.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed in this context.

        Raises:
            BrokenSealError: it was not sealed by us in this context.
        """
        key_id, nonce = sealed[:_KEY_ID_BYTES], sealed[_KEY_ID_BYTES : _KEY_ID_BYTES + _NONCE_BYTES]
        for key in self._keys:
            if key.key_id == key_id and len(nonce) == _NONCE_BYTES:
                try:
                    return key.cipher.decrypt(nonce, sealed[_KEY_ID_BYTES + _NONCE_BYTES :], context)
                except InvalidTag:
                    break
        raise BrokenSealError

    def token(self, subject: str) -> str:
        """Return a token that only we can make for this subject."""
        return _encode(hmac.digest(self._keys[0].mac_key, subject.encode(), sha256))

    def matches(self, token: str, subject: str) -> bool:
        """Say whether `token` was made by us for this subject, with any of our secrets."""
        given = token.encode()
        expected = [_encode(hmac.digest(key.mac_key, subject.encode(), sha256)).encode() for key in self._keys]
        return any(hmac.compare_digest(given, one) for one in expected)


def _key_of(secret: str) -> _Key:
    def derive(purpose: bytes, length: int) -> bytes:
        return HKDF(algorithm=SHA256(), length=length, salt=b"zhibu-web", info=purpose).derive(secret.encode())

    return _Key(derive(b"key id", _KEY_ID_BYTES), AESGCM(derive(b"sealing", 32)), derive(b"form token", 32))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
