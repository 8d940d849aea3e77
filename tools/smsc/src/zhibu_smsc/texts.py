"""From the octets of submitted parts to a text: concatenation and character sets."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from zhibu_smsc.gsm import decode_gsm

_UDH_INDICATOR: Final = 0x40
_CONCATENATION_8_BIT: Final = 0x00
_CONCATENATION_16_BIT: Final = 0x08
# Texts of which not every part has come; the oldest is forgotten when there are more, so that memory stays bounded.
_MAX_INCOMPLETE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a text; reference is None for a text that came whole."""

    sender: str
    recipient: str
    data_coding: int
    octets: bytes
    reference: int | None = None
    total: int = 1
    sequence: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeText:
    """A text with all of its parts."""

    sender: str
    recipient: str
    text: str
    segments: int


def split_user_data(octets: bytes, *, esm_class: int) -> tuple[bytes, tuple[int, int, int] | None]:
    """Separates the user data header (3GPP TS 23.040, section 9.2.3.24) from the text.

    Returns the octets of the text and (reference, total, sequence) when the header has a concatenation element.

    Raises:
        ValueError: the header is longer than the message, or an element is longer than the header.
    """
    if not esm_class & _UDH_INDICATOR:
        return octets, None
    if not octets or octets[0] + 1 > len(octets):
        raise ValueError("user data header is longer than the message")
    header, body = octets[1 : octets[0] + 1], octets[octets[0] + 1 :]
    concatenation: tuple[int, int, int] | None = None
    position = 0
    while position < len(header):
        if position + 2 > len(header) or position + 2 + header[position + 1] > len(header):
            raise ValueError("element is longer than the user data header")
        element = header[position + 2 : position + 2 + header[position + 1]]
        match header[position], len(element):
            case (0x00, 3):
                concatenation = (element[0], element[1], element[2])
            case (0x08, 4):
                concatenation = (element[0] << 8 | element[1], element[2], element[3])
            case _:
                # Other elements (ports, pictures) are allowed and mean nothing to a telephone that shows text.
                pass
        position += 2 + len(element)
    return body, concatenation


class Reassembler:
    """Holds parts until their text is whole."""

    def __init__(self) -> None:
        """Start without any part."""
        self._incomplete: OrderedDict[tuple[str, str, int, int], dict[int, Part]] = OrderedDict()

    def add(self, part: Part) -> WholeText | None:
        """Takes a part in; returns the text when it was the last missing one. A repeated part replaces itself."""
        if part.reference is None or part.total == 1:
            return _whole([part])
        key = (part.sender, part.recipient, part.reference, part.total)
        parts = self._incomplete.setdefault(key, {})
        parts[part.sequence] = part
        if set(parts) >= set(range(1, part.total + 1)):
            del self._incomplete[key]
            return _whole([parts[sequence] for sequence in range(1, part.total + 1)])
        while len(self._incomplete) > _MAX_INCOMPLETE:
            self._incomplete.popitem(last=False)
        return None


def _whole(parts: list[Part]) -> WholeText:
    # Octets are joined before they are decoded: a character beyond the basic plane may lie across two parts.
    octets = b"".join(part.octets for part in parts)
    return WholeText(
        sender=parts[0].sender,
        recipient=parts[0].recipient,
        text=_decode(octets, data_coding=parts[0].data_coding),
        segments=len(parts),
    )


def _decode(octets: bytes, *, data_coding: int) -> str:
    match data_coding:
        case 0:
            return decode_gsm(octets)
        case 1:
            return octets.decode("ascii", errors="replace")
        case 3:
            return octets.decode("latin-1")
        case 8:
            return octets.decode("utf-16-be", errors="replace")
        case _:
            return f"[{len(octets)} octets in data coding {data_coding}]"
