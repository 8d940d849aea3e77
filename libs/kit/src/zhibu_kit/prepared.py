"""Statements of measured hot paths: built and compiled once, then run by asyncpg itself.

    _RECORD = Prepared(select(member_record).where(member_record.c.member_id == bindparam("member_id")))
    row = await _RECORD.one_or_none(transaction, member_id="…")

Building a statement, finding its compiled form and wrapping its rows costs SQLAlchemy more time than PostgreSQL needs for a
row by its key. Rows come as named tuples with the names of the columns.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

import asyncpg
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import asyncpg as dialect_of_asyncpg
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Delete, Insert, Update

from zhibu_kit.transaction import Transaction

_DIALECT: Final[Dialect] = dialect_of_asyncpg.dialect()
Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete


class Prepared:
    """A statement with named parameters (`bindparam`), for hot paths alone: others are written where they are used."""

    def __init__(self, statement: Statement) -> None:
        """Take the statement; it is compiled when it is first run."""
        self._statement = statement

    async def all(self, transaction: Transaction, **parameters: Any) -> list[Any]:
        """Return every row."""
        connection = await transaction.raw()
        return [self._row(row) for row in await connection.fetch(self._sql, *self._values(parameters))]

    async def one_or_none(self, transaction: Transaction, **parameters: Any) -> Any:
        """Return the first row, or None; the statement has one at most."""
        connection = await transaction.raw()
        row = await connection.fetchrow(self._sql, *self._values(parameters))
        return None if row is None else self._row(row)

    async def execute(self, transaction: Transaction, **parameters: Any) -> int:
        """Run a statement that returns no rows, and return how many it touched."""
        connection = await transaction.raw()
        status = await connection.execute(self._sql, *self._values(parameters))
        return int(status.rpartition(" ")[2])

    @cached_property
    def _compiled(self) -> SQLCompiler:
        compiled = self._statement.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)
        return compiled

    @cached_property
    def _sql(self) -> str:
        return str(self._compiled)

    @cached_property
    def _names(self) -> Sequence[str]:
        return self._compiled.positiontup or ()

    @cached_property
    def _constants(self) -> dict[str, Any]:
        """What the statement itself says, such as `kind = 1`, as asyncpg wants it."""
        binds = self._compiled.binds
        return {
            name: self._bound(name, binds[name].effective_value) for name in self._names if not binds[name].required
        }

    def _values(self, parameters: dict[str, Any]) -> list[Any]:
        return [
            self._constants[name] if name in self._constants else self._bound(name, parameters[name])
            for name in self._names
        ]

    def _bound(self, name: str, value: Any) -> Any:
        process = self._bind_processors.get(name)
        return value if process is None else process(value)

    @cached_property
    def _bind_processors(self) -> dict[str, Callable[[Any], Any]]:
        binds = self._compiled.binds
        found = {name: binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT) for name in self._names}
        return {name: process for name, process in found.items() if process is not None}

    @cached_property
    def _row(self) -> Callable[[asyncpg.Record], Any]:
        statement = self._statement
        columns = statement.selected_columns if isinstance(statement, Select) else statement.exported_columns
        names = [str(name) for name in columns.keys()]  # noqa: SIM118 - a ColumnCollection is no dict
        make = namedtuple("Row", names)._make  # noqa: PYI024  # pyright: ignore[reportUntypedNamedTuple] - as the statement has them
        processors = [
            (at, process)
            for at, column in enumerate(columns)
            if (process := column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)) is not None
        ]
        if not processors:
            return make

        def processed(record: asyncpg.Record) -> Any:
            values = list(record)
            for at, process in processors:
                values[at] = process(values[at])
            return make(values)

        return processed
