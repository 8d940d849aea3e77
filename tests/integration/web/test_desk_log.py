"""The log at the desk: searched without a trace in addresses, exported as it arrives, incidents signed by two."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from integration.web.conftest import PUBLIC, Browser, Instances, token_of
from integration.web.gateway import StubGateway
from integration.web.provider import Provider
from integration.web.test_desks import COUNTY, ME, OTHER, clerk, gateway, gateway_url
from integration.web.test_member_pages import log_in
from support.log_entries import OFFICER, LogMaker

__all__ = ["clerk", "gateway", "gateway_url"]

LOG = f"/desk/{COUNTY}/log"
BASE = f"/v1/organisations/{COUNTY}/log"
SEARCH, FIND = f"GET {BASE}/entries", f"POST /v1/organisations/{COUNTY}/eids:search"
PROVINCE = "37"
INCIDENTS, PAGE = f"/v1/organisations/{PROVINCE}/log/incidents", f"/desk/{PROVINCE}/incidents"
FIRST, SECOND = "01j0000000000000000000001a", "01j0000000000000000000002b"
ALL = ("audit.entries.search", "audit.entries.export", "audit.incidents.sign", "audit.log.read", "identity.eids.read")


def may(gateway: StubGateway, *permissions: str) -> None:
    offices = [{"name": "clerk", "displayName": "干事", "permissions": permissions}]
    gateway.prepare("GET /v1/offices", {"offices": offices})


@pytest.fixture
def officer(clerk: Browser, gateway: StubGateway) -> Browser:
    """An officer of the county with every permission over the log."""
    may(gateway, *ALL)
    gateway.prepare(SEARCH, {"entries": [LogMaker().entry(memberId=OFFICER)]})
    return clerk


async def search(browser: Browser, **fields: str) -> Any:
    return await browser.post(f"{LOG}/search", page=LOG, **fields)


async def test_incidents_are_the_provinces_whatever_an_office_of_a_county_carries(officer: Browser) -> None:
    sections = rf'href="/desk/{COUNTY}/(log|incidents)"'
    assert set(re.findall(sections, (await officer.get(f"/desk/{COUNTY}")).text)) == {"log"}
    assert (await officer.get(f"/desk/{COUNTY}/incidents")).status_code == 403


async def test_who_may_search_and_not_export_is_not_offered_it(clerk: Browser, gateway: StubGateway) -> None:
    may(gateway, "audit.entries.search")
    gateway.prepare(SEARCH, {})
    assert f'href="{LOG}/export"' not in (await clerk.get(LOG)).text
    assert (await clerk.get(f"{LOG}/export")).status_code == 403
    assert (await clerk.post(f"{LOG}/export", page=LOG)).status_code == 403


async def test_without_the_permission_every_page_of_the_log_is_refused(clerk: Browser) -> None:
    for path in (LOG, f"{LOG}/state", f"{LOG}/export", f"{LOG}/entries/1", f"{LOG}/entries/1/proof"):
        assert (await clerk.get(path)).status_code == 403


async def test_what_is_searched_for_reaches_the_gateway_and_no_address(officer: Browser, gateway: StubGateway) -> None:
    gateway.prepare(FIND, {"eids": [{"memberId": OTHER, "realName": "李强", "eidNumber": "3707242600001234"}]})
    fields = {
        "kind": "identity.person",
        "outcome": "ENTRY_OUTCOME_READ",
        "from_day": "2026-11-01",
        "to_day": "2026-11-30",
    }
    done = await search(officer, member="李强", subject="", **fields)
    assert (done.status_code, done.headers["location"]) == (303, LOG)
    page = (await officer.get(f"{LOG}?page=t2")).text
    asked = gateway.asked(SEARCH)[-1].query
    assert asked == {
        "memberId": OTHER,
        "actionPrefix": "identity.person",
        "outcome": "ENTRY_OUTCOME_READ",
        # Days are Shanghai's, the last one whole.
        "startTime": "2026-10-31T16:00:00Z",
        "endTime": "2026-11-30T16:00:00Z",
        "pageSize": "50",
        "pageToken": "t2",
    }
    criteria = page.partition('data-test="log-search"')[2].partition("</dl>")[0]
    for words in ("李强", "个人信息", "查看", "2026年11月1日", "2026年11月30日"):
        assert words in criteria
    # At another desk, and once it is cleared, everything is shown.
    await search(officer)
    await officer.get(LOG)
    assert set(gateway.asked(SEARCH)[-1].query) == {"pageSize"}


async def test_a_row_says_who_did_what_and_leads_to_the_entry(officer: Browser, gateway: StubGateway) -> None:
    waiting = LogMaker().entry(index="138", provable=False, actionText="")
    gateway.prepare(SEARCH, {"entries": [waiting, LogMaker().entry(memberId=OTHER)], "nextPageToken": "t2"})
    page = (await officer.get(LOG)).text
    table = page.partition('data-test="log-entries"')[2]
    assert re.findall(rf'href="{LOG}/entries/(\d+)"', table) == ["137"]
    for words in (
        "identity.people.listed",
        "查看人员名单",
        "2026年11月29日 10:12",
        "李强 · 县级组织干事，临朐县委组织部",
    ):
        assert words in table
    assert f'href="{LOG}?page=t2"' in table
    gateway.prepare(SEARCH, {})
    assert "没有符合的记录" in (await officer.get(LOG)).text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"offices": [], "memberId": OTHER}, "李强"),
        ({"offices": [], "memberId": FIRST}, "一名党员（姓名不可见）"),
        ({"offices": [], "callerService": "notify"}, "系统自动（notify）"),
        ({"offices": []}, "未登录的人"),
        ({"offices": [], "action": "log.incident"}, "两名干部签字"),
    ],
)
async def test_whoever_acted_is_told_with_the_name_that_the_officer_may_know(
    officer: Browser, gateway: StubGateway, change: dict[str, Any], words: str
) -> None:
    gateway.prepare(SEARCH, {"entries": [LogMaker().entry(**change)]})
    assert words in (await officer.get(LOG)).text.partition('data-test="log-entries"')[2]


async def test_several_people_of_one_name_are_a_choice_and_nobody_is_an_error(
    officer: Browser, gateway: StubGateway
) -> None:
    two = [
        {"memberId": one, "realName": "李强", "eidNumber": f"370724260000123{at}"} for at, one in enumerate((ME, OTHER))
    ]
    gateway.prepare(FIND, {"eids": two})
    choice = await search(officer, subject="李强")
    assert choice.status_code == 200
    assert re.findall(r'name="subject_id" type="radio" value="([^"]+)"', choice.text) == [ME, OTHER]
    assert "3707242600001231" in choice.text
    assert gateway.asked(SEARCH)[-1].query == {"pageSize": "50"}
    assert (await search(officer, subject="李强", subject_id=OTHER)).status_code == 303
    await officer.get(LOG)
    assert gateway.asked(SEARCH)[-1].query["subjectId"] == OTHER
    gateway.prepare(FIND, {})
    nobody = await search(officer, member="赵六")
    assert (nobody.status_code, "没有找到这个人" in nobody.text) == (422, True)


@pytest.mark.parametrize("subject", ["370724-b01", "01J0000000000000000000000R"])
async def test_an_identifier_that_is_no_persons_is_searched_for_as_it_is(
    officer: Browser, gateway: StubGateway, subject: str
) -> None:
    gateway.prepare(FIND, {})
    assert (await search(officer, subject=subject)).status_code == 303
    await officer.get(LOG)
    assert gateway.asked(SEARCH)[-1].query["subjectId"] == (subject if "-" in subject else subject.lower())


async def test_what_makes_no_sense_stands_at_its_field(officer: Browser, gateway: StubGateway) -> None:
    backwards = await search(officer, from_day="2026-11-30", to_day="2026-11-01")
    assert (backwards.status_code, 'id="to_day-error"' in backwards.text) == (422, True)
    assert 'id="from_day-error"' in (await search(officer, from_day="2026-13-01")).text
    # A kind or outcome that the form does not offer is none.
    assert (await search(officer, kind="x.y", outcome="ENTRY_OUTCOME_NEWER")).status_code == 303
    await officer.get(LOG)
    assert set(gateway.asked(SEARCH)[-1].query) == {"pageSize"}
    gateway.refuse(SEARCH, 400, "INVALID_ARGUMENT", "不对", errors=[{"field": "pageToken", "detail": "页码过期了"}])
    refused = await officer.get(f"{LOG}?page=old")
    assert (refused.status_code, "页码过期了" in refused.text) == (422, True)


async def test_an_entry_is_shown_whole_beside_its_leaf_with_ways_to_search_on(
    officer: Browser, gateway: StubGateway
) -> None:
    maker = LogMaker()
    known = {"memberId": OFFICER, "accountId": "account-2", "subjectId": COUNTY}
    proven = maker.proven(entry=maker.entry(**known), opening=None)
    gateway.prepare(f"GET {BASE}/entries/137/proof", proven)
    page = (await officer.get(f"{LOG}/entries/137")).text
    entry = page.partition('data-test="entry"')[2].partition("</dl>")[0]
    for words in ("identity.people.listed", "李强", OFFICER, "account-2", COUNTY, "identity · 41", "137"):
        assert words in entry
    leaf = re.search(r'data-test="leaf">([^<]*)<', page)
    assert leaf
    assert json.loads(html.unescape(leaf[1])) == json.loads(maker.leaf)
    given = re.search(r'data-given="([^"]*)"', page)
    assert given
    said = json.loads(html.unescape(given[1]))["said"]
    assert (said["member"], said["account"], said["subject"], said["count"]) == (OFFICER, "account-2", COUNTY, "3")
    assert f'name="member_id" value="{OFFICER}"' in page
    assert f'name="subject_id" value="{COUNTY}"' in page
    assert (await officer.get(f"{LOG}/entries/137/leaf")).content == maker.leaf
    assert (await officer.get(f"{LOG}/entries/137/proof")).text == maker.proof()


async def test_a_period_is_exported_as_it_arrives(officer: Browser, gateway: StubGateway) -> None:
    gateway.prepare(f"GET {BASE}/entries:export", {"zip": "content"})
    form = await officer.get(f"{LOG}/export")
    assert len(re.findall(r'value="20\d\d-\d\d-\d\d"', form.text)) == 2
    period = {"from_day": "2026-11-01", "to_day": "2026-11-30"}
    data = {"csrf": token_of(form), **period}
    file = await officer.http.post(f"{LOG}/export", data=data, headers={"Origin": PUBLIC})
    assert (file.status_code, file.json()) == (200, {"zip": "content"})
    assert "log-370724-2026-11-01-2026-11-30.zip" in file.headers["content-disposition"]
    assert gateway.asked(f"GET {BASE}/entries:export")[-1].query == {
        "startTime": "2026-10-31T16:00:00Z",
        "endTime": "2026-11-30T16:00:00Z",
    }


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("", "2026-11-30", "from_day"),
        ("2026-11-30", "2026-11-01", "to_day"),
        ("2025-11-29", "2026-11-30", "to_day"),
        ("x", "", "from_day"),
    ],
)
async def test_no_export_is_asked_for_without_a_period_that_is_one(
    officer: Browser, gateway: StubGateway, first: str, last: str, field: str
) -> None:
    refused = await officer.post(f"{LOG}/export", page=LOG, from_day=first, to_day=last)
    assert (refused.status_code, f'id="{field}-error"' in refused.text) == (422, True)
    assert gateway.asked(f"GET {BASE}/entries:export") == []


async def test_a_refused_export_says_why(officer: Browser, gateway: StubGateway) -> None:
    gateway.refuse(f"GET {BASE}/entries:export", 409, "TOO_MANY_ENTRIES", "这段时间的条目太多，请分几次导出")
    refused = await officer.post(f"{LOG}/export", page=LOG, from_day="2026-11-01", to_day="2026-11-30")
    assert (refused.status_code, "请分几次导出" in refused.text) == (422, True)
    gateway.refuse(f"GET {BASE}/entries:export", 429, "RATE_LIMITED", "太快了")
    again = await officer.post(f"{LOG}/export", page=LOG, from_day="2026-11-01", to_day="2026-11-30")
    assert again.status_code == 429


async def test_the_state_names_lanes_that_stand_still_and_witnesses(officer: Browser, gateway: StubGateway) -> None:
    state: dict[str, Any] = {
        "origin": "log.example/linqu",
        "verifierKey": "log.example/linqu+11249",
        "size": "1234",
        "signTime": "2026-11-30T01:00:00Z",
        "waitingCount": "5",
        "quorum": 2,
        "lanes": [
            {"lane": "identity", "sequence": "800", "updateTime": "2026-11-30T01:00:00Z"},
            {"lane": "branches", "sequence": "400", "stopped": True, "stopTime": "2026-11-30T00:30:00Z"},
        ],
        "witnesses": [{"name": "w1", "size": "1234", "cosignTime": "2026-11-30T01:00:05Z"}, {"name": "w2"}],
    }
    gateway.prepare(f"GET {BASE}", state)
    page = (await officer.get(f"{LOG}/state")).text
    for words in ("1234", "log.example/linqu+11249", "停在 2026年11月30日 08:30", "有 1 个服务的记录停着", "还没有"):
        assert words in page
    gateway.prepare(f"GET {BASE}", {})
    empty = (await officer.get(f"{LOG}/state")).text
    assert "没有设见证人" in empty
    assert "还没有服务送来记录" in empty


@pytest.fixture
async def province(instances: Instances, provider: Provider, gateway: StubGateway) -> Browser:
    """An officer of the province, who signs incidents."""
    grant = {"grantId": "g1", "office": "clerk", "organisationId": PROVINCE}
    gateway.prepare("GET /v1/me", {"eid": {"memberId": ME, "realName": "王秀英"}, "grants": [grant]})
    gateway.prepare("GET /v1/me/inbox:countUnread", {"unreadCount": 0})
    organisation = {"organisationId": PROVINCE, "name": "山东省", "level": "ORGANISATION_LEVEL_PROVINCE"}
    gateway.prepare(f"GET /v1/organisations/{PROVINCE}", {"organisation": organisation})
    gateway.prepare("POST /v1/names:lookUp", {"names": [{"memberId": OTHER, "realName": "李强"}]})
    may(gateway, *ALL)
    browser = instances.browser()
    await log_in(browser, provider)
    return browser


def incident(incident_id: str, **more: Any) -> dict[str, Any]:
    """Give an incident that nobody has signed."""
    return {
        "incidentId": incident_id,
        "kind": "INCIDENT_KIND_GAP",
        "state": "INCIDENT_STATE_OPEN",
        "lane": "branches",
        "fromSequence": "401",
        "toSequence": "407",
        "createTime": "2026-11-30T00:30:00Z",
        "etag": "v1",
        **more,
    }


async def test_the_first_officer_writes_and_the_second_one_signs(province: Browser, gateway: StubGateway) -> None:
    theirs = incident(
        SECOND, state="INCIDENT_STATE_SIGNED", firstSignedByMemberId=OTHER, statement="数据库损坏", etag="v2"
    )
    gateway.prepare(f"GET {INCIDENTS}", {"incidents": [incident(FIRST), theirs]})
    for one in (FIRST, SECOND):
        gateway.prepare(f"POST {INCIDENTS}/{one}:sign", {})
    page = (await province.get(PAGE)).text
    for words in ("记录缺失", "401 到 407", "等第一人签字", "等第二人签字", "数据库损坏", "李强"):
        assert words in page
    missing = await province.post(f"{PAGE}/{FIRST}/sign", page=PAGE, signature="first", etag="v1")
    assert (missing.status_code, f'id="statement-{FIRST}-error"' in missing.text) == (422, True)
    long = {f"statement-{FIRST}": "长" * 1001}
    assert (
        await province.post(f"{PAGE}/{FIRST}/sign", page=PAGE, signature="first", etag="v1", **long)
    ).status_code == 422
    unticked = await province.post(f"{PAGE}/{SECOND}/sign", page=PAGE, signature="second", etag="v2")
    assert (unticked.status_code, f'id="confirm-{SECOND}-error"' in unticked.text) == (422, True)
    assert [one for one in gateway.calls if one.path.endswith(":sign")] == []
    said = {f"statement-{FIRST}": "服务器断电，七条记录没有写入备份"}
    done = await province.post(f"{PAGE}/{FIRST}/sign", page=PAGE, signature="first", etag="v1", request_id="r1", **said)
    assert done.headers["location"] == PAGE
    (first,) = gateway.asked(f"POST {INCIDENTS}/{FIRST}:sign")
    assert (first.body, first.headers["if-match"]) == ({"statement": said[f"statement-{FIRST}"]}, '"v1"')
    assert first.headers["idempotency-key"] == "r1"
    assert "已签字，等另一人签字" in (await province.get(PAGE)).text
    ticked = {f"confirm-{SECOND}": "yes"}
    await province.post(f"{PAGE}/{SECOND}/sign", page=PAGE, signature="second", etag="v2", **ticked)
    (second,) = gateway.asked(f"POST {INCIDENTS}/{SECOND}:sign")
    # The second officer signs the first one's words.
    assert second.body == {"statement": ""}
    assert "两人都已签字" in (await province.get(PAGE)).text


async def test_nobody_signs_twice_and_what_is_closed_leads_to_its_entry(
    province: Browser, gateway: StubGateway
) -> None:
    mine = incident(FIRST, state="INCIDENT_STATE_SIGNED", firstSignedByMemberId=ME, statement="断电")
    closed = incident(
        SECOND,
        kind="INCIDENT_KIND_RESTORE",
        state="INCIDENT_STATE_CLOSED",
        lane="",
        entryIndex="77",
        firstSignedByMemberId=OTHER,
        secondSignedByMemberId=ME,
        closeTime="2026-11-30T01:30:00Z",
    )
    gateway.prepare(f"GET {INCIDENTS}", {"incidents": [mine, closed], "nextPageToken": "t2"})
    page = (await province.get(PAGE)).text
    assert "您已签字，等另一人核实签字" in page
    assert f'action="{PAGE}/' not in page
    assert f'href="/desk/{PROVINCE}/log/entries/77"' in page
    assert "整个日志" in page
    assert f'href="{PAGE}?page=t2"' in page
    gateway.prepare(f"GET {INCIDENTS}", {})
    assert "没有事故" in (await province.get(PAGE)).text


async def test_a_signature_on_what_has_changed_meanwhile_is_refused_with_what_stands_there_now(
    province: Browser, gateway: StubGateway
) -> None:
    gateway.prepare(f"GET {INCIDENTS}", {"incidents": [incident(FIRST)]})
    gateway.refuse(f"POST {INCIDENTS}/{FIRST}:sign", 412, "ETAG_MISMATCH", "版本不同")
    said = {f"statement-{FIRST}": "断电"}
    refused = await province.post(f"{PAGE}/{FIRST}/sign", page=PAGE, signature="first", etag="v0", **said)
    assert (refused.status_code, "内容刚被别人改过" in refused.text, "断电" in refused.text) == (422, True, True)
    gateway.refuse(f"POST {INCIDENTS}/{FIRST}:sign", 409, "SAME_OFFICER", "第二人必须是另一位干部")
    again = await province.post(f"{PAGE}/{FIRST}/sign", page=PAGE, signature="first", etag="v1", **said)
    assert (again.status_code, "第二人必须是另一位干部" in again.text) == (422, True)


async def test_how_many_incidents_wait_stands_beside_the_section(province: Browser, gateway: StubGateway) -> None:
    fed = incident(SECOND, state="INCIDENT_STATE_FED")
    gateway.prepare(f"GET {INCIDENTS}", {"incidents": [incident(FIRST), fed]})
    assert f'hx-get="{PAGE}/count"' in (await province.get(f"/desk/{PROVINCE}")).text
    assert ">1<" in (await province.get(f"{PAGE}/count")).text
    gateway.refuse(f"GET {INCIDENTS}", 503, "UNAVAILABLE", "暂时不可用")
    assert (await province.get(f"{PAGE}/count")).status_code == 204


async def test_a_persons_page_leads_to_who_looked_at_it(officer: Browser, gateway: StubGateway) -> None:
    may(gateway, *ALL, "identity.people.read")
    person = {"memberId": OTHER, "realName": "李强", "etag": "v1"}
    gateway.prepare(f"GET /v1/organisations/{COUNTY}/people/{OTHER}", {"person": person})
    page = (await officer.get(f"/desk/{COUNTY}/people/{OTHER}")).text
    assert f'name="subject_id" value="{OTHER}"' in page
    done = await search(officer, subject="李强", subject_id=OTHER)
    assert done.headers["location"] == LOG
    await officer.get(LOG)
    assert gateway.asked(SEARCH)[-1].query["subjectId"] == OTHER
