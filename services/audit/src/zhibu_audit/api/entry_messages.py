"""Entries as the contract tells of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Row
from zhibu.audit.v1 import entry_pb2

from zhibu_audit.leaves import ROW
from zhibu_audit.texts import text_of_action, text_of_office

OUTCOMES: Final[dict[str, entry_pb2.EntryOutcome.ValueType]] = {
    "done": entry_pb2.ENTRY_OUTCOME_DONE,
    "read": entry_pb2.ENTRY_OUTCOME_READ,
    "refused": entry_pb2.ENTRY_OUTCOME_REFUSED,
}
NAMES_OF_OUTCOMES: Final = {number: name for name, number in OUTCOMES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What entries are told with: the caller's language, names of organisations, and which entries can be proven."""

    language: str
    names: Mapping[str, str]
    provable: Collection[int]


def row_of(row: Row[Any]) -> dict[str, Any]:
    """Return what was chained for an entry; of an entry of the log itself, what is like it."""
    content: dict[str, Any] = orjson.loads(bytes(row.leaf))
    if row.kind == ROW:
        return content["row"]
    return {"action": row.action, "member_id": content["second_signed_by"], "subject_id": content["incident_id"]}


def organisations_of(rows: Sequence[Row[Any]]) -> set[str]:
    """Return the organisations of which the messages tell the names."""
    found: set[str] = set()
    for row in rows:
        content = row_of(row)
        found.add(content.get("organisation_id", ""))
        found.update(office.partition("@")[2] for office in content.get("offices", ()))
    return found - {""}


def entry_message(row: Row[Any], wording: Wording) -> entry_pb2.Entry:
    """Return an entry as an officer sees it."""
    content = row_of(row)
    organisation_id = content.get("organisation_id", "")
    action = content["action"]
    return entry_pb2.Entry(
        index=row.entry_index,
        lane=row.lane,
        sequence=content.get("sequence", 0),
        action=action,
        action_text=text_of_action(action, wording.language),
        outcome=OUTCOMES.get(content.get("outcome", ""), entry_pb2.ENTRY_OUTCOME_DONE),
        reason=content.get("reason", ""),
        account_id=content.get("account_id", ""),
        member_id=content.get("member_id", ""),
        caller_service=content.get("service", ""),
        offices=[_office(held, wording) for held in content.get("offices", ())],
        organisation_id=organisation_id,
        organisation_name=wording.names.get(organisation_id, ""),
        subject_id=content.get("subject_id", ""),
        subjects_count=content.get("subjects_count", 0),
        create_time=timestamp_of(row.occurred_at),
        provable=row.entry_index in wording.provable,
    )


def my_entry_message(row: Row[Any], wording: Wording, *, member_id: str) -> entry_pb2.Entry:
    """Return an entry as the member sees it whom it is about: who acted only when it was the member."""
    message = entry_message(row, wording)
    message.ClearField("account_id")
    if message.member_id != member_id:
        message.ClearField("member_id")
    if message.subject_id != member_id:
        # It may be somebody else's.
        message.ClearField("subject_id")
    return message


def timestamp_of(instant: datetime) -> Timestamp:
    """Return an instant as the contract writes it."""
    timestamp = Timestamp()
    timestamp.FromDatetime(instant)
    return timestamp


def _office(held: str, wording: Wording) -> entry_pb2.EntryOffice:
    office, _, organisation_id = held.partition("@")
    return entry_pb2.EntryOffice(
        office=office,
        office_text=text_of_office(office, wording.language),
        organisation_id=organisation_id,
        organisation_name=wording.names.get(organisation_id, ""),
    )
