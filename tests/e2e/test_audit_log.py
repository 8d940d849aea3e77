"""An officer looks at a member's record; the member sees it and checks the proof, the officer's search and export say the same."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

from e2e.browsing import Officers, check_page, watch
from e2e.running_stack import Stack
from playwright.async_api import BrowserContext, Locator, Page, expect

MEMBER, ADMINISTRATOR, PROVINCE = "党员 / member", "county administrator", "province administrator"
LOG = "/desk/370724/log"
READ = "查看人员基本信息"
# From the call to a checkpoint that the witnesses have cosigned.
PROVEN_WITHIN_S = 90.0
_LOOK_EVERY_MS = 1000


async def test_a_member_sees_who_looked_and_checks_the_proof_and_officers_search_and_export(
    stack: Stack, desk: BrowserContext, phone: BrowserContext, officers: Officers, tmp_path: Path
) -> None:
    member = await officers.open(phone, MEMBER)
    complaints = watch(member, stack)
    name = (await member.locator("dt:text-is('姓名') + dd").inner_text()).strip()
    before = await _readings(member, stack)
    admin = await officers.open(desk, ADMINISTRATOR)
    complaints_of_admin = watch(admin, stack)
    await _look_at_the_record(admin, stack, name)
    entry = await _wait_for_another(member, stack, before)
    await expect(entry).to_contain_text("县级管理员")
    await check_page(member)
    await _check_proof(member, entry)
    await _search(admin, name)
    await _export(admin, stack, tmp_path)
    await admin.goto(f"{stack.web}{LOG}/state")
    await expect(admin.get_by_role("row").filter(has_text="identity")).to_contain_text("正常")
    await check_page(admin)
    assert complaints + complaints_of_admin == []


async def _readings(member: Page, stack: Stack) -> int:
    """Open the list and count the readings of the record on it."""
    await member.goto(f"{stack.web}/me/log?kind=read")
    return await _of_record(member).count()


def _of_record(member: Page) -> Locator:
    entries = member.locator("[data-test=log-entry]").filter(has_text=READ)
    return entries.filter(has=member.get_by_role("button", name=re.compile("核对证明")))


async def _look_at_the_record(admin: Page, stack: Stack, name: str) -> None:
    await admin.goto(f"{stack.web}/desk/370724/people")
    await admin.get_by_label("查找").fill(name)
    await admin.get_by_role("button", name="查找").click()
    await admin.get_by_role("row").filter(has_text=name).first.get_by_role("link").click()
    await expect(admin.get_by_role("heading", level=1)).to_contain_text(name)


async def _wait_for_another(member: Page, stack: Stack, before: int) -> Locator:
    """Give the newest reading of the record once there are more of them that can be proven than before."""
    ends_at_s = time.monotonic() + PROVEN_WITHIN_S
    while await _readings(member, stack) <= before:
        assert time.monotonic() < ends_at_s, "the reading did not come under a cosigned checkpoint"
        await member.wait_for_timeout(_LOOK_EVERY_MS)
    return _of_record(member).first


async def _check_proof(member: Page, entry: Locator) -> None:
    await entry.get_by_role("button", name=re.compile("核对证明")).click()
    await expect(member.locator("[data-test=log-verdict]")).to_contain_text("✓ 核对通过")
    for step in ("file", "words", "tree", "log", "witnesses", "person", "memory"):
        await expect(member.locator(f"[data-test=log-{step}] h3")).to_contain_text("正确")
    await expect(member.locator("[data-test=log-words]")).to_contain_text("identity.person.read")
    await check_page(member)


async def _search(admin: Page, name: str) -> None:
    """From the person's page to who looked at it, and to one entry with its proof."""
    await admin.get_by_role("button", name="谁看过、改过这份档案").click()
    await expect(admin.locator("[data-test=log-search]")).to_contain_text(name)
    await expect(admin.locator("[data-test=log-entries]")).to_contain_text(READ)
    await check_page(admin)
    await admin.get_by_text("查询条件").click()
    await admin.get_by_label("事项类别").select_option(label="个人信息")
    await admin.get_by_label("结果").select_option(label="查看")
    await admin.get_by_role("button", name="查询", exact=True).click()
    await admin.get_by_role("row").filter(has_text=READ).last.get_by_role("link").click()
    await expect(admin.locator("[data-test=log-verdict]")).to_contain_text("✓ 核对通过")
    await expect(admin.locator("[data-test=entry]")).to_contain_text("identity.person.read")
    await check_page(admin)


async def _export(admin: Page, stack: Stack, directory: Path) -> None:
    await admin.goto(f"{stack.web}{LOG}/export")
    await check_page(admin)
    async with admin.expect_download() as download:
        await admin.get_by_role("button", name="导出").click()
    file = directory / "log.zip"
    await (await download.value).save_as(file)
    command = str(Path(sys.executable).parent / "zhibu-audit")
    process = await asyncio.create_subprocess_exec(command, "verify", str(file), stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def test_the_logs_pages_fit_and_work_without_javascript(
    stack: Stack, context: BrowserContext, without_scripts: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(context, PROVINCE)
    complaints = watch(page, stack)
    for path in ("/me/log", "/desk/37/log", "/desk/37/log/state", "/desk/37/log/export", "/desk/37/incidents"):
        response = await page.goto(stack.web + path)
        assert response is not None
        assert response.status == 200, path
        await check_page(page)
    assert complaints == []
    plain = await officers.open(without_scripts, PROVINCE)
    await plain.goto(f"{stack.web}/desk/37/log")
    # The officer's session remembers what was searched for on the other width.
    if await plain.get_by_role("button", name="清除条件").count():
        await plain.get_by_role("button", name="清除条件").click()
    await plain.get_by_label("结果").select_option(label="查看")
    await plain.get_by_role("button", name="查询", exact=True).click()
    await expect(plain.locator("[data-test=log-search]")).to_contain_text("查看")
    await plain.locator("[data-test=log-entries] a").first.click()
    await expect(plain.get_by_text("在本页核对需要较新的浏览器")).to_be_visible()
    async with plain.expect_download() as download:
        await plain.get_by_role("link", name="下载证明").click()
    assert (await download.value).suggested_filename.endswith(".tlog-proof")
