"""The link to a message centre: connects, binds, stays bound, and comes back after every failure."""

import asyncio
import logging
import random
import time
from dataclasses import dataclass
from typing import Final

from opentelemetry.metrics import Histogram

from zhibu_notify.rules import Segment
from zhibu_notify.smpp import pdus
from zhibu_notify.smpp.pdus import LostFrameError
from zhibu_notify.smpp.session import ReceiptHandler, Session, SessionOverError

_log = logging.getLogger(__name__)

_SMPP_VERSION: Final = 0x34
_UDH_INDICATOR: Final = 0x40
_RECEIPT_WANTED: Final = 0x01
_INTERNATIONAL_TON: Final = 0x01
_ISDN_NPI: Final = 0x01
_COUNTRY_CODE: Final = "86"
_BACK_OFF_FIRST_S: Final = 0.2
_BACK_OFF_MAX_S: Final = 10.0
_BACK_OFF_FACTOR: Final = 2.0


class LinkDownError(Exception):
    """There is no bound session: the message was not sent."""


class ThrottledError(Exception):
    """The message centre wants us to slow down: the message was not taken."""


class RefusedError(Exception):
    """The message centre did not take the message; sending it again would not help when number_at_fault."""

    def __init__(self, status: int) -> None:
        """Keep the command_status that was answered."""
        super().__init__(f"command_status 0x{status:08x}")
        self.status = status
        self.number_at_fault = status in pdus.NUMBER_STATUSES


class OutcomeUnknownError(Exception):
    """The message left us and no answer came: it may arrive or not."""


_OUTCOMES: Final[dict[type[Exception], str]] = {
    LinkDownError: "down",
    ThrottledError: "throttled",
    RefusedError: "refused",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How to reach and treat one message centre."""

    host: str
    port: int
    system_id: str
    password: str
    # What the receiver sees as sender: a service number given by the operator.
    source_address: str
    source_ton: int = 0x03
    source_npi: int = 0x01
    # Requests that may await their response at the same time (SMPP 3.4, section 2.9.2: about ten).
    window: int = 10
    connect_timeout_s: float = 5.0
    enquire_interval_s: float = 15.0
    enquire_timeout_s: float = 5.0


class SmscLink:
    """One link. run() keeps it up; submit() uses it."""

    def __init__(self, settings: LinkSettings, *, on_receipt: ReceiptHandler) -> None:
        """Prepare; nothing connects before run()."""
        self._settings = settings
        self._on_receipt = on_receipt
        self._window = asyncio.Semaphore(settings.window)
        self._session: Session | None = None
        self._bound = asyncio.Event()
        self._back_off_s = _BACK_OFF_FIRST_S
        self._durations: Histogram | None = None
        self._session_name = ""
        self.last_failure = "never connected"

    def measure(self, durations: Histogram, *, session: str) -> None:
        """Record from now on how long each message took and what came of it."""
        self._durations, self._session_name = durations, session

    @property
    def is_bound(self) -> bool:
        """Whether messages can be submitted now."""
        return self._session is not None

    async def wait_bound(self, *, timeout_s: float) -> None:
        """Waits until the link is up.

        Raises:
            LinkDownError: it did not come up in time; the text says why.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._bound.wait()
        except TimeoutError as error:
            raise LinkDownError(self.last_failure) from error

    async def submit(self, segment: Segment, *, number: str, validity_period: str, timeout_s: float) -> str:
        """Submits one part to an 11-digit mainland number; returns the message_id that receipts will name.

        Raises:
            LinkDownError, ThrottledError, RefusedError: it was not sent.
            OutcomeUnknownError: it may have been sent.
        """
        started_at_s, outcome = time.monotonic(), "unknown"
        try:
            message_id = await self._submit(segment, number, validity_period, timeout_s)
            outcome = "accepted"
        except (LinkDownError, ThrottledError, RefusedError) as error:
            outcome = _OUTCOMES[type(error)]
            raise
        finally:
            if self._durations is not None:
                labels = {"session": self._session_name, "outcome": outcome}
                self._durations.record(time.monotonic() - started_at_s, labels)
        return message_id

    async def _submit(self, segment: Segment, number: str, validity_period: str, timeout_s: float) -> str:
        try:
            async with asyncio.timeout(timeout_s) as window_timeout, self._window:
                # From here on the request has its own limit, and a time-out means something else.
                window_timeout.reschedule(None)
                session = self._session
                if session is None:
                    raise LinkDownError(self.last_failure)
                response = await self._request_submit(session, segment, number, validity_period, timeout_s)
        except TimeoutError as error:
            raise LinkDownError("the window is full") from error
        if response.status in (pdus.THROTTLED, pdus.MESSAGE_QUEUE_FULL):
            raise ThrottledError
        if response.status != pdus.OK or response.command != "submit_sm_resp":
            raise RefusedError(response.status)
        return pdus.text_field(response.fields.message_id if response.fields else None)

    async def _request_submit(
        self, session: Session, segment: Segment, number: str, validity_period: str, timeout_s: float
    ) -> pdus.Pdu:
        try:
            return await session.request(
                "submit_sm",
                timeout_s=timeout_s,
                source_addr_ton=self._settings.source_ton,
                source_addr_npi=self._settings.source_npi,
                source_addr=self._settings.source_address,
                dest_addr_ton=_INTERNATIONAL_TON,
                dest_addr_npi=_ISDN_NPI,
                destination_addr=_COUNTRY_CODE + number,
                esm_class=_UDH_INDICATOR if segment.has_header else 0,
                validity_period=validity_period,
                registered_delivery=_RECEIPT_WANTED,
                data_coding=segment.data_coding,
                short_message=segment.octets,
            )
        except SessionOverError as error:
            raise LinkDownError(self.last_failure) from error
        except (LostFrameError, TimeoutError) as error:
            raise OutcomeUnknownError(str(error) or "no answer in time") from error

    async def run(self) -> None:
        """Keeps the link up until cancelled, then unbinds."""
        while True:
            try:
                await self._stay_bound()
            except* (OSError, TimeoutError, LostFrameError, SessionOverError, RefusedError) as group:
                self._note_failure(_first_of(group))
            # Jitter keeps many processes from knocking at the same moment after an outage.
            await asyncio.sleep(self._back_off_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret hangs on it
            self._back_off_s = min(self._back_off_s * _BACK_OFF_FACTOR, _BACK_OFF_MAX_S)

    async def _stay_bound(self) -> None:
        settings = self._settings
        async with asyncio.timeout(settings.connect_timeout_s):
            reader, writer = await asyncio.open_connection(settings.host, settings.port)
        session = Session(reader, writer, on_receipt=self._on_receipt, on_end=self._note_end)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(
                    session.serve(
                        enquire_interval_s=settings.enquire_interval_s, enquire_timeout_s=settings.enquire_timeout_s
                    )
                )
                await self._bind(session)
                self._session = session
                self._bound.set()
                self._back_off_s = _BACK_OFF_FIRST_S
                _log.info("bound to the message centre")
        finally:
            self._note_end()

    def _note_end(self) -> None:
        self._session = None
        self._bound.clear()

    async def _bind(self, session: Session) -> None:
        settings = self._settings
        response = await session.request(
            "bind_transceiver",
            timeout_s=settings.connect_timeout_s,
            system_id=settings.system_id,
            password=settings.password,
            interface_version=_SMPP_VERSION,
        )
        if response.status != pdus.OK:
            raise RefusedError(response.status)

    def _note_failure(self, error: BaseException) -> None:
        failure = f"{type(error).__name__}: {error}"
        # The same failure again and again is one line, not one per attempt.
        if failure != self.last_failure:
            _log.warning("the link to the message centre is down: %s", failure)
        self.last_failure = failure


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
