"""Makes the streams of the installation: `python -m zhibu_kit.streams identity branches …`, as an administrator's user.

Where NATS is and who asks comes from ZHIBU_NATS_URL, ZHIBU_NATS_USER and ZHIBU_NATS_PASSWORD. Run it at every start of
the installation, and after JetStream was lost, before `reconcile`: it makes what is missing and changes nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final

import nats.errors

from zhibu_kit.bus import MAX_BYTES, connect, ensure_streams
from zhibu_kit.settings import ServiceSettings

TIMEOUT_S: Final = 30.0


async def ensure(settings: ServiceSettings, services: Sequence[str], *, replicas: int, max_bytes: int) -> None:
    """Make what is missing of the services' streams and of those for dead letters and audit rows."""
    async with asyncio.timeout(TIMEOUT_S):
        bus = await connect(
            settings.nats_url, user=settings.nats_user, password=settings.nats_password, name="administrator"
        )
        try:
            await ensure_streams(bus, services, replicas=replicas, max_bytes=max_bytes)
        finally:
            await bus.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m zhibu_kit.streams", description=__doc__)
    parser.add_argument("service", nargs="+", help="a service that publishes events")
    parser.add_argument("--replicas", type=int, default=1, help="copies that JetStream keeps; 3 in production")
    parser.add_argument("--max-bytes", type=int, default=MAX_BYTES, help="what JetStream sets aside for each stream")
    given = parser.parse_args(arguments)
    try:
        asyncio.run(ensure(ServiceSettings(), given.service, replicas=given.replicas, max_bytes=given.max_bytes))
    except (nats.errors.Error, OSError, TimeoutError) as error:
        print(f"The streams could not be made: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
