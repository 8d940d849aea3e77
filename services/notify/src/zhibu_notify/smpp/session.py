"""One bound session: requests that await their response, receipts that are handed on, and the watch over the link."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from zhibu_notify.smpp import pdus
from zhibu_notify.smpp.pdus import LostFrameError, Pdu
from zhibu_notify.smpp.receipts import Receipt, find_receipt

# Receipts that wait to be stored; when there are more, the message centre is asked to send them again later.
_RECEIPTS_WAITING_MAX: Final = 500
_SEQUENCE_MAX: Final = 0x7FFFFFFF


class SessionOverError(Exception):
    """The session had ended before the request was written: it did not arrive."""


ReceiptHandler = Callable[[Receipt], Awaitable[bool]]


class Session:
    """A connection after its TCP handshake."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        on_receipt: ReceiptHandler,
        on_end: Callable[[], None],
    ) -> None:
        """Take over the connection. on_receipt returns False when the receipt should come again."""
        self._reader = reader
        self._writer = writer
        self._on_receipt = on_receipt
        self._on_end = on_end
        self._waiting: dict[int, asyncio.Future[Pdu]] = {}
        self._receipts: asyncio.Queue[tuple[int, Receipt]] = asyncio.Queue(_RECEIPTS_WAITING_MAX)
        self._sequence = 0
        self._heard_at_s = time.monotonic()

    async def serve(self, *, enquire_interval_s: float, enquire_timeout_s: float) -> None:
        """Reads until the session ends.

        Raises:
            ExceptionGroup: of LostFrameError and TimeoutError, which say why it ended.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read_all())
                tasks.create_task(self._store_receipts())
                tasks.create_task(self._watch(interval_s=enquire_interval_s, timeout_s=enquire_timeout_s))
        except asyncio.CancelledError:
            self._say_goodbye()
            raise
        finally:
            self.close()

    async def request(self, command: str, *, timeout_s: float, **fields: Any) -> Pdu:
        """Sends a request and awaits its response.

        Raises:
            SessionOverError: the session had ended before.
            LostFrameError: the session ended first. The request may have arrived.
            TimeoutError: no response came in time. The request may have arrived.
        """
        self._sequence = self._sequence % _SEQUENCE_MAX + 1
        sequence = self._sequence
        octets = pdus.pack_pdu(command, sequence=sequence, **fields)
        if self._writer.is_closing():
            raise SessionOverError("the session has ended")
        response: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = response
        try:
            async with asyncio.timeout(timeout_s):
                await self._write(octets)
                return await response
        finally:
            del self._waiting[sequence]

    def close(self) -> None:
        """Ends the connection; whoever still waits for a response learns that none will come."""
        self._on_end()
        self._writer.close()
        for response in self._waiting.values():
            if not response.done():
                response.set_exception(LostFrameError("the session has ended"))

    def _say_goodbye(self) -> None:
        # Nobody waits for the response: a process that stops must not hang on a message centre that does not answer.
        if not self._writer.is_closing():
            self._writer.write(pdus.pack_pdu("unbind", sequence=_SEQUENCE_MAX))

    async def _read_all(self) -> None:
        while True:
            pdu = await pdus.read_pdu(self._reader)
            self._heard_at_s = time.monotonic()
            if pdu.command.endswith("_resp") or pdu.command == "generic_nack":
                response = self._waiting.get(pdu.sequence)
                # A response that nobody waits for came too late; its request was reported as unknown.
                if response is not None and not response.done():
                    response.set_result(pdu)
            elif pdu.command == "unbind":
                await self._respond("unbind_resp", pdu.sequence)
                raise LostFrameError("the message centre unbound")
            elif pdu.command == "enquire_link":
                await self._respond("enquire_link_resp", pdu.sequence)
            elif pdu.command == "deliver_sm":
                await self._take_delivery(pdu)
            else:
                await self._respond("generic_nack", pdu.sequence, status=pdus.INVALID_COMMAND)

    async def _take_delivery(self, pdu: Pdu) -> None:
        receipt = find_receipt(pdu)
        if receipt is None:
            # Texts that people send to our number are taken and forgotten: nobody reads them.
            await self._respond("deliver_sm_resp", pdu.sequence)
            return
        try:
            self._receipts.put_nowait((pdu.sequence, receipt))
        except asyncio.QueueFull:
            await self._respond("deliver_sm_resp", pdu.sequence, status=pdus.MESSAGE_QUEUE_FULL)

    async def _store_receipts(self) -> None:
        while True:
            sequence, receipt = await self._receipts.get()
            stored = await self._on_receipt(receipt)
            await self._respond("deliver_sm_resp", sequence, status=pdus.OK if stored else pdus.TRY_AGAIN)

    async def _watch(self, *, interval_s: float, timeout_s: float) -> None:
        while True:
            quiet_s = time.monotonic() - self._heard_at_s
            if quiet_s < interval_s:
                await asyncio.sleep(interval_s - quiet_s)
            else:
                await self.request("enquire_link", timeout_s=timeout_s)

    async def _respond(self, command: str, sequence: int, *, status: int = pdus.OK) -> None:
        await self._write(pdus.pack_pdu(command, sequence=sequence, status=status))

    async def _write(self, octets: bytes) -> None:
        try:
            self._writer.write(octets)
            await self._writer.drain()
        except OSError as error:
            raise LostFrameError("the connection ended") from error
