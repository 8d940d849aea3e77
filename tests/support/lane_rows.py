"""Rows of a lane as a service would publish them: numbered, chained, with openings. Tests lose, repeat and change them."""

import hashlib
import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from zhibu.audit.v1.audit_rows_pb2 import AuditRow, AuditRows, Subject
from zhibu_kit.bus import Bus

_SERIAL = itertools.count(1)
OCCURRED_AT = datetime(2026, 11, 30, 12, tzinfo=UTC)


def make_row(lane: str, sequence: int, previous: bytes, *, subjects: Sequence[str] = (), **changed: Any) -> AuditRow:
    """Make the row that follows a hash."""
    openings = [_opening(subject) for subject in subjects]
    commitment = hashlib.sha256(b"".join(sorted(one.commitment for one in openings))).hexdigest() if openings else None
    fields: dict[str, Any] = {
        "audit_id": f"{next(_SERIAL):026}",
        "action": f"{lane}.thing.done",
        "outcome": "done",
        "reason": "",
        "method": f"zhibu.{lane}.v1.ThingService/DoThing",
        "account_id": "account-1",
        "member_id": "0" * 26,
        "service": "",
        "offices": ["county_admin@370724"],
        "organisation_id": "370724",
        "county_code": "370724",
        "subject_id": "",
        "subjects_count": len(openings),
        "subjects_commitment": commitment,
        "request_id": f"request-{sequence}",
        "trace_id": "",
        "occurred_at": OCCURRED_AT.isoformat(),
        "sequence": sequence,
        **changed,
    }
    row = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    return AuditRow(sequence=sequence, row=row, chain_hash=hashlib.sha256(previous + row).digest(), subjects=openings)


@dataclass(slots=True, kw_only=True)
class LaneRows:
    """The rows that a service has written so far."""

    lane: str
    rows: list[AuditRow] = field(default_factory=list[AuditRow])

    @property
    def chain(self) -> bytes:
        """The hash of the last row."""
        return self.rows[-1].chain_hash if self.rows else bytes(32)

    def write(self, count: int = 1, *, subjects: Sequence[str] = (), **changed: Any) -> list[AuditRow]:
        """Write rows and return them."""
        first = len(self.rows)
        for _ in range(count):
            number = len(self.rows) + 1
            self.rows.append(make_row(self.lane, number, self.chain, subjects=subjects, **changed))
        return self.rows[first:]

    def back_to(self, count: int) -> "LaneRows":
        """Return what the service has after its database was restored to a backup with so many rows."""
        return LaneRows(lane=self.lane, rows=self.rows[:count])


async def publish(bus: Bus, lane: str, rows: Sequence[AuditRow], *, per_message: int = 200) -> None:
    """Publish rows in the order given."""
    for at in range(0, len(rows), per_message):
        payload = AuditRows(lane=lane, rows=rows[at : at + per_message]).SerializeToString()
        headers = {"Nats-Msg-Id": secrets.token_hex(8)}
        await bus.publish(f"zhibu.audit_rows.v1.{lane}", payload, headers)


def _opening(subject: str) -> Subject:
    salt = secrets.token_bytes(16)
    return Subject(commitment=hashlib.sha256(salt + subject.encode()).digest(), subject_id=subject, salt=salt)
