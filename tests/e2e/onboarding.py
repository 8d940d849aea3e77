"""What the test of a county's first day needs: a plan, a roster, the command, and an officer at Keycloak's device page."""

import asyncio
import csv
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx
from e2e.browsing import code_in
from e2e.running_stack import Stack
from playwright.async_api import Page
from zhibu_demo.synthetic import resident_number, telephone
from zhibuctl.logging_in import OfficerSession, log_in

CITY = "3707"
_DEVICE_PAGE = re.compile(r"http\S+/device\S+")
_CODE_TRIES = 3
_CODE_PAUSE_MS = 70_000


@dataclass(frozen=True, slots=True)
class County:
    """A county that exists only as an organisation."""

    code: str
    name: str

    @property
    def branch(self) -> str:
        return f"{self.name}城关街道文化社区党支部"


def find_untouched_county(stack: Stack) -> County:
    """Give a county of Weifang below which nothing stands."""
    url = f"{stack.ports.gateway_url}/v1/organisations"
    rows = httpx.get(url, params={"parent_id": CITY, "page_size": 200}, trust_env=False).json()["organisations"]
    found = next(row for row in rows if not row.get("childCount"))
    return County(found["organisationId"], found["name"])


def children_of(stack: Stack, organisation_id: str) -> list[str]:
    """Give the names of what stands directly below, as anybody can see them."""
    url = f"{stack.ports.gateway_url}/v1/organisations"
    answer = httpx.get(url, params={"parent_id": organisation_id, "page_size": 200}, trust_env=False).json()
    return [row["name"] for row in answer.get("organisations", [])]


def write_plan(directory: Path, county: County, *, roster: Path | None = None) -> Path:
    """Write a plan with a township, a sector committee and a branch below each."""
    lines = [
        f'sectors = ["中共{county.name}委县直机关工作委员会"]',
        "[county]",
        f'code = "{county.code}"',
        f'name = "{county.name}"',
        "[switches]",
        'help_telephone = "0536-0000-001"',
        "[[townships]]",
        f'code = "{county.code}001"',
        'name = "城关街道"',
        "[[branches]]",
        'parent = "城关街道"',
        f'name = "{county.branch}"',
        "term_years = 5",
        "[[branches]]",
        f'parent = "中共{county.name}委县直机关工作委员会"',
        f'name = "{county.name}档案馆党支部"',
    ]
    if roster:
        lines += ["[roster]", f'file = "{roster.name}"', "commit = true", "create_branches = true"]
    path = directory / "plan.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def write_roster(path: Path, county: County, count: int, *, bad_row: bool = False) -> None:
    """Write a roster; a third of the people are in a branch that only the roster names."""
    branches = (
        ("城关街道", county.branch),
        (f"中共{county.name}委县直机关工作委员会", f"{county.name}档案馆党支部"),
        ("城关街道", f"{county.name}城关街道东关社区党支部"),
    )
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["姓名", "公民身份号码", "手机号码", "人员类别", "入党日期", "转正日期", "所属党委", "所在党支部"]
        )
        for number in range(count):
            born = date(1960, 1, 1) + timedelta(days=number * 37)
            own_number = resident_number(f"99{county.code[2:]}", born, number)
            if bad_row and number == 1:
                own_number = own_number[:-1]
            committee, branch = branches[number % len(branches)]
            called = telephone(int(county.code) * 1_000 + number)
            rows.writerow(
                [
                    f"王{'建志文秀玉'[number % 5]}",
                    own_number,
                    called,
                    "正式党员",
                    "2001.07.01",
                    "2002.07.01",
                    committee,
                    branch,
                ]
            )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the command said, and how it ended."""

    status: int
    said: str


async def onboard(
    stack: Stack,
    plan: Path,
    *options: str,
    officer: Callable[[str], Awaitable[None]] | None = None,
    kill_at: str = "",
) -> Outcome:
    """Run the command; `officer` is called with the address that it shows, `kill_at` ends it at once at that line."""
    command = ["-m", "zhibuctl", "--directory", str(stack.directory), "county", "onboard", str(plan), *options]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout
    said: list[str] = []
    while line := (await process.stdout.readline()).decode():
        said.append(line)
        address = _DEVICE_PAGE.search(line)
        if address and officer:
            await officer(address.group())
        if kill_at and kill_at in line:
            process.kill()
    return Outcome(await process.wait(), "".join(said))


class DeviceOfficer:
    """The province's administrator at Keycloak's device page: logs in once, later only agrees."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self._page = page
        self._stack = stack
        self._known = False

    async def agree(self, address: str) -> None:
        """Open the address that the command shows and let it in."""
        page = self._page
        await page.goto(address)
        if not self._known:
            await self._log_in()
            self._known = True
        await page.get_by_role("button", name="是", exact=True).click()
        await page.get_by_text("设备登录成功").wait_for()

    async def session(self) -> OfficerSession:
        """Log in once more, as the command does, for tokens of our own."""
        addresses: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        issuer = f"{self._stack.ports.keycloak_url}/realms/zhibu"

        def show(line: str) -> None:
            loop.call_soon_threadsafe(addresses.put_nowait, line)

        waiting = asyncio.create_task(asyncio.to_thread(log_in, issuer, show=show))
        found = _DEVICE_PAGE.search(await addresses.get())
        assert found
        await self.agree(found.group())
        return await waiting

    async def _log_in(self) -> None:
        account = self._stack.account("province administrator")
        called = account["code"].rpartition("to=")[2]
        await self._page.locator("#username").fill(account["eid_number"])
        await self._page.locator("#password").fill(account["password"])
        await self._page.locator("#kc-login").click()
        before = self._stack.newest_message(called)
        message = ""
        # Between two codes lie sixty seconds; who ran the tests a moment ago waits as an officer would.
        for _ in range(_CODE_TRIES):
            await self._page.locator("#send-code button").click(timeout=_CODE_PAUSE_MS)
            message = self._stack.find_message(called, before)
            if message:
                break
        await self._page.locator("#otp").fill(code_in(message))
        await self._page.locator("#kc-login").click()
