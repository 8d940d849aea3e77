"""The master key: it wraps the keys that the key database holds, and can be changed without touching personal data."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class MasterKeyError(Exception):
    """The master key is missing, malformed, or not the one with which the key database was made."""


class KeyDamagedError(Exception):
    """A wrapped key or a sealed value was changed, or belongs to somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKey:
    """A key as it is stored: which master key wrapped it, and the result."""

    master_version: int
    wrapped: bytes


class MasterKeys:
    """The present master key, and earlier ones for as long as keys are still wrapped with them."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Use keys by version; the highest version is the present one."""
        if not keys:
            raise MasterKeyError("ZHIBU_MASTER_KEY is not set")
        if any(len(key) != KEY_BYTES for key in keys.values()):
            raise MasterKeyError("a master key has 32 bytes")
        self._keys = dict(keys)
        self.version = max(self._keys)

    @classmethod
    def parse(cls, text: str) -> MasterKeys:
        """Read `BASE64`, or `2:BASE64,1:BASE64` with versions.

        Raises:
            MasterKeyError: when it cannot be read.
        """
        keys: dict[int, bytes] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            version, _, encoded = part.rpartition(":")
            try:
                keys[int(version or "1")] = base64.b64decode(
                    encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True
                )
            except (ValueError, binascii.Error):
                raise MasterKeyError("ZHIBU_MASTER_KEY is not version:base64") from None
        return cls(keys)

    @property
    def versions(self) -> frozenset[int]:
        """The versions at hand."""
        return frozenset(self._keys)

    def wrap(self, key: bytes, *, owner: str) -> WrappedKey:
        """Wrap a key with the present master key; it can be unwrapped only for the same owner."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self._keys[self.version]).encrypt(nonce, key, _owner(owner))
        return WrappedKey(master_version=self.version, wrapped=nonce + sealed)

    def unwrap(self, key: WrappedKey, *, owner: str) -> bytes:
        """Return a key.

        Raises:
            MasterKeyError: when its master key is not at hand.
            KeyDamagedError: when it was changed or belongs to another owner.
        """
        master = self._keys.get(key.master_version)
        if master is None:
            raise MasterKeyError(f"master key {key.master_version} is needed and not set")
        try:
            return AESGCM(master).decrypt(key.wrapped[:NONCE_BYTES], key.wrapped[NONCE_BYTES:], _owner(owner))
        except InvalidTag:
            raise KeyDamagedError from None

    def proof(self, version: int) -> bytes:
        """Return what shows, without telling the key, that this is the key of a version."""
        return hmac.digest(self._keys[version], b"zhibu master key %d" % version, hashlib.sha256)


def _owner(owner: str) -> bytes:
    return f"zhibu-key\0{owner}".encode()
