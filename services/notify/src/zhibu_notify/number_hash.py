"""Keyed hashes by which this service knows a number or a request again without keeping it."""

import hashlib
import hmac


class NumberHasher:
    """HMAC-SHA-256 under the service's key."""

    def __init__(self, key: bytes) -> None:
        """Take the key; with it, the eleven digits could be tried out, so it stays in the service's settings."""
        self._key = key

    def number_hash(self, number: str) -> bytes:
        """What stands for a number in tables."""
        return self._mac(b"number", number)

    def fingerprint(self, *values: str) -> bytes:
        """What stands for the whole body of a request."""
        return self._mac(b"request", *values)

    def _mac(self, use: bytes, *values: str) -> bytes:
        # Lengths keep ("ab", "c") and ("a", "bc") apart.
        parts = [use, *(len(value).to_bytes(4, "big") + value.encode() for value in values)]
        return hmac.digest(self._key, b"\x00".join(parts), hashlib.sha256)
