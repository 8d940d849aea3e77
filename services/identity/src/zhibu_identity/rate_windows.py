"""Windows in which events are counted, one row for each subject; the subject is a keyed digest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction

from zhibu_identity.models import rate_window
from zhibu_identity.rules.limits import Window

# No window is longer than an hour.
KEEP: Final = timedelta(hours=2)
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


async def find_window(transaction: Transaction, purpose: str, subject: bytes) -> Window | None:
    """Return the window of a subject."""
    row = await transaction.one_or_none(_select(purpose, subject))
    return None if row is None else Window(began_at=row.began_at, last_at=row.last_at, count=row.event_count)


async def lock_window(transaction: Transaction, purpose: str, subject: bytes) -> Window | None:
    """Return the window of a subject, and keep others from it until the transaction ends."""
    # The row is made first, so that two first events at once wait for one another too.
    await transaction.execute(
        insert(rate_window)
        .values(purpose=purpose, subject=subject, began_at=_LONG_AGO, last_at=_LONG_AGO, event_count=0)
        .on_conflict_do_nothing()
    )
    row = await transaction.one(_select(purpose, subject).with_for_update())
    return None if row.event_count == 0 else Window(began_at=row.began_at, last_at=row.last_at, count=row.event_count)


async def save_window(transaction: Transaction, purpose: str, subject: bytes, *, window: Window) -> None:
    """Keep a window that was locked."""
    await transaction.execute(
        update(rate_window)
        .where(rate_window.c.purpose == purpose, rate_window.c.subject == subject)
        .values(began_at=window.began_at, last_at=window.last_at, event_count=window.count)
    )


async def count_event(
    transaction: Transaction, purpose: str, subject: bytes, *, now: datetime, length: timedelta
) -> None:
    """Count one event without locking: a window that is over begins anew."""
    over = rate_window.c.began_at <= now - length
    await transaction.execute(
        insert(rate_window)
        .values(purpose=purpose, subject=subject, began_at=now, last_at=now, event_count=1)
        .on_conflict_do_update(
            index_elements=["purpose", "subject"],
            set_={
                "began_at": case((over, now), else_=rate_window.c.began_at),
                "event_count": case((over, 1), else_=rate_window.c.event_count + 1),
                "last_at": now,
            },
        )
    )


async def purge_windows(transaction: Transaction, *, now: datetime) -> None:
    """Remove windows that are over."""
    await transaction.execute(delete(rate_window).where(rate_window.c.last_at < now - KEEP))


def _select(purpose: str, subject: bytes):  # noqa: ANN202 - SQLAlchemy's type says no more than this
    return select(rate_window.c.began_at, rate_window.c.last_at, rate_window.c.event_count).where(
        rate_window.c.purpose == purpose, rate_window.c.subject == subject
    )
