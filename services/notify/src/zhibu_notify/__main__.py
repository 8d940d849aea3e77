"""The composition root of notify: `python -m zhibu_notify` serves, `… migrate` brings the database up to date."""

import sys
from pathlib import Path
from typing import Final

from opentelemetry.metrics import Counter, Observation
from zhibu.notify.v1 import code_service_pb2, inbox_service_pb2
from zhibu_kit.app import Assembly, Runtime
from zhibu_kit.cli import kit_cli

from zhibu_notify.api import CodeApi
from zhibu_notify.codes import CodeSender, ReceiptBook
from zhibu_notify.consumers.branches import BranchesEvents
from zhibu_notify.consumers.identity import IdentityEvents
from zhibu_notify.figures import BOUND, CODES, NOTICES, SUBMISSIONS
from zhibu_notify.inbox_api import InboxApi
from zhibu_notify.jobs import purge_job, sending_jobs, take_over_job
from zhibu_notify.notice_sender import NoticeSender
from zhibu_notify.notices import URGENT_CHANNEL, Announcer
from zhibu_notify.number_hash import NumberHasher
from zhibu_notify.precedence import Precedence
from zhibu_notify.settings import NotifySettings
from zhibu_notify.smpp.link import LinkSettings, SmscLink
from zhibu_notify.telephones import TelephoneBook

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"


async def build(runtime: Runtime[NotifySettings]) -> Assembly:
    """Make the service from its parts and begin to connect to the message centre."""
    settings, database, clock = runtime.settings, runtime.database, runtime.clock
    code_outcomes = runtime.telemetry.counter(CODES)
    notice_outcomes = runtime.telemetry.counter(NOTICES)
    submissions = runtime.telemetry.durations(SUBMISSIONS)
    links = {
        "codes": _link(runtime, settings.link, outcomes=code_outcomes),
        "notices": _link(runtime, settings.notices_link, outcomes=notice_outcomes),
    }
    for name, link in links.items():
        link.measure(submissions, session=name)
    runtime.telemetry.observe(
        BOUND, lambda: [Observation(int(link.is_bound), {"session": name}) for name, link in links.items()]
    )
    for name, link in links.items():
        runtime.background.start(f"link to the message centre for {name}", link.run())
    precedence = Precedence()
    codes = CodeSender(
        database,
        links["codes"],
        hasher=NumberHasher(bytes.fromhex(settings.notify_number_key)),
        precedence=precedence,
        clock=clock,
        outcomes=code_outcomes,
    )
    notices = NoticeSender(
        database,
        links["notices"],
        telephones=TelephoneBook(runtime.peers),
        precedence=precedence,
        clock=clock,
        outcomes=notice_outcomes,
        per_s=settings.notify_notices_per_s,
        window=settings.notify_smsc_notices_window,
    )
    announcer = Announcer(clock)
    return Assembly(
        servicers={
            code_service_pb2.DESCRIPTOR.services_by_name["CodeService"]: CodeApi(
                database, codes, submit_timeout_s=settings.notify_submit_timeout_s
            ),
            inbox_service_pb2.DESCRIPTOR.services_by_name["InboxService"]: InboxApi(database, clock),
        },
        consumers=[
            *BranchesEvents(announcer, clock).consumers(),
            *IdentityEvents(announcer, clock).consumers(),
        ],
        jobs=[
            purge_job(database, clock),
            take_over_job(database, clock),
            *sending_jobs(notices, urgent_woken=runtime.notifications.event(URGENT_CHANNEL)),
        ],
    )


def _link(runtime: Runtime[NotifySettings], settings: LinkSettings, *, outcomes: Counter) -> SmscLink:
    receipts = ReceiptBook(runtime.database, clock=runtime.clock, outcomes=outcomes)
    return SmscLink(settings, on_receipt=receipts.take)


if __name__ == "__main__":
    sys.exit(kit_cli("notify", settings=NotifySettings, build=build, migrations=MIGRATIONS))
