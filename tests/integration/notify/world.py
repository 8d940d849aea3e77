"""A county as notify sees it: events come over NATS, members read their inbox, telephones ring."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import grpc.aio
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from integration.notify.running_notify import Smsc, new_number
from support.identity_stream import prepare_identity_stream, wait_until_ready
from support.people_server import PeopleServer, running_people_server
from support.rpc import Metadata, bearer
from zhibu.branches.v1 import organisation_pb2
from zhibu.branches.v1.branches_events_pb2 import OrganisationChanged
from zhibu.identity.v1.identity_events_pb2 import GrantChanged
from zhibu.notify.v1 import code_service_pb2_grpc, inbox_pb2, inbox_service_pb2_grpc
from zhibu.notify.v1 import inbox_service_pb2 as pb
from zhibu_kit.app import RunningService
from zhibu_kit.bus import Bus
from zhibu_kit.events import EventContext, durable_of, event_type_of, key_of, stream_of, version_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import ADMIN, NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_kit.testing.waiting import wait_until
from zhibu_notify.__main__ import build
from zhibu_notify.settings import NotifySettings
from zhibu_stack.databases import ServiceDatabase

COUNTY = "370724"
OTHER_COUNTY = "370725"
TOWNSHIP = "370724101"
BRANCH = "370724-b01"
VIRTUAL_BRANCH = "370724-b02"
NAMES = {
    "37": "山东省委组织部",
    "3707": "潍坊市委组织部",
    COUNTY: "临朐县委组织部",
    OTHER_COUNTY: "昌乐县委组织部",
    TOWNSHIP: "城关街道党工委",
    BRANCH: "兴隆社区党支部",
    VIRTUAL_BRANCH: "流动党员党支部",
}
_TREE = [
    ("37", "", organisation_pb2.ORGANISATION_LEVEL_PROVINCE, "37"),
    ("3707", "37", organisation_pb2.ORGANISATION_LEVEL_CITY, "3707"),
    (COUNTY, "3707", organisation_pb2.ORGANISATION_LEVEL_COUNTY, COUNTY),
    (OTHER_COUNTY, "3707", organisation_pb2.ORGANISATION_LEVEL_COUNTY, OTHER_COUNTY),
    (TOWNSHIP, COUNTY, organisation_pb2.ORGANISATION_LEVEL_TOWNSHIP, COUNTY),
    (BRANCH, TOWNSHIP, organisation_pb2.ORGANISATION_LEVEL_BRANCH, COUNTY),
    (VIRTUAL_BRANCH, COUNTY, organisation_pb2.ORGANISATION_LEVEL_BRANCH, COUNTY),
]


def instant(ago: timedelta = timedelta()) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(datetime.now(UTC) - ago)
    return timestamp


@dataclass(slots=True, kw_only=True)
class World:
    """The running service and everything around it."""

    service: RunningService
    inbox: inbox_service_pb2_grpc.InboxServiceAsyncStub
    codes: code_service_pb2_grpc.CodeServiceAsyncStub
    issuer: TokenIssuer
    bus: Bus
    people: PeopleServer
    smsc: Smsc
    database: ServiceDatabase
    everything: asyncpg.Connection

    def member(self, *, number: str | None = None) -> str:
        """A new member with a telephone."""
        member_id = new_ulid()
        self.people.numbers[member_id] = number or new_number()
        return member_id

    def as_member(self, member_id: str, *, language: str = "zh-CN", county: str = COUNTY) -> Metadata:
        token = self.issuer.token(f"account-of-{member_id}", member_id=member_id, county_code=county)
        return (*bearer(token), ("accept-language", language))

    def as_identity(self) -> Metadata:
        return bearer(self.issuer.token("account-of-svc-identity", service="identity"))

    async def tell(self, *events: Message, county_code: str = COUNTY, event_id: str = "") -> None:
        """Publish events as their services do, and wait until notify has handled them."""
        last: dict[str, int] = {}
        for event in events:
            kind = event_type_of(event.DESCRIPTOR)
            context = EventContext(
                event_id=event_id or new_ulid(),
                subject=kind.subject,
                key=key_of(event),
                version=version_of(event),
                county_code=getattr(event, "county_code", "") or county_code,
                traceparent="",
                occurred_at=datetime.now(UTC),
            )
            headers = context.headers(event_type=kind.name, source="test")
            # JetStream must not drop what a test sends twice.
            headers["Nats-Msg-Id"] = new_ulid()
            stored = await self.bus.jetstream.publish(kind.subject, event.SerializeToString(), headers=headers)
            last[kind.subject] = stored.seq
        for subject, sequence in last.items():
            handled = partial(self._is_handled, subject, sequence)
            await wait_until(handled)

    async def _is_handled(self, subject: str, sequence: int) -> bool:
        info = await self.bus.jetstream.consumer_info(stream_of(subject), durable_of("notify", subject))
        return info.ack_floor is not None and info.ack_floor.stream_seq >= sequence

    async def officer(self, office: str, organisation_id: str) -> str:
        """A new member with an office; the notice of it is read already."""
        member_id = self.member()
        await self.tell(grant(member_id, office, organisation_id))
        await self.everything.execute("delete from inbox_item where member_id = $1", member_id)
        await self.everything.execute("delete from inbox_unread where member_id = $1", member_id)
        await self.everything.execute("delete from notice_sms where member_id = $1", member_id)
        return member_id

    async def list(self, member_id: str, **fields: Any) -> pb.ListMyInboxResponse:
        language = fields.pop("language", "zh-CN")
        return await self.inbox.ListMyInbox(
            pb.ListMyInboxRequest(**fields), metadata=self.as_member(member_id, language=language)
        )

    async def templates(self, member_id: str) -> list[str]:
        return [item.template for item in (await self.list(member_id)).items]

    async def unread(self, member_id: str) -> int:
        response = await self.inbox.CountMyUnread(pb.CountMyUnreadRequest(), metadata=self.as_member(member_id))
        return response.unread_count

    def texts(self, member_id: str) -> list[str]:
        return self.smsc.texts(self.people.numbers[member_id])

    async def settle(self, *, timeout_s: float = 15) -> None:
        """Wait until no message waits or is in hand, but for those that may not go out yet."""

        async def settled() -> bool:
            return not await self.everything.fetchval(
                "select exists (select from notice_sms where state in ('claimed', 'submitting')"
                " or (state = 'waiting' and not_before <= now()))"
            )

        await wait_until(settled, timeout_s=timeout_s)

    async def sms(self, member_id: str) -> list[tuple[str, str | None]]:
        """State and reason of a member's messages, in order."""
        rows = await self.everything.fetch(
            "select state, reason from notice_sms where member_id = $1 order by notice_sms_id", member_id
        )
        return [(row["state"], row["reason"]) for row in rows]

    async def send_by_sms(self, *kinds: inbox_pb2.NoticeKind.ValueType, quiet: tuple[int, int] = (0, 0)) -> None:
        """Let the county send kinds by SMS, without quiet hours unless some are given."""
        await self.everything.execute(
            "insert into notice_settings values ($1, $2, $3, $4, 1, now()) on conflict (county_code) do update set"
            " sms_kinds = excluded.sms_kinds, quiet_from_hour = excluded.quiet_from_hour,"
            " quiet_until_hour = excluded.quiet_until_hour, version = notice_settings.version + 1",
            COUNTY,
            [int(kind) for kind in kinds],
            *quiet,
        )


def grant(
    member_id: str,
    office: str,
    organisation_id: str,
    *,
    revoked: bool = False,
    version: int = 1,
    of_post: bool = False,
) -> GrantChanged:
    event = GrantChanged(
        grant_id=f"grant-{member_id}-{office}",
        member_id=member_id,
        account_id=f"account-of-{member_id}",
        office=office,
        organisation_id=organisation_id,
        county_code=organisation_id[:6],
        starts_at=instant(timedelta(minutes=1)),
        revoked=revoked,
        version=version,
    )
    if not of_post:
        event.ends_at.FromDatetime(datetime.now(UTC) + timedelta(days=365))
    return event


@asynccontextmanager
async def running_world(
    *, database: ServiceDatabase, dsn: str, nats: NatsServer, smsc: Smsc, **settings: Any
) -> AsyncGenerator[World]:
    """Run the service in a county with its tree."""
    async with AsyncExitStack() as stack:
        await prepare_identity_stream(nats)
        bus = await nats.connect(ADMIN)
        stack.push_async_callback(bus.close)
        everything: asyncpg.Connection = await asyncpg.connect(dsn)
        stack.push_async_callback(everything.close)
        await stack.enter_async_context(nats.heartbeats())
        people = await stack.enter_async_context(running_people_server())
        issuer = stack.enter_context(TokenIssuer())
        own: dict[str, Any] = {
            "notify_number_key": "7a" * 32,
            "notify_smsc_port": smsc.running.smpp_port,
            "notify_submit_timeout_s": 2.5,
            "notify_notices_per_s": 2000,
            "peers": {"identity": people.address},
            **settings,
        }
        service = await stack.enter_async_context(
            start_service(
                "notify",
                build,
                database=database,
                nats=nats,
                issuer=issuer,
                settings=NotifySettings,
                **own,
            )
        )
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(service.address))
        await wait_until_ready(service)
        world = World(
            service=service,
            inbox=inbox_service_pb2_grpc.InboxServiceStub(channel),  # pyright: ignore[reportArgumentType] - the stubs know synchronous channels
            codes=code_service_pb2_grpc.CodeServiceStub(channel),  # pyright: ignore[reportArgumentType] - the stubs know synchronous channels
            issuer=issuer,
            bus=bus,
            people=people,
            smsc=smsc,
            database=database,
            everything=everything,
        )
        await world.tell(
            *(
                OrganisationChanged(
                    organisation_id=organisation_id,
                    parent_id=parent_id,
                    level=level,
                    name=NAMES[organisation_id],
                    county_code=county_code,
                    active=True,
                    version=1,
                )
                for organisation_id, parent_id, level, county_code in _TREE
            )
        )
        yield world
