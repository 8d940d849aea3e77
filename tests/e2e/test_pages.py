"""Every page that people reach by its address: accessible on a phone and a desk, in both languages and in large type."""

import pytest
from e2e.browsing import Officers, check_page, watch
from e2e.running_stack import Stack
from playwright.async_api import BrowserContext, Page, expect

PUBLIC = ["/", "/apply", "/apply/place", "/case", "/first-login", "/help", "/privacy", "/first-office", "/nowhere"]
DESK = [
    "/applications",
    "/applications?view=approved",
    "/applications?view=closed",
    "/eids",
    "/eids?view=revoked",
    "/grants",
    "/grants/new",
    "/settings",
    "/below",
]
LINQU = "370724"


@pytest.mark.parametrize("path", PUBLIC)
async def test_a_public_page_is_accessible_and_fits(stack: Stack, context: BrowserContext, path: str) -> None:
    page = await context.new_page()
    complaints = watch(page, stack)
    await page.goto(stack.web + path)
    await check_page(page)
    await page.get_by_role("button", name="大字版").click()
    await expect(page.get_by_role("button", name="标准字号")).to_be_visible()
    await check_page(page)
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await check_page(page)
    assert complaints == []


async def test_the_desks_pages_are_accessible_and_fit(
    stack: Stack, context: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(context, "county administrator")
    complaints = watch(page, stack)
    await check_page(page)
    for path in DESK:
        await page.goto(f"{stack.web}/desk/{LINQU}{path}")
        assert await page.locator("h1").count() == 1, path
        await check_page(page)
    await page.get_by_role("link", name="工作台").click()
    await _open_first_row(page)
    await check_page(page)
    assert complaints == []


async def _open_first_row(page: Page) -> None:
    await page.get_by_role("row").nth(1).get_by_role("link").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("的申请")


async def test_the_keyboard_alone_reaches_the_main_content_and_sees_where_it_is(
    stack: Stack, context: BrowserContext
) -> None:
    page = await context.new_page()
    await page.goto(stack.web)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    focused = page.locator(":focus")
    await expect(focused).to_have_text("申请电子身份证约 5 分钟，需要身份证和手机。")
    assert await focused.evaluate("(one) => getComputedStyle(one).boxShadow") != "none"


async def test_errors_take_the_cursor_and_lead_to_their_field(stack: Stack, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(f"{stack.web}/case")
    await page.get_by_role("button", name="查询").click()
    summary = page.get_by_role("alert")
    await expect(summary).to_be_focused()
    await check_page(page)
    await summary.get_by_role("link").first.click()
    await expect(page.get_by_label("受理号")).to_be_focused()


async def test_a_wrong_code_and_an_unknown_number_get_the_same_answer(stack: Stack, context: BrowserContext) -> None:
    page = await context.new_page()
    answers: set[str] = set()
    waiting = stack.account("applicant")
    for number in (waiting["case_number"], "370724-26-999999-9"):
        await page.goto(f"{stack.web}/case")
        await page.get_by_label("受理号").fill(number)
        await page.get_by_label("查询码").fill("AAAAAAAAAA")
        await page.get_by_role("button", name="查询").click()
        answers.add(await page.get_by_role("alert").inner_text())
    assert len(answers) == 1


async def test_the_clerk_cannot_reach_what_only_an_administrator_may(
    stack: Stack, desk: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(desk, "clerk")
    for path in (f"/desk/{LINQU}/grants", f"/desk/{LINQU}/settings", "/desk/370725/applications", "/desk/37/below"):
        response = await page.goto(stack.web + path)
        assert response is not None
        assert response.status == 403, path
        await expect(page.get_by_role("heading", name="您没有权限")).to_be_visible()


async def test_an_administrator_changes_the_switches_and_everybody_sees_it(
    stack: Stack, desk: BrowserContext, context: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(desk, "county administrator")
    await page.goto(f"{stack.web}/desk/{LINQU}/settings")
    hours = page.get_by_label("服务时间")
    before = await hours.input_value()
    await page.get_by_label("咨询电话").fill("abc")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("alert")).to_contain_text("咨询电话只能有数字")
    await page.goto(f"{stack.web}/desk/{LINQU}/settings")
    await hours.fill(f"{before}。")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("alert")).to_contain_text("设置已保存")
    await expect(hours).to_have_value(f"{before}。")
    await hours.fill(before)
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("alert")).to_contain_text("设置已保存")


async def test_an_administrator_gives_an_office_and_ends_it(
    stack: Stack, desk: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(desk, "county administrator")
    await page.goto(f"{stack.web}/desk/{LINQU}/grants/new")
    await page.get_by_role("button", name="授予").click()
    await expect(page.get_by_role("alert")).to_contain_text("请选择职务")
    await check_page(page)
    await page.get_by_label("电子身份证号").fill(stack.account("党员 / member")["eid_number"])
    await page.get_by_label("职务", exact=True).select_option(label="县级审批员")
    await page.get_by_role("button", name="授予").click()
    await expect(page.get_by_role("alert")).to_contain_text("已授予")
    await check_page(page)
    await page.get_by_role("link", name="终止").last.click()
    await check_page(page)
    await page.get_by_role("button", name="终止职务").click()
    await expect(page.get_by_role("alert")).to_contain_text("职务已终止")


async def test_an_administrator_exports_the_applications(
    stack: Stack, desk: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(desk, "county administrator")
    await page.goto(f"{stack.web}/desk/{LINQU}/applications?view=approved")
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="导出表格").click()
    download = await waiting.value
    contents = (await download.path()).read_bytes()
    assert contents.startswith(b"\xef\xbb\xbf")
    assert contents.count(b"\n") > 5


async def test_a_wrong_bootstrap_code_opens_nothing(stack: Stack, context: BrowserContext) -> None:
    page = await context.new_page()
    waiting = stack.account("applicant")
    await page.goto(f"{stack.web}/first-office")
    await page.get_by_label("启用码").fill("A" * 28)
    await page.get_by_label("受理号").fill(waiting["case_number"])
    await page.get_by_label("查询码").fill(waiting["case_code"])
    await page.get_by_role("button", name="开通").click()
    await expect(page.get_by_role("alert")).to_contain_text("不正确")
    await check_page(page)
