"""The members' pages in front of a gateway: what they ask it for, show of its answers, and say when it refuses."""

import io
import json
import re
import zipfile
from collections.abc import AsyncGenerator

import pytest
from integration.web.conftest import Browser, Instances
from integration.web.gateway import StubGateway, running_gateway
from integration.web.provider import Provider

BRANCH, CLUB = "370724-b01", "370724-b02"
ME, FELLOW, STRANGER = "01j00000000000000000000001", "01j00000000000000000000002", "01j00000000000000000000003"
FOUNDING = "01j0000000000000000000000f"
ITEM = "01j0000000000000000000000n"


@pytest.fixture
async def gateway() -> AsyncGenerator[StubGateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway_url(gateway: StubGateway) -> str:
    return gateway.url


@pytest.fixture
async def browser(instances: Instances, provider: Provider, gateway: StubGateway) -> Browser:
    """A member's browser, logged in."""
    gateway.prepare(
        "GET /v1/me", {"eid": {"memberId": ME, "realName": "王秀英", "organisationId": "370724"}, "grants": []}
    )
    gateway.prepare("GET /v1/me/inbox:countUnread", {"unreadCount": 3})
    browser = instances.browser()
    await log_in(browser, provider)
    return browser


async def log_in(browser: Browser, provider: Provider, start: str = "/auth/login?return_to=/help") -> None:
    started = await browser.get(start)
    state, code = provider.authorise(started.headers["location"])
    assert (await browser.get(f"/auth/callback?state={state}&code={code}")).status_code == 303


def prepare_branches(gateway: StubGateway) -> None:
    memberships = [
        {
            "memberId": ME,
            "branchId": BRANCH,
            "branchName": "兴隆社区党支部",
            "kind": "MEMBERSHIP_KIND_PHYSICAL",
            "startDate": "2024-07-01",
            "acts": ["dues_payment"],
            "countyCode": "370724",
        },
        {
            "memberId": ME,
            "branchId": CLUB,
            "branchName": "花卉行业网上党支部",
            "kind": "MEMBERSHIP_KIND_VIRTUAL",
            "acts": ["committee_vote", "newer_act"],
            "countyCode": "370724",
        },
    ]
    gateway.prepare("GET /v1/me/memberships", {"memberships": memberships})
    rights = [
        {"act": "dues_payment", "displayName": "交纳党费"},
        {"act": "committee_vote", "displayName": "选举支部委员会"},
    ]
    gateway.prepare("GET /v1/organisations/370724/membership-rights", {"rights": rights})
    holders = [
        {"memberId": FELLOW, "post": "POST_SECRETARY"},
        {"memberId": STRANGER, "post": "POST_ORGANISATION"},
    ]
    committee = {"committeeId": "c1", "holders": holders, "vacancies": ["POST_PUBLICITY"]}
    gateway.prepare(f"GET /v1/organisations/{BRANCH}/committee", {"committee": committee})
    gateway.prepare(f"GET /v1/organisations/{CLUB}/committee", {})
    gateway.prepare(f"GET /v1/me/branches/{BRANCH}/members", {"memberships": [{"memberId": ME}, {"memberId": FELLOW}]})
    gateway.prepare(f"GET /v1/me/branches/{CLUB}/members", {"memberships": [{"memberId": ME}]})
    rate = {
        "memberCount": 12,
        "answeredCount": 10,
        "equippedCount": 7,
        "ratePermille": 583,
        "state": "ONLINE_STATE_ONLINE",
        "thresholdPermille": 500,
    }
    history = [{"date": "2026-09-01", "ratePermille": 250, "memberCount": 12, "equippedCount": 3}]
    gateway.prepare(f"GET /v1/organisations/{BRANCH}/online-rate", {"rate": rate, "history": history})
    names = [{"memberId": ME, "realName": "王秀英"}, {"memberId": FELLOW, "realName": "李建国"}]
    gateway.prepare("POST /v1/names:lookUp", {"names": names})


async def test_both_branches_stand_on_one_page_with_what_each_entitles_to(
    browser: Browser, gateway: StubGateway
) -> None:
    prepare_branches(gateway)
    page = (await browser.get("/branch")).text
    physical, _, virtual = page.partition('data-test="virtual"')
    assert 'data-test="physical"' in physical
    assert "交纳党费" in physical
    assert "交纳党费" not in virtual
    assert "选举支部委员会" in virtual
    assert "newer_act" in virtual
    assert "李建国" in physical
    # A name that the member may not know, and a post that nobody holds.
    assert "姓名不公开" in physical
    assert "空缺" in physical
    assert "58.3%" in physical
    assert "<svg" in physical
    assert "3 / 12 人" in physical
    # Names are asked for once for the whole page, and each of the others once.
    assert len(gateway.asked("POST /v1/names:lookUp")) == 1
    assert len([one for one in gateway.calls if one.path != "/v1/me"]) <= 11


async def test_a_member_without_branch_is_told_what_happens_next(browser: Browser) -> None:
    response = await browser.get("/branch")
    assert response.status_code == 200
    assert "您还没有编入党支部" in response.text


async def test_unread_notices_are_counted_once_for_a_while_and_read_ones_leave_the_count_at_once(
    browser: Browser, gateway: StubGateway
) -> None:
    counted = "GET /v1/me/inbox:countUnread"
    for _ in range(3):
        assert "3 条未读" in (await browser.get("/services")).text
    assert len(gateway.asked(counted)) == 1
    gateway.prepare("POST /v1/me/inbox:markRead", {"unreadCount": 2})
    opened = await browser.post(f"/inbox/{ITEM}/open", page="/services", link=f"/foundings/{FOUNDING}", request_id="r1")
    assert opened.headers["location"] == f"/foundings/{FOUNDING}"
    (marked,) = gateway.asked("POST /v1/me/inbox:markRead")
    assert marked.body == {"inboxItemIds": [ITEM]}
    assert marked.headers["idempotency-key"] == "r1"
    assert "2 条未读" in (await browser.get("/services")).text
    assert len(gateway.asked(counted)) == 1


async def test_a_page_is_not_lost_because_its_header_cannot_be_completed(
    browser: Browser, gateway: StubGateway
) -> None:
    gateway.refuse("GET /v1/me/inbox:countUnread", 503, "UNAVAILABLE", "")
    response = await browser.get("/services")
    assert response.status_code == 200
    assert "成立虚拟支部" in response.text


async def test_a_notice_never_leads_to_another_site(browser: Browser, gateway: StubGateway) -> None:
    gateway.prepare("POST /v1/me/inbox:markRead", {"unreadCount": 0})
    response = await browser.post(f"/inbox/{ITEM}/open", page="/services", link="//evil.example/x")
    assert response.headers["location"] == "/inbox"


async def test_settings_of_notices_are_kept_whole_and_a_conflict_is_told(
    browser: Browser, gateway: StubGateway
) -> None:
    preferences = [
        {"kind": "NOTICE_KIND_EID", "inInbox": True, "bySms": True},
        {"kind": "NOTICE_KIND_SURVEY", "inInbox": True},
    ]
    gateway.prepare("GET /v1/me/notice-preferences", {"preferences": preferences, "etag": "v1"})
    gateway.prepare("PUT /v1/me/notice-preferences", {})
    page = await browser.get("/inbox/preferences")
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token
    form = {
        "csrf": token[1],
        "etag": "v1",
        "kind": ["NOTICE_KIND_EID", "NOTICE_KIND_SURVEY"],
        "inbox_NOTICE_KIND_EID": "yes",
    }
    saved = await browser.http.post("/inbox/preferences", data=form)
    assert saved.headers["location"] == "/inbox/preferences"
    (put,) = gateway.asked("PUT /v1/me/notice-preferences")
    assert put.headers["if-match"] == '"v1"'
    assert put.body["preferences"] == [
        {"kind": "NOTICE_KIND_EID", "inInbox": True, "bySms": False},
        {"kind": "NOTICE_KIND_SURVEY", "inInbox": False, "bySms": False},
    ]
    gateway.refuse("PUT /v1/me/notice-preferences", 412, "ETAG_MISMATCH", "")
    again = await browser.http.post("/inbox/preferences", data=form)
    assert again.status_code == 422
    assert "设置刚刚在别处改过" in again.text


async def test_a_founding_is_proposed_once_its_fields_are_right(browser: Browser, gateway: StubGateway) -> None:
    gateway.prepare("GET /v1/organisations/370724", {"organisation": {"organisationId": "370724", "name": "临朐县"}})
    gateway.prepare("GET /v1/organisations", {"organisations": []})
    kinds = [{"kind": "trade", "displayNameZh": "行业", "active": True}, {"kind": "old", "displayNameZh": "停用"}]
    gateway.prepare("GET /v1/organisations/370724/founding-kinds", {"kinds": kinds})
    first = await browser.post("/foundings/new", page="/foundings/new", name="短", kind="", purpose="太短")
    assert first.status_code == 422
    for field in ("name", "kind", "organisation_id", "purpose"):
        assert f'href="#{field}"' in first.text
    assert "停用" not in first.text
    assert gateway.asked("POST /v1/foundings") == []
    gateway.prepare("POST /v1/foundings", {"founding": {"foundingId": FOUNDING}})
    wanted = {
        "name": "花卉行业网上党支部",
        "kind": "trade",
        "organisation_id": "370724",
        "purpose": "花农在网上过组织生活。",
    }
    second = await browser.post("/foundings/new", page="/foundings/new", request_id="once", **wanted)
    assert second.headers["location"] == f"/foundings/{FOUNDING}"
    (made,) = gateway.asked("POST /v1/foundings")
    assert made.headers["idempotency-key"] == "once"
    assert made.body == {
        "name": wanted["name"],
        "kind": "trade",
        "organisationId": "370724",
        "purpose": wanted["purpose"],
    }


@pytest.mark.parametrize(
    ("founding", "offered", "not_offered"),
    [
        ({"fullMemberCount": 2}, ["/sign"], ["/unsign", "/submit", "/withdraw"]),
        ({"fullMemberCount": 3, "signedByMe": True}, ["/unsign"], ["/submit", "/withdraw"]),
        ({"fullMemberCount": 2, "signedByMe": True, "initiatedByMe": True}, ["/withdraw"], ["/submit", "/unsign"]),
        ({"fullMemberCount": 3, "signedByMe": True, "initiatedByMe": True}, ["/submit", "/withdraw"], ["/unsign"]),
        (
            {"state": "FOUNDING_STATE_APPROVED", "initiatedByMe": True, "branchId": CLUB},
            [f"/organisations/{CLUB}"],
            ["/submit", "/sign", "/withdraw"],
        ),
    ],
)
async def test_a_founding_offers_what_the_member_may_do_now(
    browser: Browser, gateway: StubGateway, founding: dict[str, object], offered: list[str], not_offered: list[str]
) -> None:
    whole = {
        "foundingId": FOUNDING,
        "name": "花卉行业网上党支部",
        "state": "FOUNDING_STATE_COLLECTING",
        "requiredCount": 3,
        "cosignerCount": 3,
        **founding,
    }
    gateway.prepare(f"GET /v1/foundings/{FOUNDING}", {"founding": whole})
    page = (await browser.get(f"/foundings/{FOUNDING}")).text
    for path in offered:
        assert f'{path}"' in page
    for path in not_offered:
        assert f'/foundings/{FOUNDING}{path}"' not in page


async def test_a_refused_act_says_why_and_leads_back(browser: Browser, gateway: StubGateway) -> None:
    gateway.refuse(f"POST /v1/foundings/{FOUNDING}:cosign", 409, "FOUNDING_CLOSED", "这次征集已经结束。")
    gateway.prepare(f"GET /v1/foundings/{FOUNDING}", {"founding": {"foundingId": FOUNDING, "name": "花卉"}})
    response = await browser.post(f"/foundings/{FOUNDING}/sign", page="/services")
    assert response.headers["location"] == f"/foundings/{FOUNDING}"
    assert "这次征集已经结束。" in (await browser.get(f"/foundings/{FOUNDING}")).text


async def test_visitors_browse_the_tree_as_of_any_day(instances: Instances, gateway: StubGateway) -> None:
    visitor = instances.browser()
    county = {"organisationId": "370724", "name": "临朐县", "level": "ORGANISATION_LEVEL_COUNTY", "active": True}
    gateway.prepare("GET /v1/organisations/370724", {"organisation": county})
    children = [
        {"organisationId": "370724001", "name": "城关街道", "level": "ORGANISATION_LEVEL_TOWNSHIP", "active": True}
    ]
    gateway.prepare("GET /v1/organisations", {"organisations": children, "nextPageToken": "next"})
    page = await visitor.get("/organisations/370724?as_of=2026-07-01")
    assert "城关街道" in page.text
    assert "/organisations/370724?as_of=2026-07-01&amp;page=next" in page.text
    assert "这里显示的是 2026年7月1日 的情况" in page.text
    assert gateway.asked("GET /v1/organisations")[0].query["asOfDate"] == "2026-07-01"
    wrong = await visitor.get("/organisations/370724?as_of=tomorrow")
    assert wrong.status_code == 422
    assert "日期不对" in wrong.text
    to_come = await visitor.get("/organisations/370724?as_of=2999-01-01")
    assert to_come.status_code == 422
    assert "日期不能晚于今天" in to_come.text
    assert gateway.asked("GET /v1/organisations/370724")[-1].query == {}


async def test_visitors_search_by_name(instances: Instances, gateway: StubGateway) -> None:
    rows = [{"organisationId": BRANCH, "name": "兴隆社区党支部", "level": "ORGANISATION_LEVEL_BRANCH", "active": True}]
    gateway.prepare("GET /v1/organisations:search", {"organisations": rows})
    page = await instances.browser().get("/organisations")
    assert page.status_code == 404
    page = await instances.browser().get("/organisations?q=%20兴隆 ")
    assert f"/organisations/{BRANCH}" in page.text
    assert gateway.asked("GET /v1/organisations:search")[0].query["query"] == "兴隆"


async def test_visitors_see_a_branch_without_its_people(instances: Instances, gateway: StubGateway) -> None:
    prepare_branches(gateway)
    branch = {"organisationId": BRANCH, "name": "兴隆社区党支部", "level": "ORGANISATION_LEVEL_BRANCH", "active": True}
    gateway.prepare(f"GET /v1/organisations/{BRANCH}", {"organisation": branch})
    page = (await instances.browser().get(f"/organisations/{BRANCH}")).text
    assert "58.3%" in page
    assert "李建国" not in page
    assert gateway.asked(f"GET /v1/organisations/{BRANCH}/committee") == []


async def test_a_member_asks_to_join_a_virtual_branch(browser: Browser, gateway: StubGateway) -> None:
    prepare_branches(gateway)
    club = {
        "organisationId": CLUB,
        "name": "网上党支部",
        "level": "ORGANISATION_LEVEL_BRANCH",
        "active": True,
        "virtual": True,
    }
    gateway.prepare(f"GET /v1/organisations/{CLUB}", {"organisation": club})
    gateway.refuse(f"POST /v1/branches/{CLUB}/membership-requests", 409, "ALREADY_A_MEMBER", "您已经是这个支部的成员。")
    refused = await browser.post(f"/organisations/{CLUB}/join", page=f"/organisations/{CLUB}/join", reason="同行")
    assert refused.status_code == 422
    assert "您已经是这个支部的成员。" in refused.text
    gateway.prepare(f"POST /v1/branches/{CLUB}/membership-requests", {})
    sent = await browser.post(f"/organisations/{CLUB}/join", page=f"/organisations/{CLUB}/join", reason="同行")
    assert sent.headers["location"] == "/branch"


async def test_the_survey_wants_both_answers_and_a_report_is_confirmed(browser: Browser, gateway: StubGateway) -> None:
    answer = {"hasDevice": True, "state": "SURVEY_ANSWER_STATE_REPORTED", "etag": "v7"}
    gateway.prepare("GET /v1/me/survey-answer", {"answer": answer, "etag": "v7"})
    gateway.prepare("POST /v1/me/survey-answer", {})
    gateway.prepare("POST /v1/me/survey-answer:countersign", {})
    missing = await browser.post("/survey", page="/survey", has_device="yes")
    assert missing.status_code == 422
    assert 'href="#has_network"' in missing.text
    done = await browser.post("/survey", page="/survey", has_device="yes", has_network="no")
    assert done.headers["location"] == "/branch"
    assert gateway.asked("POST /v1/me/survey-answer")[0].body == {"hasDevice": True, "hasNetwork": False}
    assert 'value="v7"' in (await browser.get("/branch")).text
    await browser.post("/survey/countersign", page="/branch", agreed="no", etag="v7")
    (signed,) = gateway.asked("POST /v1/me/survey-answer:countersign")
    assert signed.body == {"agreed": False}
    assert signed.headers["if-match"] == '"v7"'


async def test_numbers_are_hidden_until_the_member_wants_to_see_them(browser: Browser, gateway: StubGateway) -> None:
    person = {"memberId": ME, "realName": "王秀英", "residentNumber": "990024197001011234", "telephone": "12012345678"}
    gateway.prepare("GET /v1/me/person", {"person": person})
    page = (await browser.get("/me/data")).text
    assert "990024**********34" in page
    assert "120****5678" in page
    shown = re.sub(r"<details.*?</details>", "", page, flags=re.DOTALL)
    assert "990024197001011234" not in shown


async def test_all_own_data_arrive_as_one_file(browser: Browser, gateway: StubGateway) -> None:
    gateway.prepare("GET /v1/me/person:download", {"real_name": "王秀英"})
    gateway.prepare("GET /v1/me/record:download", {"status": "FULL", "filler": "x" * 100_000})
    wish = {"kind": "NOTICE_KIND_WORK", "inInbox": True, "bySms": False}
    gateway.prepare("GET /v1/me/notice-preferences", {"preferences": [wish]})
    items = [{"inboxItemId": f"i{at}", "title": "任期将满", "kind": "NOTICE_KIND_COMMITTEE"} for at in range(3)]
    gateway.prepare("GET /v1/me/inbox", {"items": items, "unreadCount": 3})
    response = await browser.post("/me/data/download", page="/services")
    assert re.fullmatch(r'attachment; filename="my-data-\d{4}-\d\d-\d\d\.zip"', response.headers["content-disposition"])
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["README.txt", "identity.json", "branches.json", "notify.json"]
        notify = json.loads(archive.read("notify.json"))
        assert [one["inbox_item_id"] for one in notify["notices"]] == ["i0", "i1", "i2"]
        assert notify["notice_preferences"] == [{"kind": "NOTICE_KIND_WORK", "in_inbox": True, "by_sms": False}]
        assert "王秀英" in archive.read("identity.json").decode()
        assert len(archive.read("branches.json")) > 100_000


async def test_when_one_service_refuses_there_is_a_page_and_no_broken_file(
    browser: Browser, gateway: StubGateway
) -> None:
    gateway.prepare("GET /v1/me/person:download", {})
    gateway.refuse("GET /v1/me/record:download", 503, "UNAVAILABLE", "")
    response = await browser.post("/me/data/download", page="/services")
    assert response.status_code == 503
    assert "系统暂时联系不上" in response.text


async def test_a_correction_is_asked_for_and_followed(browser: Browser, gateway: StubGateway) -> None:
    wanted = {"field": "PERSON_FIELD_ADDRESS", "wanted_value": "新地址", "reason": "搬家"}
    gateway.prepare("GET /v1/me/corrections", {})
    missing = await browser.post("/me/corrections/new", page="/me/corrections/new", field="PERSON_FIELD_NAME")
    assert missing.status_code == 422
    gateway.prepare("POST /v1/me/corrections", {})
    sent = await browser.post("/me/corrections/new", page="/me/corrections/new", **wanted)
    assert sent.headers["location"] == "/me/corrections"
    assert gateway.asked("POST /v1/me/corrections")[0].body == {
        "field": "PERSON_FIELD_ADDRESS",
        "wantedValue": "新地址",
        "reason": "搬家",
    }
    rows = [{"correctionId": ITEM, "field": "PERSON_FIELD_ADDRESS", "state": "CORRECTION_STATE_OPEN"}]
    gateway.prepare("GET /v1/me/corrections", {"corrections": rows})
    assert f"/me/corrections/{ITEM}/withdraw" in (await browser.get("/me/corrections")).text
    # What waits is named, and not offered a second time.
    form = (await browser.get("/me/corrections/new?field=PERSON_FIELD_ADDRESS")).text
    assert ("正在办理，不用再提交" in form, 'value="PERSON_FIELD_ADDRESS"' in form) == (True, False)
    assert 'value="PERSON_FIELD_WORK_UNIT"' in form


async def test_another_telephone_wants_a_fresh_log_in_and_a_code(
    browser: Browser, gateway: StubGateway, provider: Provider
) -> None:
    early = await browser.post("/me/telephone", page="/me/telephone", telephone="12012345678")
    assert early.headers["location"] == "/me/telephone"
    asked_again = await browser.post("/me/telephone/confirm", page="/me/telephone")
    assert "prompt=login" in asked_again.headers["location"]
    state, code = provider.authorise(asked_again.headers["location"])
    back = await browser.get(f"/auth/callback?state={state}&code={code}")
    assert back.headers["location"] == "/me/telephone"
    wrong = await browser.post("/me/telephone", page="/me/telephone", telephone="1234")
    assert wrong.status_code == 422
    gateway.prepare("POST /v1/telephone-proofs", {"telephoneProofId": ITEM, "resendAfterS": 60})
    started = await browser.post("/me/telephone", page="/me/telephone", telephone="+86 120 1234 5678")
    assert started.headers["location"] == "/me/telephone/code"
    assert gateway.asked("POST /v1/telephone-proofs")[0].body == {"telephone": "12012345678"}
    gateway.refuse(f"POST /v1/telephone-proofs/{ITEM}:confirm", 409, "CODE_WRONG", "验证码不对，请再试。")
    refused = await browser.post("/me/telephone/code", page="/me/telephone/code", code="123456")
    assert (refused.status_code, "验证码不对" in refused.text) == (422, True)
    gateway.prepare(f"POST /v1/telephone-proofs/{ITEM}:confirm", {"proofToken": "proof-token"})
    gateway.prepare("POST /v1/me/telephone", {})
    done = await browser.post("/me/telephone/code", page="/me/telephone/code", code="１２３４５６")
    assert done.headers["location"] == "/me"
    assert gateway.asked("POST /v1/me/telephone")[0].body == {
        "telephone": "12012345678",
        "telephoneProofToken": "proof-token",
    }


async def test_members_pages_are_for_members(instances: Instances, gateway: StubGateway) -> None:
    visitor = instances.browser()
    for path in ("/branch", "/services", "/inbox", "/foundings", "/me/record", "/me/data", "/survey"):
        assert (await visitor.get(path)).headers["location"] == f"/auth/login?return_to={path}"
    assert gateway.calls == []
