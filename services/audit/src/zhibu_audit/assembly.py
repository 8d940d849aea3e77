"""Puts the service together from its parts."""

from zhibu.audit.v1 import incident_service_pb2, log_service_pb2
from zhibu_kit.app import Assembly, Runtime

from zhibu_audit.api.incidents import IncidentApi
from zhibu_audit.api.log import LogApi
from zhibu_audit.erasure import Erasure, sweep_job
from zhibu_audit.intake import LaneIntake
from zhibu_audit.keeper import TreeKeeper
from zhibu_audit.key_file import read_key
from zhibu_audit.lanes import LANES
from zhibu_audit.settings import AuditSettings
from zhibu_audit.shelf import Keys, Shelf
from zhibu_audit.taking import Taker
from zhibu_audit.watching import Watch
from zhibu_audit.witnesses import WitnessClient


async def build(runtime: Runtime[AuditSettings]) -> Assembly:
    """Make the service from its parts, and begin to take rows and to keep the tree.

    Raises:
        KeyRefusedError: when there is no key of the log.
    """
    settings, database, clock = runtime.settings, runtime.database, runtime.clock
    key = read_key(settings.audit_key_file, settings.audit_origin)
    keeper = TreeKeeper(
        database,
        clock,
        root=settings.audit_directory,
        key=key,
        witnesses=[WitnessClient(address, runtime.http) for address in settings.witnesses],
        quorum=settings.audit_quorum,
    )
    runtime.background.start("tree of the log", keeper.run())
    taker = Taker(database, clock, gap_s=settings.audit_gap_s, judged=keeper.judged)
    for lane in LANES:
        intake = LaneIntake(lane, taker, bus=runtime.bus, telemetry=runtime.telemetry)
        runtime.background.start(f"lane {lane}", intake.run())
    watch = Watch(database, clock, runtime.telemetry, root=settings.audit_directory)
    keys = Keys(public=key.verifier.public, witnesses=settings.witness_keys, quorum=settings.audit_quorum)
    log = LogApi(database, clock, organisations=runtime.organisations, shelf=Shelf(settings.audit_directory, keys))
    return Assembly(
        servicers={
            log_service_pb2.DESCRIPTOR.services_by_name["LogService"]: log,
            incident_service_pb2.DESCRIPTOR.services_by_name["IncidentService"]: IncidentApi(
                database, clock, organisations=runtime.organisations
            ),
        },
        consumers=Erasure(clock).consumers(),
        jobs=[sweep_job(database), watch.job()],
    )
