"""Inserting many rows in one statement: arrays instead of thousands of parameters.

SQLAlchemy's multi-row values took most of the time of a roster: building and parsing 8,000 parameters for 500 records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Integer, SmallInteger, Table, Text
from sqlalchemy.types import TypeEngine
from zhibu_kit.db import Transaction

_TYPES: Final[Sequence[tuple[type[TypeEngine[Any]], str]]] = (
    (SmallInteger, "smallint"),
    (BigInteger, "bigint"),
    (Integer, "integer"),
    (Boolean, "boolean"),
    (DateTime, "timestamptz"),
    (Date, "date"),
    (Text, "text"),
)


async def insert_many(
    transaction: Transaction, table: Table, rows: Sequence[Mapping[str, object]], *, skip_present: bool = False
) -> list[SimpleNamespace]:
    """Inserts rows that all name the same columns, and returns them whole; skip_present leaves out what is there."""
    if not rows:
        return []
    names = list(rows[0])
    arrays = ", ".join(f"${at}::{_type_of(table, name)}[]" for at, name in enumerate(names, 1))
    statement = (
        f"insert into {table.name} ({', '.join(names)}) select * from unnest({arrays})"  # noqa: S608 - names of our tables
        f"{' on conflict do nothing' if skip_present else ''} returning *"
    )
    raw = await transaction.raw()
    made = await raw.fetch(statement, *([row[name] for row in rows] for name in names))
    return [SimpleNamespace(**one) for one in made]


def _type_of(table: Table, name: str) -> str:
    column = table.columns[name].type
    return next(written for kind, written in _TYPES if isinstance(column, kind))
