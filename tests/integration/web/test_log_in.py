"""Log-in: state, nonce, PKCE, a new session identifier; refreshed once; ended from everywhere."""

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from integration.web.conftest import CERTIFICATE_LOGIN, PUBLIC, Browser, Instances
from integration.web.provider import Provider


async def _log_in(browser: Browser, provider: Provider, return_to: str = "/help") -> httpx.Response:
    started = await browser.get(f"/auth/login?return_to={return_to}")
    assert started.status_code == 303
    state, code = provider.authorise(started.headers["location"])
    return await browser.get(f"/auth/callback?state={state}&code={code}")


def _session(browser: Browser) -> str:
    return browser.http.cookies.get("zhibu-session") or ""


async def test_a_member_logs_in_and_goes_on_where_they_wanted_to(instances: Instances, provider: Provider) -> None:
    browser = instances.browser()
    response = await _log_in(browser, provider)
    assert (response.status_code, response.headers["location"]) == (303, "/help")
    assert "退出登录" in (await browser.get("/help")).text
    other = instances.browser(instance=1, cookies=browser.http.cookies)
    assert "退出登录" in (await other.get("/help")).text


async def test_officers_are_sent_where_keycloak_asks_for_their_certificate(
    instances: Instances, provider: Provider
) -> None:
    browser = instances.browser()
    assert "密钥盘登录" in (await browser.get("/")).text
    started = await browser.get("/auth/login?with=certificate&return_to=/help")
    asked = urlsplit(started.headers["location"])
    usual = urlsplit((await browser.get("/auth/login")).headers["location"])
    assert (f"{asked.scheme}://{asked.netloc}", asked.path) == (CERTIFICATE_LOGIN, usual.path)
    state, code = provider.authorise(started.headers["location"])
    finished = await browser.get(f"/auth/callback?state={state}&code={code}")
    assert (finished.status_code, finished.headers["location"]) == (303, "/help")


async def test_no_token_ever_reaches_the_browser(instances: Instances, provider: Provider) -> None:
    browser = instances.browser()
    response = await _log_in(browser, provider)
    seen = str(response.headers) + (await browser.get("/help")).text
    assert "access-" not in seen
    assert not any(token in seen for token in provider.refresh_tokens)


async def test_the_session_identifier_changes_at_log_in(instances: Instances, provider: Provider) -> None:
    browser = instances.browser()
    await _log_in(browser, provider)
    before = _session(browser)
    await _log_in(browser, provider)
    assert _session(browser) not in ("", before)
    old = instances.browser(cookies=httpx.Cookies({"zhibu-session": before}))
    assert "退出登录" not in (await old.get("/help")).text


async def test_an_answer_to_somebody_elses_log_in_is_refused(instances: Instances, provider: Provider) -> None:
    attacker, victim = instances.browser(), instances.browser()
    state, code = provider.authorise((await attacker.get("/auth/login")).headers["location"])
    response = await victim.get(f"/auth/callback?state={state}&code={code}")
    assert response.status_code == 400
    assert "登录没有完成" in response.text
    assert _session(victim) == ""


async def test_a_log_in_is_good_once(instances: Instances, provider: Provider) -> None:
    browser = instances.browser()
    state, code = provider.authorise((await browser.get("/auth/login")).headers["location"])
    assert (await browser.get(f"/auth/callback?state={state}&code={code}")).status_code == 303
    again = await browser.get(f"/auth/callback?state={state}&code={code}")
    assert again.headers["location"] == "/me"


@pytest.mark.parametrize(
    "changes",
    [{"nonce": "another"}, {"aud": "zhibu-cli"}, {"iss": "http://evil.example"}, {"exp": 1}, {"iat": 1}, {"sub": ""}],
)
async def test_an_identity_token_that_is_not_for_this_log_in_is_refused(
    instances: Instances, provider: Provider, changes: dict[str, Any]
) -> None:
    provider.changes = changes
    browser = instances.browser()
    assert (await _log_in(browser, provider)).status_code == 400
    assert _session(browser) == ""


async def test_a_code_that_was_used_already_logs_nobody_in(instances: Instances, provider: Provider) -> None:
    browser = instances.browser()
    state, _ = provider.authorise((await browser.get("/auth/login")).headers["location"])
    assert (await browser.get(f"/auth/callback?state={state}&code=stolen")).status_code == 400


async def test_two_instances_refresh_one_members_tokens_once(instances: Instances, provider: Provider) -> None:
    provider.lifetime_s = 1
    browser = instances.browser()
    await _log_in(browser, provider)
    first, second = browser, instances.browser(instance=1, cookies=browser.http.cookies)
    answers = await asyncio.gather(*(one.get("/me") for one in (first, second, first, second)))
    # The gateway is down, which is no reason to end a log-in.
    assert {answer.status_code for answer in answers} == {503}
    assert provider.refreshes == 1
    assert "退出登录" in (await second.get("/help")).text


async def test_when_keycloak_does_not_prolong_the_log_in_the_person_is_told(
    instances: Instances, provider: Provider
) -> None:
    provider.lifetime_s = 1
    browser = instances.browser()
    await _log_in(browser, provider)
    provider.refresh_tokens.clear()
    response = await browser.get("/me")
    assert response.status_code == 401
    assert "登录时间已到" in response.text
    assert "退出登录" not in (await browser.get("/help")).text


async def test_logging_out_ends_our_session_and_then_keycloaks(instances: Instances, provider: Provider) -> None:
    browser = instances.browser()
    await _log_in(browser, provider)
    copy = instances.browser(instance=1, cookies=httpx.Cookies(browser.http.cookies))
    response = await browser.post("/auth/logout", page="/help")
    target = httpx.URL(response.headers["location"])
    assert str(target).startswith(f"{provider.issuer}/logout?")
    assert target.params["post_logout_redirect_uri"] == f"{PUBLIC}/auth/logged-out"
    assert target.params["id_token_hint"]
    assert "退出登录" not in (await copy.get("/help")).text


async def test_logging_out_needs_the_form(instances: Instances, provider: Provider) -> None:
    browser = instances.browser()
    await _log_in(browser, provider)
    assert (await browser.http.post("/auth/logout", headers={"Origin": PUBLIC})).status_code == 403
    assert (await browser.get("/auth/logout")).status_code == 405
    assert "退出登录" in (await browser.get("/help")).text


async def _tell(browser: Browser, token: str) -> int:
    response = await browser.http.post("/auth/backchannel-logout", data={"logout_token": token})
    return response.status_code


async def test_a_log_out_at_keycloak_ends_the_session_at_every_instance(
    instances: Instances, provider: Provider
) -> None:
    browser, keycloak = instances.browser(), instances.browser(instance=1)
    await _log_in(browser, provider)
    assert await _tell(keycloak, provider.logout_token()) == 200
    response = await browser.get("/me")
    assert response.status_code == 401
    assert "您的登录已在别处结束" in response.text
    # Told once; then an ordinary visitor.
    assert (await browser.get("/help")).status_code == 200


async def test_a_log_out_that_names_only_the_account_ends_all_its_sessions(
    instances: Instances, provider: Provider, pool: asyncpg.Pool
) -> None:
    browsers = [instances.browser(), instances.browser(instance=1)]
    for browser in browsers:
        await _log_in(browser, provider)
    assert await _tell(browsers[0], provider.logout_token(sid=None, sub="account-1")) == 200
    assert [(await browser.get("/me")).status_code for browser in browsers] == [401, 401]
    assert (
        await pool.fetchval("SELECT count(*) FROM session WHERE account_id = 'account-1' AND sealed IS NOT NULL") == 0
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "zhibu-cli"},
        {"iss": "http://evil.example"},
        {"events": {}},
        {"events": None},
        {"nonce": "x"},
        {"sid": None},
        {"iat": int(time.time()) - 7200},
    ],
)
async def test_what_is_no_log_out_token_for_us_ends_nothing(
    instances: Instances, provider: Provider, changes: dict[str, Any]
) -> None:
    browser = instances.browser()
    await _log_in(browser, provider)
    assert await _tell(browser, provider.logout_token(**changes)) == 400
    assert "退出登录" in (await browser.get("/help")).text


@pytest.mark.parametrize("token", ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "x" * 20_000])
async def test_a_forged_log_out_token_is_refused(instances: Instances, token: str) -> None:
    assert await _tell(instances.browser(), token) == 400


async def test_the_log_in_asks_for_what_it_needs_and_speaks_the_persons_language(
    instances: Instances, provider: Provider
) -> None:
    browser = instances.browser()
    target = httpx.URL((await browser.get("/auth/login")).headers["location"])
    assert target.params["redirect_uri"] == f"{PUBLIC}/auth/callback"
    assert target.params["scope"] == "openid"
    assert target.params["ui_locales"] == "zh-Hans"
    await browser.post("/preferences", set="language:en")
    assert httpx.URL((await browser.get("/auth/login")).headers["location"]).params["ui_locales"] == "en"


async def test_a_member_is_sent_to_keycloak_to_change_the_password_or_add_a_passkey(
    instances: Instances, provider: Provider
) -> None:
    browser = instances.browser()
    await _log_in(browser, provider)
    said = {"UPDATE_PASSWORD": "密码已修改", "webauthn-register-passwordless": "通行密钥已添加"}
    for action, words in said.items():
        sent = await browser.post("/me/security", page="/help", action=action)
        assert httpx.URL(sent.headers["location"]).params["kc_action"] == action
        state, code = provider.authorise(sent.headers["location"])
        back = await browser.get(f"/auth/callback?state={state}&code={code}&kc_action_status=success")
        assert back.headers["location"] == "/me"
        assert words in (await browser.get("/help")).text
    assert (await browser.post("/me/security", page="/help", action="delete_account")).headers["location"] == "/me"
