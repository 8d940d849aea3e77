"""Signing an incident: by the second signature it becomes an entry of the log, and what stood still goes on."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND

from zhibu_audit import models
from zhibu_audit.errors import LOG_STOPPED
from zhibu_audit.incidents import CLOSED, RESTORE, Incident, Signer, get_incident, save_incident, signed
from zhibu_audit.lane_states import LaneState, ask_for_rows, lock_lane, save_lane
from zhibu_audit.leaves import INCIDENT, ORIGIN, IncidentRecord, incident_leaf, origin_leaf
from zhibu_audit.origins import begin_origin, list_origins
from zhibu_audit.places import NewEntry, get_head, give_places


async def sign_incident(
    transaction: Transaction, incident_id: str, *, signer: Signer, statement: str, etag: str, now: datetime
) -> Incident:
    """Sign an incident, as province-wide work; the second signature puts it on record.

    Raises:
        ServiceError: NOT_FOUND, ETAG_MISMATCH, INCIDENT_NOT_OPEN, INCIDENT_SECOND_SIGNER, INCIDENT_STATEMENT_MISSING, LOG_STOPPED.
    """
    lane = await _lane_of(transaction, incident_id)
    # The lane before the incident, as intake locks them.
    state = await lock_lane(transaction, lane, now=now) if lane else None
    incident = signed(await get_incident(transaction, incident_id), signer, statement=statement, etag=etag)
    if incident.state == CLOSED:
        incident = await _put_on_record(transaction, incident, state, now=now)
    await save_incident(transaction, incident, now=now)
    return incident


async def _put_on_record(
    transaction: Transaction, incident: Incident, state: LaneState | None, *, now: datetime
) -> Incident:
    record = _record(incident, now=now)
    if incident.kind == RESTORE:
        leaf = origin_leaf(incident=record, previous_checkpoint=incident.checkpoint)
        index = await give_places(transaction, [_entry(ORIGIN, incident, leaf, now=now)])
        name = (await list_origins(transaction))[0].name
        await begin_origin(transaction, name=name, first_index=index, now=now)
        await transaction.execute(update(models.log_head).values(stopped_because=""))
    else:
        if (await get_head(transaction)).stopped_because:
            raise LOG_STOPPED()
        index = await give_places(transaction, [_entry(INCIDENT, incident, incident_leaf(record), now=now)])
    if state is not None:
        await _let_go_on(transaction, state, incident, now=now)
    return replace(incident, closed_at=now, entry_index=index)


async def _let_go_on(transaction: Transaction, state: LaneState, incident: Incident, *, now: datetime) -> None:
    version = ask_for_rows(
        transaction, state.lane, from_sequence=incident.to_sequence + 1, version=state.asked_version, now=now
    )
    going_on = replace(
        state,
        link=incident.link,
        ahead_sequence=0,
        ahead_chain=b"",
        seen_sequence=incident.to_sequence,
        stopped_at=None,
        incident_id=None,
        asked_version=version,
        asked_count=0,
        asked_at=None,
    )
    await save_lane(transaction, going_on)


async def _lane_of(transaction: Transaction, incident_id: str) -> str:
    found = select(models.incident.c.lane).where(models.incident.c.incident_id == incident_id)
    lane = await transaction.scalar(found)
    if lane is None:
        raise NOT_FOUND(noun="record")
    return lane


def _record(incident: Incident, *, now: datetime) -> IncidentRecord:
    link = incident.link
    return IncidentRecord(
        incident_id=incident.incident_id,
        kind=incident.kind,
        lane=incident.lane,
        from_sequence=incident.from_sequence,
        to_sequence=incident.to_sequence,
        chain=b"" if link.anchored else link.chain,
        next_chain=link.chain if link.anchored else b"",
        statement=incident.statement,
        first_signed_by=incident.first_signed_by,
        second_signed_by=incident.second_signed_by,
        at=now,
    )


def _entry(kind: str, incident: Incident, leaf: bytes, *, now: datetime) -> NewEntry:
    return NewEntry(
        kind=kind,
        lane=incident.lane,
        sequence=incident.to_sequence,
        leaf=leaf,
        action=f"log.{kind}",
        outcome="done",
        account_id="",
        member_id=incident.second_signed_by,
        organisation_id="",
        county_codes="",
        subject_id=incident.incident_id,
        request_id="",
        occurred_at=now,
    )
