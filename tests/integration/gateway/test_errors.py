"""Every error, whoever makes it, in one shape."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import orjson
import pytest
from support.gateway_door import Door

ECHO = "/v1/testing/echo"


def check_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Checks the shape that all problems have, and gives the document."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == code
    assert problem["type"] == f"/errors/{code}"
    assert problem["status"] == status
    assert problem["instance"] == f"urn:zhibu:request:{response.headers['x-request-id']}"
    assert re.fullmatch("[0-9a-f]{32}", problem["trace_id"])
    assert problem["title"]
    assert problem["detail"]
    return problem


async def test_an_unknown_address(door: Door) -> None:
    check_problem(await door.http.get("/v1/nowhere"), 404, "ROUTE_NOT_FOUND")
    check_problem(await door.http.get("/v1/testing/echo/"), 404, "ROUTE_NOT_FOUND")
    check_problem(await door.http.get("/docs/"), 404, "ROUTE_NOT_FOUND")


async def test_a_method_that_the_address_does_not_take(door: Door) -> None:
    response = await door.http.delete(ECHO)
    check_problem(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "OPTIONS, POST"
    check_problem(await door.http.post("/docs"), 405, "METHOD_NOT_ALLOWED")
    check_problem(
        await door.http.post(ECHO, headers={"x-http-method-override": "DELETE"}, json={}), 400, "INVALID_ARGUMENT"
    )


async def test_a_path_that_is_no_text(door: Door) -> None:
    check_problem(await door.http.get("/v1/testing/files/%FF"), 400, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "text/plain"}, b"{}"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"text=a"),
        ({"content-type": "application/json; charset=gbk"}, b"{}"),
        ({"content-type": "application/json", "content-encoding": "gzip"}, b"{}"),
        ({}, b"{}"),
    ],
)
async def test_a_body_of_another_format(door: Door, headers: dict[str, str], body: bytes) -> None:
    check_problem(await door.http.post(ECHO, content=body, headers=headers), 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_an_answer_that_the_client_does_not_take(door: Door) -> None:
    for accept in ("text/html", "application/json;q=0", "image/*"):
        check_problem(
            await door.http.post(ECHO, json={"text": "ab"}, headers={"accept": accept}), 406, "NOT_ACCEPTABLE"
        )
    for accept in ("*/*", "application/*", "text/html, application/json;q=0.1"):
        assert (await door.http.post(ECHO, json={"text": "ab"}, headers={"accept": accept})).status_code == 200


async def test_a_body_that_is_too_large(door: Door) -> None:
    large = b'{"text": "' + b"a" * 1_100_000 + b'"}'
    json = {"content-type": "application/json"}
    check_problem(await door.http.post(ECHO, content=large, headers=json), 413, "REQUEST_TOO_LARGE")

    async def in_pieces() -> AsyncGenerator[bytes]:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    check_problem(await door.http.post(ECHO, content=in_pieces(), headers=json), 413, "REQUEST_TOO_LARGE")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (b"{", "", "NOT_JSON"),
        (b'{"text": "\xff"}', "", "NOT_UTF8"),
        (b'{"text": "ab", "text": "cd"}', "", "DUPLICATE_KEY"),
        (b'{"text": 5}', "text", "WRONG_TYPE"),
        (b'{"everything": {"children": [{"numbers": ["1_0"]}]}}', "everything.children[0].numbers[0]", "NOT_INTEGER"),
        (b'{"everything": {"name": "a", "number": 1}}', "everything.number", "ONEOF_CONFLICT"),
        (b'{"text": "a\\u0000"}', "text", "BAD_TEXT"),
    ],
)
async def test_a_body_that_does_not_fit_names_the_field(door: Door, body: bytes, field: str, code: str) -> None:
    response = await door.http.post(ECHO, content=body, headers={"content-type": "application/json"})
    problem = check_problem(response, 400, "INVALID_ARGUMENT")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]
    assert problem["errors"][0]["detail"]


async def test_a_rule_of_the_contract_names_the_field_in_the_clients_language(door: Door) -> None:
    body = {"text": "a", "number": 101}
    chinese = check_problem(await door.http.post(ECHO, json=body), 400, "INVALID_ARGUMENT")
    english = check_problem(
        await door.http.post(ECHO, json=body, headers={"accept-language": "en"}), 400, "INVALID_ARGUMENT"
    )
    assert [(error["field"], error["code"]) for error in chinese["errors"]] == [
        ("text", "STRING_MIN_LEN"),
        ("number", "INT32_GTE_LTE"),
    ]
    assert "2" in english["errors"][0]["detail"]
    assert english["errors"][0]["detail"].isascii()
    assert not chinese["errors"][0]["detail"].isascii()
    assert chinese["title"] != english["title"]


async def test_a_field_of_a_body_field_is_named_as_in_the_body(door: Door) -> None:
    response = await door.http.patch(
        "/v1/testing/organisations/370724/records/r3",
        json={"text": "长" * 101},
        headers={**door.as_clerk(), "if-match": '"v1"'},
    )
    problem = check_problem(response, 400, "INVALID_ARGUMENT")
    assert [error["field"] for error in problem["errors"]] == ["text"]


async def test_without_a_token_a_client_is_told_how_to_authenticate(door: Door) -> None:
    response = await door.http.get("/v1/testing/me")
    check_problem(response, 401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == 'Bearer realm="zhibu"'


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Basic YTpi", "bearer a.b.c", "Bearer ü"])
async def test_a_bad_token_is_refused_even_where_none_is_needed(door: Door, authorization: str) -> None:
    for url in ("/v1/testing/me", "/v1/testing/old-echo"):
        response = await door.http.get(url, headers=[(b"authorization", authorization.encode("latin-1"))])
        check_problem(response, 401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == 'Bearer realm="zhibu", error="invalid_token"'


async def test_an_expired_or_revoked_token_is_refused(door: Door) -> None:
    expired = door.as_account("a2", iat=1, exp=2)
    check_problem(await door.http.get("/v1/testing/me", headers=expired), 401, "UNAUTHENTICATED")
    good = door.as_account("a3")
    assert (await door.http.get("/v1/testing/me", headers=good)).status_code == 200
    door.gateway.deny_list.revoke(door.probe_revocation("a3"))
    check_problem(await door.http.get("/v1/testing/me", headers=good), 401, "UNAUTHENTICATED")


async def test_a_service_refusal_keeps_its_reason(door: Door) -> None:
    check_problem(await door.http.post("/v1/testing/fail", json={"how": "not_found"}), 404, "NOT_FOUND")
    check_problem(await door.http.post("/v1/testing/fail", json={"how": "ETAG_MISMATCH"}), 412, "ETAG_MISMATCH")
    check_problem(await door.http.post("/v1/testing/fail", json={"how": "REQUEST_ID_REUSED"}), 409, "REQUEST_ID_REUSED")
    stranger = await door.http.get("/v1/testing/organisations/370724/records/r1", headers=door.as_account("stranger"))
    check_problem(stranger, 403, "PERMISSION_DENIED")


async def test_a_services_own_limit_says_when_to_come_again(door: Door) -> None:
    response = await door.http.post("/v1/testing/fail", json={"how": "limited"})
    check_problem(response, 429, "RATE_LIMITED")
    assert response.headers["retry-after"] == "7"


async def test_a_services_mistake_says_nothing_about_itself(door: Door) -> None:
    response = await door.http.post("/v1/testing/fail", json={"how": "bug"})
    check_problem(response, 500, "INTERNAL")
    assert "李四" not in response.text
    assert "138" not in response.text


async def test_a_service_that_is_slow_or_away(door: Door) -> None:
    response = await door.http.post("/v1/testing/fail", json={"how": "unavailable"})
    check_problem(response, 503, "UNAVAILABLE")
    assert "retry-after" in response.headers
    response = await door.http.post("/v1/testing/fail", json={"how": "slow"})
    check_problem(response, 504, "DEADLINE_EXCEEDED")
    # No address for branches is set in these tests.
    check_problem(await door.http.get("/v1/organisations/370724"), 503, "UNAVAILABLE")


async def test_a_header_that_is_too_long_for_its_purpose(door: Door) -> None:
    check_problem(await door.http.get("/v1/testing/old-echo?text=" + "a" * 9000), 400, "MALFORMED_REQUEST")


async def test_a_connection_that_ends_in_the_middle_of_a_body_leaves_no_mark(door: Door) -> None:
    host, _, port = door.gateway.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /v1/testing/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert orjson.loads((await door.http.post(ECHO, json={"text": "ab"})).content)["request"]["text"] == "ab"
