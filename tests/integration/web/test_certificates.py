"""Certificates of key sticks in the web client: the desk asks and waits, the holder looks closely, and confirms or refuses."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from integration.web.conftest import Browser, Instances
from integration.web.gateway import StubGateway, running_gateway
from integration.web.provider import Provider
from integration.web.test_member_pages import log_in

COUNTY = "370724"
ME, OFFICER = "01j00000000000000000000001", "01j00000000000000000000002"
ID = "01j0000000000000000000000c"
KEY = "0123456789abcdef" * 4
WAITING: dict[str, Any] = {
    "certificateId": ID,
    "memberId": ME,
    "state": "CERTIFICATE_STATE_WAITING",
    "keyFingerprint": KEY,
    "organisationId": COUNTY,
    "requestedByMemberId": OFFICER,
    "requestTime": "2026-11-23T01:00:00Z",
    "expireTime": "2026-11-30T01:00:00Z",
    "etag": "v1",
}
ISSUED: dict[str, Any] = {
    **WAITING,
    "state": "CERTIFICATE_STATE_ISSUED",
    "serialNumber": "ab12",
    "fingerprint": "f" * 64,
    "startTime": "2026-11-24T01:00:00Z",
    "endTime": "2028-11-24T01:00:00Z",
    "etag": "v2",
}
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
MINE = f"/me/certificates/{ID}"
AT_DESK = f"/desk/{COUNTY}/certificates/{ID}"


@pytest.fixture
async def gateway() -> AsyncGenerator[StubGateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway_url(gateway: StubGateway) -> str:
    return gateway.url


@pytest.fixture
async def browser(instances: Instances, provider: Provider, gateway: StubGateway) -> Browser:
    """An officer's browser, logged in."""
    grant = {"grantId": "g1", "office": "county_admin", "organisationId": COUNTY}
    me = {"memberId": ME, "realName": "王秀英", "state": "EID_STATE_ACTIVE"}
    gateway.prepare("GET /v1/me", {"eid": me, "grants": [grant]})
    gateway.prepare("GET /v1/me/inbox:countUnread", {"unreadCount": 0})
    office = {"name": "county_admin", "displayName": "县级管理员", "permissions": ["identity.certificates.issue"]}
    gateway.prepare("GET /v1/offices", {"offices": [office]})
    county = {"organisationId": COUNTY, "name": "临朐县委组织部", "level": "ORGANISATION_LEVEL_COUNTY"}
    gateway.prepare(f"GET /v1/organisations/{COUNTY}", {"organisation": county})
    names = [{"memberId": OFFICER, "realName": "李强"}, {"memberId": ME, "realName": "王秀英"}]
    gateway.prepare("POST /v1/names:lookUp", {"names": names})
    prepare(gateway, WAITING)
    browser = instances.browser()
    await log_in(browser, provider)
    return browser


def prepare(gateway: StubGateway, certificate: dict[str, Any], pem: str = "") -> None:
    shown = {"certificate": certificate, "certificatePem": pem, "etag": certificate["etag"]}
    gateway.prepare("GET /v1/me/certificates", {"certificates": [certificate]})
    gateway.prepare(f"GET /v1/me/certificates/{ID}", shown)
    gateway.prepare(f"GET /v1/organisations/{COUNTY}/certificates", {"certificates": [certificate]})
    gateway.prepare(f"GET /v1/organisations/{COUNTY}/certificates/{ID}", shown)


async def test_the_own_page_says_that_a_certificate_waits_and_only_then(browser: Browser, gateway: StubGateway) -> None:
    assert "有人为您申请了密钥盘证书" in (await browser.get("/me")).text
    prepare(gateway, ISSUED, PEM)
    page = (await browser.get("/me")).text
    assert "有人为您申请了密钥盘证书" not in page
    assert 'href="/me/certificates"' in page


async def test_the_holder_sees_who_asked_for_which_key_and_what_confirming_means(browser: Browser) -> None:
    page = (await browser.get(MINE)).text
    for shown in ("李强", "临朐县委组织部", "2026年11月23日 09:00", "2026年11月30日 09:00", "只有密钥盘在您自己手中"):
        assert shown in page
    assert " ".join(re.findall("....", KEY)) in page
    assert 'href="/me/certificates/' in (await browser.get("/me/certificates")).text


async def test_confirming_wants_a_fresh_log_in_and_the_holders_word(
    browser: Browser, gateway: StubGateway, provider: Provider
) -> None:
    early = (await browser.get(MINE)).text
    assert f"{MINE}/confirm" not in early
    asked_again = await browser.post(f"{MINE}/log-in", page=MINE)
    assert "prompt=login" in asked_again.headers["location"]
    state, code = provider.authorise(asked_again.headers["location"])
    back = await browser.get(f"/auth/callback?state={state}&code={code}")
    assert back.headers["location"] == MINE
    unticked = await browser.post(f"{MINE}/confirm", page=MINE, etag="v1")
    assert unticked.status_code == 422
    assert "请先核对并勾选" in unticked.text
    assert gateway.asked(f"POST /v1/me/certificates/{ID}:confirm") == []
    gateway.prepare(f"POST /v1/me/certificates/{ID}:confirm", {"certificate": ISSUED, "certificatePem": PEM})
    prepare(gateway, ISSUED, PEM)
    done = await browser.post(f"{MINE}/confirm", page=MINE, etag="v1", holds="yes")
    assert done.headers["location"] == MINE
    (sent,) = gateway.asked(f"POST /v1/me/certificates/{ID}:confirm")
    assert sent.headers["if-match"].strip('"') == "v1"
    page = (await browser.get(MINE)).text
    assert "证书已签发" in page
    assert "BEGIN CERTIFICATE" in page
    file = await browser.get(f"{MINE}/certificate.pem")
    assert (file.text, file.headers["content-disposition"]) == (PEM, 'attachment; filename="ab12.pem"')


async def test_a_confirmation_that_is_refused_says_why(
    browser: Browser, gateway: StubGateway, provider: Provider
) -> None:
    why = "申请之后您的职务或者电子身份证有变动"
    gateway.refuse(f"POST /v1/me/certificates/{ID}:confirm", 409, "CERTIFICATE_REQUEST_OUTDATED", why)
    asked = await browser.post(f"{MINE}/confirm", page=MINE, etag="v1", holds="yes")
    assert why in (await browser.get(asked.headers["location"])).text


async def test_refusing_needs_no_log_in_and_says_whom_to_tell(browser: Browser, gateway: StubGateway) -> None:
    refused = {**WAITING, "state": "CERTIFICATE_STATE_REFUSED", "etag": "v2"}
    gateway.prepare(f"POST /v1/me/certificates/{ID}:refuse", {"certificate": refused})
    done = await browser.post(f"{MINE}/refuse", page=MINE, etag="v1")
    assert done.headers["location"] == "/me/certificates"
    prepare(gateway, refused)
    page = (await browser.get("/me/certificates")).text
    assert "请立即告知安全员" in page
    assert "本人已拒绝" in page


async def test_the_holder_revokes_with_a_reason_and_hears_how_to_log_in(browser: Browser, gateway: StubGateway) -> None:
    assert f"{MINE}/revoke" not in (await browser.get(MINE)).text
    prepare(gateway, ISSUED, PEM)
    page = (await browser.get(MINE)).text
    assert "您会退出登录" in page
    assert "不再任职" not in page
    unsaid = await browser.post(f"{MINE}/revoke", page=MINE, etag="v2")
    assert unsaid.status_code == 422
    assert gateway.asked(f"POST /v1/me/certificates/{ID}:revoke") == []
    revoked = {**ISSUED, "state": "CERTIFICATE_STATE_REVOKED", "revoked": True, "etag": "v3"}
    gateway.prepare(f"POST /v1/me/certificates/{ID}:revoke", {"certificate": revoked})
    lost = "CERTIFICATE_REVOCATION_REASON_KEY_LOST"
    done = await browser.post(f"{MINE}/revoke", page=MINE, etag="v2", reason=lost)
    assert done.headers["location"] == "/"
    (sent,) = gateway.asked(f"POST /v1/me/certificates/{ID}:revoke")
    assert (sent.headers["if-match"].strip('"'), sent.body["reason"]) == ("v2", lost)
    assert "密钥盘不能再登录" in (await browser.get("/")).text


async def test_the_desk_waits_can_withdraw_and_gets_no_file_before_it_is_signed(
    browser: Browser, gateway: StubGateway
) -> None:
    page = (await browser.get(AT_DESK)).text
    assert "等待王秀英本人登录" in page
    assert "BEGIN CERTIFICATE" not in page
    assert (await browser.get(f"{AT_DESK}/certificate.pem")).headers["location"] == AT_DESK
    withdrawal = f"POST /v1/organisations/{COUNTY}/certificates/{ID}:withdraw"
    gateway.prepare(withdrawal, {})
    done = await browser.post(f"{AT_DESK}/withdraw", page=AT_DESK, etag="v1")
    assert done.headers["location"] == f"/desk/{COUNTY}/certificates"
    assert len(gateway.asked(withdrawal)) == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("WAITING", "等待本人确认"),
        ("REFUSED", "本人已拒绝"),
        ("WITHDRAWN", "已撤回"),
        ("EXPIRED", "逾期未确认"),
    ],
)
async def test_the_desks_list_says_what_became_of_a_request(
    browser: Browser, gateway: StubGateway, state: str, words: str
) -> None:
    prepare(gateway, {**WAITING, "state": f"CERTIFICATE_STATE_{state}"})
    listed = (await browser.get(f"/desk/{COUNTY}/certificates")).text
    assert words in listed
    page = (await browser.get(AT_DESK)).text
    assert words in page
    assert ("/withdraw" in page) == (state == "WAITING")


async def test_the_desk_downloads_and_revokes_what_is_signed(browser: Browser, gateway: StubGateway) -> None:
    prepare(gateway, ISSUED, PEM)
    page = (await browser.get(AT_DESK)).text
    assert f"{AT_DESK}/revoke" in page
    assert (await browser.get(f"{AT_DESK}/certificate.pem")).text == PEM
    assert (await browser.get(f"{AT_DESK}/revoke")).status_code == 200
    prepare(gateway, WAITING)
    assert (await browser.get(f"{AT_DESK}/revoke")).headers["location"] == f"/desk/{COUNTY}/certificates"
