"""Ordinary calls through a real gateway to a real gRPC service."""

from typing import Any

import httpx
import pytest
from support.gateway_door import Door
from support.metrics_text import undeclared_in, value_of

ECHO = "/v1/testing/echo"


async def echo(door: Door, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    return await door.http.post(ECHO, json={"text": "你好", **body}, headers=headers)


async def test_a_call_comes_back_as_json_with_every_field(door: Door) -> None:
    response = await echo(door, number=7)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert answer["request"] == {
        "text": "你好",
        "number": 7,
        "secret": "",
        "announcement": "",
        "requestId": "",
    }
    assert answer["language"] == "zh-CN"


async def test_the_deadline_reaches_the_service(door: Door) -> None:
    deadline_ms = int((await echo(door)).json()["deadlineMs"])
    # gRPC rounds deadlines up a little on the wire.
    assert 10_000 < deadline_ms < 15_500


async def test_a_traceparent_goes_on_and_a_malformed_one_begins_anew(door: Door) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    response = await echo(door, {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-00"})
    assert response.json()["traceId"] == trace_id
    other = (await echo(door, {"traceparent": "00-nonsense"})).json()["traceId"]
    assert other != trace_id
    assert len(other) == 32


async def test_the_request_id_is_kept_when_it_is_one(door: Door) -> None:
    response = await echo(door, {"x-request-id": "01kb0f5m4q3z8v7x6w5t4r3s2p"})
    assert response.headers["x-request-id"] == "01kb0f5m4q3z8v7x6w5t4r3s2p"
    assert door.probe.servicer.calls[-1].request_id == "01kb0f5m4q3z8v7x6w5t4r3s2p"
    assert (await echo(door, {"x-request-id": "no spaces"})).headers["x-request-id"] != "no spaces"


async def test_english_is_answered_in_english(door: Door) -> None:
    assert (await echo(door, {"accept-language": "en-GB,zh;q=0.3"})).json()["language"] == "en"


async def test_whoever_is_logged_in_reaches_the_service(door: Door) -> None:
    response = await door.http.get("/v1/testing/me", headers=door.as_account("a1", member_id="m1"))
    assert response.json() == {"accountId": "a1", "memberId": "m1"}


async def test_nothing_of_the_caller_reaches_an_anonymous_method(door: Door) -> None:
    response = await door.http.get("/v1/testing/anonymous", headers=door.as_account("a1"))
    assert response.json() == {"hasCaller": False}


async def test_a_list_takes_its_fields_from_the_query(door: Door) -> None:
    headers = door.as_clerk()
    url = "/v1/testing/organisations/370724/records"
    first = (await door.http.get(url, params={"pageSize": 2}, headers=headers)).json()
    assert [record["recordId"] for record in first["records"]] == ["r1", "r2"]
    rest = (
        await door.http.get(url, params={"page_size": "2", "page_token": first["nextPageToken"]}, headers=headers)
    ).json()
    assert [record["recordId"] for record in rest["records"]] == ["r3"]
    assert rest["nextPageToken"] == ""
    nested = await door.http.get(
        url,
        params=[
            ("filter.prefix", "记"),
            ("filter.sinceTime", "2026-01-01T00:00:00Z"),
            ("colours", "COLOUR_RED"),
            ("colours", "2"),
        ],
        headers=headers,
    )
    assert nested.status_code == 200


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("pageSize=1_0", "pageSize", "NOT_INTEGER"),
        ("pageSize=%EF%BC%95", "pageSize", "NOT_INTEGER"),
        ("pageSize=1&pageSize=2", "pageSize", "DUPLICATE_FIELD"),
        ("pageSize=1&page_size=2", "page_size", "DUPLICATE_FIELD"),
        ("colours=PINK", "colours", "UNKNOWN_ENUM"),
        ("nope=1", "nope", "UNKNOWN_FIELD"),
        ("filter.sinceTime=2026-01-01", "filter.sinceTime", "BAD_TIMESTAMP"),
        ("filter.prefix=a%00b", "filter.prefix", "BAD_TEXT"),
        ("filter.prefix=%FF", "", "NOT_UTF8"),
        ("pageSize=500", "pageSize", "INT32_GTE_LTE"),
    ],
)
async def test_a_query_that_does_not_fit_names_the_parameter(door: Door, query: str, field: str, code: str) -> None:
    response = await door.http.get(f"/v1/testing/organisations/370724/records?{query}", headers=door.as_clerk())
    assert response.status_code == 400
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(field, code)]


async def test_an_encoded_slash_or_colon_stays_inside_its_identifier(door: Door) -> None:
    headers = door.as_clerk()
    for name in ("r%2F1", "7%3Acosign", "%2e%2e"):
        response = await door.http.get(f"/v1/testing/organisations/370724/records/{name}", headers=headers)
        assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    response = await door.http.get("/v1/testing/organisations/370724/records/7:cosign", headers=headers)
    assert (response.status_code, response.json()["code"]) == (404, "ROUTE_NOT_FOUND")


async def test_large_answers_are_compressed_when_the_client_takes_it(door: Door) -> None:
    everything = {"children": [{"stringValue": "长" * 50} for _ in range(40)]}
    response = await echo(door, everything=everything)
    assert response.headers["content-encoding"] == "gzip"
    assert len(response.json()["request"]["everything"]["children"]) == 40
    plain = await echo(door, {"accept-encoding": "identity"}, everything=everything)
    assert "content-encoding" not in plain.headers
    assert plain.json()["request"] == response.json()["request"]


async def test_head_answers_as_get_without_a_body(door: Door) -> None:
    response = await door.http.head("/v1/testing/me", headers=door.as_account("a1"))
    assert response.status_code == 200
    assert response.content == b""


async def test_every_answer_carries_the_security_headers(door: Door) -> None:
    for response in (await echo(door), await door.http.get("/nowhere"), await door.http.get("/docs")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in response.headers["content-security-policy"]
        assert "server" not in response.headers


async def test_an_rpc_that_ends_says_so(door: Door) -> None:
    response = await door.http.get("/v1/testing/old-echo", params={"text": "a"})
    assert response.status_code == 200
    # 2026-11-01 in China, and the end of 2027-11-01 there.
    assert response.headers["deprecation"] == "@1793462400"
    assert response.headers["sunset"] == "Mon, 01 Nov 2027 16:00:00 GMT"
    assert 'rel="deprecation"' in response.headers["link"]


async def test_a_service_only_rpc_has_no_address(door: Door) -> None:
    assert "CallFromService" not in (await door.http.get("/openapi.json")).text


async def test_an_allowed_origin_may_read_and_others_may_not(door: Door) -> None:
    allowed = await echo(door, {"origin": "https://app.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-credentials" not in allowed.headers
    other = await echo(door, {"origin": "https://app.example.evil"})
    assert "access-control-allow-origin" not in other.headers


async def test_a_preflight_is_answered_for_allowed_origins(door: Door) -> None:
    headers = {"origin": "https://app.example", "access-control-request-method": "POST"}
    response = await door.http.options(ECHO, headers=headers)
    assert response.status_code == 204
    assert response.headers["access-control-allow-methods"] == "OPTIONS, POST"
    assert "Idempotency-Key" in response.headers["access-control-allow-headers"]
    other = await door.http.options(ECHO, headers={**headers, "origin": "https://evil.example"})
    assert "access-control-allow-methods" not in other.headers
    refused = await door.http.get("/v1/testing/me", headers={"origin": "https://app.example"})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://app.example"


async def test_health_is_told_on_both_doors(door: Door) -> None:
    assert (await door.http.get("/healthz")).status_code == 200
    assert (await door.http.get("/readyz")).json() == {"ready": True}
    async with httpx.AsyncClient(base_url=f"http://{door.gateway.health_address}") as health:
        assert (await health.get("/readyz")).json()["deny_list"] is True
        metrics = (await health.get("/metrics")).text
    assert 'operation="zhibu.testing.v1.ProbeService/Echo"' in metrics
    assert undeclared_in(metrics) == []
    assert value_of(metrics, "zhibu_health_check", check="deny_list") == 1
    assert value_of(metrics, "zhibu_deny_list_silent_seconds") is not None


async def test_the_pages_for_people_come_in_both_languages_and_without_scripts(door: Door) -> None:
    for path in ("/docs", "/errors", "/errors/RATE_LIMITED"):
        chinese = await door.http.get(path)
        english = await door.http.get(path, headers={"accept-language": "en"})
        assert (chinese.status_code, english.status_code) == (200, 200)
        assert 'lang="zh-CN"' in chinese.text
        assert '<html lang="en">' in english.text
        assert "<script" not in chinese.text
        assert "//cdn" not in chinese.text
    assert (await door.http.get("/errors/NO_SUCH_REASON")).status_code == 404
