"""Handlers of zhibu.audit.v1.IncidentService."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from zhibu.audit.v1 import incident_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role
from zhibu_kit.etag import etag_of
from zhibu_kit.paging import encode_page_token, page_of
from zhibu_kit.ports import OrganisationTree

from zhibu_audit.api.entry_messages import timestamp_of
from zhibu_audit.api.requests import instant_of
from zhibu_audit.errors import INCIDENTS_OF_PROVINCE
from zhibu_audit.incidents import CLOSED, CONFLICT, FED, GAP, OPEN, RESTORE, SIGNED, Incident, Signer, list_incidents
from zhibu_audit.reach import reach_of
from zhibu_audit.signing import sign_incident

_KINDS: Final = {
    GAP: pb.INCIDENT_KIND_GAP,
    CONFLICT: pb.INCIDENT_KIND_CONFLICT,
    RESTORE: pb.INCIDENT_KIND_RESTORE,
}
_STATES: Final = {
    OPEN: pb.INCIDENT_STATE_OPEN,
    SIGNED: pb.INCIDENT_STATE_SIGNED,
    CLOSED: pb.INCIDENT_STATE_CLOSED,
    FED: pb.INCIDENT_STATE_FED,
}


class IncidentApi:
    """Handlers of zhibu.audit.v1.IncidentService."""

    def __init__(self, database: Database, clock: Clock, *, organisations: OrganisationTree) -> None:
        """Take the database, the clock and the tree of organisations."""
        self._database = database
        self._clock = clock
        self._organisations = organisations

    async def ListIncidents(self, request: pb.ListIncidentsRequest, call: Call) -> pb.ListIncidentsResponse:
        await self._check_province(request.organisation_id)
        page = page_of(request.page_size, request.page_token, keys=2)
        before = _place_of(page.after) if page.after else None
        async with self._database.read(call, request, role=Role.PROVINCE) as read:
            found = await list_incidents(read, before=before, count_max=page.size + 1)
            shown = found[: page.size]
            response = pb.ListIncidentsResponse(incidents=map(incident_message, shown))
            if len(found) > page.size:
                last = shown[-1]
                response.next_page_token = encode_page_token([last.created_at.isoformat(), last.incident_id])
            return read.reply(response)

    async def SignIncident(self, request: pb.SignIncidentRequest, call: Call) -> pb.SignIncidentResponse:
        await self._check_province(request.organisation_id)
        caller = call.caller
        signer = Signer(account_id=caller.account_id, member_id=caller.member_id or "")
        async with self._database.write(call, request, pb.SignIncidentResponse, role=Role.PROVINCE) as write:
            if write.replayed is not None:
                return write.replayed
            signed = await sign_incident(
                write,
                request.incident_id,
                signer=signer,
                statement=request.statement,
                etag=request.etag,
                now=self._clock.now(),
            )
            message = incident_message(signed)
            return write.reply(pb.SignIncidentResponse(incident=message, etag=message.etag))

    async def _check_province(self, organisation_id: str) -> None:
        """Refuse an organisation below the province: a lane holds rows of every county."""
        if not (await reach_of(self._organisations, organisation_id)).is_whole:
            raise INCIDENTS_OF_PROVINCE()


def incident_message(incident: Incident) -> pb.Incident:
    """Return an incident as the contract tells of it."""
    return pb.Incident(
        incident_id=incident.incident_id,
        kind=_KINDS[incident.kind],
        state=_STATES[incident.state],
        lane=incident.lane,
        from_sequence=incident.from_sequence,
        to_sequence=incident.to_sequence,
        statement=incident.statement,
        first_signed_by_member_id=incident.first_signed_by,
        second_signed_by_member_id=incident.second_signed_by,
        create_time=timestamp_of(incident.created_at),
        close_time=timestamp_of(incident.closed_at) if incident.closed_at else None,
        entry_index=incident.entry_index or 0,
        etag=etag_of(incident.version),
    )


def _place_of(after: tuple[str, ...]) -> tuple[datetime, str]:
    created_at, incident_id = after
    return instant_of(created_at), incident_id
