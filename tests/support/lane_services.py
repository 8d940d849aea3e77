"""Services as the log sees them: they write rows, publish them until JetStream has them, and publish again when asked."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import nats.errors
from nats.aio.msg import Msg
from support.lane_rows import LaneRows, publish
from zhibu.audit.v1.audit_events_pb2 import RowsWanted
from zhibu.audit.v1.audit_rows_pb2 import AuditRow
from zhibu_kit.bus import Bus


class LaneServices:
    """Some services, each with its lane."""

    def __init__(self, bus: Bus, *lanes: str) -> None:
        """Publish over a bus that may publish anything."""
        self._bus = bus
        self.rows = {lane: LaneRows(lane=lane) for lane in lanes}

    async def write(self, lane: str, count: int) -> None:
        """Write rows, and publish them however long that takes."""
        await self._publish(lane, self.rows[lane].write(count, subjects=["m" * 26]))

    @asynccontextmanager
    async def answering(self) -> AsyncGenerator[None]:
        """Publish again what the log asks for, while the block runs."""
        asked: asyncio.Queue[RowsWanted] = asyncio.Queue()

        async def hear(message: Msg) -> None:
            wanted = RowsWanted.FromString(message.data)
            if wanted.lane in self.rows:
                asked.put_nowait(wanted)

        async def answer() -> None:
            while True:
                wanted = await asked.get()
                await self._publish(wanted.lane, self.rows[wanted.lane].rows[wanted.from_sequence - 1 :])

        subscription = await self._bus.client.subscribe("zhibu.audit.v1.rows_wanted", cb=hear)
        answering = asyncio.create_task(answer())
        try:
            yield
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _publish(self, lane: str, rows: list[AuditRow]) -> None:
        for at in range(0, len(rows), 50):
            while True:
                try:
                    await publish(self._bus, lane, rows[at : at + 50])
                    break
                except (nats.errors.Error, OSError, TimeoutError):
                    await asyncio.sleep(0.2)
