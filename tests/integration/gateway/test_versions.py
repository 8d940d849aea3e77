"""ETags, preconditions and idempotency keys."""

import pytest
from support.gateway_door import Door

RECORD = "/v1/testing/organisations/370724/records/r1"


async def test_a_record_is_edited_under_its_etag_and_only_once(door: Door) -> None:
    clerk = door.as_clerk()
    read = await door.http.get(RECORD, headers=clerk)
    etag = read.headers["etag"]
    assert etag == f'"{read.json()["etag"]}"'
    edited = await door.http.patch(RECORD, json={"text": "新"}, headers={**clerk, "if-match": etag})
    assert edited.status_code == 200
    assert edited.headers["etag"] != etag
    late = await door.http.patch(RECORD, json={"text": "旧"}, headers={**clerk, "if-match": etag})
    assert (late.status_code, late.json()["code"]) == (412, "ETAG_MISMATCH")


async def test_an_edit_without_a_version_is_refused(door: Door) -> None:
    response = await door.http.patch(RECORD, json={"text": "新"}, headers=door.as_clerk())
    assert (response.status_code, response.json()["code"]) == (428, "PRECONDITION_REQUIRED")


@pytest.mark.parametrize(
    ("if_match", "status", "code"),
    [
        ('W/"v1"', 412, "ETAG_MISMATCH"),
        ('"v999"', 412, "ETAG_MISMATCH"),
        ("v1", 400, "MALFORMED_HEADER"),
        ("*", 400, "MALFORMED_HEADER"),
        ('"v1", "v2"', 400, "MALFORMED_HEADER"),
    ],
)
async def test_if_match_takes_one_strong_tag(door: Door, if_match: str, status: int, code: str) -> None:
    response = await door.http.patch(RECORD, json={"text": "新"}, headers={**door.as_clerk(), "if-match": if_match})
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_a_precondition_that_cannot_be_honoured_is_refused(door: Door) -> None:
    response = await door.http.post("/v1/testing/echo", json={"text": "ab"}, headers={"if-match": '"v1"'})
    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_HEADER")


async def test_a_version_that_the_client_has_is_not_sent_again(door: Door) -> None:
    clerk = door.as_clerk()
    etag = (await door.http.get(RECORD, headers=clerk)).headers["etag"]
    again = await door.http.get(RECORD, headers={**clerk, "if-none-match": f'"x", W/{etag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert (await door.http.get(RECORD, headers={**clerk, "if-none-match": '"x"'})).status_code == 200


async def test_the_idempotency_key_is_the_request_id(door: Door) -> None:
    for key in ("key-1", '"key-1"'):
        response = await door.http.post("/v1/testing/echo", json={"text": "ab"}, headers={"idempotency-key": key})
        assert response.json()["request"]["requestId"] == "key-1"


async def test_a_write_is_done_once_however_often_it_is_sent(door: Door) -> None:
    clerk = door.as_clerk()
    url = RECORD.replace("r1", "r2")
    etag = (await door.http.get(url, headers=clerk)).headers["etag"]
    headers = {**clerk, "if-match": etag, "idempotency-key": "edit-r2-once"}
    answers = [await door.http.patch(url, json={"text": "一次"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


async def test_a_key_that_contradicts_the_body_or_is_none_is_refused(door: Door) -> None:
    body = {"text": "ab", "requestId": "other"}
    response = await door.http.post("/v1/testing/echo", json=body, headers={"idempotency-key": "key"})
    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_HEADER")
    response = await door.http.post("/v1/testing/echo", json={"text": "ab"}, headers={"idempotency-key": "a b"})
    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_HEADER")


async def test_a_method_without_request_ids_refuses_a_key(door: Door) -> None:
    response = await door.http.post("/v1/testing/fail", json={"how": ""}, headers={"idempotency-key": "key"})
    assert (response.status_code, response.json()["code"]) == (400, "IDEMPOTENCY_KEY_UNSUPPORTED")
