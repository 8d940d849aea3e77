"""Prepared statements: what Core would have returned, for less; and statements that are sent together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from integration.kit_data.records import COUNTY, EVERY_COUNTY, OTHER_COUNTY, RECORD
from sqlalchemy import bindparam, delete, insert, select, update
from zhibu_kit import tables
from zhibu_kit.db import Database, Scope
from zhibu_kit.prepared import Prepared
from zhibu_kit.together import Together

LETTER: Final = {
    "dead_letter_id": "d1",
    "consumer": "testing_record_changed",
    "event_id": "e1",
    "subject": "zhibu.testing.v1.record_changed",
    "headers": {"ce-id": "e1", "名": ["甲", None, 1]},
    "payload": b"\x00\xff",
    "reason": "ValueError",
    "failed_at": datetime(2026, 11, 30, 1, 2, 3, 456789, tzinfo=UTC),
}
_LETTERS: Final = select(tables.dead_letter).where(
    tables.dead_letter.c.consumer == bindparam("consumer"), tables.dead_letter.c.replayed_at.is_(None)
)


async def test_rows_hold_what_core_would_have_returned(owner: Database) -> None:
    added = Prepared(insert(tables.dead_letter).values({name: bindparam(name) for name in LETTER}))
    async with owner.transaction(Scope.none()) as transaction:
        assert await added.execute(transaction, **LETTER) == 1
    statement = Prepared(_LETTERS.order_by(tables.dead_letter.c.dead_letter_id).limit(5))
    async with owner.transaction(Scope.none()) as transaction:
        (row,) = await statement.all(transaction, consumer=LETTER["consumer"])
        expected = await transaction.one(_LETTERS.params(consumer=LETTER["consumer"]))
        assert tuple(row) == tuple(expected)
        assert row.headers == LETTER["headers"]
        assert await statement.all(transaction, consumer="another") == []
        assert await statement.one_or_none(transaction, consumer="another") is None


async def test_a_change_counts_its_rows_and_may_return_them(owner: Database) -> None:
    async with owner.transaction(EVERY_COUNTY) as transaction:
        for county in (COUNTY, OTHER_COUNTY):
            await transaction.execute(insert(RECORD).values(record_id=county, county_code=county, text="", version=1))
        change = (
            update(RECORD).where(RECORD.c.county_code == bindparam("county")).values(text=bindparam("new"), version=7)
        )
        assert await Prepared(change).execute(transaction, county="999999", new="a") == 0
        row = await Prepared(change.returning(RECORD)).one_or_none(transaction, county=COUNTY, new="a")
        assert (row.record_id, row.text, row.version) == (COUNTY, "a", 7)
        assert await Prepared(delete(RECORD).where(RECORD.c.version == 7)).execute(transaction) == 1


async def test_a_parameter_that_is_missing_is_an_error_and_none_is_no_condition(owner: Database) -> None:
    async with owner.transaction(EVERY_COUNTY) as transaction:
        with pytest.raises(KeyError, match="consumer"):
            await Prepared(_LETTERS).all(transaction)


async def test_an_expression_shows_further_counties_until_the_transaction_ends(owner: Database) -> None:
    async def seen(transaction: Any) -> set[str]:
        return {row.record_id for row in await transaction.all(select(RECORD))}

    async with owner.transaction(EVERY_COUNTY) as transaction:
        for county in (COUNTY, OTHER_COUNTY):
            await transaction.execute(insert(RECORD).values(record_id=county, county_code=county, text="", version=1))
    for scope, more, expected in (
        (Scope.none(), [], set[str]()),
        (Scope.of(COUNTY), None, {COUNTY}),
        (Scope.none(), [OTHER_COUNTY], {OTHER_COUNTY}),
        (Scope.of(COUNTY), [OTHER_COUNTY], {COUNTY, OTHER_COUNTY}),
    ):
        async with owner.transaction(scope) as transaction:
            await transaction.widen_to("$1::text[]", more)
            assert await seen(transaction) == expected
        async with owner.transaction(scope) as transaction:
            assert await seen(transaction) == {county for county in expected if county in scope.counties}


async def test_statements_that_are_sent_together_are_all_done_or_none(owner: Database) -> None:
    added = "insert into record (record_id, county_code, text, version) values ($1, $2, '', $3)"
    together = Together()
    assert not together
    for at in range(3):
        together.add(added, [f"r{at}", COUNTY, at])
    async with owner.transaction(Scope.of(COUNTY)) as transaction:
        await together.run(await transaction.raw())
        rows = await transaction.all(select(RECORD).order_by(RECORD.c.record_id))
    assert [(row.record_id, row.version) for row in rows] == [("r0", 0), ("r1", 1), ("r2", 2)]
