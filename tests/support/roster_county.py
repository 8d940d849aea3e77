"""A county with identity and branches as processes of their own, and an officer who brings rosters in."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import grpc.aio
from google.api import httpbody_pb2
from support.rpc import Metadata, bearer
from support.service_process import ServiceProcess, environment_of
from zhibu.branches.v1 import organisation_pb2
from zhibu.branches.v1 import organisation_service_pb2 as organisations_pb
from zhibu.branches.v1.organisation_service_pb2_grpc import OrganisationServiceStub
from zhibu.identity.v1 import roster_pb2
from zhibu.identity.v1 import roster_service_pb2 as pb
from zhibu.identity.v1.roster_service_pb2_grpc import RosterServiceStub
from zhibu_identity.__main__ import KEY_MIGRATIONS
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.engines import Postgres

if TYPE_CHECKING:
    from zhibu.identity.v1.roster_service_pb2_grpc import RosterServiceAsyncStub

COUNTY = "370724"
PROVINCE_ADMIN = "account-province-admin"
COUNTY_ADMIN = "account-linqu-admin"
COUNTY_ADMIN_MEMBER = "0" * 25 + "c"
UPLOAD_PIECE_BYTES = 256 * 1024
# Organisations that are made side by side.
_SIDE_BY_SIDE = 16
_FOLLOWED_S = 60.0

State = roster_pb2.RosterState.ValueType
STATES_AT_REST = frozenset(
    {
        roster_pb2.ROSTER_STATE_CHECKED,
        roster_pb2.ROSTER_STATE_FAILED,
        roster_pb2.ROSTER_STATE_APPLIED,
        roster_pb2.ROSTER_STATE_CANCELLED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterCounty:
    """The county: both services, connections that see all of their databases, the names of its branches."""

    identity: ServiceProcess
    branches: ServiceProcess
    issuer: TokenIssuer
    identity_dsn: str
    identity_rows: asyncpg.Connection
    key_rows: asyncpg.Connection
    branches_rows: asyncpg.Connection
    branch_names: Sequence[str]

    @property
    def rosters(self) -> RosterServiceAsyncStub:
        return RosterServiceStub(self.identity.channel)

    @property
    def officer(self) -> Metadata:
        return bearer(self.issuer.token(COUNTY_ADMIN, member_id=COUNTY_ADMIN_MEMBER, county_code=COUNTY))

    async def upload(self, content: bytes, *, file_name: str = "花名册.xlsx") -> roster_pb2.Roster:
        """Send a file as the gateway does, in pieces."""
        request_id = new_ulid()

        async def pieces() -> AsyncIterator[pb.UploadRosterRequest]:
            for at in range(0, len(content), UPLOAD_PIECE_BYTES):
                yield pb.UploadRosterRequest(
                    organisation_id=COUNTY,
                    file_name=file_name,
                    file=httpbody_pb2.HttpBody(data=content[at : at + UPLOAD_PIECE_BYTES]),
                    request_id=request_id,
                )

        return (await self.rosters.UploadRoster(pieces(), metadata=self.officer)).roster

    async def get(self, roster_id: str) -> roster_pb2.Roster:
        request = pb.GetRosterRequest(organisation_id=COUNTY, roster_id=roster_id)
        return (await self.rosters.GetRoster(request, metadata=self.officer)).roster

    async def watch(
        self, roster_id: str, until: Callable[[roster_pb2.Roster], bool], *, timeout_s: float
    ) -> roster_pb2.Roster:
        """Watch a roster as the desk does, across deaths of the service, until it is as wanted."""
        request = pb.WatchRosterRequest(organisation_id=COUNTY, roster_id=roster_id)
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    async for message in self.rosters.WatchRoster(request, metadata=self.officer, wait_for_ready=True):
                        if until(message.roster):
                            return message.roster
                        assert message.roster.state not in STATES_AT_REST, (
                            f"it rests in {roster_pb2.RosterState.Name(message.roster.state)} {message.roster.failure_reason}"
                        )
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise

    async def reaches(self, roster_id: str, state: State, *, timeout_s: float) -> roster_pb2.Roster:
        """Watch a roster until it is in a state, and return it whole."""
        await self.watch(roster_id, lambda roster: roster.state == state, timeout_s=timeout_s)
        return await self.get(roster_id)

    async def commit(self, roster: roster_pb2.Roster, *, leave_out: bool = False) -> None:
        """Have the good rows of a checked roster committed."""
        await self.rosters.CommitRoster(
            pb.CommitRosterRequest(
                organisation_id=COUNTY,
                roster_id=roster.roster_id,
                leave_out_problems=leave_out,
                etag=roster.etag,
                request_id=new_ulid(),
            ),
            metadata=self.officer,
        )

    async def first_rows(self, roster: roster_pb2.Roster, difference: int) -> Sequence[roster_pb2.RosterRow]:
        """Return the first page of the rows of one kind, as the desk shows it."""
        listed = await self.rosters.ListRosterRows(
            pb.ListRosterRowsRequest(
                organisation_id=COUNTY,
                roster_id=roster.roster_id,
                difference=roster_pb2.RosterDifference.ValueType(difference),
                page_size=50,
            ),
            metadata=self.officer,
        )
        return listed.rows

    async def problems(self, roster: roster_pb2.Roster) -> bytes:
        """Download the rows with problems."""
        request = pb.DownloadRosterProblemsRequest(organisation_id=COUNTY, roster_id=roster.roster_id)
        call = self.rosters.DownloadRosterProblems(request, metadata=self.officer)
        return b"".join([body.data async for body in call])

    async def export(self, form: str) -> bytes:
        """Download everybody of the county."""
        request = pb.ExportRosterRequest(organisation_id=COUNTY, format=form)
        call = self.rosters.ExportRoster(request, metadata=self.officer)
        return b"".join([body.data async for body in call])


@asynccontextmanager
async def running_roster_county(
    directory: Path, *, make_database: DatabaseMaker, postgres: Postgres, nats: NatsServer, branch_count: int
) -> AsyncGenerator[RosterCounty]:
    """Run a fresh county with so many branches while the block runs."""
    main, branches = await make_database("identity"), await make_database("branches")
    keys = await make_database("identity_keys", directory=KEY_MIGRATIONS, kit=False)
    async with AsyncExitStack() as stack:
        issuer = stack.enter_context(TokenIssuer())
        rows: list[asyncpg.Connection] = []
        for database in (main, keys, branches):
            rows.append(await asyncpg.connect(postgres.dsn(database.name)))
            stack.push_async_callback(rows[-1].close)
        for connection in (rows[0], rows[2]):
            await _give_offices(connection)
        await nats.prepare()
        county = RosterCounty(
            identity=ServiceProcess(
                "identity",
                {
                    **environment_of("identity", main, nats, issuer),
                    "ZHIBU_KEY_DATABASE_URL": keys.app_url,
                    "ZHIBU_KEY_DATABASE_OWNER_URL": keys.owner_url,
                    "ZHIBU_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
                },
                log=directory / "identity.log",
            ),
            branches=ServiceProcess(
                "branches", environment_of("branches", branches, nats, issuer), log=directory / "branches.log"
            ),
            issuer=issuer,
            identity_dsn=postgres.dsn(main.name),
            identity_rows=rows[0],
            key_rows=rows[1],
            branches_rows=rows[2],
            branch_names=[f"临朐县第{number}党支部" for number in range(1, branch_count + 1)],
        )
        for service in (county.identity, county.branches):
            stack.push_async_callback(service.stop)
            await service.start()
        await _make_organisations(county)
        yield county


async def _give_offices(connection: asyncpg.Connection) -> None:
    """Write grants as identity's events would have written them."""
    for account_id, member_id, office, organisation_id in (
        (PROVINCE_ADMIN, "0" * 25 + "e", "province_admin", "37"),
        (COUNTY_ADMIN, COUNTY_ADMIN_MEMBER, "county_admin", COUNTY),
    ):
        await connection.execute(
            "insert into kit_grant values ($1, $2, $3, $4, $5, '', $6, $7, false, 1)",
            new_ulid(),
            account_id,
            member_id,
            office,
            organisation_id,
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2036, 1, 1, tzinfo=UTC),
        )


async def _make_organisations(county: RosterCounty) -> None:
    """Make the tree through branches, and wait until identity has followed."""
    stub = OrganisationServiceStub(county.branches.channel)
    metadata = bearer(county.issuer.token(PROVINCE_ADMIN))
    side_by_side = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def make(parent_id: str, level: int, name: str, code: str = "") -> None:
        async with side_by_side:
            await stub.CreateOrganisation(
                organisations_pb.CreateOrganisationRequest(
                    parent_id=parent_id,
                    organisation_id=code,
                    level=organisation_pb2.OrganisationLevel.ValueType(level),
                    name=name,
                    request_id=new_ulid(),
                ),
                metadata=metadata,
            )

    await make("37", organisation_pb2.ORGANISATION_LEVEL_CITY, "潍坊市", "3707")
    await make("3707", organisation_pb2.ORGANISATION_LEVEL_COUNTY, "临朐县", COUNTY)
    async with asyncio.TaskGroup() as group:
        for name in county.branch_names:
            group.create_task(make(COUNTY, organisation_pb2.ORGANISATION_LEVEL_BRANCH, name))
    followed = "select count(*) from kit_organisation where county_code = $1 and level = 5"
    wanted = len(county.branch_names)
    await wait_until(lambda: _equals(county.identity_rows, followed, COUNTY, wanted), timeout_s=_FOLLOWED_S)


async def _equals(connection: asyncpg.Connection, query: str, argument: str, wanted: int) -> bool:
    return bool(await connection.fetchval(query, argument) == wanted)
