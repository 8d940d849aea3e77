"""Uploads, downloads, event streams and webhooks."""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from support.gateway_door import Door, open_gateway
from zhibu_kit.testing.waiting import wait_until

MIB = 1024 * 1024


async def pieces(total: int, size: int = 100_000) -> AsyncGenerator[bytes]:
    for start in range(0, total, size):
        yield bytes(min(size, total - start))


async def test_an_upload_arrives_whole_with_its_media_type(door: Door) -> None:
    response = await door.http.post(
        "/v1/testing/files/%E6%9D%90%E6%96%99.pdf",
        content=pieces(20 * MIB),
        headers={"content-type": "application/pdf"},
    )
    assert response.json() == {
        "sizeBytes": str(20 * MIB),
        "sha256": hashlib.sha256(bytes(20 * MIB)).hexdigest(),
        "contentType": "application/pdf",
    }


async def test_an_empty_upload_is_one(door: Door) -> None:
    response = await door.http.post("/v1/testing/files/a", content=b"")
    assert response.json()["sizeBytes"] == "0"


async def test_an_upload_beyond_the_contracts_limit_is_refused_by_length_and_by_count(door: Door) -> None:
    host, _, port = door.gateway.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /v1/testing/files/a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (65 * MIB))
    assert b" 413 " in await reader.readline()
    writer.close()
    counted = await door.http.post("/v1/testing/files/a", content=pieces(65 * MIB, MIB))
    assert (counted.status_code, counted.json()["code"]) == (413, "REQUEST_TOO_LARGE")


async def test_an_upload_that_the_service_refuses_ends_with_its_reason(door: Door) -> None:
    response = await door.http.post("/v1/testing/files/a?nope=1", content=pieces(MIB))
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "UNKNOWN_FIELD")


async def test_a_download_comes_whole_and_under_its_own_name(door: Door) -> None:
    response = await door.http.get("/v1/testing/files/%E6%9D%90%E6%96%99.bin", params={"size_bytes": 5 * MIB})
    assert response.content == bytes(5 * MIB)
    assert response.headers["content-type"] == "application/octet-stream"
    assert (
        response.headers["content-disposition"]
        == "attachment; filename=\"__.bin\"; filename*=UTF-8''%E6%9D%90%E6%96%99.bin"
    )
    assert response.headers["content-security-policy"].startswith("sandbox")


async def test_a_download_that_is_refused_is_a_problem(door: Door) -> None:
    response = await door.http.get("/v1/testing/files/a", params={"size_bytes": -1})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "sizeBytes")


async def test_a_large_download_comes_piece_by_piece(door: Door) -> None:
    url = f"{door.gateway.url}/v1/testing/files/a?size_bytes={64 * MIB}"
    async with httpx.AsyncClient(trust_env=False) as http, http.stream("GET", url) as response:
        received = 0
        async for piece in response.aiter_raw():
            received += len(piece)
    assert received == 64 * MIB


def events_of(text: str) -> list[tuple[str, str, Any]]:
    """Takes a stream apart: id, event and data of each."""
    found: list[tuple[str, str, Any]] = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if "event" in fields:
            found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return found


async def test_a_stream_of_messages_becomes_events(door: Door) -> None:
    response = await door.http.get("/v1/testing/counter:watch", params={"until": 3})
    assert response.headers["content-type"] == "text/event-stream"
    assert events_of(response.text) == [
        ("1", "update", {"number": 1}),
        ("2", "update", {"number": 2}),
        ("3", "update", {"number": 3}),
        ("", "end", {}),
    ]


async def test_an_error_in_the_middle_is_an_event_with_the_problem(door: Door) -> None:
    response = await door.http.get("/v1/testing/counter:watch", params={"until": 3, "failAt": 2})
    *updates, (_, event, problem) = events_of(response.text)
    assert updates == [("1", "update", {"number": 1})]
    assert (event, problem["code"], problem["status"]) == ("problem", "NOT_FOUND", 404)


async def test_an_error_at_once_is_an_ordinary_problem(door: Door) -> None:
    response = await door.http.get("/v1/testing/counter:watch", params={"until": 3, "failAt": 1})
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    response = await door.http.get("/v1/testing/counter:watch", headers={"accept": "application/json"})
    assert (response.status_code, response.json()["code"]) == (406, "NOT_ACCEPTABLE")


async def test_silence_is_filled_with_comments(door: Door) -> None:
    async with door.http.stream("GET", "/v1/testing/counter:watch", params={"until": 2, "intervalMs": 700}) as response:
        text = "".join([piece async for piece in response.aiter_text()])
    assert ": still here\n\n" in text
    assert [event for _, event, _ in events_of(text)] == ["update", "update", "end"]


async def test_a_client_that_leaves_ends_the_call(door: Door) -> None:
    with suppress(httpx.HTTPError):
        async with door.http.stream(
            "GET", "/v1/testing/counter:watch", params={"until": 1000, "intervalMs": 10}
        ) as response:
            await anext(response.aiter_raw())
    await wait_until(lambda: _cancelled(door))


async def _cancelled(door: Door) -> bool:
    async with httpx.AsyncClient(base_url=f"http://{door.probe.running.health_address}", trust_env=False) as http:
        text = (await http.get("/metrics")).text
    return any("ProbeService/Watch" in line and 'code="CANCELLED"' in line for line in text.splitlines())


async def test_streams_end_when_the_gateway_drains(door: Door) -> None:
    async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
        async with open_gateway(door.issuer, door.probe) as other:
            url = f"{other.gateway.url}/v1/testing/counter:watch?until=1000&intervalMs=50"
            request = http.build_request("GET", url)
            response = await http.send(request, stream=True)
            chunks = response.aiter_text()
            assert await anext(chunks)
        # The block above has ended, so the gateway has drained; the stream was closed in order, without an "end".
        text = "".join([piece async for piece in chunks])
        assert "event: end" not in text
        await response.aclose()


async def test_too_many_streams_are_refused(door: Door) -> None:
    async with open_gateway(door.issuer, door.probe, max_streams=1) as small:
        params = {"until": 1000, "intervalMs": 50}
        async with small.http.stream("GET", "/v1/testing/counter:watch", params=params) as first:
            assert first.status_code == 200
            second = await small.http.get("/v1/testing/counter:watch", params=params)
            assert (second.status_code, second.json()["code"]) == (503, "UNAVAILABLE")


@pytest.mark.parametrize("body", [b'{ "b" : 1,\n "a": 2 }', b"\xff\x00\x01", b""])
async def test_a_webhook_gets_the_exact_bytes_and_the_headers(door: Door, body: bytes) -> None:
    response = await door.http.post(
        "/v1/testing/webhooks/bank",
        content=body,
        headers={"x-signature": "t=1,v1=abc", "content-type": "application/json", "authorization": "Bearer secret"},
    )
    assert response.json() == {"sha256": hashlib.sha256(body).hexdigest(), "signature": "t=1,v1=abc"}
