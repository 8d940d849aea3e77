"""The jobs of identity: work that follows commits, heartbeats, sweeping."""

from __future__ import annotations

from typing import Final

import nats.errors
from zhibu.identity.v1 import identity_events_pb2
from zhibu_kit.background import Job
from zhibu_kit.bus import Bus
from zhibu_kit.db import Role
from zhibu_kit.deny_list_feed import HEARTBEAT_SUBJECT
from zhibu_kit.notifications import Notifications
from zhibu_kit.scope import Scope

from zhibu_identity.applications import batches
from zhibu_identity.cards.signed import purge_cards
from zhibu_identity.certificates.certifying import expire_requests
from zhibu_identity.certificates.records import CHANNEL as CERTIFICATES_CHANNEL
from zhibu_identity.certificates.revoking import revoke_orphaned
from zhibu_identity.counts.branches import count_stale
from zhibu_identity.eid_batches import records as eid_batches
from zhibu_identity.eid_batches.worker import work_eid_batches
from zhibu_identity.eids.revocations import all_published_before
from zhibu_identity.erasures.destroying import apply_erasures, sweep_unconfirmed
from zhibu_identity.erasures.erasing import expire_erasures
from zhibu_identity.events import timestamp
from zhibu_identity.parts import Parts
from zhibu_identity.people.filling_in import fill_in_people
from zhibu_identity.rate_windows import purge_windows
from zhibu_identity.recoveries.recovering import expire_recoveries
from zhibu_identity.rosters import records as rosters
from zhibu_identity.rosters.worker import work_rosters
from zhibu_identity.tasks import queue as tasks
from zhibu_identity.tasks.queue import OTHER_KINDS, URGENT_KINDS, purge_tasks
from zhibu_identity.tasks.worker import work_once
from zhibu_identity.telephones.former import purge_former
from zhibu_identity.telephones.proofs import purge_proofs

# Notifications wake the workers; should one be lost, they look by themselves this often.
LOOK_S: Final = 5.0
HEARTBEAT_S: Final = 5.0
SWEEP_S: Final = 600.0
ERASE_S: Final = 3600.0
# Charts may be this much behind; a roster that comes in is counted a few times, not for each of its parts.
COUNT_S: Final = 5.0
EXPIRE_S: Final = 60.0
# A roster of 200,000 rows on a slow machine; what is cut off goes on where it was.
LARGEST_ROSTER_S: Final = 3600.0
# e-IDs for a county of 200,000; what is cut off goes on where it was.
LARGEST_EID_BATCH_S: Final = 3600.0


def jobs_of(parts: Parts, bus: Bus, notifications: Notifications) -> list[Job]:
    """Return the jobs of the service."""

    async def work_urgent() -> None:
        await work_once(parts, URGENT_KINDS)

    async def work_other() -> None:
        await work_once(parts, OTHER_KINDS)

    async def work_batches() -> None:
        await batches.work_batches(parts)

    async def certificates_of_ended_offices() -> None:
        await revoke_orphaned(parts)

    async def count() -> None:
        # Branches that were counted leave a mark for their county, so the last round finds nothing.
        while await count_stale(parts):
            pass

    async def expire() -> None:
        await expire_recoveries(parts)
        await expire_erasures(parts)

    async def expire_certificate_requests() -> None:
        await expire_requests(parts)

    async def fill_in() -> None:
        while await fill_in_people(parts):
            pass

    async def heartbeat() -> None:
        await send_heartbeat(parts, bus)

    async def sweep() -> None:
        await sweep_once(parts)

    async def erase() -> None:
        await apply_erasures(parts)

    def woken(channel: str):  # noqa: ANN202 - an asyncio.Event
        return notifications.event(channel)

    return [
        Job(name="urgent tasks", run=work_urgent, every_s=LOOK_S, woken=woken(tasks.CHANNEL)),
        Job(name="tasks", run=work_other, every_s=LOOK_S, woken=woken(tasks.CHANNEL)),
        Job(name="approval batches", run=work_batches, every_s=LOOK_S, woken=woken(batches.CHANNEL)),
        *_long_jobs(parts, notifications),
        Job(name="deny-list heartbeat", run=heartbeat, every_s=HEARTBEAT_S),
        Job(name="certificates", run=certificates_of_ended_offices, every_s=LOOK_S, woken=woken(CERTIFICATES_CHANNEL)),
        Job(name="sums of people", run=count, every_s=COUNT_S),
        Job(name="what waits for second officers", run=expire, every_s=EXPIRE_S),
        Job(name="certificate requests", run=expire_certificate_requests, every_s=EXPIRE_S),
        Job(name="people of earlier e-IDs", run=fill_in, every_s=SWEEP_S),
        Job(name="sweep", run=sweep, every_s=SWEEP_S),
        Job(name="erasures", run=erase, every_s=ERASE_S),
    ]


def _long_jobs(parts: Parts, notifications: Notifications) -> list[Job]:
    """Return the jobs whose work on one thing may take long."""

    async def rosters_job() -> None:
        await work_rosters(parts)

    async def eid_batches_job() -> None:
        await work_eid_batches(parts)

    return [
        Job(
            name="rosters",
            run=rosters_job,
            every_s=LOOK_S,
            woken=notifications.event(rosters.WORK_CHANNEL),
            timeout_s=LARGEST_ROSTER_S,
        ),
        Job(
            name="e-ID batches",
            run=eid_batches_job,
            every_s=LOOK_S,
            woken=notifications.event(eid_batches.CHANNEL),
            timeout_s=LARGEST_EID_BATCH_S,
        ),
    ]


async def send_heartbeat(parts: Parts, bus: Bus) -> None:
    """Tell that everything revoked before an instant has been published; say nothing while something waits."""
    sent_at = await all_published_before(parts)
    if sent_at is None or not bus.client.is_connected:
        return
    message = identity_events_pb2.DenyListHeartbeat(sent_at=timestamp(sent_at))
    try:
        await bus.client.publish(HEARTBEAT_SUBJECT, message.SerializeToString())
    except nats.errors.Error:
        # The next one tells the same; a service that hears nothing asks.
        return


async def sweep_once(parts: Parts) -> None:
    """Remove what is of no use any more."""
    now = parts.clock.now()
    async with parts.database.transaction(Scope.none()) as transaction:
        await purge_windows(transaction, now=now)
        await purge_proofs(transaction, now=now)
    async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await purge_tasks(transaction, now=now)
        await purge_former(transaction, now=now)
    await sweep_unconfirmed(parts)
    await rosters.purge_rosters(parts)
    await purge_cards(parts.database, now=now)
    await parts.vault.signing.change_card_keys(now=now)
    await parts.vault.signing.destroy_old_keys(now=now)
