"""What an entry of the log says: canonical JSON (keys sorted, no blanks, UTF-8) of one of three kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import orjson

VERSION: Final = 1
HASH_BYTES: Final = 32
# PostgreSQL counts no further, so no lane does.
LARGEST_SEQUENCE: Final = 2**63 - 1

_ROW: Final = frozenset({"chain", "kind", "lane", "row", "v"})
# Others may be added to an incident or an origin, these must be there.
_INCIDENT: Final = frozenset(
    {"chain", "first_signed_by", "from_sequence", "incident_id", "incident_kind", "kind", "lane", "next_chain"}
    | {"second_signed_by", "statement", "to_sequence", "v"}
)
_ORIGIN: Final = frozenset({"kind", "previous_checkpoint", "v"})


class LeafRefusedError(ValueError):
    """An entry is not what entries of this log are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLeaf:
    """An audit row of a service; `row` is what was chained."""

    lane: str
    sequence: int
    chain: bytes
    row: dict[str, Any]

    @property
    def chained(self) -> bytes:
        """The bytes over which, behind the hash before it, the lane's chain goes."""
        return canonical(self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLeaf:
    """Two officers' word that rows of a lane are lost or contradict; the lane goes on with number `to_sequence + 1`.

    One of the hashes is given: `chain`, from which that row is chained, or `next_chain`, which that row's own must be.
    """

    lane: str
    incident_kind: str
    from_sequence: int
    to_sequence: int
    chain: bytes
    next_chain: bytes
    signers: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginLeaf:
    """The first entry of a log that was begun anew; names the log before it by its last checkpoint."""

    previous_checkpoint: str


Leaf = RowLeaf | IncidentLeaf | OriginLeaf


def canonical(value: object) -> bytes:
    """Write JSON in its one spelling."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def read_leaf(entry: bytes) -> Leaf:
    """Read an entry.

    Raises:
        LeafRefusedError: when it is none of the kinds, or not in its one spelling.
    """
    try:
        fields: object = orjson.loads(entry)
    except orjson.JSONDecodeError:
        raise LeafRefusedError("not JSON") from None
    if not isinstance(fields, dict) or canonical(cast("object", fields)) != entry:
        raise LeafRefusedError("not canonical JSON")
    leaf = cast("dict[str, Any]", fields)
    if leaf.get("v") != VERSION or isinstance(leaf["v"], bool):
        raise LeafRefusedError("not of version 1")
    match leaf.get("kind"):
        case "row" if leaf.keys() == _ROW and isinstance(leaf["row"], dict):
            row = cast("dict[str, Any]", leaf["row"])
            sequence = _number(row.get("sequence"), least=1)
            return RowLeaf(lane=_name(leaf["lane"]), sequence=sequence, chain=_hash(leaf["chain"]), row=row)
        case "incident" if leaf.keys() >= _INCIDENT:
            if leaf["lane"] and bool(leaf["chain"]) == bool(leaf["next_chain"]):
                raise LeafRefusedError("an incident gives one of two hashes")
            return IncidentLeaf(
                lane=_text(leaf["lane"]),
                incident_kind=_name(leaf["incident_kind"]),
                from_sequence=_number(leaf["from_sequence"], least=0),
                to_sequence=_number(leaf["to_sequence"], least=0),
                chain=_hash(leaf["chain"]) if leaf["chain"] else b"",
                next_chain=_hash(leaf["next_chain"]) if leaf["next_chain"] else b"",
                signers=(_name(leaf["first_signed_by"]), _name(leaf["second_signed_by"])),
            )
        case "origin" if leaf.keys() >= _ORIGIN:
            return OriginLeaf(previous_checkpoint=_text(leaf["previous_checkpoint"]))
        case _:
            raise LeafRefusedError("of no known kind, or with other fields than its kind has")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise LeafRefusedError("a field that is text is none")
    return value


def _name(value: object) -> str:
    text = _text(value)
    if not text:
        raise LeafRefusedError("a name is empty")
    return text


def _number(value: object, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST_SEQUENCE:
        raise LeafRefusedError("a number of a lane is none")
    return value


def _hash(value: object) -> bytes:
    text = _text(value)
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise LeafRefusedError("a chain hash is not hexadecimal") from None
    if len(data) != HASH_BYTES or data.hex() != text:
        raise LeafRefusedError(f"a chain hash has not {HASH_BYTES} bytes in small hexadecimal")
    return data
