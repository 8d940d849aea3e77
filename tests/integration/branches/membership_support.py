"""Virtual branches, unplaced people and the stubs of MembershipService, for tests of members."""

from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from integration.branches.party import Party
from zhibu.branches.v1 import membership_service_pb2_grpc, organisation_service_pb2_grpc
from zhibu.identity.v1 import eid_pb2, identity_events_pb2
from zhibu_branches.organisations import create_organisation
from zhibu_branches.publication import publish_change
from zhibu_branches.rules.tree import Level
from zhibu_kit.db import Scope
from zhibu_kit.events import EventContext, event_type_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.nats_server import ADMIN, NatsServer


def memberships(party: Party) -> "membership_service_pb2_grpc.MembershipServiceAsyncStub":
    return membership_service_pb2_grpc.MembershipServiceStub(party.branches.channel)


def organisations(party: Party) -> "organisation_service_pb2_grpc.OrganisationServiceAsyncStub":
    return party.branches.stub


async def virtual_branch(party: Party, county: str = "370724") -> str:
    now = datetime.now(UTC)
    async with party.database.transaction(Scope.of(county)) as transaction:
        made = await create_organisation(
            transaction,
            parent_id=county,
            level=Level.BRANCH,
            code="",
            name=party.name("虚拟"),
            new_id=new_ulid(),
            now=now,
            virtual=True,
        )
        await publish_change(transaction, made, change_time=now)
    return made.place.organisation_id


async def issue_eid(nats: NatsServer, *, county: str, branch_id: str = "") -> str:
    """Publish what identity says when it issues an e-ID; the member's identifier."""
    member_id, eid_id = new_ulid(), new_ulid()
    now = Timestamp()
    now.FromDatetime(datetime.now(UTC))
    event = identity_events_pb2.EidChanged(
        eid_id=eid_id,
        member_id=member_id,
        account_id=f"account-{member_id}",
        county_code=county,
        branch_id=branch_id,
        state=eid_pb2.EID_STATE_ISSUED,
        version=1,
        change_time=now,
    )
    await publish(nats, event, key=eid_id, version=1, county=county)
    return member_id


async def publish(nats: NatsServer, event: Message, *, key: str, version: int, county: str) -> None:
    """Publish an event of identity as its relay would."""
    kind = event_type_of(event.DESCRIPTOR)
    context = EventContext(
        event_id=new_ulid(),
        subject=kind.subject,
        key=key,
        version=version,
        county_code=county,
        traceparent="",
        occurred_at=datetime.now(UTC),
    )
    bus = await nats.connect(ADMIN)
    await bus.publish(kind.subject, event.SerializeToString(), context.headers(event_type=kind.name, source="identity"))
    await bus.close()
