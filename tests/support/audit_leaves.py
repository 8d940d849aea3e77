"""Entries as the log has them: rows of several services, numbered and chained, and an incident among them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

import orjson

LANES = ("branches", "identity", "notify")
STARTS_AT = datetime(2026, 11, 1, tzinfo=UTC)
MEMBERS = [f"01jdmember{number:016d}" for number in range(20)]


def canonical(value: object) -> bytes:
    """Write JSON in its one spelling."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def audit_row(sequence: int, **fields: Any) -> dict[str, Any]:
    """Give a row as it is chained."""
    return {
        "account_id": f"account-{sequence % 7}",
        "action": "identity.application.approved",
        "audit_id": f"01jdaudit{sequence:017d}",
        "county_code": "370724",
        "member_id": MEMBERS[sequence % 20],
        "method": "zhibu.identity.v1.ApplicationService/ApproveApplication",
        "occurred_at": (STARTS_AT + timedelta(seconds=sequence)).isoformat(),
        "offices": ["county_approver@370724"],
        "organisation_id": "370724",
        "outcome": "done",
        "reason": "",
        "request_id": f"request-{sequence}",
        "sequence": sequence,
        "service": "",
        "subject_id": MEMBERS[(sequence + 1) % 20],
        "subjects_commitment": None,
        "subjects_count": 1,
        "trace_id": f"{sequence:032x}",
        **fields,
    }


@dataclass(slots=True)
class LeafWriter:
    """Writes entries whose lanes are right."""

    leaves: list[bytes] = field(default_factory=list[bytes])
    _lanes: dict[str, tuple[int, bytes]] = field(default_factory=dict[str, tuple[int, bytes]])

    def row(self, lane: str, **fields: Any) -> bytes:
        """Add the next row of a lane."""
        sequence, chain = self._lanes.get(lane, (0, bytes(32)))
        row = audit_row(sequence + 1, **fields)
        chain = sha256(chain + canonical(row)).digest()
        self._lanes[lane] = (sequence + 1, chain)
        return self._add({"chain": chain.hex(), "kind": "row", "lane": lane, "row": row, "v": 1})

    def gap(self, lane: str, *, missing: int, signers: Sequence[str] = ("a", "b")) -> bytes:
        """Add two officers' word that so many rows of a lane are lost; the next row brings its hash along."""
        sequence, _ = self._lanes.get(lane, (0, bytes(32)))
        lost = sha256(f"{lane} goes on".encode()).digest()
        self._lanes[lane] = (sequence + missing, lost)
        following = sha256(lost + canonical(audit_row(sequence + missing + 1))).hexdigest()
        return self.incident(
            lane, kind="gap", numbers=(sequence + 1, sequence + missing), next_chain=following, signers=signers
        )

    def conflict(self, lane: str, *, from_sequence: int) -> bytes:
        """Add two officers' word that a service was restored, and goes on with this number again."""
        before = next(
            orjson.loads(leaf)["chain"]
            for leaf in self.leaves
            if (lane, from_sequence - 1) == (orjson.loads(leaf)["lane"], orjson.loads(leaf)["row"]["sequence"])
        )
        self._lanes[lane] = (from_sequence - 1, bytes.fromhex(before))
        return self.incident(lane, kind="conflict", numbers=(from_sequence, from_sequence - 1), chain=before)

    def incident(
        self,
        lane: str,
        *,
        kind: str,
        numbers: tuple[int, int] = (0, 0),
        chain: str = "",
        next_chain: str = "",
        signers: Sequence[str] = ("a", "b"),
    ) -> bytes:
        """Add an incident."""
        return self._add(
            {
                "at": STARTS_AT.isoformat(),
                "chain": chain,
                "first_signed_by": signers[0],
                "from_sequence": numbers[0],
                "incident_id": "01jdincident00000000000000",
                "incident_kind": kind,
                "kind": "incident",
                "lane": lane,
                "next_chain": next_chain,
                "second_signed_by": signers[1],
                "statement": "磁盘损坏",
                "to_sequence": numbers[1],
                "v": 1,
            }
        )

    def _add(self, leaf: dict[str, Any]) -> bytes:
        self.leaves.append(canonical(leaf))
        return self.leaves[-1]


def leaves_of_three_lanes(count: int, random: Random) -> list[bytes]:
    """Give entries of three lanes, mixed, with an incident in the middle."""
    writer = LeafWriter()
    for index in range(count - 1):
        if index == count // 2:
            writer.gap("identity", missing=3)
        writer.row(LANES[index % 3] if index < 6 else random.choice(LANES))
    return writer.leaves
