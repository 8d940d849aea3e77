"""Keys of signed notes (c2sp.org/signed-note, c2sp.org/tlog-cosignature) and how they are written.

Verifier keys are written as the specification says, signer keys as Go's `golang.org/x/mod/sumdb/note` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from zhibu_tlog.spelling import MalformedError, read_base64, write_base64

KEY_BYTES: Final = 32
_KEY_ID_BYTES: Final = 4
_LONGEST_KEY_TEXT: Final = 1000
_SIGNER_PREFIX: Final = "PRIVATE+KEY+"


class SignatureType(IntEnum):
    """What a key signs, by the byte that the specification assigned to it."""

    ED25519 = 1
    """The text of a note."""
    COSIGNATURE = 4
    """A checkpoint together with a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with its name."""

    name: str
    type: SignatureType
    public: bytes

    def __post_init__(self) -> None:
        """Refuse what cannot be written down."""
        check_key_name(self.name)
        if len(self.public) != KEY_BYTES:
            raise MalformedError(f"an Ed25519 key has {KEY_BYTES} bytes")

    @property
    def key_id(self) -> int:
        """The number which, with the name, points at this key in a note."""
        hashed = sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()
        return int.from_bytes(hashed[:_KEY_ID_BYTES], "big")

    @property
    def text(self) -> str:
        """The key as it is handed on: a vkey."""
        return f"{self.name}+{self.key_id:08x}+{write_base64(bytes([self.type]) + self.public)}"

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Say whether the Ed25519 signature over the message is right; one of another length is not."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerKey:
    """A private key with its name."""

    name: str
    type: SignatureType
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be written down."""
        check_key_name(self.name)
        if len(self.seed) != KEY_BYTES:
            raise MalformedError(f"an Ed25519 seed has {KEY_BYTES} bytes")

    @property
    def verifier(self) -> VerifierKey:
        """Its public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return VerifierKey(name=self.name, type=self.type, public=public)

    @property
    def text(self) -> str:
        """The key as it is kept in a file; whoever reads it can sign."""
        return f"{_SIGNER_PREFIX}{self.name}+{self.verifier.key_id:08x}+{write_base64(bytes([self.type]) + self.seed)}"

    def sign(self, message: bytes) -> bytes:
        """Sign with Ed25519."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)


def read_verifier_key(text: str) -> VerifierKey:
    """Read a vkey.

    Raises:
        MalformedError: when it is none, or its identifier does not fit.
    """
    name, key_id, kind, public = _read_parts(text)
    key = VerifierKey(name=name, type=kind, public=public)
    if f"{key.key_id:08x}" != key_id:
        raise MalformedError("the identifier of the key does not fit it")
    return key


def read_signer_key(text: str) -> SignerKey:
    """Read a signer key.

    Raises:
        MalformedError: when it is none, or its identifier does not fit.
    """
    if not text.startswith(_SIGNER_PREFIX):
        raise MalformedError("not a signer key")
    name, key_id, kind, seed = _read_parts(text.removeprefix(_SIGNER_PREFIX))
    key = SignerKey(name=name, type=kind, seed=seed)
    if f"{key.verifier.key_id:08x}" != key_id:
        raise MalformedError("the identifier of the key does not fit it")
    return key


def check_key_name(name: str) -> None:
    """Refuse a name that could not be told from what stands around it."""
    if not name or "+" in name or any(character.isspace() or ord(character) < ord(" ") for character in name):
        raise MalformedError("the name of a key is not empty and has neither blanks nor plus signs")


def _read_parts(text: str) -> tuple[str, str, SignatureType, bytes]:
    # Base64 has plus signs of its own, names and identifiers have none.
    parts = text.split("+", 2)
    if len(text) > _LONGEST_KEY_TEXT or len(parts) != 3:
        raise MalformedError("a key has three parts, with plus signs between them")
    name, key_id, data = parts[0], parts[1], read_base64(parts[2])
    try:
        kind = SignatureType(data[0]) if data else None
    except ValueError:
        kind = None
    if kind is None:
        raise MalformedError("the key is of a kind that is not known here")
    return name, key_id, kind, data[1:]
