"""Events that a consumer takes together: each has its effect once, and one that fails does not hold up the others."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from integration.kit_data.conftest import Pair, Start
from integration.kit_data.records import (
    COUNTY,
    HEARD,
    OTHER_COUNTY,
    RECORD,
    Mirror,
    change,
    change_record,
    relay_of,
    rows,
    telemetry,
)
from zhibu.testing.v1.testing_events_pb2 import RecordChanged
from zhibu_kit.bus import Bus
from zhibu_kit.clock import SystemClock
from zhibu_kit.consumers import Consumer, ConsumerRunner
from zhibu_kit.context import current_context
from zhibu_kit.db import Database, Scope, Transaction
from zhibu_kit.dead_letters import list_dead_letters
from zhibu_kit.events import EventContext, event_type_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.waiting import wait_until


@dataclass
class Chorus(Mirror):
    """A mirror that takes many events with one statement."""

    sizes: list[int] = field(default_factory=list[int])

    async def handle_many(self, transaction: Transaction, events: Sequence[RecordChanged]) -> None:
        raw = await transaction.raw()
        await raw.execute(
            "insert into heard (record_id, county_code, text, version, times)"
            " select *, 1 from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])"
            " on conflict (record_id) do update set county_code = excluded.county_code, text = excluded.text,"
            " version = excluded.version, times = heard.times + 1",
            [event.record_id for event in events],
            [event.county_code for event in events],
            [event.text for event in events],
            [event.version for event in events],
        )
        if self.poison & {event.text for event in events}:
            raise RuntimeError("one of these texts cannot be handled")
        self.sizes.append(len(events))

    def consumer(self) -> Consumer:
        return Consumer(name="records", event=RecordChanged, handle=self.handle, handle_many=self.handle_many)

    def runner(self, database: Database, bus: Bus) -> ConsumerRunner:
        return ConsumerRunner(
            self.consumer(),
            database=database,
            bus=bus,
            telemetry=telemetry("mirror"),
            clock=SystemClock(),
            back_off_s=(0.01, 0.01, 0.02),
        )


def _context(event: RecordChanged) -> EventContext:
    return EventContext(
        event_id=f"{event.record_id}-{event.version}",
        subject=event_type_of(RecordChanged.DESCRIPTOR).subject,
        key=event.record_id,
        version=event.version,
        county_code=event.county_code,
        traceparent="",
        occurred_at=SystemClock().now(),
    )


async def test_duplicates_and_disorder_among_events_taken_together_change_nothing(
    listener: Database, listener_bus: Bus
) -> None:
    chorus = Chorus()
    runner = chorus.runner(listener, listener_bus)
    chance = random.Random(4)
    versions = [version for version in range(1, 9) for _ in range(2)]
    orders = [chance.sample(versions, len(versions)) for _ in range(5)]
    outcomes: list[str] = []
    for number in range(len(versions)):
        events = [
            RecordChanged(record_id=f"r{key}", county_code=COUNTY, text=f"{key}-{order[number]}", version=order[number])
            for key, order in enumerate(orders)
        ]
        chance.shuffle(events)
        outcomes += (await runner.effects.apply_many(COUNTY, [(event, _context(event)) for event in events])).values()
    assert await rows(listener, HEARD) == [(f"r{key}", f"{key}-8", 8) for key in range(5)]
    assert outcomes.count("duplicate") == 40
    assert sum(chorus.sizes) == outcomes.count("done")


async def test_events_of_two_counties_are_taken_together_by_county_and_end_as_they_were_told(
    pair: Pair, start: Start
) -> None:
    chorus = Chorus()
    for county_code in (COUNTY, OTHER_COUNTY):
        async with pair.owner.transaction(Scope.of(county_code)) as transaction:
            for number in range(150):
                await change_record(
                    transaction, f"{county_code}-{number}", version=1, text="一", county_code=county_code
                )
                if number % 10 == 0:
                    # The same key again: it must come after the first.
                    await change_record(
                        transaction, f"{county_code}-{number}", version=2, text="二", county_code=county_code
                    )
    await relay_of(pair.owner, pair.owner_bus).relay_once()
    start(chorus.runner(pair.listener, pair.listener_bus).run())
    await wait_until(lambda: _same(pair), timeout_s=20)
    # Hundreds of events in a handful of transactions.
    assert max(chorus.sizes) > 50


async def test_a_poisoned_event_among_many_becomes_a_dead_letter_and_the_others_go_on(pair: Pair, start: Start) -> None:
    chorus = Chorus(poison={"毒"})
    names = [f"healthy-{new_ulid()}" for _ in range(20)]
    for name in names[:10]:
        await change(pair.owner, name, version=1, text="甲")
    await change(pair.owner, "poison", version=1, text="毒")
    for name in names[10:]:
        await change(pair.owner, name, version=1, text="甲")
    await relay_of(pair.owner, pair.owner_bus).relay_once()
    start(chorus.runner(pair.listener, pair.listener_bus).run())
    [letter] = await wait_until(lambda: list_dead_letters(pair.listener), timeout_s=30)
    assert (letter.consumer, letter.reason) == ("records", "RuntimeError")
    heard = {record_id for record_id, _, _ in await rows(pair.listener, HEARD)}
    assert heard == set(names)


async def test_a_handler_of_one_event_takes_many_in_one_transaction_each_within_its_own_trace(pair: Pair) -> None:
    traces: list[str] = []
    transactions: set[int] = set()

    class Traced(Mirror):
        async def handle(self, transaction: Transaction, event: RecordChanged, context: EventContext) -> None:
            await super().handle(transaction, event, context)
            current = current_context()
            traces.append(current.trace_id if current else "")
            transactions.add(id(transaction))

    runner = Traced(together=True).runner(pair.listener, pair.listener_bus)
    events = [RecordChanged(record_id=f"t{number}", county_code=COUNTY, text="", version=1) for number in range(3)]
    trace_ids = [f"{number:032x}" for number in range(1, 4)]
    contexts = [
        replace(_context(event), traceparent=f"00-{trace_id}-00f067aa0ba902b7-00")
        for event, trace_id in zip(events, trace_ids, strict=True)
    ]
    for outcome in ("done", "duplicate"):
        outcomes = await runner.effects.apply_many(COUNTY, list(zip(events, contexts, strict=True)))
        assert set(outcomes.values()) == {outcome}
    assert traces == trace_ids
    assert len(transactions) == 1
    assert {record_id for record_id, _, _ in await rows(pair.listener, HEARD)} == {"t0", "t1", "t2"}


async def test_one_of_many_that_cannot_be_handled_holds_up_none_of_the_others(pair: Pair, start: Start) -> None:
    mirror = Mirror(poison={"毒"}, together=True)
    names = [f"together-{new_ulid()}" for _ in range(20)]
    for at, name in enumerate([*names[:10], "poison", *names[10:]]):
        await change(pair.owner, name, version=1, text="毒" if at == 10 else "甲")
    await relay_of(pair.owner, pair.owner_bus).relay_once()
    start(mirror.runner(pair.listener, pair.listener_bus).run())
    [letter] = await wait_until(lambda: list_dead_letters(pair.listener), timeout_s=30)
    assert (letter.consumer, letter.reason) == ("records", "RuntimeError")
    assert set(names) <= {record_id for record_id, _, _ in await rows(pair.listener, HEARD)}


async def _same(pair: Pair) -> bool:
    return await rows(pair.owner, RECORD) == await rows(pair.listener, HEARD)
