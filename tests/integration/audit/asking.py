"""The service audit over a planted log, called over gRPC by officers and members."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import grpc.aio
from integration.audit.planted_log import COUNTY, OTHER_COUNTY, PROVINCE, TOWNSHIP, PlantedLog
from support.identity_stream import prepare_identity_stream, wait_until_ready
from support.rpc import Metadata, bearer
from support.services import log_settings
from support.tlog_logs import SECOND_WITNESS_KEY, WITNESS_KEY
from zhibu.audit.v1 import incident_service_pb2_grpc, log_service_pb2_grpc
from zhibu_audit.assembly import build
from zhibu_audit.settings import AuditSettings
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_stack.engines import Postgres
from zhibu_tlog.keys import SignerKey, read_signer_key

PROVINCE_ADMIN, COUNTY_ADMIN, OTHER_ADMIN = "province-admin", "county-admin", "other-admin"
SECOND_ADMIN = "second-admin"
CLERK, SECURITY = "clerk", "security"
_GRANTS = (
    (PROVINCE_ADMIN, "province_admin", PROVINCE),
    (SECOND_ADMIN, "province_admin", PROVINCE),
    (COUNTY_ADMIN, "county_admin", COUNTY),
    (OTHER_ADMIN, "county_admin", OTHER_COUNTY),
    (CLERK, "county_clerk", COUNTY),
    (SECURITY, "security_officer", COUNTY),
    ("township-officer", "township_officer", TOWNSHIP),
)
_NOBODY = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The running service, and what it was given."""

    log: log_service_pb2_grpc.LogServiceAsyncStub
    incidents: incident_service_pb2_grpc.IncidentServiceAsyncStub
    issuer: TokenIssuer
    key: SignerKey
    directory: Path
    everything: asyncpg.Connection
    address: str

    def officer(self, account_id: str, *, language: str = "zh-CN") -> Metadata:
        """Call as an officer."""
        token = self.issuer.token(account_id, member_id=f"01jd{account_id:0<22}"[:26], county_code=COUNTY)
        return (*bearer(token), ("accept-language", language))

    def member(self, member_id: str | None, *, language: str = "zh-CN") -> Metadata:
        """Call as a member, who has an account."""
        token = self.issuer.token(f"account-{member_id}", member_id=member_id, county_code=COUNTY)
        return (*bearer(token), ("accept-language", language))


@asynccontextmanager
async def asked_about(
    log: PlantedLog,
    *,
    nats: NatsServer,
    postgres: Postgres,
    make_database: DatabaseMaker,
    directory: Path,
) -> AsyncGenerator[Asked]:
    """Start the service over a log."""
    database = await make_database("audit")
    settings = log_settings(directory)
    key = read_signer_key(settings["audit_key_file"].read_text().strip())
    everything: asyncpg.Connection = await asyncpg.connect(postgres.dsn(database.name))
    await log.plant(everything, settings["audit_directory"], key)
    now = datetime.now(UTC)
    await everything.executemany(
        "insert into kit_grant values ($1, $2, '', $3, $4, '', $5, $6, false, 1)",
        [
            (f"grant-{account}", account, office, at, now - timedelta(days=1), now + timedelta(days=1))
            for account, office, at in _GRANTS
        ],
    )
    witnesses = ",".join(f"{_NOBODY} {one.verifier.text}" for one in (WITNESS_KEY, SECOND_WITNESS_KEY))
    await prepare_identity_stream(nats)
    with TokenIssuer() as issuer:
        async with (
            nats.heartbeats(),
            start_service(
                "audit",
                build,
                database=database,
                nats=nats,
                issuer=issuer,
                settings=AuditSettings,
                audit_witnesses=witnesses,
                audit_quorum=2,
                **settings,
            ) as service,
            grpc.aio.insecure_channel(service.address) as channel,
        ):
            await wait_until_ready(service)
            yield Asked(
                log=log_service_pb2_grpc.LogServiceStub(channel),  # pyright: ignore[reportArgumentType] - the stub's class is one for both
                incidents=incident_service_pb2_grpc.IncidentServiceStub(channel),  # pyright: ignore[reportArgumentType]
                issuer=issuer,
                key=key,
                directory=settings["audit_directory"],
                everything=everything,
                address=service.address,
            )
    await everything.close()
