"""Statements that are sent as one: within a call's transaction round trips cost more than the work they ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import asyncpg

_PARAMETER: Final = re.compile(r"\$(\d+)")


class Together:
    """Statements that write to different tables and read nothing of each other, collected and run in one round trip."""

    __slots__ = ("_counts", "_statements", "_values")

    def __init__(self) -> None:
        """Begin without any."""
        self._statements: list[str] = []
        self._counts: list[int] = []
        self._values: list[Any] = []

    def add(self, statement: str, values: Sequence[Any]) -> None:
        """Add a statement whose parameters are $1 to $n; it must be a constant, since what is joined is remembered."""
        self._statements.append(statement)
        self._counts.append(len(values))
        self._values += values

    def __bool__(self) -> bool:
        """Say whether there is anything to run."""
        return bool(self._statements)

    async def run(self, connection: asyncpg.Connection) -> None:
        """Run all of them."""
        await connection.execute(_joined(tuple(self._statements), tuple(self._counts)), *self._values)


@cache
def _joined(statements: tuple[str, ...], counts: tuple[int, ...]) -> str:
    """Return one statement with the others before it in its WITH, every parameter moved behind those of the ones before."""
    moved: list[str] = []
    before = 0
    for statement, count in zip(statements, counts, strict=True):
        moved.append(_PARAMETER.sub(lambda found, by=before: f"${int(found[1]) + by}", statement))
        before += count
    *firsts, last = moved
    if not firsts:
        return last
    return "with " + ", ".join(f"part_{at} as ({first})" for at, first in enumerate(firsts)) + f" {last}"
