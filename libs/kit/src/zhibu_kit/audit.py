"""Audit rows: what a call did, or was refused, or read, kept beside the data it is about.

A successful write's row commits with it, unnumbered. A refused attempt and a reading commit a row of their own. One job
numbers and chains the rows after commit (`audit_chain.py`): numbering inside the transaction would run all writes one
after another. Rows hold identifiers and salted commitments (`audit_subjects.py`), never personal data.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from google.protobuf.message import Message

from zhibu_kit.audit_subjects import Openings
from zhibu_kit.call import Call
from zhibu_kit.ids import new_ulid

Outcome = Literal["done", "read", "refused"]
# Identifiers are short; whatever a refused caller put into the field is cut to this.
MAX_SUBJECT_LENGTH: Final = 64


_COLUMNS: Final = (
    "audit_id",
    "action",
    "outcome",
    "reason",
    "method",
    "account_id",
    "member_id",
    "service",
    "offices",
    "organisation_id",
    "county_code",
    "subject_id",
    "subjects_count",
    "subjects_commitment",
    "commitment_salt",
    "request_id",
    "trace_id",
    "occurred_at",
)
# Takes the values of `audit_row` in their order.
INSERT_AUDIT: Final = (
    f"insert into kit_audit ({', '.join(_COLUMNS)}) "  # noqa: S608 - constants
    f"values ({', '.join(f'${at}' for at in range(1, len(_COLUMNS) + 1))})"
)


def audit_row(
    call: Call,
    request: Message | None,
    *,
    outcome: Outcome,
    occurred_at: datetime,
    openings: Openings | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """Return the row for one call of an audited method, for INSERT_AUDIT; action and subject are what the contract says."""
    audited = call.method.audited
    assert audited is not None, f"{call.method.name} is not audited"
    principal = call.principal
    return {
        "audit_id": new_ulid(),
        "action": audited.action,
        "outcome": outcome,
        "reason": reason,
        "method": call.method.name,
        "account_id": principal.account_id if principal else "",
        "member_id": (principal.member_id or "") if principal else "",
        "service": (principal.service or "") if principal else "",
        "offices": _offices_of(call),
        "organisation_id": call.organisation_id or "",
        "county_code": ",".join(sorted(call.scope.counties)),
        "subject_id": _subject_of(request, audited.subject_field),
        "subjects_count": len(openings.columns[0]) if openings else 0,
        "subjects_commitment": openings.commitment if openings else None,
        # Rows of before kit 0004 have one salt for all of their subjects.
        "commitment_salt": None,
        "request_id": call.request_id,
        "trace_id": call.trace_id,
        "occurred_at": occurred_at,
    }


def _offices_of(call: Call) -> list[str]:
    """Return the offices of the caller that carry the permission asked for, wherever they are held."""
    permission = call.method.access.permission.name
    if call.principal is None or not permission:
        return []
    grants = [grant for grant in call.principal.grants if permission in grant.permissions]
    return sorted(f"{grant.office}@{grant.organisation_id}" for grant in grants)


def _subject_of(request: Message | None, path: str) -> str:
    value: Any = request
    for name in path.split(".") if path else ():
        value = getattr(value, name, None)
    return value[:MAX_SUBJECT_LENGTH] if isinstance(value, str) else ""
