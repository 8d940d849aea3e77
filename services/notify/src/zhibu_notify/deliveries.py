"""Records of what was sent: claimed before the message leaves, closed with what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import REQUEST_ID_REUSED

from zhibu_notify.errors import SMS_LIMIT_REACHED, SMS_OUTCOME_UNKNOWN
from zhibu_notify.models import delivery, delivery_part, delivery_receipt
from zhibu_notify.rules import LIMIT_PERIOD, wait_until_allowed
from zhibu_notify.smpp.receipts import Receipt


class State(StrEnum):
    """How far a delivery got. A process that dies leaves SUBMITTING behind, which then means unknown."""

    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What became of a message that the message centre took."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message on its way; accept_time is None as long as the message centre has not taken it."""

    delivery_id: str
    accept_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants what sent, in the form that may be kept."""

    caller: str
    request_id: str
    fingerprint: bytes
    number_hash: bytes
    purpose: str


async def claim_delivery(transaction: Transaction, wish: Wish, *, new_id: str, now: datetime) -> Delivery:
    """The right to submit this request's message, or the delivery that was accepted before.

    Raises:
        ServiceError: REQUEST_ID_REUSED, SMS_LIMIT_REACHED, or SMS_OUTCOME_UNKNOWN when it may have been sent already.
    """
    # One claim at a time per number, so that two at once cannot both see room for one more.
    await transaction.execute(select(func.pg_advisory_xact_lock(_lock_key(wish.number_hash))))
    known = await transaction.one_or_none(
        select(delivery)
        .where(delivery.c.caller == wish.caller, delivery.c.request_id == wish.request_id)
        .with_for_update()
    )
    if known is None:
        await _check_limits(transaction, wish.number_hash, now)
        await transaction.execute(
            delivery.insert().values(
                delivery_id=new_id,
                caller=wish.caller,
                request_id=wish.request_id,
                fingerprint=wish.fingerprint,
                number_hash=wish.number_hash,
                purpose=wish.purpose,
                state=State.SUBMITTING,
                attempt_count=1,
                create_time=now,
                state_time=now,
            )
        )
        return Delivery(delivery_id=new_id, accept_time=None)
    if known.fingerprint != wish.fingerprint:
        raise REQUEST_ID_REUSED()
    match State(known.state):
        case State.ACCEPTED:
            return Delivery(delivery_id=known.delivery_id, accept_time=known.accept_time)
        case State.SUBMITTING | State.UNKNOWN:
            raise SMS_OUTCOME_UNKNOWN(delivery_id=known.delivery_id)
        case State.NOT_SENT:
            await _check_limits(transaction, wish.number_hash, now)
            await transaction.execute(
                update(delivery)
                .where(delivery.c.delivery_id == known.delivery_id)
                .values(state=State.SUBMITTING, reason=None, attempt_count=delivery.c.attempt_count + 1, state_time=now)
            )
            return Delivery(delivery_id=known.delivery_id, accept_time=None)


async def record_acceptance(
    transaction: Transaction, delivery_id: str, *, message_ids: Sequence[str], now: datetime
) -> Delivery:
    """Notes that the message centre took every part."""
    await transaction.execute(
        update(delivery)
        .where(delivery.c.delivery_id == delivery_id)
        .values(state=State.ACCEPTED, accept_time=now, state_time=now)
    )
    await transaction.execute(
        delivery_part.insert().values(
            [
                {"delivery_id": delivery_id, "part": part, "smsc_message_id": message_id}
                for part, message_id in enumerate(message_ids, start=1)
            ]
        )
    )
    return Delivery(delivery_id=delivery_id, accept_time=now)


async def record_failure(
    transaction: Transaction, delivery_id: str, *, state: State, reason: str, now: datetime
) -> None:
    """Notes that the message was not sent, or that nobody knows."""
    await transaction.execute(
        update(delivery).where(delivery.c.delivery_id == delivery_id).values(state=state, reason=reason, state_time=now)
    )


async def record_receipt(transaction: Transaction, receipt: Receipt, *, now: datetime) -> None:
    """Notes a receipt; the same one again changes nothing."""
    await transaction.execute(
        insert(delivery_receipt)
        .values(smsc_message_id=receipt.message_id, delivered=receipt.delivered, receive_time=now)
        .on_conflict_do_nothing()
    )


async def find_outcome(transaction: Transaction, delivery_id: str) -> Outcome | None:
    """What became of an accepted delivery; None when there is none. Delivered means all parts."""
    receipts = await transaction.all(
        select(delivery_receipt.c.delivered)
        .select_from(
            delivery_part.outerjoin(
                delivery_receipt, delivery_receipt.c.smsc_message_id == delivery_part.c.smsc_message_id
            )
        )
        .where(delivery_part.c.delivery_id == delivery_id)
    )
    if not receipts:
        return None
    if any(row.delivered is False for row in receipts):
        return Outcome.UNDELIVERED
    return Outcome.DELIVERED if all(row.delivered for row in receipts) else Outcome.WAITING


async def purge_deliveries(transaction: Transaction, *, before: datetime, count_max: int) -> int:
    """Deletes the oldest records and receipts, at most so many of each; returns how many deliveries."""
    old = select(delivery.c.delivery_id).where(delivery.c.create_time < before).limit(count_max)
    gone = await transaction.all(
        delete(delivery).where(delivery.c.delivery_id.in_(old)).returning(delivery.c.delivery_id)
    )
    old_receipts = (
        select(delivery_receipt.c.smsc_message_id).where(delivery_receipt.c.receive_time < before).limit(count_max)
    )
    await transaction.execute(delete(delivery_receipt).where(delivery_receipt.c.smsc_message_id.in_(old_receipts)))
    return len(gone)


async def _check_limits(transaction: Transaction, number_hash: bytes, now: datetime) -> None:
    rows = await transaction.all(
        select(delivery.c.create_time).where(
            and_(
                delivery.c.number_hash == number_hash,
                delivery.c.create_time > now - LIMIT_PERIOD,
                delivery.c.state != State.NOT_SENT,
            )
        )
    )
    wait = wait_until_allowed([now - row.create_time for row in rows])
    if wait is not None:
        raise SMS_LIMIT_REACHED(wait_s=str(-(-wait // timedelta(seconds=1))))


def _lock_key(number_hash: bytes) -> int:
    return int.from_bytes(number_hash[:8], "big", signed=True)
