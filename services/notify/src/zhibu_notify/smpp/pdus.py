"""Framing and the codec: PDUs of SMPP 3.4 over a stream, packed and parsed by smpplib."""

import asyncio
import struct
from dataclasses import dataclass
from typing import Any, Final

from smpplib.exceptions import UnknownCommandError
from smpplib.smpp import make_pdu, parse_pdu

OK: Final = 0x00000000
INVALID_COMMAND: Final = 0x00000003
MESSAGE_QUEUE_FULL: Final = 0x00000014
THROTTLED: Final = 0x00000058
# Answer to deliver_sm by which the message centre keeps the receipt and tries again (ESME_RX_T_APPN).
TRY_AGAIN: Final = 0x00000064
# Statuses that say the number itself is at fault: ESME_RINVDSTADR, ESME_RINVDSTTON, ESME_RINVDSTNPI.
NUMBER_STATUSES: Final = frozenset({0x0000000B, 0x00000050, 0x00000051})

_HEADER_LENGTH: Final = 16
# No PDU that a message centre sends to us is longer; a longer one is a lost frame and ends the session.
_MAX_PDU_LENGTH: Final = 70_000


class LostFrameError(Exception):
    """The stream no longer carries PDUs, or ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdu:
    """One PDU that came in; fields is smpplib's object, None for a PDU that it cannot read."""

    command: str
    status: int
    sequence: int
    fields: Any


async def read_pdu(reader: asyncio.StreamReader) -> Pdu:
    """The next PDU.

    Raises:
        LostFrameError: the stream ended or is out of step.
    """
    try:
        header = await reader.readexactly(_HEADER_LENGTH)
        length, _, status, sequence = struct.unpack(">LLLL", header)
        if not _HEADER_LENGTH <= length <= _MAX_PDU_LENGTH:
            raise LostFrameError(f"a frame of {length} octets")
        body = await reader.readexactly(length - _HEADER_LENGTH)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise LostFrameError("the connection ended") from error
    try:
        # A sequence must be given, or smpplib asks its client object for one; parsing replaces it.
        fields = parse_pdu(header + body, sequence=0, allow_unknown_opt_params=True)
    except (UnknownCommandError, struct.error, KeyError, AttributeError, IndexError, ValueError):
        fields = None
    command = "" if fields is None else str(fields.command)
    return Pdu(command=command, status=status, sequence=sequence, fields=fields)


def pack_pdu(command: str, *, sequence: int, status: int = OK, **fields: Any) -> bytes:
    """The octets of one PDU."""
    pdu = make_pdu(command, sequence=sequence)
    # smpplib ignores a sequence and a status that come as arguments whenever its client object already has one.
    pdu.sequence = sequence
    pdu.status = status
    for name, value in fields.items():
        setattr(pdu, name, value)
    octets: bytes = pdu.generate()
    return octets


def text_field(value: bytes | str | None) -> str:
    """A C string of a parsed PDU."""
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""
