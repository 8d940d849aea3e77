"""Delivery receipts: what a message centre says later about a message it took."""

import re
from dataclasses import dataclass
from typing import Final

from zhibu_notify.smpp.pdus import Pdu, text_field

_RECEIPT_ESM_CLASS: Final = 0x04
_ESM_TYPE_MASK: Final = 0x3C
_DELIVERED_STATE: Final = 2
# ENROUTE and ACCEPTED are notes on the way, not outcomes.
_INTERMEDIATE_STATES: Final = frozenset({1, 6})
_INTERMEDIATE_WORDS: Final = frozenset({"ENROUTE", "ACCEPTD", "BUFFRED"})
# SMPP 3.4, appendix B; message centres differ in spaces, case and order, but all write these two.
_ID: Final = re.compile(rb"\bid:\s*([0-9A-Za-z-]{1,64})", re.IGNORECASE)
_STATE: Final = re.compile(rb"\bstat:\s*([A-Za-z]{1,10})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The final outcome of one message."""

    message_id: str
    delivered: bool


def find_receipt(pdu: Pdu) -> Receipt | None:
    """The receipt in a deliver_sm; None for anything else, for example an answer typed by a member."""
    fields = pdu.fields
    if (fields.esm_class or 0) & _ESM_TYPE_MASK != _RECEIPT_ESM_CLASS:
        return None
    text = fields.short_message or b""
    message_id = text_field(getattr(fields, "receipted_message_id", None)) or _first(_ID, text)
    state: int | None = getattr(fields, "message_state", None)
    word = _first(_STATE, text).upper()
    if not message_id or (state is None and not word):
        return None
    if state in _INTERMEDIATE_STATES or (state is None and word in _INTERMEDIATE_WORDS):
        return None
    delivered = state == _DELIVERED_STATE if state is not None else word == "DELIVRD"
    return Receipt(message_id=message_id, delivered=delivered)


def _first(pattern: re.Pattern[bytes], text: bytes) -> str:
    match = pattern.search(text)
    return match.group(1).decode("ascii") if match else ""
