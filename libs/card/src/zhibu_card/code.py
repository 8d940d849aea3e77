"""The code on a card: a CWT (RFC 8392) in a COSE_Sign1 (RFC 9052) with Ed25519, written in Base32 after `ZB1:`.

Base32 without padding: a QR code stores its capitals and digits tightly, and nothing in it is lost by copying as text.

Everything has one spelling only. What does not come out of the reader exactly as it went in is refused, so no byte can be
changed, not even one outside of what is signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX: Final = "ZB1:"
# Longer than any card: sixty characters of a name, fifty of a county.
LONGEST_CODE: Final = 1200
CARD_ID_BYTES: Final = 16
KEY_ID_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 64
# Headers of COSE and claims of CWT, as IANA has registered them; ours lie in the range for private use.
_ALGORITHM, _KEY_ID, _EDDSA, _SIGN1 = 1, 4, -8, 18
_EXPIRES, _ISSUED, _CARD_ID = 4, 6, 7
_NAME, _COUNTY_CODE, _COUNTY_NAME, _NUMBER_END = -65537, -65538, -65539, -65540
_TEXTS: Final = (_NAME, _COUNTY_CODE, _COUNTY_NAME, _NUMBER_END)
_CLAIMS: Final = {_EXPIRES, _ISSUED, _CARD_ID, *_TEXTS}


class CodeMalformedError(ValueError):
    """The text is no code of a card, or not spelt as such a code is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a card says of its holder: as little as somebody at a door needs to compare."""

    card_id: bytes
    real_name: str
    county_code: str
    county_name: str
    # The last four digits of the e-ID's number: enough to see that this code belongs to the card that it stands on.
    number_end: str
    issued_at: datetime
    expires_at: datetime

    @property
    def digest(self) -> str:
        """The name under which the card is published when it is revoked."""
        return hashlib.sha256(self.card_id).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCard:
    """A card as it was read: nothing of it is believed before its signature is checked."""

    card: Card
    key_id: str
    signature: bytes
    # What was signed: the Sig_structure of COSE.
    signed: bytes


def sign_card(card: Card, *, key_id: str, key: Ed25519PrivateKey) -> str:
    """Return the code. The same card signed twice with one key has the same code."""
    protected = _encode({_ALGORITHM: _EDDSA, _KEY_ID: bytes.fromhex(key_id)})
    payload = _encode(
        {
            _EXPIRES: int(card.expires_at.timestamp()),
            _ISSUED: int(card.issued_at.timestamp()),
            _CARD_ID: card.card_id,
            _NAME: card.real_name,
            _COUNTY_CODE: card.county_code,
            _COUNTY_NAME: card.county_name,
            _NUMBER_END: card.number_end,
        }
    )
    return _write(protected, payload, key.sign(_to_be_signed(protected, payload)))


def read_code(code: str) -> SignedCard:
    """Return what a code says; blanks around it do not count.

    Raises:
        CodeMalformedError: when it is not exactly what `sign_card` writes.
    """
    text = code.strip()
    if not text.startswith(PREFIX) or len(text) > LONGEST_CODE:
        raise CodeMalformedError("this does not begin as a card's code does")
    try:
        decoded = cast("object", cbor2.loads(_bytes_of(text.removeprefix(PREFIX))))
        protected, payload, signature = _parts(decoded)
        header, claims = cast("object", cbor2.loads(protected)), cast("object", cbor2.loads(payload))
        read = SignedCard(
            card=_card(claims), key_id=_key_id(header), signature=signature, signed=_to_be_signed(protected, payload)
        )
    except CodeMalformedError:
        raise
    except (ValueError, OverflowError, RecursionError, cbor2.CBORDecodeError) as error:
        raise CodeMalformedError("the code is damaged") from error
    if (_encode(header), _encode(claims)) != (protected, payload) or _write(protected, payload, signature) != text:
        raise CodeMalformedError("the code is spelt in another way than codes are")
    return read


def _parts(decoded: object) -> tuple[bytes, bytes, bytes]:
    if not isinstance(decoded, cbor2.CBORTag) or decoded.tag != _SIGN1:
        raise CodeMalformedError("not a COSE_Sign1")
    match cast("object", decoded.value):
        case [bytes() as protected, {**unprotected}, bytes() as payload, bytes() as signature] if (
            not unprotected and len(signature) == _SIGNATURE_BYTES
        ):
            return protected, payload, signature
        case _:
            raise CodeMalformedError("not the COSE_Sign1 of a card")


def _key_id(header: object) -> str:
    match header:
        case {1: -8, 4: bytes() as key_id, **rest} if not rest and len(key_id) == KEY_ID_BYTES:
            return key_id.hex()
        case _:
            raise CodeMalformedError("not the header of a card")


def _card(claims: object) -> Card:
    if not isinstance(claims, dict):
        raise CodeMalformedError("no claims")
    known = cast("dict[object, object]", claims)
    expires, issued, card_id = known.get(_EXPIRES), known.get(_ISSUED), known.get(_CARD_ID)
    texts = [text for text in map(known.get, _TEXTS) if isinstance(text, str)]
    if known.keys() != _CLAIMS or len(texts) != len(_TEXTS) or type(expires) is not int or type(issued) is not int:
        raise CodeMalformedError("not the claims of a card")
    if not isinstance(card_id, bytes) or len(card_id) != CARD_ID_BYTES:
        raise CodeMalformedError("no identifier of a card")
    real_name, county_code, county_name, number_end = texts
    return Card(
        card_id=card_id,
        real_name=real_name,
        county_code=county_code,
        county_name=county_name,
        number_end=number_end,
        issued_at=_instant(issued),
        expires_at=_instant(expires),
    )


def _instant(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise CodeMalformedError("a time that no calendar has") from None


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return _encode(["Signature1", protected, b"", payload])


def _write(protected: bytes, payload: bytes, signature: bytes) -> str:
    message = _encode(cbor2.CBORTag(_SIGN1, [protected, {}, payload, signature]))
    return PREFIX + base64.b32encode(message).decode().rstrip("=")


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        raise CodeMalformedError("not Base32") from None


def _encode(value: Any) -> bytes:
    """Encode deterministically (RFC 8949, section 4.2): shortest lengths, keys in order."""
    return cbor2.dumps(value, canonical=True)
