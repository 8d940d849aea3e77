"""What officers record of branches: the survey on behalf of members, committees by appointment; and the sums of all of it."""

import re

from e2e.browsing import Officers, check_page, watch
from e2e.running_stack import Stack
from playwright.async_api import BrowserContext, Page, expect

COUNTY_DESK = "/desk/370724"


async def test_a_secretary_answers_for_members_who_must_confirm_before_it_counts(
    stack: Stack, desk: BrowserContext, officers: Officers
) -> None:
    secretary = await officers.open(desk, "branch secretary")
    complaints = watch(secretary, stack)
    await secretary.goto(f"{stack.web}/desk")
    await secretary.get_by_role("link", name="组织", exact=True).click()
    await secretary.get_by_role("link", name="上网调查").click()
    await expect(secretary.get_by_role("img", name=re.compile("上网率变化图"))).to_be_visible()
    counted = await secretary.get_by_text(re.compile(r"有设备并能上网 \d+ 人")).inner_text()
    await secretary.get_by_role("button", name="提交代填").click()
    await expect(secretary.get_by_role("alert")).to_contain_text("请先选择要代填的内容")
    await check_page(secretary)
    await secretary.get_by_role("combobox").first.select_option(label="有设备，能上网")
    await secretary.get_by_role("button", name="提交代填").dblclick()
    await expect(secretary.get_by_role("alert")).to_contain_text("已代填 1 人，等本人确认")
    await expect(secretary.get_by_text(counted)).to_be_visible()
    await check_page(secretary)
    assert complaints == []


async def test_the_county_appoints_a_small_branchs_secretary_and_nobody_to_two_posts(
    stack: Stack, desk: BrowserContext, officers: Officers
) -> None:
    admin = await officers.open(desk, "county administrator")
    await admin.goto(f"{stack.web}{COUNTY_DESK}/organisations")
    await admin.get_by_role("link", name="城关街道").click()
    await admin.get_by_role("link", name=re.compile("安和社区党支部")).click()
    await admin.get_by_role("link", name="支委会").click()
    committee = admin.url
    await admin.goto(f"{committee}/appoint")
    late = await admin.context.new_page()
    await late.goto(f"{committee}/appoint")
    await expect(admin.get_by_text("不足 7 人，不设支委会")).to_be_visible()
    await _fill_in(admin, deputy=1)
    await expect(admin.get_by_role("alert")).to_contain_text("同一名党员不能同时担任")
    await check_page(admin)
    await _fill_in(admin, deputy=2)
    await expect(admin.get_by_role("alert")).to_contain_text("任命已登记")
    await check_page(admin)
    await _fill_in(late, deputy=2)
    await expect(late.get_by_role("alert")).to_contain_text("内容刚被别人改过")
    await admin.goto(f"{stack.web}{COUNTY_DESK}/committees?view=without")
    await expect(admin.get_by_role("link", name=re.compile("五井镇机关党支部"))).to_be_visible()
    assert await admin.get_by_role("link", name=re.compile("安和社区党支部")).count() == 0


async def _fill_in(page: Page, *, deputy: int) -> None:
    await page.get_by_label("书记", exact=True).select_option(index=1)
    await page.get_by_label("副书记（可不填）").select_option(index=deputy)
    await page.get_by_label("文号").fill("临组〔2026〕77 号")
    await page.get_by_role("button", name="登记任命").click()


async def test_sums_hide_few_people_say_so_and_lead_to_their_lists(
    stack: Stack, desk: BrowserContext, officers: Officers
) -> None:
    # The demonstration's counties have too few people for the groups of the province: each is looked at by itself.
    page = await officers.open(desk, "province administrator")
    await page.goto(f"{stack.web}/desk/37/statistics")
    await expect(page.get_by_text("不含人数不足 500 人的县")).to_be_visible()
    await expect(page.get_by_role("table", name="按人员类别")).to_have_count(0)
    await check_page(page)
    page = await officers.open(desk, "county administrator")
    await page.goto(f"{stack.web}{COUNTY_DESK}/statistics")
    await expect(page.get_by_text("少于 5 人的不显示")).to_be_visible()
    assert await page.get_by_role("table", name="按人员类别").get_by_text("不显示").count() >= 2
    await check_page(page)
    members = await page.get_by_role("link", name=re.compile("在册人员")).inner_text()
    await page.get_by_role("link", name=re.compile("在册人员")).click()
    await expect(page.get_by_text(f"共 {members.split()[0]} 人")).to_be_visible()
    for township in ("370724001", "370724001/people"):
        await page.goto(f"{stack.web}/desk/{township}")
        assert await page.locator("h1").count() == 1
        await check_page(page)
