"""Puts the service together from its parts."""

from zhibu.audit.v1 import incident_service_pb2, log_service_pb2
from zhibu_kit.app import Assembly, Runtime

from zhibu_audit.api.incidents import IncidentApi
from zhibu_audit.api.log import LogApi
from zhibu_audit.erasure import Erasure, sweep_job
from zhibu_audit.intake import LaneIntake
from zhibu_audit.lanes import LANES
from zhibu_audit.settings import AuditSettings
from zhibu_audit.shelf import Keys, Shelf
from zhibu_audit.taking import Taker


async def build(runtime: Runtime[AuditSettings]) -> Assembly:
    """Make the service from its parts."""
    settings, database, clock = runtime.settings, runtime.database, runtime.clock
    taker = Taker(database, clock, gap_s=settings.audit_gap_s)
    for lane in LANES:
        intake = LaneIntake(lane, taker, bus=runtime.bus, telemetry=runtime.telemetry)
        runtime.background.start(f"lane {lane}", intake.run())
    keys = Keys(public=settings.log_key.verifier.public, witnesses=settings.witness_keys, quorum=settings.audit_quorum)
    log = LogApi(database, clock, organisations=runtime.organisations, shelf=Shelf(settings.audit_directory, keys))
    return Assembly(
        servicers={
            log_service_pb2.DESCRIPTOR.services_by_name["LogService"]: log,
            incident_service_pb2.DESCRIPTOR.services_by_name["IncidentService"]: IncidentApi(
                database, clock, organisations=runtime.organisations
            ),
        },
        consumers=Erasure(clock).consumers(),
        jobs=[sweep_job(database)],
    )
