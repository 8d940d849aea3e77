"""Handlers of zhibu.audit.v1.IncidentService."""

from zhibu.audit.v1 import incident_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database
from zhibu_kit.errors import UNAVAILABLE


class IncidentApi:
    """Handlers of zhibu.audit.v1.IncidentService."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def ListIncidents(self, request: pb.ListIncidentsRequest, call: Call) -> pb.ListIncidentsResponse:
        raise UNAVAILABLE()

    async def SignIncident(self, request: pb.SignIncidentRequest, call: Call) -> pb.SignIncidentResponse:
        raise UNAVAILABLE()
