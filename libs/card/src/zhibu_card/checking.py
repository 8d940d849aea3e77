"""Checking a card without a network: against public keys and a list of revocations that were fetched before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature

from zhibu_card.code import Card, CodeMalformedError, read_code
from zhibu_card.keys import CardKey

# The clock of a telephone at a door may be slow.
LEEWAY: Final = timedelta(minutes=5)


class Refusal(StrEnum):
    """Why a card is refused."""

    MALFORMED = "MALFORMED"
    KEY_UNKNOWN = "KEY_UNKNOWN"
    SIGNATURE_WRONG = "SIGNATURE_WRONG"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


class CardRefusedError(Exception):
    """The card is not good. What it says is known where the signature is right: `card` is None otherwise."""

    def __init__(self, reason: Refusal, card: Card | None = None) -> None:
        """Name the reason."""
        super().__init__(reason.value)
        self.reason: Refusal = reason
        self.card = card


def check_card(
    code: str, *, keys: Mapping[str, CardKey], now: datetime, revoked_digests: Collection[str] = frozenset()
) -> Card:
    """Return what a good card says.

    Raises:
        CardRefusedError: when it is not good, with the reason.
    """
    try:
        read = read_code(code)
    except CodeMalformedError:
        raise CardRefusedError(Refusal.MALFORMED) from None
    key = keys.get(read.key_id)
    if key is None:
        raise CardRefusedError(Refusal.KEY_UNKNOWN)
    try:
        key.public_key.verify(read.signature, read.signed)
    except InvalidSignature:
        raise CardRefusedError(Refusal.SIGNATURE_WRONG) from None
    card = read.card
    if card.issued_at < key.not_before or card.expires_at > key.not_after:
        # A key that was stolen after its time signs nothing that is believed.
        raise CardRefusedError(Refusal.KEY_UNKNOWN)
    if now + LEEWAY < card.issued_at:
        raise CardRefusedError(Refusal.NOT_YET_VALID, card)
    if now >= card.expires_at:
        raise CardRefusedError(Refusal.EXPIRED, card)
    if card.digest in revoked_digests:
        raise CardRefusedError(Refusal.REVOKED, card)
    return card
