"""An entry's page in a browser: every step in words, and a server that says one thing and has logged another shows."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from e2e.browsing import SMALL_CONTROLS, WCAG
from integration.web.conftest import KEY, Browser
from integration.web.gateway import StubGateway, running_gateway
from integration.web.provider import CLIENT, SECRET, Provider
from integration.web.test_card_check import FLAGS, serving
from integration.web.test_member_pages import log_in
from playwright.async_api import Page, async_playwright, expect
from support.log_entries import ME, LogMaker
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.ports import free_port
from zhibu_web.app import create_app
from zhibu_web.settings import WebSettings

pytestmark = [pytest.mark.browser]

PROOF = "GET /v1/me/log/entries/137/proof"
STEPS = ("file", "words", "tree", "log", "witnesses", "person", "memory")


@dataclass(frozen=True, slots=True)
class Screen:
    """A member's browser in front of the web client, with the browser's complaints."""

    page: Page
    url: str
    gateway: StubGateway
    complaints: list[str]

    async def look(self, path: str = "/me/log/137") -> None:
        await self.page.goto(f"{self.url}{path}")
        await expect(self.page.locator("[data-test=log-verdict]")).not_to_contain_text("正在核对")

    async def states(self) -> dict[str, str]:
        """Give what stands behind the title of each step."""
        return {name: await self.page.locator(f"[data-test=log-{name}] h3").inner_text() for name in STEPS}


@pytest.fixture(params=[360, 1280], ids=["phone", "desk"])
async def screen(
    database: ServiceDatabase, provider: Provider, request: pytest.FixtureRequest
) -> AsyncGenerator[Screen]:
    port = free_port()
    url = f"http://localhost:{port}"
    async with running_gateway() as gateway:
        gateway.prepare(
            "GET /v1/me", {"eid": {"memberId": ME, "realName": "王秀英", "organisationId": "370724"}, "grants": []}
        )
        gateway.prepare("GET /v1/me/inbox:countUnread", {"unreadCount": 0})
        gateway.prepare("GET /v1/organisations/370724/settings", {"settings": {"helpTelephone": "0536-0000000"}})
        gateway.prepare(PROOF, LogMaker().proven())
        settings = WebSettings(
            public_url=url,
            gateway_url=gateway.url,
            database_url=database.app_url,
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
            web_session_key=KEY,
        )
        async with serving(create_app(settings), port), httpx.AsyncClient(base_url=url) as http:
            await log_in(Browser(http), provider)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
                context = await browser.new_context(viewport={"width": request.param, "height": 800}, locale="zh-CN")
                context.set_default_timeout(10_000)
                session = http.cookies["zhibu-session"]
                await context.add_cookies([{"name": "zhibu-session", "value": session, "url": url}])
                page = await context.new_page()
                complaints: list[str] = []
                page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
                page.on("pageerror", lambda error: complaints.append(str(error)))
                yield Screen(page, url, gateway, complaints)
                await browser.close()


async def _check(page: Page) -> None:
    results = await Axe().run(page, options=WCAG)
    assert [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in results.response["violations"]] == []
    width, shown = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= shown
    assert await page.evaluate(SMALL_CONTROLS) == []


async def test_every_step_of_a_good_proof_is_told_and_the_files_are_what_was_checked(
    screen: Screen, tmp_path: Path
) -> None:
    await screen.look()
    page = screen.page
    await expect(page.locator("[data-test=log-verdict]")).to_contain_text("✓ 核对通过")
    await expect(page.locator("#log-no-script")).to_have_count(0)
    assert {name: text.split()[0] for name, text in (await screen.states()).items()} == dict.fromkeys(STEPS, "✓")
    tree, witnesses = page.locator("[data-test=log-tree]"), page.locator("[data-test=log-witnesses]")
    await expect(tree).to_contain_text("它是日志 300 条中的一条")
    await expect(witnesses).to_contain_text("有 2 位见证人签了名，至少要 2 位")
    await expect(witnesses).to_contain_text("witness.example/w1，2026年11月29日 11:00")
    await expect(page.locator("[data-test=log-person]")).to_contain_text("一共关于 3 人，其中有您")
    await expect(page.locator("[data-test=log-memory]")).to_contain_text("第一次在这个浏览器核对")
    await expect(page.locator("[data-test=log-words] tbody tr").first).to_contain_text("2026年11月29日 10:12")
    await _check(page)
    maker = LogMaker()
    for name, content in (("下载证明", maker.proof().encode()), ("下载条目", maker.leaf)):
        async with page.expect_download() as download:
            await page.get_by_role("link", name=name).click()
        saved = tmp_path / name
        await (await download.value).save_as(saved)
        assert saved.read_bytes() == content
    # Nobody was asked again for the files, and nothing personal is remembered.
    assert len(screen.gateway.asked(PROOF)) == 1
    kept = await page.evaluate("JSON.stringify(window.localStorage)")
    assert ME not in kept
    assert "300" in kept
    assert screen.complaints == []


async def test_a_server_that_says_one_thing_and_has_logged_another_shows(screen: Screen) -> None:
    maker = LogMaker()
    entry = maker.entry(offices=[], createTime="2026-11-29T02:12:33Z", action="identity.eid.read")
    screen.gateway.prepare(PROOF, maker.proven(entry=entry))
    await screen.look()
    words = screen.page.locator("[data-test=log-words]")
    await expect(screen.page.locator("[data-test=log-verdict]")).to_contain_text("✗ 核对没有通过")
    rows = await words.locator("tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows if "✗" in row] == ["时间", "事项", "职务"]
    assert "county_clerk@370724" in await words.inner_text()
    await _check(screen.page)
    assert screen.complaints == []


async def test_a_log_that_is_shorter_than_this_browser_has_seen_it_is_told(screen: Screen) -> None:
    await screen.look()
    screen.gateway.prepare(PROOF, LogMaker(size=400).proven())
    await screen.look()
    memory = screen.page.locator("[data-test=log-memory]")
    await expect(memory).to_contain_text("上次看到 300 条，现在 400 条，没有变短")
    screen.gateway.prepare(PROOF, LogMaker().proven())
    await screen.look()
    await expect(memory).to_contain_text("上次看到 400 条，现在只有 300 条")
    await expect(screen.page.locator("[data-test=log-verdict]")).to_contain_text("✗")
    # What was seen stays: reading it again does not make it good.
    screen.gateway.prepare(PROOF, LogMaker(size=400, other_leaves="x").proven())
    await screen.look()
    await expect(memory).to_contain_text("还是 400 条，内容却和上次不同")
    # A checkpoint that is not signed as it must be is neither compared nor remembered.
    screen.gateway.prepare(PROOF, LogMaker(size=500, witnesses=()).proven())
    await screen.look()
    await expect(memory).to_contain_text("这一步没法核对")
    assert "400" in await screen.page.evaluate("JSON.stringify(window.localStorage)")


async def test_other_witnesses_are_told_until_the_person_has_asked(screen: Screen) -> None:
    await screen.look()
    one = LogMaker(size=301, witnesses=LogMaker().witnesses[:1])
    screen.gateway.prepare(PROOF, one.proven(quorum=1, witnessKeys=[one.witnesses[0].verifier.text]))
    await screen.look()
    await expect(screen.page.locator("[data-test=log-verdict]")).to_contain_text("– 只核对了一部分")
    await expect(screen.page.locator("[data-test=log-memory]")).to_contain_text("见证人和上次不同")
    await _check(screen.page)
    await screen.page.get_by_role("button", name="我已问清楚").click()
    await screen.look()
    await expect(screen.page.locator("[data-test=log-verdict]")).to_contain_text("✓ 核对通过")


async def test_a_browser_that_cannot_compute_says_that_nothing_was_checked(screen: Screen) -> None:
    await screen.page.add_init_script("Object.defineProperty(window.crypto, 'subtle', { value: undefined });")
    await screen.look()
    await expect(screen.page.locator("[data-test=log-verdict]")).to_contain_text("什么都没有核对")
    await expect(screen.page.locator("#log-steps li")).to_have_count(0)
