"""Sending one-time codes: at most one message per request, in bounded time."""

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Final

from opentelemetry.metrics import Counter
from sqlalchemy.exc import DBAPIError
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database
from zhibu_kit.errors import ErrorKind, ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

from zhibu_notify.deliveries import (
    Delivery,
    State,
    Wish,
    claim_delivery,
    record_acceptance,
    record_failure,
    record_receipt,
)
from zhibu_notify.errors import SMS_NUMBER_REFUSED, SMS_OUTCOME_UNKNOWN, SMSC_THROTTLED, SMSC_UNAVAILABLE
from zhibu_notify.number_hash import NumberHasher
from zhibu_notify.precedence import Precedence
from zhibu_notify.rules import Purpose, Segment, code_text, segments_of, validity_period
from zhibu_notify.smpp.link import (
    LinkDownError,
    OutcomeUnknownError,
    RefusedError,
    SmscLink,
    ThrottledError,
)
from zhibu_notify.smpp.receipts import Receipt

_log = logging.getLogger(__name__)

# A link that broke a moment ago is usually back within this; a longer wait would only keep people waiting.
_LINK_WAIT_S: Final = 2.0
_PAUSE_FIRST_S: Final = 0.1
_PAUSE_FACTOR: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMessage:
    """One code for one number."""

    caller: str
    request_id: str
    number: str
    code: str
    purpose: Purpose
    language: str
    expires_in_s: int


class CodeSender:
    """Sends codes over one link and keeps records of it."""

    def __init__(
        self,
        database: Database,
        link: SmscLink,
        *,
        hasher: NumberHasher,
        precedence: Precedence,
        clock: Clock,
        outcomes: Counter,
    ) -> None:
        """Outcomes counts what became of each request, by `outcome`, in `outcomes`. Notices give way to codes by `precedence`."""
        self._database = database
        self._link = link
        self._precedence = precedence
        self._hasher = hasher
        self._clock = clock
        self._outcomes = outcomes

    async def send(self, message: CodeMessage, *, timeout_s: float) -> Delivery:
        """Sends the message unless this request did so before.

        Raises:
            ServiceError: it was not sent, or nobody knows; see errors.py.
        """
        with self._precedence.code():
            return await self._send(message, timeout_s=timeout_s)

    async def _send(self, message: CodeMessage, *, timeout_s: float) -> Delivery:
        expires_at_s = time.monotonic() + timeout_s
        wish = Wish(
            caller=message.caller,
            request_id=message.request_id,
            fingerprint=self._hasher.fingerprint(
                message.number, message.code, message.purpose, message.language, str(message.expires_in_s)
            ),
            number_hash=self._hasher.number_hash(message.number),
            purpose=message.purpose,
        )
        async with self._database.transaction(Scope.none()) as transaction:
            delivery = await claim_delivery(transaction, wish, new_id=new_ulid(self._clock), now=self._clock.now())
        if delivery.accept_time is not None:
            return delivery
        # No transaction is open from here: a slow message centre must not use up the database's connections.
        try:
            message_ids = await self._submit(message, expires_at_s=expires_at_s)
        except (LinkDownError, ThrottledError, RefusedError, OutcomeUnknownError) as error:
            kind = _kind_of(error)
            state = State.UNKNOWN if isinstance(error, OutcomeUnknownError) else State.NOT_SENT
            async with self._database.transaction(Scope.none()) as transaction:
                await record_failure(
                    transaction, delivery.delivery_id, state=state, reason=kind.reason, now=self._clock.now()
                )
            self._outcomes.add(1, {"outcome": kind.reason})
            _log.warning(
                "a code was not sent: %s", error or kind.reason, extra={"fields": {"delivery_id": delivery.delivery_id}}
            )
            raise kind(delivery_id=delivery.delivery_id) from error
        async with self._database.transaction(Scope.none()) as transaction:
            delivery = await record_acceptance(
                transaction, delivery.delivery_id, message_ids=message_ids, now=self._clock.now()
            )
        self._outcomes.add(1, {"outcome": "ACCEPTED"})
        return delivery

    async def _submit(self, message: CodeMessage, *, expires_at_s: float) -> list[str]:
        text = code_text(
            purpose=message.purpose, code=message.code, language=message.language, expires_in_s=message.expires_in_s
        )
        message_ids: list[str] = []
        for segment in segments_of(text, reference=secrets.randbelow(256)):
            try:
                message_ids.append(await self._submit_segment(segment, message, expires_at_s=expires_at_s))
            except (LinkDownError, ThrottledError, RefusedError) as error:
                if message_ids:
                    raise OutcomeUnknownError("only a part was taken") from error
                raise
        return message_ids

    async def _submit_segment(self, segment: Segment, message: CodeMessage, *, expires_at_s: float) -> str:
        """Submits one part; waits for a link that is just coming back, and as the message centre wants us to."""
        link_expires_at_s = min(time.monotonic() + _LINK_WAIT_S, expires_at_s)
        pause_s = _PAUSE_FIRST_S
        while True:
            try:
                await self._link.wait_bound(timeout_s=max(0.0, link_expires_at_s - time.monotonic()))
                return await self._link.submit(
                    segment,
                    number=message.number,
                    validity_period=validity_period(message.expires_in_s),
                    timeout_s=max(0.0, expires_at_s - time.monotonic()),
                )
            except ThrottledError:
                self._precedence.hold()
                if time.monotonic() + pause_s >= expires_at_s:
                    raise
            except LinkDownError:
                if time.monotonic() + pause_s >= link_expires_at_s:
                    raise
            await asyncio.sleep(pause_s)
            pause_s *= _PAUSE_FACTOR


class ReceiptBook:
    """Takes in what the message centre reports later."""

    def __init__(self, database: Database, *, clock: Clock, outcomes: Counter) -> None:
        """Outcomes counts deliveries, by `outcome`, in `outcomes`."""
        self._database = database
        self._clock = clock
        self._outcomes = outcomes

    async def take(self, receipt: Receipt) -> bool:
        """Stores a receipt; False when that failed and it should come again."""
        try:
            async with self._database.transaction(Scope.none()) as transaction:
                await record_receipt(transaction, receipt, now=self._clock.now())
        except (ServiceError, DBAPIError) as error:
            _log.warning("a receipt could not be stored: %s", type(error).__name__)
            return False
        self._outcomes.add(1, {"outcome": "DELIVERED" if receipt.delivered else "UNDELIVERED"})
        return True


def _kind_of(error: LinkDownError | ThrottledError | RefusedError | OutcomeUnknownError) -> ErrorKind:
    match error:
        case OutcomeUnknownError():
            return SMS_OUTCOME_UNKNOWN
        case ThrottledError():
            return SMSC_THROTTLED
        case RefusedError(number_at_fault=True):
            return SMS_NUMBER_REFUSED
        case RefusedError() | LinkDownError():
            return SMSC_UNAVAILABLE
