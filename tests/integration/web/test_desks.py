"""The desks in front of a gateway: which work an officer sees, files passed on as they arrive, what the pages ask for."""

import re
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

import httpx
import pytest
from integration.web.conftest import PUBLIC, Browser, Instances, token_of
from integration.web.gateway import StubGateway, running_gateway
from integration.web.provider import Provider
from integration.web.test_member_pages import log_in
from zhibu_kit.clock import SHANGHAI

COUNTY, BRANCH = "370724", "370724-b01"
ME, OTHER = "01j00000000000000000000001", "01j00000000000000000000002"
ROSTER = "01j0000000000000000000000r"
PLANNED = "ORGANISATION_CHANGE_STATE_PLANNED"
CASES = ("01j000000000000000000000a1", "01j000000000000000000000a2", "01j000000000000000000000a3")
CLERK = (
    "identity.applications.decide",
    "identity.applications.read",
    "identity.rosters.import",
    "identity.people.read",
    "identity.documents.write",
    "branches.organisations.create",
    "branches.statistics.read",
)
CHECKED = {
    "rosterId": ROSTER,
    "fileName": "名册.xlsx",
    "state": "ROSTER_STATE_CHECKED",
    "rowCount": 7,
    "newCount": 5,
    "problemCount": 2,
    "etag": "v3",
    "missingBranches": [{"branchName": "新村党支部", "committeeName": "城关街道", "rowCount": 2}],
}


@pytest.fixture
async def gateway() -> AsyncGenerator[StubGateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway_url(gateway: StubGateway) -> str:
    return gateway.url


@pytest.fixture
async def clerk(instances: Instances, provider: Provider, gateway: StubGateway) -> Browser:
    """A clerk's browser, logged in."""
    grant = {"grantId": "g1", "office": "clerk", "organisationId": COUNTY}
    gateway.prepare("GET /v1/me", {"eid": {"memberId": ME, "realName": "王秀英"}, "grants": [grant]})
    gateway.prepare("GET /v1/me/inbox:countUnread", {"unreadCount": 0})
    gateway.prepare("GET /v1/offices", {"offices": [{"name": "clerk", "displayName": "干事", "permissions": CLERK}]})
    county = {"organisationId": COUNTY, "name": "临朐县", "level": "ORGANISATION_LEVEL_COUNTY", "countyCode": COUNTY}
    gateway.prepare(f"GET /v1/organisations/{COUNTY}", {"organisation": county})
    township = {
        "organisationId": "370724001",
        "name": "城关街道",
        "level": "ORGANISATION_LEVEL_TOWNSHIP",
        "active": True,
    }
    gateway.prepare("GET /v1/organisations", {"organisations": [township]})
    gateway.prepare("POST /v1/names:lookUp", {"names": [{"memberId": OTHER, "realName": "李强"}]})
    browser = instances.browser()
    await log_in(browser, provider)
    return browser


def _base(kind: str) -> str:
    return f"/v1/organisations/{COUNTY}/{kind}"


async def test_an_officer_sees_the_sections_that_the_offices_open_and_no_others(clerk: Browser) -> None:
    menu = await clerk.get(f"/desk/{COUNTY}")
    seen = set(re.findall(rf'href="/desk/{COUNTY}/([a-z-]+)"', menu.text))
    assert seen == {"applications", "people", "rosters", "survey", "organisations", "statistics"}
    for closed in ("grants", "certificates", "recoveries", "corrections", "settings", "committees"):
        assert (await clerk.get(f"/desk/{COUNTY}/{closed}")).status_code == 403


async def test_a_roster_is_passed_on_as_it_is_and_its_check_is_shown(clerk: Browser, gateway: StubGateway) -> None:
    gateway.prepare(f"GET {_base('rosters')}", {"rosters": []})
    gateway.prepare(f"POST {_base('rosters')}", {"roster": {"rosterId": ROSTER}})
    content = bytes(range(256)) * 12_000
    answer = await _upload(clerk, content)
    assert answer.headers["location"] == f"/desk/{COUNTY}/rosters/{ROSTER}"
    (sent,) = gateway.asked(f"POST {_base('rosters')}")
    assert sent.content == content
    assert sent.headers["content-type"] == "application/vnd.ms-excel"
    assert sent.headers["idempotency-key"] == "act-1"


async def _upload(clerk: Browser, content: bytes, *, csrf: str = "") -> httpx.Response:
    page = await clerk.get(f"/desk/{COUNTY}/rosters")
    form = {"csrf": csrf or token_of(page), "request_id": "act-1"}
    files = {"file": ("名册.xlsx", content, "application/vnd.ms-excel")}
    path = f"/desk/{COUNTY}/rosters/upload"
    return await clerk.http.post(path, data=form, files=files, headers={"Origin": PUBLIC})


async def test_a_file_without_a_good_token_never_reaches_the_gateway(clerk: Browser, gateway: StubGateway) -> None:
    gateway.prepare(f"GET {_base('rosters')}", {"rosters": []})
    answer = await _upload(clerk, b"x" * 300_000, csrf="forged")
    assert answer.status_code == 403
    assert gateway.asked(f"POST {_base('rosters')}") == []


async def test_a_file_that_is_too_large_is_told_how_large_it_may_be(clerk: Browser, gateway: StubGateway) -> None:
    path = f"/desk/{COUNTY}/people/{OTHER}/documents"
    files = {"file": ("扫描件.pdf", b"x" * 17 * 1024 * 1024, "application/pdf")}
    answer = await clerk.http.post(path, data={"csrf": "any"}, files=files, headers={"Origin": PUBLIC})
    assert answer.status_code == 413
    assert "文件太大" in answer.text
    # The page is the clerk's own, with the way back.
    assert 'action="/auth/logout"' in answer.text
    assert gateway.asked(f"POST {_base('people')}/{OTHER}/documents") == []


async def test_an_upload_is_not_offered_again_from_a_page_that_has_lost_the_file(
    clerk: Browser, gateway: StubGateway
) -> None:
    gateway.prepare(f"GET {_base('rosters')}", {"rosters": []})
    gateway.refuse(f"POST {_base('rosters')}", 503, "UNAVAILABLE", "暂时不可用")
    answer = await _upload(clerk, b"x" * 1000)
    assert answer.status_code == 503
    assert f'action="/desk/{COUNTY}/rosters/upload"' not in answer.text


async def test_a_heading_row_that_is_no_row_is_told(clerk: Browser, gateway: StubGateway) -> None:
    path, call = f"/desk/{COUNTY}/rosters/{ROSTER}", f"{_base('rosters')}/{ROSTER}"
    gateway.prepare(f"GET {call}", {"roster": {**CHECKED, "sheetNames": ["Sheet1"], "columns": []}})
    for row in ("0", "1001", "9" * 5000, "x"):
        answer = await clerk.post(f"{path}/mapping", page=path, part="sheet", heading_row=row)
        assert answer.status_code == 422, row[:10]


async def test_a_form_without_a_file_says_so(clerk: Browser, gateway: StubGateway) -> None:
    gateway.prepare(f"GET {_base('rosters')}", {"rosters": []})
    page = await clerk.get(f"/desk/{COUNTY}/rosters")
    answer = await clerk.http.post(
        f"/desk/{COUNTY}/rosters/upload",
        data={"csrf": token_of(page)},
        files={"file": ("", b"", "application/octet-stream")},
        headers={"Origin": PUBLIC},
    )
    assert answer.status_code == 422
    assert "请选择要上传的文件" in answer.text


async def test_bad_rows_are_left_out_only_knowingly(clerk: Browser, gateway: StubGateway) -> None:
    path, call = f"/desk/{COUNTY}/rosters/{ROSTER}", f"{_base('rosters')}/{ROSTER}"
    gateway.prepare(f"GET {call}", {"roster": CHECKED})
    gateway.prepare(f"POST {call}:commit", {"roster": CHECKED})
    page = await clerk.get(path)
    assert "新村党支部" in page.text
    refused = await clerk.post(f"{path}/commit", page=path, has_problems="yes", etag="v3")
    assert refused.status_code == 422
    assert gateway.asked(f"POST {call}:commit") == []
    await clerk.post(f"{path}/commit", page=path, has_problems="yes", leave_out="yes", etag="v3")
    (committed,) = gateway.asked(f"POST {call}:commit")
    assert committed.body == {"leaveOutProblems": True}
    assert committed.headers["if-match"] == '"v3"'


async def test_missing_branches_are_made_under_what_the_clerk_chose(clerk: Browser, gateway: StubGateway) -> None:
    path, call = f"/desk/{COUNTY}/rosters/{ROSTER}", f"{_base('rosters')}/{ROSTER}"
    gateway.prepare(f"GET {call}", {"roster": CHECKED})
    gateway.prepare(f"POST {call}:map", {"roster": CHECKED})
    gateway.prepare("POST /v1/organisations/370724001/children", {"organisation": {}})
    form = {"make-0": "新村党支部", "term_years": "5", "request_id": "act-1"}
    refused = await clerk.post(f"{path}/branches", page=path, **form, **{"parent-0": "370725"})
    assert refused.status_code == 422
    await clerk.post(f"{path}/branches", page=path, **form, **{"parent-0": "370724001"})
    (made,) = gateway.asked("POST /v1/organisations/370724001/children")
    assert made.body == {"level": "ORGANISATION_LEVEL_BRANCH", "name": "新村党支部", "termYears": 5}
    assert len(gateway.asked(f"POST {call}:map")) == 1


async def test_an_organisation_is_made_on_a_later_day(clerk: Browser, gateway: StubGateway) -> None:
    path, call = f"/desk/{COUNTY}/organisations/new", f"POST /v1/organisations/{COUNTY}/children"
    gateway.prepare(call, {"change": {"state": "ORGANISATION_CHANGE_STATE_PLANNED"}})
    day = (datetime.now(SHANGHAI).date() + timedelta(days=20)).isoformat()
    form = {"level": "ORGANISATION_LEVEL_BRANCH", "name": "新村党支部", "term_years": "5", "request_id": "act-2"}
    refused = await clerk.post(path, page=path, **form, effective_date="2020-01-01")
    assert (refused.status_code, "生效日期不能早于今天" in refused.text) == (422, True)
    assert gateway.asked(call) == []
    planned = await clerk.post(path, page=path, **form, effective_date=day)
    # A clerk makes organisations and may not see the plans of the tree.
    assert (planned.status_code, planned.headers["location"]) == (303, f"/desk/{COUNTY}/organisations")
    (asked,) = gateway.asked(call)
    assert asked.body["effectiveDate"] == day


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        ("ORGANISATION_CHANGE_KIND_CREATE", PLANNED, "新建下级组织：辛寨街道党工委 · 乡镇、街道或系统党委 · 370724009"),
        # Newer than this version; and as a gateway writes it that does not know it either.
        ("ORGANISATION_CHANGE_KIND_NEWER", "ORGANISATION_CHANGE_STATE_NEWER", "这个版本还不认识的变动：辛寨街道党工委"),
        (99, 99, "这个版本还不认识的变动：辛寨街道党工委"),
    ],
)
async def test_a_change_is_listed_and_can_be_cancelled_while_it_is_planned(
    clerk: Browser, gateway: StubGateway, kind: str | int, state: str | int, words: str
) -> None:
    officer = {"name": "clerk", "displayName": "干事", "permissions": [*CLERK, "branches.organisations.change"]}
    gateway.prepare("GET /v1/offices", {"offices": [officer]})
    change = {"organisationChangeId": "01j000000000000000000000c1", "organisationId": COUNTY, "etag": "v1"}
    new = {"newName": "辛寨街道党工委", "newLevel": "ORGANISATION_LEVEL_TOWNSHIP", "newOrganisationId": "370724009"}
    change |= {"kind": kind, "effectiveDate": "2027-01-01", "state": state}
    gateway.prepare(f"GET {_base('changes')}", {"changes": [change | new]})
    listed = await clerk.get(f"/desk/{COUNTY}/organisations/changes")
    row = " ".join(re.sub(r"<[^>]+>", " ", listed.text).split())
    assert words in row
    told = ("等待生效" if state == PLANNED else "未知") in row
    assert (told, "/cancel" in listed.text) == (True, state == PLANNED)


async def test_columns_are_not_mapped_twice(clerk: Browser, gateway: StubGateway) -> None:
    path, call = f"/desk/{COUNTY}/rosters/{ROSTER}", f"{_base('rosters')}/{ROSTER}"
    columns = [{"index": index, "heading": f"列{index}", "field": "ROSTER_FIELD_IGNORED"} for index in range(28)]
    gateway.prepare(f"GET {call}", {"roster": {**CHECKED, "columns": columns}})
    twice = {"field-0": "ROSTER_FIELD_REAL_NAME", "field-27": "ROSTER_FIELD_REAL_NAME"}
    refused = await clerk.post(f"{path}/mapping", page=path, part="columns", **twice)
    assert refused.status_code == 422
    assert "A 列和 AB 列都选了“姓名”" in refused.text
    assert "必须有一列是“身份证号”" in refused.text


async def test_the_next_case_is_found_while_the_clerk_reads_this_one(clerk: Browser, gateway: StubGateway) -> None:
    waiting = [{"applicationId": one, "state": "APPLICATION_STATE_SUBMITTED"} for one in CASES]
    gateway.prepare(f"GET {_base('applications')}", {"applications": waiting, "totalCount": 3})
    for one in CASES:
        gateway.prepare(f"POST {_base('applications')}/{one}:claim", {})
        gateway.prepare(f"POST {_base('applications')}/{one}:approve", {})
    known = await clerk.get(f"/desk/{COUNTY}/applications/upcoming?after={CASES[0]}")
    assert "后面还有 2 份" in known.text
    # Another clerk is faster with the second one.
    gateway.refuse(f"POST {_base('applications')}/{CASES[1]}:claim", 409, "APPLICATION_CLAIMED", "别人正在办理")
    searches = len(gateway.asked(f"GET {_base('applications')}"))
    path = f"/desk/{COUNTY}/applications/{CASES[0]}"
    answer = await clerk.post(f"{path}/approve", page="/help", then="next", name="赵芳", etag="v1")
    assert answer.headers["location"] == f"/desk/{COUNTY}/applications/{CASES[2]}"
    assert len(gateway.asked(f"GET {_base('applications')}")) == searches


async def test_a_skipped_case_is_given_back(clerk: Browser, gateway: StubGateway) -> None:
    waiting = [{"applicationId": one, "state": "APPLICATION_STATE_SUBMITTED"} for one in CASES[:2]]
    gateway.prepare(f"GET {_base('applications')}", {"applications": waiting})
    for one in CASES[:2]:
        gateway.prepare(f"POST {_base('applications')}/{one}:claim", {})
    answer = await clerk.post(f"/desk/{COUNTY}/applications/next", page="/help", skip=CASES[0])
    assert answer.headers["location"] == f"/desk/{COUNTY}/applications/{CASES[1]}"
    (released,) = gateway.asked(f"POST {_base('applications')}/{CASES[0]}:claim")
    assert released.body == {"release": True}


async def test_another_clerk_is_named(clerk: Browser, gateway: StubGateway) -> None:
    held = {
        "applicationId": CASES[0],
        "state": "APPLICATION_STATE_SUBMITTED",
        "realName": "赵芳",
        "claimedByMemberId": OTHER,
        "claimExpireTime": "2099-01-01T00:00:00Z",
    }
    gateway.prepare(f"GET {_base('applications')}", {"applications": [held], "totalCount": 1})
    gateway.prepare(f"GET {_base('applications')}/{CASES[0]}", {"application": held})
    assert "李强正在办理" in (await clerk.get(f"/desk/{COUNTY}/applications")).text
    assert "李强正在办理这份申请" in (await clerk.get(f"/desk/{COUNTY}/applications/{CASES[0]}")).text


async def test_counts_that_are_not_told_are_shown_as_hidden_whatever_they_are(
    clerk: Browser, gateway: StubGateway
) -> None:
    total = {
        "memberCount": 40,
        "byStatus": [{"key": "FULL", "count": 40}, {"key": "APPLICANT", "count": -1}],
        "byOccupation": [{"key": "NEWER", "count": 9}],
    }
    below = [{"organisationId": "370724001", "name": "城关街道", "memberCount": -1}]
    gateway.prepare(f"GET {_base('statistics')}", {"total": total, "below": below})
    page = await clerk.get(f"/desk/{COUNTY}/statistics")
    assert page.status_code == 200
    rows = re.findall(r'<th scope="row">([^<]+)</th>.*?z-bars__number">([^<]+)<', page.text, re.DOTALL)
    assert rows == [("正式党员", "40"), ("入党申请人", "不显示"), ("NEWER", "9")]
    assert 'href="/desk/370724001/statistics"' in page.text


async def test_what_is_searched_for_does_not_stand_in_an_address(clerk: Browser, gateway: StubGateway) -> None:
    gateway.prepare(f"GET {_base('people')}", {"people": []})
    gateway.prepare(f"POST {_base('people')}:search", {"people": [{"memberId": OTHER, "realName": "李强"}]})
    answer = await clerk.post(f"/desk/{COUNTY}/people/search", page=f"/desk/{COUNTY}/people", query="李强")
    assert answer.headers["location"] == f"/desk/{COUNTY}/people?view=search"
    assert "李强" in (await clerk.get(answer.headers["location"])).text
