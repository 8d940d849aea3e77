"""Puts the service together from its parts."""

from zhibu.audit.v1 import incident_service_pb2, log_service_pb2
from zhibu_kit.app import Assembly, Runtime

from zhibu_audit.api.incidents import IncidentApi
from zhibu_audit.api.log import LogApi
from zhibu_audit.settings import AuditSettings


async def build(runtime: Runtime[AuditSettings]) -> Assembly:
    """Make the service from its parts."""
    database, clock = runtime.database, runtime.clock
    return Assembly(
        servicers={
            log_service_pb2.DESCRIPTOR.services_by_name["LogService"]: LogApi(database, clock),
            incident_service_pb2.DESCRIPTOR.services_by_name["IncidentService"]: IncidentApi(database, clock),
        }
    )
