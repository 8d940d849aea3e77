"""`python -m zhibu_gateway` serves until SIGTERM; `python -m zhibu_gateway openapi` prints the document."""

import asyncio
import signal
import sys
from collections.abc import Awaitable

import orjson
import uvloop
from pydantic import ValidationError
from zhibu_kit import logs

from zhibu_gateway.contract.files import contract_files
from zhibu_gateway.contract.methods import ContractError, public_methods
from zhibu_gateway.contract.path_template import TemplateError
from zhibu_gateway.openapi.document import make_document
from zhibu_gateway.server import NAME, log, running_gateway
from zhibu_gateway.settings import GatewaySettings


async def serve(settings: GatewaySettings) -> None:
    """Serves until a signal comes or a background task dies.

    Raises:
        SystemExit: with status 1 when the gateway cannot start, or cannot go on.
    """
    logs.configure(NAME, level=settings.log_level, show_exception_texts=settings.profile == "development")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with running_gateway(settings) as gateway:
            await _first(stop.wait(), gateway.background.wait_for_death())
            log.info("Draining")
    except (ContractError, TemplateError) as error:
        log.critical("The gateway does not start", extra={"fields": {"because": str(error)}})
        raise SystemExit(1) from None
    except Exception as error:  # noqa: BLE001 the outermost loop of the process
        log.critical("The gateway ends", exc_info=error)
        raise SystemExit(1) from None
    log.info("Stopped")


async def _first(*waits: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    """Reads the settings and does what the arguments say."""
    try:
        settings = GatewaySettings()
    except ValidationError as error:
        names = ", ".join("ZHIBU_" + "_".join(str(part) for part in one["loc"]).upper() for one in error.errors())
        sys.exit(f"These settings are not valid: {names}")
    if sys.argv[1:] == ["openapi"]:
        document = make_document(public_methods(contract_files(), with_testing=settings.test_routes), settings=settings)
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        return
    uvloop.run(serve(settings))


if __name__ == "__main__":
    main()
