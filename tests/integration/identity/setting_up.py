"""The service identity on fresh databases: running, or as a workbench on which nothing happens by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import grpc.aio
from integration.identity.running_identity import (
    LINQU,
    LINQU_BRANCH,
    PROVINCE,
    QINGZHOU,
    QINGZHOU_BRANCH,
    WEIFANG,
    Identity,
)
from support.identity_stream import prepare_identity_stream, wait_until_ready
from support.outside_identity import MemoryAccounts, MemoryTelephones
from zhibu_identity.assembly import assemble, keep_open, make_parts
from zhibu_identity.eids.accounts import Accounts
from zhibu_identity.keys.master import MasterKeys
from zhibu_identity.keys.vault import Vault, open_vault
from zhibu_identity.parts import Parts
from zhibu_identity.settings import IdentitySettings
from zhibu_kit.app import Assembly, Runtime
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_stack.databases import ServiceDatabase

ORGANISATIONS = (
    (PROVINCE, "", 1, "山东省", PROVINCE),
    (WEIFANG, PROVINCE, 2, "潍坊市", WEIFANG),
    (LINQU, WEIFANG, 3, "临朐县", LINQU),
    (QINGZHOU, WEIFANG, 3, "青州市", QINGZHOU),
    ("370724101", LINQU, 4, "辛寨街道", LINQU),
    (LINQU_BRANCH, LINQU, 5, "临朐县第一党支部", LINQU),
    (QINGZHOU_BRANCH, QINGZHOU, 5, "青州市第一党支部", QINGZHOU),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """identity's two databases, and connections that see all of them whatever the policies say."""

    main: ServiceDatabase
    keys: ServiceDatabase
    owner: asyncpg.Connection
    keys_owner: asyncpg.Connection
    master_key: str


@asynccontextmanager
async def running(
    databases: Databases,
    nats: NatsServer,
    issuer: TokenIssuer,
    clock: FixedClock,
    *,
    profile: str = "development",
    at_keycloak: Accounts | None = None,
    **settings: Any,
) -> AsyncGenerator[Identity]:
    """Run the service while the block runs; with accounts in memory unless a real Keycloak's are given."""
    accounts, telephones = MemoryAccounts(), MemoryTelephones()
    made: list[Parts] = []

    async def build(runtime: Runtime[IdentitySettings]) -> Assembly:
        vault = await open_vault(databases.keys.app_url, MasterKeys.parse(databases.master_key))
        runtime.background.start("connections", keep_open(vault.close))
        made.append(await make_parts(runtime, vault=vault, accounts=at_keycloak or accounts, telephones=telephones))
        return await assemble(runtime, made[0])

    await prepare_identity_stream(nats)
    async with (
        start_service(
            "identity",
            build,
            database=databases.main,
            nats=nats,
            issuer=issuer,
            settings=IdentitySettings,
            clock=clock,
            profile=profile,
            **settings,
        ) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        await wait_until_ready(service)
        yield Identity(
            health=service.health,
            address=service.address,
            channel=channel,
            issuer=issuer,
            clock=clock,
            parts=made[0],
            accounts=accounts,
            telephones=telephones,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """The use cases without the running service: nothing happens unless the test does it."""

    databases: Databases
    parts: Parts
    accounts: MemoryAccounts
    telephones: MemoryTelephones
    clock: FixedClock
    vault: Vault

    def cut_at(self, step: str) -> Parts:
        """Return parts with which the power goes off at a step, the first time."""
        armed = [True]

        def reached(at: str) -> None:
            if at == step and armed:
                armed.clear()
                raise PowerCutError(step)

        return replace(self.parts, reached=reached)


class PowerCutError(BaseException):
    """The process is gone: nothing that it would have done afterwards is done."""
