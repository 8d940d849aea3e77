"""Handlers of zhibu.audit.v1.LogService."""

from collections.abc import AsyncIterator

from google.api import httpbody_pb2
from zhibu.audit.v1 import log_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database
from zhibu_kit.errors import UNAVAILABLE


class LogApi:
    """Handlers of zhibu.audit.v1.LogService."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def GetCheckpoint(self, request: pb.GetCheckpointRequest, call: Call) -> httpbody_pb2.HttpBody:
        raise UNAVAILABLE()

    async def GetEntryBundle(self, request: pb.GetEntryBundleRequest, call: Call) -> httpbody_pb2.HttpBody:
        raise UNAVAILABLE()

    async def GetTile(self, request: pb.GetTileRequest, call: Call) -> httpbody_pb2.HttpBody:
        raise UNAVAILABLE()

    async def GetLogState(self, request: pb.GetLogStateRequest, call: Call) -> pb.GetLogStateResponse:
        raise UNAVAILABLE()

    async def SearchEntries(self, request: pb.SearchEntriesRequest, call: Call) -> pb.SearchEntriesResponse:
        raise UNAVAILABLE()

    async def ProveEntry(self, request: pb.ProveEntryRequest, call: Call) -> pb.ProveEntryResponse:
        raise UNAVAILABLE()

    async def ExportEntries(self, request: pb.ExportEntriesRequest, call: Call) -> AsyncIterator[httpbody_pb2.HttpBody]:
        raise UNAVAILABLE()
        yield httpbody_pb2.HttpBody()

    async def ListMyEntries(self, request: pb.ListMyEntriesRequest, call: Call) -> pb.ListMyEntriesResponse:
        raise UNAVAILABLE()

    async def ProveMyEntry(self, request: pb.ProveMyEntryRequest, call: Call) -> pb.ProveMyEntryResponse:
        raise UNAVAILABLE()
