"""Framing and the codec: PDUs of SMPP 3.4 over a stream, packed and parsed by smpplib."""

import asyncio
import struct
from typing import Any, Final

from smpplib import command as smpp_command
from smpplib import consts
from smpplib.exceptions import UnknownCommandError
from smpplib.smpp import make_pdu, parse_pdu

OK: Final = 0x00000000
INVALID_COMMAND: Final = 0x00000003
BIND_FAILED: Final = 0x0000000D
INVALID_PASSWORD: Final = 0x0000000E
NOT_BOUND: Final = 0x00000004
SYSTEM_ERROR: Final = 0x00000008
INVALID_DESTINATION: Final = 0x0000000B
INVALID_MESSAGE: Final = 0x00000043
THROTTLED: Final = 0x00000058

_HEADER_LENGTH: Final = 16
# No PDU of ours is longer; a longer one is an attack or a lost frame, and ends the session.
_MAX_PDU_LENGTH: Final = 70_000


class BadPduError(Exception):
    """The octets are no PDU that this message centre can read; sequence is 0 when not even that was readable."""

    def __init__(self, reason: str, *, sequence: int = 0, fatal: bool = False) -> None:
        """Say what is wrong and whether the stream can go on after it."""
        super().__init__(reason)
        self.sequence = sequence
        self.fatal = fatal


async def read_pdu(reader: asyncio.StreamReader) -> smpp_command.Command | None:
    """The next PDU, or None at the end of the stream.

    Raises:
        BadPduError: the frame or its contents are malformed.
    """
    try:
        header = await reader.readexactly(_HEADER_LENGTH)
        length, _command, _status, sequence = struct.unpack(">LLLL", header)
        if not _HEADER_LENGTH <= length <= _MAX_PDU_LENGTH:
            raise BadPduError(f"frame of {length} octets", sequence=sequence, fatal=True)
        body = await reader.readexactly(length - _HEADER_LENGTH)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    try:
        # A sequence must be given, or smpplib asks its client object for one; parsing replaces it.
        parsed: smpp_command.Command | None = parse_pdu(header + body, sequence=0, allow_unknown_opt_params=True)
    except (UnknownCommandError, struct.error, KeyError, AttributeError, IndexError, ValueError) as error:
        raise BadPduError(type(error).__name__, sequence=sequence) from error
    if parsed is None:
        raise BadPduError("unknown command", sequence=sequence)
    return parsed


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
    """An address or another C string of a parsed PDU."""
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""


# SMPP 3.4, section 5.2.12: the message is a delivery receipt.
RECEIPT_ESM_CLASS: Final = 0x04
STATE_DELIVERED: Final = consts.SMPP_MESSAGE_STATE_DELIVERED
STATE_UNDELIVERABLE: Final = consts.SMPP_MESSAGE_STATE_UNDELIVERABLE
