"""One stack and one browser for all flows; every page is seen on a phone and on a desk."""

import itertools
import secrets
from collections.abc import AsyncGenerator, Callable, Generator
from datetime import date

import pytest
from e2e.browsing import Officers, Person
from e2e.running_stack import Stack, running_stack
from playwright.async_api import Browser, BrowserContext, async_playwright
from zhibu_demo.synthetic import resident_number, telephone

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# The machine plays a whole province at once.
PATIENCE_MS = 30_000

_numbers = itertools.count(secrets.randbelow(800_000_000) + 100_000_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first flow starts everything, which takes minutes on a fresh machine."""
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.timeout(1200))
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def stack() -> Generator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def officers(browser: Browser, stack: Stack) -> Officers:
    return Officers(browser, stack)


@pytest.fixture(params=[360, 1280], ids=["phone", "desk"])
async def context(browser: Browser, request: pytest.FixtureRequest) -> AsyncGenerator[BrowserContext]:
    """A fresh browser of a phone's or a desk's width."""
    context = await browser.new_context(viewport={"width": request.param, "height": 800}, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
async def phone(browser: Browser) -> AsyncGenerator[BrowserContext]:
    """A member's browser, on a small telephone."""
    context = await browser.new_context(viewport={"width": 360, "height": 800}, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
async def desk(browser: Browser) -> AsyncGenerator[BrowserContext]:
    """An officer's browser."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
async def browser_of_another(browser: Browser) -> AsyncGenerator[BrowserContext]:
    """Another officer's browser."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
async def without_scripts(browser: Browser) -> AsyncGenerator[BrowserContext]:
    """A browser that runs no JavaScript."""
    context = await browser.new_context(
        viewport={"width": 360, "height": 800}, locale="zh-CN", java_script_enabled=False
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
def new_person() -> Callable[[str], Person]:
    """Give somebody new, who cannot be real, with the name wanted."""

    def make(real_name: str) -> Person:
        number = next(_numbers)
        born = date(1950 + number % 40, 1 + number % 12, 1 + number % 28)
        area = f"99{number // 1000 % 10_000:04d}"
        return Person(real_name, resident_number(area, born, number % 1000), telephone(number))

    return make
