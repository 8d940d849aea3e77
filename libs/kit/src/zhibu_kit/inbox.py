"""The inbox: which events a consumer has had, and the version of each key that it has seen last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from zhibu_kit.events import EventContext
from zhibu_kit.transaction import Transaction

Outcome = Literal["done", "duplicate", "stale"]

_FIRST: Final = """
insert into kit_inbox (consumer, event_id, received_at)
select $1, event_id, $3 from unnest($2::text[]) as given (event_id) order by event_id
on conflict do nothing returning event_id"""
_NEWER: Final = """
insert into kit_inbox_version (consumer, key, version)
select $1, key, version from unnest($2::text[], $3::bigint[]) as given (key, version) order by key
on conflict (consumer, key) do update set version = excluded.version
where kit_inbox_version.version < excluded.version
returning key"""


async def enter_inbox(
    transaction: Transaction, consumer: str, contexts: Sequence[EventContext], *, now: datetime
) -> dict[str, Outcome]:
    """Enter events of different keys; return what is to be done with each, by event: only those that are "done" change anything.

    In one order everywhere, so that two processes that have some of the same events do not wait for each other.
    """
    raw = await transaction.raw()
    rows = await raw.fetch(_FIRST, consumer, [context.event_id for context in contexts], now)
    first = {row["event_id"] for row in rows}
    versions = {context.key: context.version for context in contexts if context.event_id in first}
    newer: set[str] = set()
    if versions:
        rows = await raw.fetch(_NEWER, consumer, list(versions), list(versions.values()))
        newer = {row["key"] for row in rows}
    return {
        context.event_id: "duplicate" if context.event_id not in first else "done" if context.key in newer else "stale"
        for context in contexts
    }
