"""The service audit on a fresh database and a real NATS."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from integration.audit.log_house import LogHouse, log_house
from integration.audit.running_audit import Audit, running_audit
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres

# Rows that are missing become an incident after this long, so that tests need not wait for a minute.
GAP_S = 1.5


@pytest.fixture(scope="module")
def issuer() -> Generator[TokenIssuer]:
    with TokenIssuer() as issuer:
        yield issuer


@pytest.fixture
async def audit(
    service_database: DatabaseMaker, postgres: Postgres, nats: NatsServer, issuer: TokenIssuer, tmp_path: Path
) -> AsyncGenerator[Audit]:
    """The running service with an empty database; JetStream holds no rows of earlier tests."""
    database = await service_database("audit")
    await nats.prepare()
    async with running_audit(
        database, postgres=postgres, nats=nats, issuer=issuer, directory=tmp_path, audit_gap_s=GAP_S
    ) as audit:
        yield audit
    admin = await nats.connect("admin")
    await admin.jetstream.purge_stream("ZHIBU_AUDIT_ROWS")
    await admin.jetstream.delete_consumer("ZHIBU_IDENTITY", "audit_person_erased")
    await admin.close()


@pytest.fixture
async def house(
    service_database: DatabaseMaker, postgres: Postgres, nats: NatsServer, issuer: TokenIssuer, tmp_path: Path
) -> AsyncGenerator[LogHouse]:
    """A log with two witnesses; the test starts audit."""
    async with log_house(tmp_path, service_database, postgres=postgres, nats=nats, issuer=issuer) as house:
        yield house
