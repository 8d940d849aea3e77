"""Runs the message centre until SIGTERM or SIGINT: `python -m zhibu_smsc`."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping

from zhibu_smsc.server import Settings, StartError, running_message_centre


def main() -> int:
    """Read the settings from the environment and run; 1 when it cannot start."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    if os.environ.get("ZHIBU_PROFILE", "development") == "production":
        sys.stderr.write("The demo message centre shows codes to all who ask and does not run in production.\n")
        return 1
    try:
        asyncio.run(_run(_settings_of(os.environ)))
    except (StartError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _settings_of(environment: Mapping[str, str]) -> Settings:
    usual = Settings()
    host, _, port = environment.get("ZHIBU_SMSC_LISTEN", f"{usual.host}:{usual.smpp_port}").rpartition(":")
    web_host, _, web_port = environment.get("ZHIBU_SMSC_WEB_LISTEN", f"{host}:{usual.web_port}").rpartition(":")
    if web_host != host:
        raise StartError("ZHIBU_SMSC_LISTEN and ZHIBU_SMSC_WEB_LISTEN must name the same host.")
    return Settings(
        host=host,
        smpp_port=int(port),
        web_port=int(web_port),
        system_id=environment.get("ZHIBU_SMSC_SYSTEM_ID", usual.system_id),
        password=environment.get("ZHIBU_SMSC_PASSWORD", usual.password),
    )


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running_message_centre(settings) as centre:
        sys.stdout.write(
            f"SMPP 3.4 on {settings.host}:{centre.smpp_port}, demo telephone on http://localhost:{centre.web_port}\n"
        )
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
