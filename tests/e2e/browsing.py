"""What people do in a browser, and what every page that they see must be like."""

import re
from dataclasses import dataclass

from axe_playwright_python.async_playwright import Axe
from e2e.running_stack import Stack
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
_CODE_TRIES = 3
_CODE_PAUSE_MS = 70_000
# Smaller controls are hard to hit for the old; links within a sentence are as large as their text.
SMALL_CONTROLS = """
[...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary")]
  .filter((one) => {
    const box = one.getBoundingClientRect(), style = getComputedStyle(one);
    return box.width > 1 && box.height < 43.5 && style.display !== "inline" && style.opacity !== "0"
      && !one.classList.contains("govuk-skip-link");
  })
  .map((one) => one.outerHTML.slice(0, 120))
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the screen, with what they know."""

    real_name: str
    resident_number: str
    telephone: str


def watch(page: Page, stack: Stack) -> list[str]:
    """Give the list in which the browser's complaints about our pages gather: broken policies, scripts and files."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # The browser reports each answer of 4xx and 5xx, which some tests ask for.
        ours = page.url.startswith(stack.web)
        if ours and message.type in ("error", "warning") and "status of" not in message.text:
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


async def check_page(page: Page) -> None:
    """The page breaks no rule of WCAG 2.2 A or AA, fits its width, and its controls are large enough."""
    results = await Axe().run(page, options=WCAG)
    violations = [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in results.response["violations"]]
    assert violations == [], page.url
    width, shown = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= shown, page.url
    assert await page.evaluate(SMALL_CONTROLS) == [], page.url


async def apply(
    page: Page, stack: Stack, person: Person, *, check: bool = False, branch: bool = True
) -> tuple[str, str]:
    """Apply for an e-ID as this person and return number and code of the case."""

    async def look() -> None:
        if check:
            await check_page(page)

    await page.goto(f"{stack.web}/")
    await page.get_by_role("main").get_by_role("link", name="申请电子身份证").click()
    await look()
    await page.get_by_role("button", name="开始申请").click()
    await page.get_by_label("我已阅读并同意隐私告知").check()
    await page.get_by_label("市", exact=True).select_option(label="潍坊市")
    await page.get_by_label("县（市、区）").select_option(label="临朐县")
    if branch:
        await page.get_by_label("乡镇、街道或系统党委").select_option(index=1)
    await look()
    await page.get_by_role("button", name="继续").click()
    await prove_telephone(page, stack, person, look_first=check)
    await page.get_by_label("姓名").fill(person.real_name)
    await page.get_by_label("居民身份证号").fill(person.resident_number)
    await page.get_by_label("正式党员").check()
    await look()
    await page.get_by_role("button", name="继续").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("核对并提交")
    await expect(page.get_by_text(person.real_name, exact=True)).to_be_visible()
    await look()
    await page.get_by_role("button", name="提交申请").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("申请已提交")
    await look()
    number = await page.locator("[data-test=case-number]").inner_text()
    code = await page.locator("[data-test=case-code]").inner_text()
    return number, code


async def prove_telephone(page: Page, stack: Stack, person: Person, *, look_first: bool = False) -> None:
    """Enter the telephone and the code that arrives on it."""
    await expect(page.get_by_role("heading", level=1)).to_contain_text("验证手机号")
    await page.get_by_label("手机号").fill(person.telephone)
    before = stack.newest_message(person.telephone)
    await page.get_by_role("button", name="发送验证码").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("输入短信验证码")
    if look_first:
        await check_page(page)
    await page.get_by_label("验证码", exact=True).fill(code_in(stack.wait_for_message(person.telephone, before)))
    await page.get_by_role("button", name="继续").click()


async def log_in(
    page: Page, stack: Stack, *, eid_number: str, password: str, telephone: str, new_password: str = ""
) -> None:
    """Go through Keycloak's pages: e-ID number and password, code by SMS, and a password of one's own at the first time."""
    await page.goto(f"{stack.web}/auth/login")
    await page.locator("#username").fill(eid_number)
    await page.locator("#password").fill(password)
    await page.locator("#kc-login").click()
    before = stack.newest_message(telephone)
    message = ""
    # Between two codes lie sixty seconds; who ran the tests a moment ago waits as a member would.
    for _ in range(_CODE_TRIES):
        await page.locator("#send-code button").click(timeout=_CODE_PAUSE_MS)
        message = stack.find_message(telephone, before)
        if message:
            break
    await page.locator("#otp").fill(code_in(message))
    await page.locator("#kc-login").click()
    if new_password:
        await page.locator("#password-new").fill(new_password)
        await page.locator("#password-confirm").fill(new_password)
        await page.locator("button[name=login]").click()
    await page.wait_for_url(f"{stack.web}/me")


class Officers:
    """The demonstration's officers, each logged in once: codes by SMS are limited per hour."""

    def __init__(self, browser: Browser, stack: Stack) -> None:
        self._browser = browser
        self._stack = stack
        self._states: dict[str, StorageState] = {}

    async def open(self, context: BrowserContext, kind: str) -> Page:
        """Give a page in this browser, logged in as the officer of a kind."""
        if kind not in self._states:
            self._states[kind] = await self._log_in(kind)
        for cookie in self._states[kind].get("cookies", []):
            # Only our own: with Keycloak's the browser would be logged in there too.
            if cookie.get("name") == "zhibu-session":
                await context.add_cookies(
                    [{"name": "zhibu-session", "value": cookie.get("value", ""), "url": self._stack.web}]
                )
        page = await context.new_page()
        await page.goto(f"{self._stack.web}/me")
        return page

    def forget(self, kind: str) -> None:
        """Have the officer log in again next time: the session was ended."""
        self._states.pop(kind, None)

    async def _log_in(self, kind: str) -> StorageState:
        account = self._stack.account(kind)
        context = await self._browser.new_context(locale="zh-CN")
        page = await context.new_page()
        telephone = account["code"].rpartition("to=")[2]
        await log_in(
            page, self._stack, eid_number=account["eid_number"], password=account["password"], telephone=telephone
        )
        state = await context.storage_state()
        await context.close()
        return state


def code_in(message: str) -> str:
    """Give the six digits of a message."""
    found = re.search(r"(?<!\d)\d{6}(?!\d)", message)
    assert found, "the SMS holds no code"
    return found.group()
