"""Keycloak's pages in Debian's Chromium: Chinese first, on a telephone's width, usable without a mouse or good eyes."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from zhibu_stack.engines import Keycloak
from zhibu_stack.ports import free_port

from .keycloak_people import Person, make_person

pytestmark = [pytest.mark.keycloak, pytest.mark.browser, pytest.mark.timeout(400)]

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


class Neighbour:
    """An HTTP server in the place of the gateway or the web client: keeps what it was asked, answers what it was told."""

    def __init__(self, port: int, *, origin: str = "") -> None:
        self.requests: list[tuple[str, Any]] = []
        self.status, self.body = 200, b"{}"
        neighbour = self

        class Handler(BaseHTTPRequestHandler):
            def do_OPTIONS(self) -> None:
                self.answer(204, b"")

            def do_GET(self) -> None:
                neighbour.requests.append((self.path, None))
                self.answer(200, b"<title>web</title>", kind="text/html")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                neighbour.requests.append((self.path, json.loads(body)))
                self.answer(neighbour.status, neighbour.body)

            def answer(self, status: int, body: bytes, *, kind: str = "application/json") -> None:
                self.send_response(status)
                self.send_header("Access-Control-Allow-Origin", origin)
                self.send_header("Access-Control-Allow-Headers", "accept-language, content-type")
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def gateway(keycloak: Keycloak) -> Iterator[Neighbour]:
    neighbour = Neighbour(int(keycloak.gateway_url.rpartition(":")[2]), origin=keycloak.url)
    yield neighbour
    neighbour.stop()


@pytest.fixture
def web_url(keycloak: Keycloak) -> Iterator[str]:
    port = free_port()
    neighbour = Neighbour(port)
    keycloak.apply_realm(web_url=f"http://localhost:{port}")
    yield f"http://localhost:{port}"
    neighbour.stop()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(params=[360, 1280])
async def context(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport={"width": request.param, "height": 740}, locale="zh-CN")
    yield context
    await context.close()


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


def login_address(keycloak: Keycloak, web_url: str, **more: str) -> str:
    query = {
        "client_id": "zhibu-web",
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": f"{web_url}/callback",
    }
    query |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", **more}
    return f"{keycloak.issuer}/protocol/openid-connect/auth?" + "&".join(f"{name}={query[name]}" for name in query)


async def check_page(page: Page, title: str) -> None:
    """The page is the one meant, wholly on the screen and without a violation of WCAG 2.2 A or AA."""
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)
    results = await Axe().run(page, options=RULES)
    assert [violation["id"] for violation in results.response["violations"]] == []
    width, shown = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= shown


async def enter_password(page: Page, person: Person) -> None:
    await page.get_by_label("电子身份证号").fill(person.eid_number)
    await page.get_by_label("密码", exact=True).fill(person.password)
    await page.get_by_role("button", name="登录", exact=True).click()


async def test_first_log_in_with_password_and_code_ends_with_a_password_of_ones_own(
    keycloak: Keycloak, gateway: Neighbour, web_url: str, page: Page
) -> None:
    person = make_person(keycloak, required_actions=("UPDATE_PASSWORD",))
    await page.goto(login_address(keycloak, web_url))
    await check_page(page, "登录")
    await page.get_by_label("电子身份证号").fill(person.eid_number)
    await page.get_by_label("密码", exact=True).fill("not-this-one")
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("电子身份证号或密码不正确")
    await check_page(page, "登录")

    await enter_password(page, person)
    await check_page(page, "输入短信验证码")
    gateway.body = b'{"resendAfterS": 45}'
    await page.get_by_role("button", name="获取短信验证码").click()
    await expect(page.get_by_role("status")).to_contain_text("验证码已发送")
    await expect(page.get_by_role("button", name="秒后可重新获取")).to_be_disabled()
    assert gateway.requests == [("/v1/login-codes", {"eid_number": person.eid_number})]
    await check_page(page, "输入短信验证码")
    await page.get_by_label("短信验证码", exact=True).fill("000000" if person.code() != "000000" else "000001")
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("验证码不正确或已过期")
    await page.get_by_label("短信验证码", exact=True).fill(person.code())
    await page.get_by_role("button", name="登录", exact=True).click()

    await check_page(page, "设置您自己的密码")
    await page.get_by_label("新密码", exact=True).fill("short")
    await page.get_by_label("再输入一次新密码").fill("short")
    await page.get_by_role("button", name="保存密码").click()
    await expect(page.get_by_text("密码太短，至少要 8 位。")).to_be_visible()
    await check_page(page, "设置您自己的密码")
    await page.get_by_label("新密码", exact=True).fill("plain words of my own")
    await page.get_by_label("再输入一次新密码").fill("plain words of my own")
    await page.get_by_role("button", name="保存密码").click()
    await page.wait_for_url(f"{web_url}/callback?*code=*")


@pytest.mark.parametrize("answer", [(429, "获取得太频繁"), (503, "暂时无法发送验证码")])
async def test_a_code_that_cannot_be_sent_is_explained(
    keycloak: Keycloak, gateway: Neighbour, web_url: str, page: Page, answer: tuple[int, str]
) -> None:
    gateway.status, text = answer
    await page.goto(login_address(keycloak, web_url))
    await enter_password(page, make_person(keycloak))
    await page.get_by_role("button", name="获取短信验证码").click()
    await expect(page.get_by_role("status")).to_contain_text(text)
    await page.get_by_text("手机不在身边，或者换了号码？").click()
    await expect(page.get_by_role("group").get_by_role("link", name="0536-0000000")).to_be_visible()


async def test_reloading_the_code_page_shows_it_again(keycloak: Keycloak, web_url: str, page: Page) -> None:
    await page.goto(login_address(keycloak, web_url))
    await enter_password(page, make_person(keycloak))
    await expect(page.get_by_role("heading", level=1)).to_have_text("输入短信验证码")
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("输入短信验证码")


async def test_a_passkey_is_set_up_and_then_logs_in_without_password_or_code(
    keycloak: Keycloak, web_url: str, context: BrowserContext, page: Page
) -> None:
    person = make_person(keycloak)
    devices = await context.new_cdp_session(page)
    await devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    await devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )
    await page.goto(login_address(keycloak, web_url, kc_action="webauthn-register-passwordless"))
    await enter_password(page, person)
    await page.get_by_label("短信验证码", exact=True).fill(person.code())
    await page.get_by_role("button", name="登录", exact=True).click()
    await check_page(page, "设置通行密钥")
    await page.get_by_role("button", name="在这台设备上设置").click()
    await page.wait_for_url(f"{web_url}/callback?*kc_action_status=success*")

    # A browser that suggests passkeys logs in by itself once the member agrees.
    await context.clear_cookies()
    await page.goto(login_address(keycloak, web_url, state="suggested"), wait_until="commit")
    await page.wait_for_url(f"{web_url}/callback?*state=suggested*code=*")
    # One that does not has the button.
    await context.clear_cookies()
    await page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = undefined")
    await page.goto(login_address(keycloak, web_url, state="button"))
    await page.get_by_role("button", name="用通行密钥登录").click()
    await page.wait_for_url(f"{web_url}/callback?*state=button*code=*")


async def test_a_passkey_page_that_is_cancelled_goes_back_to_the_client(
    keycloak: Keycloak, web_url: str, page: Page
) -> None:
    person = make_person(keycloak)
    await page.goto(login_address(keycloak, web_url, kc_action="webauthn-register-passwordless"))
    await enter_password(page, person)
    await page.get_by_label("短信验证码", exact=True).fill(person.code())
    await page.get_by_role("button", name="登录", exact=True).click()
    await page.get_by_role("button", name="取消").click()
    await page.wait_for_url(f"{web_url}/callback?*kc_action_status=cancelled*")


async def test_the_pages_are_english_after_a_switch_and_stay_so(keycloak: Keycloak, web_url: str, page: Page) -> None:
    await page.goto(login_address(keycloak, web_url))
    await page.get_by_role("link", name="English").click()
    await check_page(page, "Log in")
    assert await page.locator("html").get_attribute("lang") == "en"
    await page.goto(f"{keycloak.issuer}/device")
    await check_page(page, "Device Login")
    await page.goto(login_address(keycloak, web_url))
    await page.get_by_role("link", name="中文").click()
    await check_page(page, "登录")


async def test_an_error_and_the_log_out_page_have_our_look(keycloak: Keycloak, web_url: str, page: Page) -> None:
    await page.goto(login_address(keycloak, "http://evil.test"))
    await check_page(page, "出了问题")
    await page.goto(f"{keycloak.issuer}/protocol/openid-connect/logout?client_id=zhibu-web")
    await check_page(page, "退出登录")


async def test_whoever_comes_without_a_key_stick_is_told_what_to_do(
    keycloak: Keycloak, web_url: str, page: Page, browser: Browser
) -> None:
    usual = login_address(keycloak, web_url)
    await page.goto(usual)
    await expect(page.get_by_text("没有看到密钥盘")).to_be_hidden()
    await expect(page.locator("#password")).to_be_visible()
    size = page.viewport_size
    # The stack's own authority is in no browser.
    stickless = await browser.new_context(viewport=size, locale="zh-CN", ignore_https_errors=True)
    try:
        at_sticks = await stickless.new_page()
        for languages, told, instead in (
            ("zh-Hans", "请插好密钥盘，把浏览器的所有窗口都关闭", "改用密码登录"),
            ("en", "close every window of the browser", "Log in with the password instead"),
        ):
            await at_sticks.goto(usual.replace(keycloak.url, keycloak.certificate_url, 1) + f"&ui_locales={languages}")
            await expect(at_sticks.get_by_role("status")).to_contain_text(told)
            await expect(at_sticks.locator("#password")).to_be_hidden()
            await check_page(at_sticks, "登录" if languages == "zh-Hans" else "Log in")
            link = at_sticks.get_by_role("link", name=instead)
            assert await link.get_attribute("href") == f"{web_url}/auth/login"
    finally:
        await stickless.close()


async def test_no_inline_script_may_run_on_a_page(keycloak: Keycloak, web_url: str, page: Page) -> None:
    answer = await page.goto(login_address(keycloak, web_url))
    assert answer is not None
    policy = (await answer.all_headers())["content-security-policy"]
    assert "script-src 'self';" in policy
    assert f"connect-src 'self' {keycloak.gateway_url};" in policy
    assert "unsafe" not in policy
