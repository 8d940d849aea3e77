"""NATS users: a service publishes its own subjects, consumes what its README lists, and can do nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import nats.errors
import nats.js.errors
import pytest
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig
from nats.js.kv import KeyValue
from zhibu_kit.bus import Bus
from zhibu_kit.nats_permissions import parse_subjects
from zhibu_kit.testing.nats_server import NatsServer, subjects_of_repository

README = """# testing
## Publishes
- `zhibu.testing.v1.record_changed`: whenever a record changes

## Consumes
- `zhibu.other.v1.thing_changed`
- `zhibu.identity.v1.deny_list_heartbeat`

## Invariants
- `zhibu.identity.v1.eid_changed` is not in a list above, so it does not count.
"""
SUBJECTS = [
    parse_subjects(README, service="testing"),
    parse_subjects(
        "## Publishes\n- `zhibu.other.v1.thing_changed`\n- `zhibu.other.v1.secret_changed`\n", service="other"
    ),
    parse_subjects("## Consumes\n- `zhibu.other.v1.secret_changed`\n\n## Buckets\n- `zhibu_limits`\n", service="third"),
]
# What is refused is refused without an answer, so a request ends by waiting for one.
REFUSED = (nats.errors.TimeoutError, nats.errors.NoRespondersError, nats.js.errors.NoStreamResponseError, TimeoutError)


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("nats"), SUBJECTS)
    server.start()
    try:
        await server.prepare()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def bus(server: NatsServer) -> AsyncGenerator[Bus]:
    """Give the bus of the user `testing`, which does not wait long for what it will not get."""
    bus = await server.connect("testing")
    bus.jetstream = bus.client.jetstream(timeout=0.3)
    yield bus
    await bus.close()


def test_the_lists_of_a_readme_are_read_and_nothing_else() -> None:
    subjects = parse_subjects(README, service="testing")
    assert subjects.publishes == ("zhibu.testing.v1.record_changed",)
    assert subjects.consumes == ("zhibu.other.v1.thing_changed", "zhibu.identity.v1.deny_list_heartbeat")


@pytest.mark.parametrize(
    "line", ["`zhibu.other.v1.thing_changed`", "`zhibu.testing.>`", "`>`", "`$JS.API.>`", "`zhibu.testing.v1.*`"]
)
def test_a_readme_cannot_give_away_what_is_not_its_own_nor_everything(line: str) -> None:
    with pytest.raises(ValueError, match="README of testing"):
        parse_subjects(f"## Publishes\n- {line}\n", service="testing")


def test_the_readmes_of_this_repository_can_be_read() -> None:
    by_service = {subjects.service: subjects for subjects in subjects_of_repository()}
    assert {"audit", "identity", "branches", "notify", "gateway", "web"} <= set(by_service)
    published = {subject for subjects in by_service.values() for subject in subjects.publishes}
    # Neither is listed as published: the one is no event, the other is everybody's.
    published |= {"zhibu.identity.v1.deny_list_heartbeat", *(f"zhibu.audit_rows.v1.{name}" for name in by_service)}
    assert {subject for subjects in by_service.values() for subject in subjects.consumes} <= published


async def test_a_service_publishes_its_own_subject(bus: Bus) -> None:
    await bus.publish("zhibu.testing.v1.record_changed", b"", {})
    await bus.publish("zhibu.dead.testing", b"", {})
    await bus.publish("zhibu.audit_rows.v1.testing", b"", {})


@pytest.mark.parametrize(
    "subject",
    [
        "zhibu.other.v1.thing_changed",
        "zhibu.testing.v1.unlisted",
        "zhibu.dead.other",
        "zhibu.audit_rows.v1.other",
        "zhibu.audit_rows.v1.testing.more",
        "zhibu.identity.v1.access_revoked",
    ],
)
async def test_a_service_cannot_publish_what_is_not_its_own(server: NatsServer, bus: Bus, subject: str) -> None:
    admin = await server.connect("admin")
    seen: list[Msg] = []

    async def see(message: Msg) -> None:
        seen.append(message)

    await admin.client.subscribe("zhibu.>", cb=see)
    await admin.client.flush()
    with pytest.raises(REFUSED):
        await bus.jetstream.publish(subject, b"", timeout=0.3)
    await admin.client.flush()
    assert seen == []
    await admin.close()


async def test_a_service_consumes_what_it_lists(server: NatsServer, bus: Bus) -> None:
    other = await server.connect("other")
    await other.publish("zhibu.other.v1.thing_changed", b"thing", {})
    await bus.jetstream.add_consumer("ZHIBU_OTHER", _durable("testing_thing_changed", "zhibu.other.v1.thing_changed"))
    subscription = await bus.jetstream.pull_subscribe_bind("testing_thing_changed", "ZHIBU_OTHER")
    [message] = await subscription.fetch(1, timeout=30)
    assert message.data == b"thing"
    await message.ack_sync()
    await other.close()


@pytest.mark.parametrize(
    ("durable", "subject"),
    [
        # Another subject; another name; everything; no name at all.
        ("testing_thing_changed", "zhibu.other.v1.secret_changed"),
        ("third_secret_changed", "zhibu.other.v1.secret_changed"),
        ("testing_thing_changed", "zhibu.other.v1.>"),
        ("testing_everything", "zhibu.other.v1.thing_changed"),
        ("testing_thing_changed", None),
    ],
)
async def test_a_service_cannot_make_a_consumer_of_anything_else(bus: Bus, durable: str, subject: str | None) -> None:
    with pytest.raises(REFUSED):
        await bus.jetstream.add_consumer("ZHIBU_OTHER", _durable(durable, subject))


async def test_a_filter_in_the_body_cannot_differ_from_the_one_in_the_subject(bus: Bus) -> None:
    body = (
        b'{"stream_name":"ZHIBU_OTHER","config":{"name":"testing_thing_changed","durable_name":"testing_thing_changed",'
    )
    body += b'"ack_policy":"explicit","filter_subject":"zhibu.other.v1.secret_changed"}}'
    subject = "$JS.API.CONSUMER.CREATE.ZHIBU_OTHER.testing_thing_changed.zhibu.other.v1.thing_changed"
    answer = await bus.client.request(subject, body, timeout=30)
    assert b'"error"' in answer.data


async def test_a_service_cannot_pull_from_the_consumer_of_another(server: NatsServer, bus: Bus) -> None:
    third, other = await server.connect("third"), await server.connect("other")
    await third.jetstream.add_consumer("ZHIBU_OTHER", _durable("third_secret_changed", "zhibu.other.v1.secret_changed"))
    await other.publish("zhibu.other.v1.secret_changed", b"secret", {})
    subscription = await bus.jetstream.pull_subscribe_bind("third_secret_changed", "ZHIBU_OTHER")
    with pytest.raises(REFUSED):
        await subscription.fetch(1, timeout=0.3)
    await third.close()
    await other.close()


@pytest.mark.parametrize(
    "subject", [">", "zhibu.>", "zhibu.other.v1.thing_changed", "_INBOX.>", "_INBOX.other.>", "$JS.>"]
)
async def test_a_service_cannot_listen_to_others_nor_to_their_answers(
    server: NatsServer, bus: Bus, subject: str
) -> None:
    errors: list[str] = []
    refused = asyncio.Event()

    async def on_error(error: Exception) -> None:
        errors.append(str(error))
        refused.set()

    bus.client._error_cb = on_error  # pyright: ignore[reportPrivateUsage] - the client was made by the kit
    await bus.client.subscribe(subject)
    await asyncio.wait_for(refused.wait(), 30)
    assert "permissions violation for subscription" in errors[0].lower()


@pytest.mark.parametrize("verb", ["DELETE", "PURGE", "UPDATE", "MSG.DELETE", "MSG.GET"])
@pytest.mark.parametrize("stream", ["ZHIBU_TESTING", "ZHIBU_OTHER", "ZHIBU_DEAD", "ZHIBU_AUDIT_ROWS"])
async def test_a_service_cannot_empty_change_or_read_a_stream(bus: Bus, verb: str, stream: str) -> None:
    with pytest.raises(REFUSED):
        await bus.client.request(f"$JS.API.STREAM.{verb}.{stream}", b"{}", timeout=0.2)


async def test_a_service_cannot_make_a_stream_over_the_subjects_of_others(bus: Bus) -> None:
    with pytest.raises(REFUSED):
        await bus.jetstream.add_stream(StreamConfig(name="MINE", subjects=["zhibu.third.>"]))


async def test_a_service_keeps_its_own_bucket_and_reaches_no_other(server: NatsServer, bus: Bus) -> None:
    third = await server.connect("third")
    bucket = await third.jetstream.create_key_value(bucket="zhibu_limits")
    await bucket.put("key", b"value")
    assert (await bucket.get("key")).value == b"value"
    watcher = await bucket.watchall()
    entry = await watcher.updates(timeout=30)
    assert isinstance(entry, KeyValue.Entry)
    assert entry.value == b"value"
    with pytest.raises(REFUSED):
        await bus.jetstream.key_value("zhibu_limits")
    await watcher.stop()
    await third.close()


def _durable(name: str, subject: str | None) -> ConsumerConfig:
    return ConsumerConfig(name=name, durable_name=name, ack_policy=AckPolicy.EXPLICIT, filter_subject=subject)
