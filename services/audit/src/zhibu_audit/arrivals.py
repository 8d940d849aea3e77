"""Rows as they come in messages: read, bounded, and nothing of them believed yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from zhibu.audit.v1.audit_rows_pb2 import AuditRow, AuditRows
from zhibu_tlog.entries import LONGEST_ENTRY_BYTES

from zhibu_audit.leaves import ROW, canonical
from zhibu_audit.places import NewEntry
from zhibu_audit.rules import ArrivedRow

HASH_BYTES: Final = 32
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A row of a message, with what opens its commitment."""

    row: ArrivedRow
    message: AuditRow


def read_rows(lane: str, payload: bytes) -> list[Arrival]:
    """Read the rows of a message.

    Raises:
        DecodeError: when it is none.
    """
    return [
        Arrival(
            row=ArrivedRow(
                lane=lane, sequence=row.sequence, row=row.row, chain=row.chain_hash, readable=_is_readable(row)
            ),
            message=row,
        )
        for row in AuditRows.FromString(payload).rows
    ]


def entry_of(row: ArrivedRow) -> NewEntry:
    """Return the entry that a readable row becomes."""
    return entry_of_leaf(row.leaf, orjson.loads(row.row), lane=row.lane)


def entry_of_leaf(leaf: bytes, row: dict[str, Any], *, lane: str) -> NewEntry:
    """Return the entry of a row's leaf; what the row does not say, the search does not find."""

    def text(name: str) -> str:
        value = row.get(name)
        return value if isinstance(value, str) else ""

    return NewEntry(
        kind=ROW,
        lane=lane,
        sequence=int(row["sequence"]),
        leaf=leaf,
        action=text("action"),
        outcome=text("outcome"),
        account_id=text("account_id"),
        member_id=text("member_id"),
        organisation_id=text("organisation_id"),
        county_codes=text("county_code"),
        subject_id=text("subject_id"),
        request_id=text("request_id"),
        occurred_at=_instant(text("occurred_at")),
    )


def first_and_last(arrivals: Sequence[Arrival]) -> tuple[int, int]:
    """Return the lowest and the highest number."""
    numbers = [arrival.row.sequence for arrival in arrivals]
    return min(numbers), max(numbers)


def _is_readable(row: AuditRow) -> bool:
    """Say whether it is canonical JSON with its own number, short enough for an entry."""
    if len(row.chain_hash) != HASH_BYTES or len(row.row) > LONGEST_ENTRY_BYTES - 1024:
        return False
    try:
        content = orjson.loads(row.row)
        return isinstance(content, dict) and content.get("sequence") == row.sequence and canonical(content) == row.row
    except (ValueError, TypeError):
        return False


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return _NEVER
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
