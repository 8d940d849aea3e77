"""The composition root of notify: `python -m zhibu_notify` serves, `… migrate` brings the database up to date."""

import sys
from pathlib import Path
from typing import Final

from opentelemetry.metrics import Observation
from zhibu.notify.v1 import code_service_pb2
from zhibu_kit.app import Assembly, Runtime
from zhibu_kit.cli import kit_cli

from zhibu_notify.api import CodeApi
from zhibu_notify.codes import CodeSender, ReceiptBook
from zhibu_notify.jobs import purge_job
from zhibu_notify.number_hash import NumberHasher
from zhibu_notify.settings import NotifySettings
from zhibu_notify.smpp.link import SmscLink

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"


async def build(runtime: Runtime[NotifySettings]) -> Assembly:
    """Make the service from its parts and begin to connect to the message centre."""
    settings = runtime.settings
    outcomes = runtime.meter.create_counter("zhibu.sms.codes", description="Codes by what became of them.")
    link = SmscLink(
        settings.link, on_receipt=ReceiptBook(runtime.database, clock=runtime.clock, outcomes=outcomes).take
    )
    runtime.meter.create_observable_gauge(
        "zhibu.smsc.bound",
        description="1 while messages can be sent.",
        callbacks=[lambda _options: [Observation(int(link.is_bound))]],
    )
    runtime.background.start("link to the message centre", link.run())
    sender = CodeSender(
        runtime.database,
        link,
        hasher=NumberHasher(bytes.fromhex(settings.notify_number_key)),
        clock=runtime.clock,
        outcomes=outcomes,
    )
    api = CodeApi(runtime.database, sender, submit_timeout_s=settings.notify_submit_timeout_s)
    return Assembly(
        servicers={code_service_pb2.DESCRIPTOR.services_by_name["CodeService"]: api},
        jobs=[purge_job(runtime.database, runtime.clock)],
    )


if __name__ == "__main__":
    sys.exit(kit_cli("notify", settings=NotifySettings, build=build, migrations=MIGRATIONS))
