"""What a checker keeps: public keys and the list of revoked cards, as the platform's public API gives them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MOST_KEYS: Final = 1000
_DIGEST_CHARACTERS: Final = 64


class KeysUnreadableError(ValueError):
    """The file is not what the API gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardKey:
    """A public key, and between which instants cards that it signed may lie."""

    key_id: str
    public_key: Ed25519PublicKey
    not_before: datetime
    not_after: datetime


def read_keys(text: str) -> Mapping[str, CardKey]:
    """Read the answer of `GET /v1/card-keys`.

    Raises:
        KeysUnreadableError: when it is another one.
    """
    entries = _object(text).get("keys")
    if not isinstance(entries, list) or not 0 < len(cast("list[object]", entries)) <= MOST_KEYS:
        raise KeysUnreadableError("there are no keys in it")
    keys = [_key(cast("dict[str, Any]", entry)) for entry in cast("list[object]", entries) if _is_ours(entry)]
    return {key.key_id: key for key in keys}


def read_revocations(text: str) -> frozenset[str]:
    """Read the answer of `GET /v1/card-revocations`: the digests of revoked cards.

    Raises:
        KeysUnreadableError: when it is another one.
    """
    content = _object(text)
    digests = content.get("revokedCardDigests", [])
    if "asOfTime" not in content or not isinstance(digests, list):
        raise KeysUnreadableError("it is not a list of revoked cards")
    known = [digest for digest in cast("list[object]", digests) if isinstance(digest, str)]
    if len(known) != len(cast("list[object]", digests)) or any(len(digest) != _DIGEST_CHARACTERS for digest in known):
        raise KeysUnreadableError("an entry is not a digest")
    return frozenset(known)


def _object(text: str) -> dict[str, Any]:
    try:
        content = cast("object", json.loads(text))
    except ValueError:
        raise KeysUnreadableError("it is not JSON") from None
    if not isinstance(content, dict):
        raise KeysUnreadableError("it is not a JSON object")
    return cast("dict[str, Any]", content)


def _is_ours(entry: object) -> bool:
    """Say whether this version understands a key: later ones may add others."""
    return isinstance(entry, dict) and cast("dict[str, Any]", entry).get("algorithm") == "EdDSA"


def _key(entry: dict[str, Any]) -> CardKey:
    try:
        encoded = str(entry["publicKey"])
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        return CardKey(
            key_id=str(entry["keyId"]),
            public_key=Ed25519PublicKey.from_public_bytes(raw),
            not_before=_instant(str(entry["notBeforeTime"])),
            not_after=_instant(str(entry["notAfterTime"])),
        )
    except (KeyError, ValueError, binascii.Error, UnsupportedAlgorithm):
        raise KeysUnreadableError("a key cannot be read") from None


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone")
    return instant
