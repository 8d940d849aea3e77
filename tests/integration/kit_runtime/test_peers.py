"""Calls from service to service: token, deadline, trace, errors and second attempts."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import grpc
import grpc.aio
import httpx
import pytest
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu.testing.v1.probe_service_pb2_grpc import ProbeServiceStub
from zhibu_kit import context
from zhibu_kit.context import CallContext
from zhibu_kit.errors import ServiceError
from zhibu_kit.peers import Peers, is_read
from zhibu_kit.service_tokens import ServiceTokens
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.probe import PROBE_SERVICE
from zhibu_kit.testing.probe_service import Probe, start_probe
from zhibu_kit.testing.waiting import wait_until

# So many reads are under way at any time, each of so many after one another before a process goes.
READERS, CALLS = 10, 5
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
async def peers(probe: Probe, issuer: TokenIssuer) -> AsyncGenerator[Peers]:
    async def token() -> str:
        return issuer.token("account-of-identity", service="identity")

    peers = Peers({"testing": probe.running.address}, telemetry=Telemetry("caller", sample_ratio=0), token=token)
    yield peers
    await peers.close()


async def reason_of(call: object) -> str:
    with pytest.raises(ServiceError) as caught:
        await call  # pyright: ignore[reportGeneralTypeIssues] - an awaitable, whichever
    return caught.value.reason


async def test_a_stub_calls_as_the_service(peers: Peers) -> None:
    response = await peers.stub(ProbeServiceStub).CallFromService(pb.CallFromServiceRequest())
    assert response.service == "identity"


async def test_a_refusal_arrives_as_one_of_our_errors(peers: Peers) -> None:
    stub = peers.stub(ProbeServiceStub)
    assert await reason_of(stub.Fail(pb.FailRequest(how="limited"))) == "RATE_LIMITED"
    assert await reason_of(stub.Fail(pb.FailRequest(how="bug"))) == "INTERNAL"


async def test_trace_language_request_id_and_deadline_of_the_work_under_way_go_on(peers: Peers, probe: Probe) -> None:
    token = context.enter(
        CallContext(
            trace_id=TRACE_ID,
            traceparent=f"00-{TRACE_ID}-00f067aa0ba902b7-00",
            request_id="request-1",
            language="en",
            expires_at_s=time.monotonic() + 2,
        )
    )
    try:
        response = await peers.stub(ProbeServiceStub).Echo(pb.EchoRequest(text="hello"))
    finally:
        context.leave(token)
    assert (response.trace_id, response.language) == (TRACE_ID, "en")
    assert 1000 < response.deadline_ms < 1950
    assert probe.servicer.calls[0].request_id == "request-1"


async def test_a_call_with_nothing_left_of_its_deadline_is_not_even_made(peers: Peers, probe: Probe) -> None:
    token = context.enter(
        CallContext(trace_id=TRACE_ID, traceparent="", request_id="", expires_at_s=time.monotonic() + 0.01)
    )
    try:
        call = peers.stub(ProbeServiceStub).Echo(pb.EchoRequest(text="hello"))
        assert await reason_of(call) == "DEADLINE_EXCEEDED"
    finally:
        context.leave(token)
    assert probe.servicer.calls == []


async def test_streams_arrive_and_fail_like_calls(peers: Peers) -> None:
    stub = peers.stub(ProbeServiceStub)
    numbers = [response.number async for response in stub.Watch(pb.WatchRequest(until=3))]
    assert numbers == [1, 2, 3]

    async def watch() -> None:
        async for _ in stub.Watch(pb.WatchRequest(until=3, fail_at=2)):
            pass

    assert await reason_of(watch()) == "NOT_FOUND"


async def test_reads_and_writes_are_told_apart_by_the_contract() -> None:
    methods = PROBE_SERVICE.methods_by_name
    names = ("GetRecord", "ListRecords", "UpdateRecord", "Echo")
    assert [is_read(methods[name]) for name in names] == [True, True, False, False]
    assert not is_read(None)


class Flaky:
    """A bare server that does not serve a method twice, and then answers."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self.code = code
        self.asked: list[str] = []

    async def serve(self, request: bytes, context: grpc.aio.ServicerContext[bytes, bytes], *, name: str) -> bytes:
        self.asked.append(name)
        if self.asked.count(name) < 3:
            await context.abort(self.code, "not now")
        return b""


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED], ids=["away", "draining"])
async def test_a_read_is_tried_again_when_the_peer_does_not_serve_and_a_write_is_not(code: grpc.StatusCode) -> None:
    flaky = Flaky(code)

    async def read(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        return await flaky.serve(request, context, name="read")

    async def write(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        return await flaky.serve(request, context, name="write")

    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        [
            grpc.method_handlers_generic_handler(
                PROBE_SERVICE.full_name,
                {
                    "ListRecords": grpc.unary_unary_rpc_method_handler(read),  # pyright: ignore[reportArgumentType] - an asynchronous handler
                    "UpdateRecord": grpc.unary_unary_rpc_method_handler(write),  # pyright: ignore[reportArgumentType] - the same
                },
            )
        ]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    peers = Peers({"testing": f"127.0.0.1:{port}"}, telemetry=Telemetry("caller", sample_ratio=0))
    try:
        stub = peers.stub(ProbeServiceStub)
        assert await stub.ListRecords(pb.ListRecordsRequest()) == pb.ListRecordsResponse()
        assert await reason_of(stub.UpdateRecord(pb.UpdateRecordRequest())) == code.name
        assert (flaky.asked.count("read"), flaky.asked.count("write")) == (3, 1)
    finally:
        await peers.close()
        await server.stop(None)


async def test_a_peer_without_an_address_is_named() -> None:
    peers = Peers({}, telemetry=Telemetry("caller", sample_ratio=0))
    with pytest.raises(LookupError, match="ZHIBU_PEER_TESTING is not set"):
        peers.stub(ProbeServiceStub)


async def test_one_token_serves_many_calls_at_once_and_is_renewed_before_it_expires(issuer: TokenIssuer) -> None:
    clock = FixedClock()
    async with httpx.AsyncClient() as http:
        tokens = ServiceTokens(http, ServiceSettings.model_validate(issuer.settings), clock=clock)
        first = await asyncio.gather(*(tokens.token() for _ in range(10)))
        assert (len(set(first)), issuer.token_requests) == (1, 1)
        clock.advance(239)
        await tokens.token()
        assert issuer.token_requests == 1
        clock.advance(2)
        await tokens.token()
        assert issuer.token_requests == 2
        issuer.silent = True
        clock.advance(290)
        # It is in its last seconds and the issuer is away: better this one than none.
        assert await tokens.token()
        clock.advance(20)
        with pytest.raises(ServiceError) as caught:
            await tokens.token()
        assert caught.value.reason == "UNAVAILABLE"


async def test_a_service_among_services_gets_in_with_its_own_token(
    probe: Probe, issuer: TokenIssuer, clock: FixedClock
) -> None:
    async with start_probe(issuer, clock=clock, peers={"testing": probe.running.address}) as caller:
        stub = caller.runtime.peers.stub(ProbeServiceStub)
        assert (await stub.Echo(pb.EchoRequest(text="hello"))).trace_id
        (call,) = probe.servicer.calls
        assert call.caller.service == "testing"
        # The rule names identity, and this is another service.
        assert await reason_of(stub.CallFromService(pb.CallFromServiceRequest())) == "PERMISSION_DENIED"


async def test_reads_notice_nothing_of_one_of_two_processes_that_drains(
    probe: Probe, issuer: TokenIssuer, clock: FixedClock
) -> None:
    async def token() -> str:
        return issuer.token("reader")

    stopped = asyncio.Event()
    going = AsyncExitStack()
    goes = await going.enter_async_context(start_probe(issuer, clock=clock))
    for one in (probe, goes):
        one.backing.grants.give("reader", "370724", "testing.records.read")
    both = f"ipv4:{probe.running.address},{goes.running.address}"
    peers = Peers({"testing": both}, telemetry=Telemetry("caller", sample_ratio=0), token=token)
    counts = [0] * READERS

    async def read_on(reader: int) -> None:
        while not stopped.is_set():
            await peers.stub(ProbeServiceStub).ListRecords(pb.ListRecordsRequest(organisation_id="370724"))
            counts[reader] += 1

    async def go() -> None:
        await wait_until(lambda: min(counts) > CALLS)
        await going.aclose()
        stopped.set()

    try:
        await asyncio.gather(go(), *(read_on(reader) for reader in range(READERS)))
    finally:
        stopped.set()
        await peers.close()
        await going.aclose()
