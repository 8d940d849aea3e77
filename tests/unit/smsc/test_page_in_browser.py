"""The demo telephone in Debian's Chromium: accessible, and new messages appear by themselves."""

from collections.abc import AsyncGenerator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, async_playwright, expect
from zhibu_smsc.server import MessageCentre

pytestmark = pytest.mark.browser

_CHROMIUM = "/usr/bin/chromium"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]


@pytest.fixture(scope="module")
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        yield browser
        await browser.close()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_is_accessible_and_fits(
    centre: MessageCentre, browser: Browser, width: int, scheme: str
) -> None:
    centre.inbox.put(to="19900000001", sender="10690000", text="【支部】登录验证码482913" + "长" * 60, segments=2)
    context = await browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = await context.new_page()
    await page.goto(f"http://127.0.0.1:{centre.web_port}/")
    results = await Axe().run(page)
    assert results.response["violations"] == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await context.close()


async def test_a_new_message_appears_without_a_reload(centre: MessageCentre, browser: Browser) -> None:
    page = await browser.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    await page.goto(f"http://127.0.0.1:{centre.web_port}/?to=19900000001")
    await expect(page.get_by_text("还没有收到短信")).to_be_visible()
    await expect(page.get_by_text("新短信会自动显示")).to_be_visible()
    centre.inbox.put(to="19900000001", sender="10690000", text="验证码482913", segments=1)
    await expect(page.get_by_text("验证码482913")).to_be_visible()
    centre.inbox.clear()
    assert problems == []
    await page.close()
