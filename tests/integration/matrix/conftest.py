"""Every service of the contract, running within the test's process, with the small tree and the grants of the matrix."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import asyncpg
import grpc.aio
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from support.access_matrix import TREE, Bearer, Role, access_of, roles
from support.knocking import Doors, House, account_of, member_of
from support.services import Started, start_every_service
from zhibu.identity.v1.identity_events_pb2 import AccessRevoked
from zhibu_docs.contract import methods
from zhibu_docs.events import service_names
from zhibu_gateway.server import running_gateway
from zhibu_gateway.settings import GatewaySettings
from zhibu_kit.deny_list_feed import REVOKED_SUBJECT
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import ADMIN, NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_smsc.server import Settings, running_message_centre
from zhibu_stack.databases import ServiceDatabase

ROLES = roles((*service_names(), "web"))
_LEVELS = ("unspecified", "province", "city", "county", "township", "branch")


@pytest.fixture(scope="module")
async def doors(nats: NatsServer, service_database: DatabaseMaker) -> AsyncGenerator[Doors]:
    """Give the running services; revoked people are revoked already."""
    with TokenIssuer() as issuer:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(nats.heartbeats())
            services = await start_every_service(stack, nats=nats, issuer=issuer, make_database=service_database)
            for service in services.values():
                await _plant(service.database)
            doors = Doors(
                channels={
                    name: await stack.enter_async_context(grpc.aio.insecure_channel(service.running.address))
                    for name, service in services.items()
                },
                issuer=issuer,
            )
            await _revoke(doors, nats, services)
            yield doors


@pytest.fixture(scope="module")
async def house(nats: NatsServer, service_database: DatabaseMaker) -> AsyncGenerator[House]:
    """Give the whole platform but Keycloak: services that reach each other, a message centre, the gateway in front."""
    with TokenIssuer() as issuer:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(nats.heartbeats())
            centre = await stack.enter_async_context(running_message_centre(Settings(smpp_port=0, web_port=0)))
            services = await start_every_service(
                stack,
                nats=nats,
                issuer=issuer,
                make_database=service_database,
                connected=True,
                notify={"notify_smsc_port": centre.smpp_port},
            )
            for service in services.values():
                await _plant(service.database)
            settings = GatewaySettings.model_validate(
                {
                    **issuer.settings,
                    **nats.settings("gateway"),
                    "listen": "127.0.0.1:0",
                    "health_listen": "127.0.0.1:0",
                    "limits_factor": 100,
                    "per_address_per_minute": 100_000,
                    "per_account_per_minute": 100_000,
                    "peers": {name: service.running.address for name, service in services.items()},
                }
            )
            gateway = await stack.enter_async_context(running_gateway(settings))
            yield House(url=gateway.url, doors=Doors(channels={}, issuer=issuer))


async def _plant(database: ServiceDatabase) -> None:
    """Write the tree and the grants into a service's projections, as the events would."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        await connection.executemany(
            "insert into kit_organisation values ($1, $2, $3, $4, $5, true, 1) on conflict do nothing",
            [
                (
                    place.organisation_id,
                    place.ancestors[0] if place.ancestors else "",
                    _LEVELS.index(place.level),
                    place.name,
                    place.county_code or place.organisation_id,
                )
                for place in TREE
            ],
        )
        await connection.executemany(
            "insert into kit_grant values ($1, $2, $3, $4, $5, $6, $7, $8, false, 1)",
            [_grant(role) for role in ROLES if role.bearer in (Bearer.PERSON, Bearer.REVOKED) and role.office],
        )
    finally:
        await connection.close()


def _grant(role: Role) -> tuple[object, ...]:
    assert role.place is not None
    now = datetime.now(UTC)
    return (
        f"grant-{role.key}",
        account_of(role),
        member_of(role),
        role.office,
        role.place.organisation_id,
        role.place.county_code or role.place.organisation_id,
        now - timedelta(days=2),
        now + timedelta(days=1) if role.in_force else now - timedelta(days=1),
    )


async def _revoke(doors: Doors, nats: NatsServer, services: dict[str, Started]) -> None:
    """Publish the revocations, as identity does, and wait until every service has heard of them."""
    now = Timestamp()
    now.GetCurrentTime()
    admin = await nats.connect(ADMIN)
    try:
        for role in ROLES:
            if role.bearer is Bearer.REVOKED:
                event = AccessRevoked(account_id=account_of(role), revoked_at=now, version=now.ToMicroseconds())
                # The tokens of the tests are made later than this; they are revoked up to the end of the hour.
                event.revoked_at.seconds += 3600
                await admin.client.jetstream().publish(REVOKED_SUBJECT, event.SerializeToString())
    finally:
        await admin.close()
    revoked = next(role for role in ROLES if role.bearer is Bearer.REVOKED)
    token = doors.token(revoked)
    for name in services:
        await wait_until(lambda name=name: _is_refused(doors, name, token))


async def _is_refused(doors: Doors, service: str, token: str | None) -> bool:
    method = next(each for each in methods() if _service_of(each) == service and _reads_tokens(each))
    return await doors.call(method, token, GetMessageClass(method.input_type)()) == "UNAUTHENTICATED"


def _service_of(method: MethodDescriptor) -> str:
    return method.containing_service.file.package.split(".")[1]


def _reads_tokens(method: MethodDescriptor) -> bool:
    return access_of(method).WhichOneof("rule") != "anonymous"
