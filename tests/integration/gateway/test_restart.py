"""A service that restarts: what can be repeated without harm is, and the client notices nothing."""

import asyncio

import grpc
import grpc.aio
import pytest
from support.gateway_door import open_gateway
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.probe import PROBE_SERVICE
from zhibu_kit.testing.probe_service import Probe, start_probe


async def restart_after(probe_address: str, issuer: TokenIssuer, seconds: float, done: asyncio.Event) -> None:
    """Starts the service anew on the same port a little later, as a rolling update does."""
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()
    loop.call_later(seconds, woken.set)
    await woken.wait()
    async with start_probe(issuer, listen=probe_address):
        await done.wait()


calls_and_answers = pytest.mark.parametrize(
    ("http_method", "url", "headers", "status"),
    [
        ("POST", "/v1/testing/echo", {"idempotency-key": "once"}, 200),
        ("GET", "/v1/testing/old-echo", {}, 200),
        ("POST", "/v1/testing/echo", {}, 503),
    ],
    ids=["named write", "read", "write without a name"],
)


@calls_and_answers
async def test_what_can_be_repeated_without_harm_survives_a_restart(  # noqa: PLR0917 the columns of the table
    issuer: TokenIssuer, probe: Probe, http_method: str, url: str, headers: dict[str, str], status: int
) -> None:
    async with start_probe(issuer) as first:
        address = first.running.address
    done = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, open_gateway(issuer, probe, peers={"testing": address}) as door:
        tasks.create_task(restart_after(address, issuer, 0.3, done))
        try:
            body = {"text": "ab"} if http_method == "POST" else None
            answer = await door.http.request(http_method, url, json=body, headers=headers)
            assert answer.status_code == status
        finally:
            done.set()


@calls_and_answers
async def test_what_can_be_repeated_without_harm_survives_a_process_that_resets_calls_while_it_drains(  # noqa: PLR0917 the columns of the table
    issuer: TokenIssuer, probe: Probe, http_method: str, url: str, headers: dict[str, str], status: int
) -> None:
    asked: list[str] = []

    async def reset_then_answer(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        asked.append("")
        if len(asked) == 1:
            await context.abort(grpc.StatusCode.CANCELLED, "")
        return b""

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(reset_then_answer)  # pyright: ignore[reportArgumentType] - an asynchronous handler
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(PROBE_SERVICE.full_name, {"Echo": handler, "OldEcho": handler})]
    )
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        async with open_gateway(issuer, probe, peers={"testing": address}) as door:
            body = {"text": "ab"} if http_method == "POST" else None
            answer = await door.http.request(http_method, url, json=body, headers=headers)
            assert (answer.status_code, len(asked)) == (status, 2 if status == 200 else 1)
    finally:
        await server.stop(None)
