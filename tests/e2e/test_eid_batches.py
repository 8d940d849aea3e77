"""A roster comes in, everybody on it gets an e-ID in one act, and a member logs in with the code of a printed strip."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from e2e.browsing import Officers, Person, check_page, log_in, watch
from e2e.running_stack import Stack
from e2e.test_desks import ADMINISTRATOR, LINQU
from playwright.async_api import Browser, BrowserContext, Page, expect
from support.pdf_text import pages_of
from support.roster_files import HEADINGS, person_row, xlsx

BRANCH = "临朐县城关街道兴隆社区党支部"
GIVEN = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
OWN_PASSWORD = "four-plain-words-here"
# The worker, branches and Keycloak beside a browser on a small machine.
PATIENCE_MS = 90_000
STRIP = re.compile(r"电子身份证号(\d{16})激活码([34679ACDEFGHJKMNPQRTUVWXY]{10})")


async def test_a_roster_gets_e_ids_in_one_act_and_a_printed_code_opens_one(
    stack: Stack,
    context: BrowserContext,
    browser: Browser,
    officers: Officers,
    new_person: Callable[[str], Person],
) -> None:
    page = await officers.open(context, ADMINISTRATOR)
    complaints = watch(page, stack)
    # Names that nobody else on the sheet of this stack has.
    given = "".join(secrets.choice(GIVEN) for _ in range(3))
    people = [new_person(f"{surname}{given}") for surname in "郑冯褚"]
    await _bring_roster_in(page, stack, people)
    await page.get_by_role("link", name="给名册上的人批量发证").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("批量发证")
    await check_page(page)
    await _picture(page, "eid-batch-before")
    # Nothing begins before the roll was said to be right.
    await page.get_by_role("button", name="批量发证").click()
    await expect(page.get_by_role("alert")).to_contain_text("请打勾")
    await page.get_by_label("名册已核对无误").check()
    await page.get_by_role("button", name="批量发证").click()
    await expect(page.locator("[data-test=batch-state]")).to_contain_text("已全部办完", timeout=PATIENCE_MS)
    await check_page(page)
    await _picture(page, "eid-batch-done")
    await page.get_by_role("button", name="打印激活码").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("打印激活码")
    await check_page(page)
    await _picture(page, "activation-sheets")
    async with page.expect_download(timeout=PATIENCE_MS) as started:
        await page.get_by_role("button", name=f"打印（PDF） {BRANCH}").click()
    download = await started.value
    assert download.suggested_filename.endswith(".pdf")
    text = "".join(pages_of(await asyncio.to_thread(Path(await download.path()).read_bytes)))
    assert BRANCH in text
    strips = {name: found for name in (one.real_name for one in people) if (found := _strip_of(text, name))}
    assert set(strips) == {one.real_name for one in people}
    eid_number, code = strips[people[0].real_name]
    member = await browser.new_context(locale="zh-CN")
    mine = await member.new_page()
    await log_in(
        mine,
        stack,
        eid_number=eid_number,
        password=code,
        telephone=people[0].telephone,
        new_password=OWN_PASSWORD,
    )
    await expect(mine.get_by_text(people[0].real_name).first).to_be_visible()
    await member.close()
    assert complaints == []


async def _bring_roster_in(page: Page, stack: Stack, people: list[Person]) -> None:
    """Upload a roster and wait until branches has taken it over."""
    rows = [person_row(one.real_name, one.resident_number, branch=BRANCH, telephone=one.telephone) for one in people]
    await page.goto(f"{stack.web}/desk/{LINQU}/rosters")
    await page.get_by_label("花名册文件").set_input_files(
        {
            "name": "花名册.xlsx",
            "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "buffer": xlsx([HEADINGS, *rows]),
        }
    )
    await page.get_by_role("button", name="上传并核对").click()
    await expect(page.get_by_role("button", name="导入", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_role("button", name="导入", exact=True).click()
    await expect(page.get_by_role("link", name="给名册上的人批量发证")).to_be_visible(timeout=PATIENCE_MS)


def _strip_of(text: str, name: str) -> tuple[str, str] | None:
    """Return number and code of the strip that begins with a name, None when there is none."""
    _, found, rest = text.partition(f"姓名{name}")
    match = STRIP.match(rest) if found else None
    return (match.group(1), match.group(2)) if match else None


async def _picture(page: Page, name: str) -> None:
    """Keep a picture for people to look at, where the environment names a folder for it."""
    folder = os.environ.get("ZHIBU_E2E_PICTURES")
    if folder:
        width = (page.viewport_size or {"width": 0})["width"]
        await page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
