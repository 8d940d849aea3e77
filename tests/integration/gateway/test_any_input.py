"""Whatever a client sends, the answer is an answer of ours: never a failure of the gateway."""

import asyncio
import random
import secrets

import pytest
from support.gateway_door import Door

REQUESTS = 400
PIECES = [
    "v1", "testing", "echo", "files", "records", "organisations", "370724", "counter:watch", "webhooks", "docs", "errors",
    "%2F", "%00", "%FF", "%", "%zz", "..", ":", "a:b", "支部", "*", "{id}", "?", "&", "=", "+", "%E6%94%AF", "", "x" * 300,
]  # fmt: skip
VALUES = [
    "null",
    "true",
    "-0",
    "1e999",
    "1" * 400,
    '"\\ud800"',
    '"\\u0000"',
    "[]",
    "{}",
    "[" * 300,
    '"支"',
    "1.5",
    '"NaN"',
    "-1",
]
NAMES = ["text", "number", "everything", "secret", "requestId", "request_id", "nope", "", "@type", "\\u0000"]
HEADERS = {
    "content-type": ["application/json", "application/json; charset=utf-8", "text/plain", ";;;", "application/x+json"],
    "accept": ["*/*", "text/html", "application/json;q=0", ",,,;;;q=x", "application/*;q=nan"],
    "accept-language": ["en", "zh", "*", "en;q=1.5,zh;q=-1", ";", "xx" * 200],
    "authorization": ["Bearer", "Bearer a", "Basic x", "", "Bearer " + "a." * 50],
    "if-match": ['"v1"', "*", 'W/"a"', '"', ""],
    "idempotency-key": ["a", '"a"', "", "支".encode().decode("latin-1"), "x" * 65],
    "traceparent": ["00-" + "0" * 32 + "-" + "0" * 16 + "-01", "ff", "00-" + "a" * 32 + "-" + "b" * 16 + "-01"],
    "x-forwarded-for": ["1.2.3.4", "nonsense, ,", "::1"],
    "origin": ["https://app.example", "null", ""],
    "accept-encoding": ["gzip", "gzip;q=0", "*;q=0.5", ";"],
    "content-length": ["-1", "+5", "1e3", "99999999999999999999"],
    "transfer-encoding": ["gzip", "chunked, chunked"],
}  # fmt: skip


def body_of(chance: random.Random, depth: int = 0) -> str:
    if depth > 3 or chance.random() < 0.5:
        return chance.choice(VALUES)
    members = ", ".join(f'"{chance.choice(NAMES)}": {body_of(chance, depth + 1)}' for _ in range(chance.randrange(4)))
    return "{" + members + "}"


def request_of(chance: random.Random) -> bytes:
    """Makes a request that is HTTP, more or less."""
    if chance.random() < 0.5:
        path = chance.choice(
            ["/v1/testing/echo", "/v1/testing/counter:watch?until=1", "/v1/testing/files/a", "/v1/testing/me"]
        )
    else:
        path = "/" + "/".join(chance.choice(PIECES) for _ in range(chance.randrange(6)))
    if chance.random() < 0.3:
        path += "?" + "&".join(chance.choice(PIECES) + "=" + chance.choice(PIECES) for _ in range(3))
    body = body_of(chance).encode()
    if chance.random() < 0.2:
        body = bytes(chance.randrange(256) for _ in range(chance.randrange(60)))
    lines = [f"{chance.choice(['GET', 'POST', 'POST', 'PATCH', 'HEAD', 'OPTIONS', 'BREW'])} {path} HTTP/1.1", "Host: x"]
    for name, values in HEADERS.items():
        if chance.random() < 0.25 and name not in ("content-length", "transfer-encoding"):
            lines.append(f"{name}: {chance.choice(values)}")
    if chance.random() < 0.05:
        name = chance.choice(["content-length", "transfer-encoding"])
        lines.append(f"{name}: {chance.choice(HEADERS[name])}")
    else:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "connection: close", "", ""]).encode("utf-8") + body


async def answer_to(door: Door, request: bytes) -> bytes:
    host, _, port = door.gateway.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.timeout(120)
async def test_whatever_is_sent_is_answered_and_never_by_a_failure_of_ours(door: Door) -> None:
    seed = secrets.randbits(32)
    chance = random.Random(seed)
    for number in range(REQUESTS):
        request = request_of(chance)
        answer = await answer_to(door, request)
        status = int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0
        assert 200 <= status < 500, f"seed {seed}, request {number}: {request!r} was answered {answer[:400]!r}"
    assert (await door.http.post("/v1/testing/echo", json={"text": "ab"})).status_code == 200
