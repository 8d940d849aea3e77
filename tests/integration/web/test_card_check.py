"""The page on which cards are checked: in a real browser, with and without its own Ed25519, and without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import segno
import uvicorn
from fastapi import FastAPI
from integration.web.conftest import KEY
from playwright.async_api import BrowserContext, Page, async_playwright, expect
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.ports import free_port
from zhibu_web.app import create_app
from zhibu_web.settings import WebSettings

pytestmark = [pytest.mark.browser]

EXAMPLES: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "unit" / "web" / "card_code_examples.json").read_text(encoding="utf-8")
)
CODE: str = EXAMPLES["codes"][0]["code"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
# Runs in the browser: what the module says of each code.
JUDGE = """async ([codes, keys, revokedCardDigests, now]) => {
  const { checkCard } = await import("/static/card-code.js");
  const found = [];
  for (const code of codes) {
    const { good, reason } = await checkCard(code, { ...keys, revokedCardDigests, now: new Date(now) });
    found.push(good ? "GOOD" : reason);
  }
  return found;
}"""
# As in browsers that do not know Ed25519.
WITHOUT_ED25519 = """() => {
  crypto.subtle.importKey = async () => { throw new DOMException("", "NotSupportedError"); };
}"""


@dataclass(frozen=True, slots=True)
class Site:
    """The web client at an address, and how to take it off the network."""

    url: str
    server: uvicorn.Server


@asynccontextmanager
async def serving(app: FastAPI, port: int) -> AsyncGenerator[uvicorn.Server]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", ws="none"))
    task = asyncio.create_task(server.serve())
    await wait_until(lambda: server.started)
    yield server
    server.should_exit = True
    await task


def public_api() -> FastAPI:
    """Return what the page asks the gateway for; the rest of the gateway is tested elsewhere."""
    app = FastAPI()

    @app.get("/v1/card-keys")
    async def keys() -> dict[str, Any]:
        return EXAMPLES["keys"]

    @app.get("/v1/card-revocations")
    async def revocations() -> dict[str, Any]:
        return {"revokedCardDigests": EXAMPLES["revokedCardDigests"], "asOfTime": EXAMPLES["now"]}

    return app


@pytest.fixture
async def site(database: ServiceDatabase) -> AsyncGenerator[Site]:
    api_port, port = free_port(), free_port()
    settings = WebSettings(
        public_url=f"http://localhost:{port}",
        gateway_url=f"http://127.0.0.1:{api_port}",
        database_url=database.app_url,
        web_session_key=KEY,
        oidc_issuer="http://localhost:9/realms/zhibu",
    )
    async with serving(public_api(), api_port), serving(create_app(settings), port) as server:
        yield Site(f"http://localhost:{port}", server)


@pytest.fixture
async def context() -> AsyncGenerator[BrowserContext]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = await browser.new_context(locale="zh-CN")
        context.set_default_timeout(10_000)
        yield context
        await browser.close()


async def opened(context: BrowserContext, site: Site) -> tuple[Page, list[str]]:
    """Open the page at the instant of the examples; return it with the list of the browser's complaints."""
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.clock.set_fixed_time(EXAMPLES["now"])
    await page.goto(f"{site.url}/cards/check")
    return page, complaints


@pytest.mark.parametrize("own", [True, False], ids=["Ed25519 of the browser", "vendored Ed25519"])
async def test_the_browser_says_of_each_code_what_the_library_says(
    context: BrowserContext, site: Site, own: bool
) -> None:
    page, complaints = await opened(context, site)
    if not own:
        await page.evaluate(WITHOUT_ED25519)
    codes = [example["code"] for example in EXAMPLES["codes"]]
    # Every single character in turn is another one; every tenth where the signature is computed in JavaScript.
    places = range(0, len(CODE), 1 if own else 10)
    changed = [CODE[:place] + ("A" if CODE[place] != "A" else "B") + CODE[place + 1 :] for place in places]
    given = [codes + changed, EXAMPLES["keys"], EXAMPLES["revokedCardDigests"], EXAMPLES["now"]]
    found = await page.evaluate(JUDGE, given)
    assert found[: len(codes)] == [example.get("reason", "GOOD") for example in EXAMPLES["codes"]]
    assert "GOOD" not in found[len(codes) :]
    assert complaints == []


async def test_a_pasted_code_and_a_picture_are_checked_and_the_reason_is_read_out(
    context: BrowserContext, site: Site, tmp_path: Path
) -> None:
    page, complaints = await opened(context, site)
    result = page.get_by_role("status").filter(has=page.get_by_role("heading"))
    await page.get_by_label("或粘贴码的文字").fill(CODE)
    await page.get_by_role("button", name="查验").click()
    await expect(result).to_contain_text("有效")
    await expect(result).to_contain_text(EXAMPLES["codes"][0]["real_name"])
    await page.get_by_label("或粘贴码的文字").fill(EXAMPLES["codes"][1]["code"])
    await page.get_by_role("button", name="查验").click()
    await expect(result).to_contain_text("✗")
    picture = tmp_path / "card.png"
    segno.make_qr(CODE, error="m").save(str(picture), scale=5)
    await page.get_by_label("或选择卡的图片").set_input_files(picture)
    await expect(result).to_contain_text("✓ 有效")
    other = tmp_path / "other.png"
    segno.make_qr("https://example.org").save(str(other), scale=5)
    await page.get_by_label("或选择卡的图片").set_input_files(other)
    await expect(result).to_contain_text("没有找到")
    assert complaints == []


async def test_once_opened_the_page_checks_without_a_network(context: BrowserContext, site: Site) -> None:
    page, _ = await opened(context, site)
    await expect(page.get_by_text("没有网络时也能打开使用")).to_be_visible()
    await context.set_offline(True)
    site.server.should_exit = True
    await page.goto(f"{site.url}/cards/check?language=en")
    await page.get_by_label("Or paste the code as text").fill(CODE)
    await page.get_by_role("button", name="Check").click()
    await expect(page.get_by_text("✓ Good")).to_be_visible()
    await page.get_by_label("Or paste the code as text").fill(EXAMPLES["codes"][7]["code"])
    await page.get_by_role("button", name="Check").click()
    await expect(page.get_by_text("✗ Revoked")).to_be_visible()


async def test_only_this_page_may_use_the_camera_and_its_policy_is_as_strict_as_any(
    context: BrowserContext, site: Site
) -> None:
    page = await context.new_page()
    answers = [await page.goto(f"{site.url}{path}") for path in ("/cards/check", "/help")]
    headers = [await answer.all_headers() for answer in answers if answer]
    assert [one["permissions-policy"].split(",")[0] for one in headers] == ["camera=(self)", "camera=()"]
    assert headers[0]["content-security-policy"] == headers[1]["content-security-policy"]
