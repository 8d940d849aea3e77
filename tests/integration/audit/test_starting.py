from pathlib import Path

import asyncpg
from support.services import log_settings
from zhibu_audit.assembly import build
from zhibu_audit.settings import AuditSettings
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service


async def test_audit_starts(nats: NatsServer, service_database: DatabaseMaker, tmp_path: Path) -> None:
    database = await service_database("audit")
    with TokenIssuer() as issuer:
        async with nats.heartbeats(), start_service(
            "audit", build, database=database, nats=nats, issuer=issuer, settings=AuditSettings, **log_settings(tmp_path)
        ) as service:
            assert service.address
    connection = await asyncpg.connect(database.app_url)
    assert await connection.fetchval("select count(*) from entry") == 0
    await connection.close()
