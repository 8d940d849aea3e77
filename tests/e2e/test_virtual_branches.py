"""A virtual branch from the first idea to the last member who leaves it, by those who do it: members, and the county."""

import re
import secrets

from e2e.browsing import Officers, check_page, watch
from e2e.running_stack import Stack
from playwright.async_api import BrowserContext, Page, expect

MEMBER, SECRETARY, CLERK = "党员 / member", "branch secretary", "clerk"
COUNTY, PROVINCE = "county administrator", "province administrator"
COUNTY_DESK = "/desk/370724"


async def test_members_found_a_branch_the_county_approves_it_and_another_member_joins_and_leaves(
    stack: Stack, phone: BrowserContext, desk: BrowserContext, officers: Officers
) -> None:
    member = await officers.open(phone, MEMBER)
    complaints = watch(member, stack)
    name = f"临朐县驻外务工人员（青岛、烟台、威海方向）{secrets.token_hex(3)}流动党员网上党支部"
    await _propose(member, stack, name)
    address = member.url
    for kind in (SECRETARY, CLERK):
        other = await officers.open(phone, kind)
        await other.goto(address)
        # Pressed twice, as those do who are not sure that it went.
        await other.get_by_role("button", name="我愿意联名").dblclick()
        await expect(other.get_by_role("alert")).to_contain_text("您已联名")
    await officers.open(phone, MEMBER)
    await member.reload()
    await check_page(member)
    late = await phone.new_page()
    await late.goto(address)
    await member.get_by_role("button", name="报县里审批").click()
    await expect(member.locator("[data-test=founding-state]")).to_have_text("等待县里审批")
    await late.get_by_role("button", name="报县里审批").click()
    await expect(late.get_by_role("alert")).to_contain_text("请刷新后查看")
    await _approve(await officers.open(desk, COUNTY), stack, name)
    await member.reload()
    await expect(member.get_by_text("支部已经成立：")).to_be_visible()
    await check_page(member)
    await member.get_by_role("link", name=name).click()
    await expect(member.get_by_text("您是这个支部的成员")).to_be_visible()
    await _join_and_leave(phone, desk, officers, branch=member.url, name=name)
    assert complaints == []


async def _propose(member: Page, stack: Stack, name: str) -> None:
    await member.goto(f"{stack.web}/foundings/new")
    await member.get_by_label("支部名称").fill(name)
    await member.get_by_label("流动党员").check()
    await member.get_by_label("设在哪个组织下面").select_option(label="临朐县")
    await member.get_by_label("成立的目的").fill("在外务工的党员在网上参加组织生活。")
    await member.get_by_role("button", name="发起", exact=True).click()
    await expect(member.get_by_role("heading", level=1)).to_contain_text(name)


async def _approve(admin: Page, stack: Stack, name: str) -> None:
    await admin.goto(f"{stack.web}{COUNTY_DESK}/foundings")
    await admin.get_by_role("link", name=name).click()
    stale = await admin.context.new_page()
    await stale.goto(admin.url)
    await stale.get_by_role("button", name="不批准").click()
    await expect(stale.get_by_role("alert")).to_contain_text("请写明不批准的理由")
    await check_page(stale)
    await admin.get_by_role("button", name="批准成立").click()
    await expect(admin.get_by_role("alert")).to_contain_text("已批准，支部已成立")
    await check_page(admin)
    await stale.get_by_label("不批准的理由").fill("名称太长。")
    await stale.get_by_role("button", name="不批准").click()
    await expect(stale.get_by_role("alert")).to_contain_text("没有办成")


async def _join_and_leave(
    phone: BrowserContext, desk: BrowserContext, officers: Officers, *, branch: str, name: str
) -> None:
    joiner = await officers.open(phone, COUNTY)
    await joiner.goto(branch)
    await joiner.get_by_role("button", name="申请加入").click()
    await check_page(joiner)
    await joiner.get_by_label(re.compile("申请理由")).fill("我在青岛工作。")
    await joiner.get_by_role("button", name="提交申请").click()
    await expect(joiner.get_by_role("alert")).to_contain_text("申请已提交")
    # What waits is said first, and the branch does not offer it again.
    await expect(joiner.locator("main section").first).to_contain_text("加入虚拟支部的申请")
    await joiner.goto(branch)
    await expect(joiner.get_by_text("正等支部答复")).to_be_visible()
    await expect(joiner.get_by_role("button", name="申请加入")).to_have_count(0)
    admin = await officers.open(desk, PROVINCE)
    await admin.goto(branch.replace("/organisations/", "/desk/") + "/requests")
    await admin.get_by_role("button", name="不同意").click()
    await expect(admin.get_by_role("alert")).to_contain_text("请写明理由")
    await check_page(admin)
    await admin.get_by_role("button", name="同意加入").click()
    await expect(admin.get_by_text("没有等待答复的加入申请")).to_be_visible()
    await joiner.goto(branch.partition("/organisations/")[0] + "/branch")
    await joiner.get_by_role("link", name=re.compile(f"退出这个虚拟支部.*{re.escape(name)}")).click()
    await check_page(joiner)
    await joiner.get_by_role("button", name="确定退出").click()
    await expect(joiner.get_by_role("alert")).to_contain_text("您已退出")
