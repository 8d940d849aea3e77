"""What stands in the tree: canonical JSON of each entry, from which a lane's chain can be checked without anything else."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

VERSION: Final = 1
ROW: Final = "row"
INCIDENT: Final = "incident"
ORIGIN: Final = "origin"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """What an incident puts on record.

    `chain` is what row `to_sequence` + 1 is chained from. Where that is lost with the rows, it is empty, and `next_chain` is
    the hash that this row brought along: it is taken as it is, and the chain goes on from it.
    """

    incident_id: str
    kind: str
    lane: str
    from_sequence: int
    to_sequence: int
    chain: bytes
    next_chain: bytes
    statement: str
    first_signed_by: str
    second_signed_by: str
    at: datetime


def canonical(value: dict[str, Any]) -> bytes:
    """Write canonical JSON: keys sorted, no blanks, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def row_leaf(lane: str, row: bytes, chain: bytes) -> bytes:
    """Write the leaf of a row that is canonical JSON already; `chain` is its own hash."""
    # The row stands as it was chained, byte for byte; "row" comes last but one in the order of keys.
    head = canonical({"chain": chain.hex(), "kind": ROW, "lane": lane})
    return head[:-1] + b',"row":' + row + b',"v":%d}' % VERSION


def incident_leaf(record: IncidentRecord) -> bytes:
    """Write the leaf of an incident."""
    return canonical(
        {
            "at": _instant(record.at),
            "chain": record.chain.hex(),
            "first_signed_by": record.first_signed_by,
            "from_sequence": record.from_sequence,
            "incident_id": record.incident_id,
            "incident_kind": record.kind,
            "kind": INCIDENT,
            "lane": record.lane,
            "next_chain": record.next_chain.hex(),
            "second_signed_by": record.second_signed_by,
            "statement": record.statement,
            "to_sequence": record.to_sequence,
            "v": VERSION,
        }
    )


def origin_leaf(*, incident: IncidentRecord, previous_checkpoint: str) -> bytes:
    """Write the first leaf of a new log: why there is one, and the last checkpoint of the log before it."""
    return canonical(
        {
            "at": _instant(incident.at),
            "first_signed_by": incident.first_signed_by,
            "incident_id": incident.incident_id,
            "kind": ORIGIN,
            "previous_checkpoint": previous_checkpoint,
            "second_signed_by": incident.second_signed_by,
            "statement": incident.statement,
            "v": VERSION,
        }
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
