"""What identity brings to the bus, for tests of services that run without it."""

from zhibu_kit.app import RunningService
from zhibu_kit.bus import ensure_streams
from zhibu_kit.testing.nats_server import ADMIN, NatsServer
from zhibu_kit.testing.waiting import wait_until


async def prepare_identity_stream(nats: NatsServer) -> None:
    """Make identity's stream: every service follows its revocations."""
    admin = await nats.connect(ADMIN)
    await ensure_streams(admin, ["identity", "branches"])
    await admin.close()


async def wait_until_ready(service: RunningService) -> None:
    """Wait until a service takes calls, which needs a heartbeat of identity."""

    async def ready() -> bool:
        return (await service.health.readiness()).ready

    await wait_until(ready)
