"""Who looked at my record: what the pages ask the gateway for, and how they tell members what it says."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from integration.web.conftest import Browser
from integration.web.gateway import StubGateway
from integration.web.test_member_pages import browser, gateway, gateway_url
from support.log_entries import ME, LogMaker

__all__ = ["browser", "gateway", "gateway_url"]

LIST, PROOF = "GET /v1/me/log/entries", "GET /v1/me/log/entries/137/proof"
SETTINGS = "GET /v1/organisations/370724/settings"
OWN = {
    "index": "9",
    "action": "identity.my_data.downloaded",
    "actionText": "下载自己的数据",
    "outcome": "ENTRY_OUTCOME_READ",
    "memberId": ME,
    "createTime": "2026-11-28T01:00:00Z",
    "provable": True,
}


@pytest.fixture(autouse=True)
def county(gateway: StubGateway) -> None:
    gateway.prepare(SETTINGS, {"settings": {"helpTelephone": "0536-0000000"}})


async def test_a_member_sees_what_was_done_when_and_by_which_office(browser: Browser, gateway: StubGateway) -> None:
    changed = {
        **LogMaker().entry(),
        "index": "138",
        "actionText": "更正个人信息",
        "outcome": "ENTRY_OUTCOME_DONE",
        "subjectsCount": 1,
        "provable": False,
    }
    gateway.prepare(LIST, {"entries": [changed, LogMaker().entry(), OWN], "nextPageToken": "t2"})
    page = (await browser.get("/me/log")).text
    others, _, own = page.partition('data-test="own-readings"')
    assert re.findall(r'<p class="govuk-heading-s">([^<]+)</p>', others) == ["更正个人信息", "查看人员名单"]
    for words in (
        "2026年11月29日 10:12",
        "县级组织干事，临朐县委组织部",
        "同时涉及 3 人",
        "0536-0000000",
        "问县委组织部",
    ):
        assert words in others
    # What is not under a checkpoint yet has no proof to check.
    assert re.findall(r'href="/me/log/(\d+)"', page) == ["137", "9"]
    assert "几分钟后可以核对" in others
    assert "您自己查看的（1 条）" in own
    assert "下载自己的数据" in own
    assert 'href="/me/log?kind=all&amp;page=t2"' in own


@pytest.mark.parametrize(
    ("kind", "outcome", "empty"),
    [
        ("all", None, "还没有人看过或改过您的档案"),
        ("read", "ENTRY_OUTCOME_READ", "还没有人查看过您的档案"),
        ("changed", "ENTRY_OUTCOME_DONE", "您的档案还没有改动过"),
    ],
)
async def test_the_filter_asks_for_one_outcome_and_says_when_there_is_nothing(
    browser: Browser, gateway: StubGateway, kind: str, outcome: str | None, empty: str
) -> None:
    gateway.prepare(LIST, {})
    page = await browser.get(f"/me/log?kind={kind}&page=t1")
    (asked,) = gateway.asked(LIST)
    assert (asked.query.get("outcome"), asked.query["pageToken"], asked.query["pageSize"]) == (outcome, "t1", "50")
    # An empty page behind the first says nothing about the whole.
    assert "这一页没有别人的记录" in page.text
    assert empty in (await browser.get(f"/me/log?kind={kind}")).text
    assert f'href="/me/log?kind={kind}" aria-current="page"' in page.text


async def test_a_page_of_own_readings_alone_says_that_nobody_else_is_on_it(
    browser: Browser, gateway: StubGateway
) -> None:
    gateway.prepare(LIST, {"entries": [OWN] * 50, "nextPageToken": "t2"})
    page = (await browser.get("/me/log")).text
    assert "这一页没有别人的记录" in page
    assert "您自己查看的（50 条）" in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"offices": [], "callerService": "notify"}, "系统自动（notify）"),
        ({"offices": [], "memberId": ME, "outcome": "ENTRY_OUTCOME_DONE"}, "您自己"),
        ({"offices": []}, "没有使用职务的人，例如同支部党员"),
        ({"outcome": "ENTRY_OUTCOME_REFUSED"}, "被系统拒绝，没有看到也没有改动"),
        ({"outcome": "ENTRY_OUTCOME_NEWER"}, "未知"),
        ({"actionText": ""}, "identity.people.listed"),
    ],
)
async def test_whoever_acted_is_told_in_words(
    browser: Browser, gateway: StubGateway, change: dict[str, Any], words: str
) -> None:
    gateway.prepare(LIST, {"entries": [LogMaker().entry(**change)]})
    assert words in (await browser.get("/me/log")).text


async def test_the_entrys_page_carries_what_its_script_checks_and_files_without_one(
    browser: Browser, gateway: StubGateway
) -> None:
    maker = LogMaker()
    gateway.prepare(PROOF, maker.proven())
    page = (await browser.get("/me/log/137")).text
    found = re.search(r'data-given="([^"]*)"', page)
    assert found
    given = json.loads(html.unescape(found[1]))
    assert given["said"] == {
        "time": "2026-11-29T02:12:33.456789+00:00",
        "lane": "identity",
        "sequence": "41",
        "action": "identity.people.listed",
        "outcome": "ENTRY_OUTCOME_READ",
        "offices": ["county_clerk@370724"],
        "organisation": "370724",
    }
    assert given["shown"]["offices"] == "县级组织干事 · 临朐县委组织部"
    assert (given["proof"], given["memberId"], given["quorum"]) == (maker.proof(), ME, 2)
    assert given["opening"] == maker.opening()
    assert 'id="log-no-script"' in page
    for name, content in (("proof", maker.proof().encode()), ("leaf", maker.leaf)):
        file = await browser.get(f"/me/log/137/{name}")
        assert file.content == content
        assert "attachment" in file.headers["content-disposition"]


async def test_an_entry_about_somebody_else_and_a_log_that_is_away_end_in_pages(
    browser: Browser, gateway: StubGateway
) -> None:
    gateway.refuse("GET /v1/me/log/entries/5/proof", 404, "NOT_FOUND", "没有找到")
    assert (await browser.get("/me/log/5")).status_code == 404
    assert (await browser.get("/me/log/not-a-number")).status_code == 404
    gateway.refuse(PROOF, 409, "ENTRY_NOT_PROVABLE", "这一条还没有证明，请稍后再看")
    shown = await browser.get("/me/log/137")
    assert (shown.status_code, "这一条还没有证明" in shown.text) == (409, True)
    gateway.refuse(LIST, 503, "UNAVAILABLE", "暂时不可用")
    assert (await browser.get("/me/log")).status_code == 503


async def test_the_members_own_pages_lead_there(browser: Browser, gateway: StubGateway) -> None:
    gateway.prepare("GET /v1/offices", {"offices": []})
    gateway.prepare("GET /v1/organisations/370724", {"organisation": {"organisationId": "370724", "name": "临朐县"}})
    eid = {"memberId": ME, "realName": "王秀英", "organisationId": "370724", "state": "EID_STATE_ACTIVE"}
    gateway.prepare("GET /v1/me", {"eid": eid, "grants": []})
    gateway.prepare("GET /v1/me/person", {"person": {"memberId": ME, "realName": "王秀英"}})
    for path in ("/me", "/me/data"):
        assert 'href="/me/log"' in (await browser.get(path)).text
