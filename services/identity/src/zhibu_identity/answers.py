"""What the kit keeps of a request for a day, so that the same request id gets the same answer: it is sealed."""

from __future__ import annotations

import os
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zhibu_identity.keys.master import NONCE_BYTES
from zhibu_identity.keys.sealing import IndexKey

_CONTEXT: Final = b"zhibu stored answer"


class AnswerSealer:
    """Seals stored answers, which hold names, numbers and codes, and hashes of requests, from which numbers could be tried."""

    def __init__(self, province: IndexKey) -> None:
        """Derive the key from one that lies in the key database."""
        self._aead = AESGCM(province.secret_digest("answers", ""))

    def seal(self, plain: bytes) -> bytes:
        """Return the sealed bytes."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, _CONTEXT)

    def open(self, sealed: bytes) -> bytes:
        """Return the plain bytes."""
        return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _CONTEXT)
