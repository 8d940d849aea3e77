"""Forms come from our own pages, choices are remembered, and nothing is lost while the gateway is down."""

import re

import httpx
import pytest
from integration.web.conftest import PUBLIC, Instances, token_of

MAIN_HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/apply",
        "/case",
        "/help",
        "/privacy",
        "/first-login",
        "/first-office",
        "/nowhere",
        "/static/zhibu.css",
        "/auth/callback",
        "/desk",
        "/healthz",
    ],
)
async def test_every_answer_carries_the_safety_headers(instances: Instances, path: str) -> None:
    response = await instances.browser().get(path)
    assert all(response.headers.get(name) for name in MAIN_HEADERS)
    assert response.status_code < 500


async def test_pages_are_kept_by_nobody_and_files_with_a_hash_for_a_year(instances: Instances) -> None:
    browser = instances.browser()
    assert (await browser.get("/")).headers["cache-control"] == "no-store"
    assert (await browser.get("/static/zhibu.css?v=1")).headers[
        "cache-control"
    ] == "public, max-age=31536000, immutable"
    assert (await browser.get("/static/zhibu.css")).headers["cache-control"] == "no-cache"


async def test_a_first_visit_loads_less_than_sixty_kilobytes_and_no_page_is_compressed(instances: Instances) -> None:
    browser = instances.browser()
    page = await browser.get("/")
    assert "content-encoding" not in page.headers
    weight_bytes = len(page.content)
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
        # As it goes over the line.
        async with browser.http.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as file:
            weight_bytes += len(b"".join([chunk async for chunk in file.aiter_raw()]))
    assert weight_bytes < 60_000


async def test_chinese_comes_first_and_english_when_it_was_chosen(instances: Instances) -> None:
    browser = instances.browser()
    first = await browser.http.get("/", headers={"Accept-Language": "en"})
    assert '<html lang="zh-CN"' in first.text
    chosen = await browser.post("/preferences", set="language:en", return_to="/help")
    assert chosen.headers["location"] == "/help"
    assert '<html lang="en"' in (await browser.get("/help")).text


async def test_large_type_is_remembered(instances: Instances) -> None:
    browser = instances.browser()
    await browser.post("/preferences", set="type:large", return_to="/")
    assert 'class="govuk-template large-type"' in (await browser.get("/")).text
    await browser.post("/preferences", set="type:normal", return_to="/")
    assert "large-type" not in (await browser.get("/")).text


async def test_a_choice_never_leads_to_another_site(instances: Instances) -> None:
    response = await instances.browser().post("/preferences", set="type:large", return_to="//evil.example")
    assert response.headers["location"] == "/"


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(instances: Instances) -> None:
    response = await instances.browser().get("/")
    for cookie in response.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie


async def test_a_form_without_token_is_refused(instances: Instances) -> None:
    browser = instances.browser()
    await browser.get("/case")
    for form in ({}, {"csrf": "x"}, {"csrf": ""}):
        response = await browser.http.post("/case", data=form, headers={"Origin": PUBLIC})
        assert response.status_code == 403
        assert "页面已过期" in response.text


async def test_a_token_without_its_cookie_is_refused(instances: Instances) -> None:
    token = await instances.browser().token("/case")
    stranger = instances.browser()
    response = await stranger.http.post("/case", data={"csrf": token}, headers={"Origin": PUBLIC})
    assert response.status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Referer": "http://evil.example/x"}]
)
async def test_a_form_from_another_site_is_refused_even_with_a_token(
    instances: Instances, headers: dict[str, str]
) -> None:
    browser = instances.browser()
    token = await browser.token("/case")
    assert (await browser.http.post("/case", data={"csrf": token}, headers=headers)).status_code == 403


async def test_a_file_or_a_huge_form_is_refused(instances: Instances) -> None:
    browser = instances.browser()
    token = await browser.token("/case")
    with_file = await browser.http.post("/case", data={"csrf": token}, files={"case_number": b"x"})
    assert with_file.status_code == 403
    huge = await browser.http.post("/case", data={"csrf": token, "case_number": "x" * 200_000})
    assert huge.status_code == 413
    assert "内容太长" in huge.text
    assert huge.headers["content-security-policy"]


async def test_a_form_is_good_at_the_other_instance_too(instances: Instances) -> None:
    first = instances.browser()
    token = await first.token("/case")
    second = instances.browser(instance=1, cookies=first.http.cookies)
    response = await second.http.post("/case", data={"csrf": token, "case_number": "x", "case_code": "y"})
    assert response.status_code == 422


async def test_errors_stand_on_top_and_lead_to_their_fields(instances: Instances) -> None:
    response = await instances.browser().post("/case", page="/case", case_number="abc", case_code="K7MP4XQT9R")
    assert response.status_code == 422
    assert "<title>有错误：" in response.text
    assert 'href="#case_number"' in response.text
    assert 'id="case_number-error"' in response.text
    assert 'value="abc"' in response.text
    assert "#case_code" not in response.text


async def test_while_the_gateway_is_down_the_form_is_kept_and_can_be_sent_again(instances: Instances) -> None:
    response = await instances.browser().post(
        "/case", page="/case", case_number="370724-26-000123-7", case_code="K7MP4XQT9R", request_id="abc"
    )
    assert response.status_code == 503
    assert "系统暂时联系不上" in response.text
    for kept in ('name="case_number" value="370724-26-000123-7"', 'name="request_id" value="abc"', 'action="/case"'):
        assert kept in response.text
    # One token for the display settings and one for this form, both new.
    assert response.text.count('name="csrf"') == 2


async def test_what_people_enter_is_escaped(instances: Instances) -> None:
    response = await instances.browser().post("/case", page="/case", case_number='"><script>x', case_code="y")
    assert "<script>x" not in response.text
    assert "&#34;&gt;&lt;script&gt;x" in response.text


async def test_a_page_that_does_not_exist_says_so_in_plain_words(instances: Instances) -> None:
    response = await instances.browser().get("/nowhere")
    assert response.status_code == 404
    assert "没有这个页面" in response.text
    assert token_of(response)


async def test_pages_for_members_ask_for_the_log_in_and_remember_the_way(instances: Instances) -> None:
    browser = instances.browser()
    asked = await browser.get("/desk/370724/applications?view=closed")
    assert asked.headers["location"] == "/auth/login?return_to=/desk/370724/applications%3Fview%3Dclosed"
    sent = await browser.post("/me/security", action="UPDATE_PASSWORD")
    assert sent.status_code == 401
    assert "请先登录" in sent.text


async def test_health_says_that_the_database_answers(instances: Instances) -> None:
    browser = instances.browser()
    assert (await browser.get("/healthz")).text == "ok"
    assert (await browser.get("/readyz")).text == "ready"


async def test_one_address_cannot_fill_the_table_of_sessions(instances: Instances) -> None:
    browser = instances.browser()
    token = await browser.token("/apply")
    # Opens a session without asking the gateway.
    form = {"csrf": token}
    for _ in range(60):
        fresh = instances.browser(cookies=httpx.Cookies({"zhibu-form": browser.http.cookies["zhibu-form"]}))
        assert (await fresh.http.post("/apply/restart", data=form)).status_code == 303
    fresh = instances.browser(cookies=httpx.Cookies({"zhibu-form": browser.http.cookies["zhibu-form"]}))
    refused = await fresh.http.post("/apply/restart", data=form)
    assert refused.status_code == 429
    assert "操作太频繁" in refused.text


async def test_a_clerk_whose_log_in_has_expired_meanwhile_is_asked_to_log_in(instances: Instances) -> None:
    browser = instances.browser()
    form = {"csrf": "token-of-the-session-before", "query": "wjg"}
    response = await browser.http.post("/desk/370724/applications/search", data=form, headers={"Origin": PUBLIC})
    assert response.status_code == 401
    assert "请先登录" in response.text
