"""The tree changes at the county's desk, today and on a day to come, and everybody sees where an organisation went."""

import re
import secrets
from datetime import datetime, timedelta

from e2e.browsing import Officers, check_page, watch
from e2e.running_stack import Stack
from playwright.async_api import BrowserContext, Page, expect
from zhibu_kit.clock import SHANGHAI

TOWNSHIP = "370724001"


async def test_a_branch_is_opened_renamed_planned_to_move_and_merged_and_its_page_says_where_it_went(
    stack: Stack, desk: BrowserContext, phone: BrowserContext, officers: Officers
) -> None:
    admin = await officers.open(desk, "county administrator")
    complaints = watch(admin, stack)
    name = f"临朐县城关街道南关{secrets.token_hex(3)}社区党支部"
    await _open_branch(admin, stack, name)
    await admin.get_by_role("link", name=name).click()
    branch = admin.url
    longest = "中共临朐县城关街道南关社区" + "商户联合" * 12 + secrets.token_hex(3) + "党支部委员会"
    await _rename(admin, branch, longest)
    day = datetime.now(SHANGHAI).date() + timedelta(days=20)
    await _plan_move(admin, branch, day.isoformat())
    await _merge(admin, branch)
    visitor = await phone.new_page()
    public = branch.replace("/desk/", "/organisations/").removesuffix("/organisations")
    await visitor.goto(public)
    await expect(visitor.get_by_text("这个组织已经撤销")).to_be_visible()
    await expect(visitor.get_by_role("link", name=re.compile("安和社区党支部")).first).to_be_visible()
    await check_page(visitor)
    for asked, said in (("2020-01-01", "那一天还没有这个组织"), (day.isoformat(), "日期不能晚于今天")):
        await visitor.goto(f"{public}?as_of={asked}")
        await expect(visitor.get_by_role("alert")).to_contain_text(said)
        await check_page(visitor)
    assert complaints == []


async def _open_branch(admin: Page, stack: Stack, name: str) -> None:
    for outcome in ("已新建", "已有同名组织"):
        await admin.goto(f"{stack.web}/desk/{TOWNSHIP}/organisations/new")
        await admin.get_by_label("名称").fill(name)
        await admin.get_by_role("button", name="新建").click()
        await expect(admin.get_by_role("alert")).to_contain_text(outcome)
    await check_page(admin)
    await admin.goto(f"{stack.web}/desk/{TOWNSHIP}/organisations")


async def _rename(admin: Page, branch: str, name: str) -> None:
    late = await admin.context.new_page()
    await late.goto(f"{branch}/rename")
    await admin.goto(f"{branch}/rename")
    for page, outcome in ((admin, "已更名"), (late, "内容刚被别人改过")):
        await page.get_by_label("名称").fill(name)
        await page.get_by_role("button", name="更名").click()
        await expect(page.get_by_role("alert")).to_contain_text(outcome)
        await check_page(page)


async def _choose_target(admin: Page, query: str) -> None:
    await admin.locator("[name=target_query]").fill(query)
    await admin.get_by_role("button", name="查找").click()
    await admin.get_by_label(re.compile("我确认")).check()


async def _plan_move(admin: Page, branch: str, day: str) -> None:
    await admin.goto(f"{branch}/change/move")
    await _choose_target(admin, "东城")
    for date, outcome in (("2020-01-01", "不能早于今天"), (day, "已安排，到时自动生效")):
        await admin.get_by_label("生效日期").fill(date)
        await admin.get_by_role("button", name="调整隶属").click()
        await expect(admin.get_by_role("alert")).to_contain_text(outcome)
        await check_page(admin)
    # One lands where the plan stands.
    await expect(admin.get_by_role("row").filter(has_text="等待生效")).to_contain_text("东城街道")
    await admin.get_by_role("button", name=re.compile("取消")).click()
    await expect(admin.get_by_role("alert")).to_contain_text("已取消")


async def _merge(admin: Page, branch: str) -> None:
    await admin.goto(f"{branch}/change/merge")
    await _choose_target(admin, "安和")
    await admin.get_by_role("button", name="合并").dblclick()
    await expect(admin.get_by_role("alert")).to_contain_text("已合并")
    await admin.goto(branch)
    await expect(admin.get_by_text("已撤销")).to_be_visible()
    assert await admin.get_by_role("link", name="更名").count() == 0
