"""One session of an ESME: bind, submit_sm, enquire_link, unbind, and the receipts that go back."""

import asyncio
import hmac
import itertools
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from zhibu_smsc import pdus
from zhibu_smsc.faults import FaultSwitch, Receipts
from zhibu_smsc.inbox import Inbox, local_number
from zhibu_smsc.pdus import BadPduError
from zhibu_smsc.texts import Part, Reassembler, split_user_data

_log = logging.getLogger("zhibu_smsc")

# Submits of one session that are being answered at the same time; more are told to slow down.
_MAX_CONCURRENT_SUBMITS: Final = 200
_BINDS: Final = ("bind_transmitter", "bind_receiver", "bind_transceiver")


@dataclass(slots=True)
class Centre:
    """What all sessions share."""

    system_id: str
    password: str
    inbox: Inbox
    faults: FaultSwitch
    texts: Reassembler = field(default_factory=Reassembler)

    def next_message_id(self) -> str:
        """A message_id that no other message of this process has; the start time keeps two processes apart."""
        return f"{_STARTED_AT:x}{next(_NUMBERS):08x}"


_STARTED_AT = int(datetime.now(UTC).timestamp())
# Of all message centres of the process: tests stop one and start the next.
_NUMBERS = itertools.count(1)


class Session:
    """One connection."""

    def __init__(self, centre: Centre, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over a fresh connection."""
        self._centre = centre
        self._reader = reader
        self._writer = writer
        self._bound_as: str | None = None
        self._sequence = 0
        self._submits: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serves the connection until either side ends it."""
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._read_all(tasks)
                # Nobody is left who could read an answer: delayed ones end with the connection.
                for task in self._submits:
                    task.cancel()
        finally:
            self._writer.close()

    def drop(self) -> None:
        """Cuts the connection off without a word, as a failing network does."""
        self._writer.transport.abort()

    async def _read_all(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            try:
                pdu = await pdus.read_pdu(self._reader)
            except BadPduError as error:
                _log.warning("bad PDU: %s", error)
                await self._send("generic_nack", sequence=error.sequence, status=pdus.INVALID_COMMAND)
                if error.fatal:
                    return
                continue
            if pdu is None:
                return
            if pdu.command == "unbind":
                await self._send("unbind_resp", sequence=pdu.sequence)
                return
            await self._answer(pdu, tasks)

    async def _answer(self, pdu: Any, tasks: asyncio.TaskGroup) -> None:
        match pdu.command:
            case command if command in _BINDS:
                await self._bind(pdu)
            case "enquire_link":
                if not self._centre.faults.current.silent_enquire_links:
                    await self._send("enquire_link_resp", sequence=pdu.sequence)
            case "submit_sm":
                if self._bound_as not in ("bind_transmitter", "bind_transceiver"):
                    await self._send("submit_sm_resp", sequence=pdu.sequence, status=pdus.NOT_BOUND)
                elif len(self._submits) >= _MAX_CONCURRENT_SUBMITS:
                    await self._send("submit_sm_resp", sequence=pdu.sequence, status=pdus.THROTTLED)
                else:
                    task = tasks.create_task(self._submit(pdu))
                    self._submits.add(task)
                    task.add_done_callback(self._submits.discard)
            case "deliver_sm_resp" | "enquire_link_resp" | "generic_nack":
                pass
            case _:
                await self._send("generic_nack", sequence=pdu.sequence, status=pdus.INVALID_COMMAND)

    async def _bind(self, pdu: Any) -> None:
        centre = self._centre
        known = hmac.compare_digest(pdus.text_field(pdu.system_id), centre.system_id)
        right = hmac.compare_digest(pdus.text_field(pdu.password), centre.password)
        if centre.faults.current.refuse_bind or self._bound_as is not None:
            status = pdus.BIND_FAILED
        else:
            status = pdus.OK if known and right else pdus.INVALID_PASSWORD
        if status == pdus.OK:
            self._bound_as = pdu.command
        await self._send(f"{pdu.command}_resp", sequence=pdu.sequence, status=status, system_id="zhibu-smsc")

    async def _submit(self, pdu: Any) -> None:
        faults = self._centre.faults
        recipient = local_number(pdus.text_field(pdu.destination_addr))
        if faults.take("drop_before_submits"):
            self.drop()
            return
        if faults.current.silent_submits:
            return
        status = pdus.OK
        if faults.take("throttle_submits"):
            status = pdus.THROTTLED
        elif faults.take("fail_submits"):
            status = pdus.SYSTEM_ERROR
        elif recipient in faults.current.reject_numbers or not recipient.isdecimal():
            status = pdus.INVALID_DESTINATION
        message_id = self._centre.next_message_id()
        if status == pdus.OK and not self._store(pdu, recipient=recipient):
            status = pdus.INVALID_MESSAGE
        if faults.take("drop_after_submits"):
            self.drop()
            return
        if faults.current.submit_delay_s:
            await asyncio.sleep(faults.current.submit_delay_s)
        if status != pdus.OK:
            await self._send("submit_sm_resp", sequence=pdu.sequence, status=status)
            return
        await self._send("submit_sm_resp", sequence=pdu.sequence, message_id=message_id)
        if (pdu.registered_delivery or 0) & 0x03:
            await self._send_receipts(pdu, message_id)

    def _store(self, pdu: Any, *, recipient: str) -> bool:
        """Puts the part in; False when it cannot be read."""
        octets = pdu.short_message or getattr(pdu, "message_payload", None) or b""
        try:
            body, concatenation = split_user_data(octets, esm_class=pdu.esm_class or 0)
        except ValueError as error:
            _log.warning("bad user data: %s", error)
            return False
        if concatenation is None and getattr(pdu, "sar_msg_ref_num", None) is not None:
            concatenation = (pdu.sar_msg_ref_num, pdu.sar_total_segments or 1, pdu.sar_segment_seqnum or 1)
        reference, total, sequence = concatenation or (None, 1, 1)
        if not 1 <= sequence <= total:
            return False
        whole = self._centre.texts.add(
            Part(
                sender=pdus.text_field(pdu.source_addr),
                recipient=recipient,
                data_coding=pdu.data_coding or 0,
                octets=body,
                reference=reference,
                total=total,
                sequence=sequence,
            )
        )
        if whole is not None:
            self._centre.inbox.put(to=whole.recipient, sender=whole.sender, text=whole.text, segments=whole.segments)
        return True

    async def _send_receipts(self, pdu: Any, message_id: str) -> None:
        faults = self._centre.faults.current
        if faults.receipt_delay_s:
            await asyncio.sleep(faults.receipt_delay_s)
        match faults.receipts:
            case Receipts.NONE:
                copies = 0
            case Receipts.DUPLICATED:
                copies = 3
            case Receipts.DELIVERED | Receipts.UNDELIVERABLE:
                copies = 1
        for _ in range(copies):
            await self._send_receipt(pdu, message_id, delivered=faults.receipts is not Receipts.UNDELIVERABLE)

    async def _send_receipt(self, pdu: Any, message_id: str, *, delivered: bool) -> None:
        """A receipt in the form of SMPP 3.4, appendix B; its text field stays empty, because texts hold codes."""
        self._sequence += 1
        now = datetime.now(UTC).strftime("%y%m%d%H%M")
        state = "DELIVRD" if delivered else "UNDELIV"
        report = (
            f"id:{message_id} sub:001 dlvrd:{int(delivered):03} submit date:{now} done date:{now} "
            f"stat:{state} err:{0 if delivered else 1:03} text:"
        )
        await self._send(
            "deliver_sm",
            sequence=self._sequence,
            source_addr_ton=pdu.dest_addr_ton,
            source_addr_npi=pdu.dest_addr_npi,
            source_addr=pdus.text_field(pdu.destination_addr),
            dest_addr_ton=pdu.source_addr_ton,
            dest_addr_npi=pdu.source_addr_npi,
            destination_addr=pdus.text_field(pdu.source_addr),
            esm_class=pdus.RECEIPT_ESM_CLASS,
            short_message=report.encode("ascii"),
            receipted_message_id=message_id,
            message_state=pdus.STATE_DELIVERED if delivered else pdus.STATE_UNDELIVERABLE,
        )

    async def _send(self, command: str, *, sequence: int, status: int = pdus.OK, **fields: Any) -> None:
        try:
            self._writer.write(pdus.pack_pdu(command, sequence=sequence, status=status, **fields))
            await self._writer.drain()
        except ConnectionError:
            # The reading side sees the end of the connection and closes the session.
            _log.info("an ESME left before its answer")
