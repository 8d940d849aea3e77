"""What the kit keeps of a request for a day, so that the same request id gets the same answer: sealed, or as a digest."""

from __future__ import annotations

import os
from functools import cache
from typing import Final, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from zhibu.policy.v1 import policy_pb2

from zhibu_identity.keys.master import NONCE_BYTES
from zhibu_identity.keys.sealing import IndexKey

_CONTEXT: Final = b"zhibu stored answer"
M = TypeVar("M", bound=Message)


class AnswerSealer:
    """Seals stored answers: they hold names, numbers and codes."""

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


def kept_request(request: M, province: IndexKey) -> M:
    """Return the request with a keyed digest in place of each personal text.

    The kit keeps a plain hash of a request, from which a telephone number could be found by trying them all.
    """
    kept = type(request)()
    kept.CopyFrom(request)
    _replace(kept, province)
    return kept


def _replace(message: Message, province: IndexKey) -> None:
    for name, personal in _texts_and_messages(message.DESCRIPTOR):
        if personal:
            if value := getattr(message, name):
                setattr(message, name, province.digest(f"request:{message.DESCRIPTOR.full_name}.{name}", value).hex())
        elif message.HasField(name):
            _replace(getattr(message, name), province)


@cache
def _texts_and_messages(descriptor: Descriptor) -> tuple[tuple[str, bool], ...]:
    """Return the personal texts of a message, and the messages in it."""
    found: list[tuple[str, bool]] = []
    for field in descriptor.fields:
        if field.is_repeated:
            continue
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            found.append((field.name, False))
        elif field.type == FieldDescriptor.TYPE_STRING and field.GetOptions().Extensions[policy_pb2.personal]:
            found.append((field.name, True))
    return tuple(found)
