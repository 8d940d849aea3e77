"""The officers' desks: approvals by keyboard, every section seen on a phone and a desk."""

from collections.abc import Callable

from e2e.browsing import Officers, Person, apply, check_page, watch
from e2e.running_stack import Stack
from playwright.async_api import BrowserContext, Page, Request, expect

LINQU = "370724"
CLERK = "clerk"
ADMINISTRATOR = "county administrator"
SECTIONS = [
    "",
    "/eid-batches",
    "/activation-sheets",
    "/recoveries",
    "/people",
    "/people?view=without",
    "/unplaced",
    "/corrections",
    "/rosters",
    "/foundings",
    "/committees",
    "/committees?view=without",
    "/survey",
    "/organisations",
    "/organisations/new",
    "/organisations/changes",
    "/organisations/history",
    "/statistics",
    "/certificates",
    "/certificates/new",
    "/settings/kinds",
    "/settings/rights",
    "/settings/survey",
    "/settings/notices",
]


async def test_every_section_of_the_desk_is_accessible_and_fits(
    stack: Stack, context: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(context, ADMINISTRATOR)
    complaints = watch(page, stack)
    for path in SECTIONS:
        response = await page.goto(f"{stack.web}/desk/{LINQU}{path}")
        assert response is not None
        assert response.status == 200, path
        assert await page.locator("h1").count() == 1, path
        await check_page(page)
    assert complaints == []


async def test_a_persons_page_and_its_forms_are_accessible_and_fit(
    stack: Stack, context: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(context, ADMINISTRATOR)
    await page.goto(f"{stack.web}/desk/{LINQU}/people")
    await page.get_by_role("row").filter(has_text="使用中").first.get_by_role("link").click()
    await expect(page.get_by_role("heading", name="党员信息")).to_be_visible()
    await check_page(page)
    person = page.url
    for name in ("登记决定", "更正个人信息", "更换手机号", "找回或更换电子身份证"):
        await page.goto(person)
        await page.get_by_role("link", name=name).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(name)
        await check_page(page)


async def test_a_clerk_decides_by_keyboard_with_two_presses_and_one_page_for_each_case(
    stack: Stack,
    desk: BrowserContext,
    officers: Officers,
    new_person: Callable[[str], Person],
) -> None:
    people = [new_person(name) for name in ("孙丽", "周强", "吴敏")]
    for person in people:
        await apply(await desk.new_page(), stack, person, branch=False)
        await desk.clear_cookies()
    clerk = await officers.open(desk, CLERK)
    await clerk.goto(f"{stack.web}/desk/{LINQU}/applications")
    await clerk.keyboard.press("j")
    await expect(clerk.locator("[data-key-rows] tbody th a").first).to_be_focused()
    await clerk.keyboard.press("?")
    await expect(clerk.get_by_role("dialog", name="键盘快捷键")).to_be_visible()
    await check_page(clerk)
    await clerk.keyboard.press("Escape")
    await clerk.keyboard.press("n")
    await expect(clerk.get_by_role("heading", level=1)).to_contain_text("的申请")
    pages: list[str] = []

    def note(request: Request) -> None:
        if request.is_navigation_request():
            pages.append(request.method)

    clerk.on("request", note)
    for _ in people:
        pages.clear()
        await _decide(clerk)
        # The decision, and at once the next case: no list and no confirmation in between.
        assert pages == ["POST", "GET"]
    await expect(clerk.get_by_role("alert")).to_contain_text("的申请已通过")
    await clerk.keyboard.press("u")
    await expect(clerk.get_by_label("撤销的原因")).to_be_focused()
    await clerk.keyboard.type("按错了键")
    await clerk.get_by_role("button", name="撤销通过").click()
    await expect(clerk.get_by_role("alert")).to_contain_text("已撤销")


async def _decide(clerk: Page) -> None:
    """Press A twice, with Space before it where something must be looked at, and see the next case."""
    before = clerk.url
    box = clerk.locator("[data-key-approve] input[type=checkbox]")
    if await box.count():
        await clerk.keyboard.press("a")
        await expect(box).to_be_focused()
        await clerk.keyboard.press("Space")
    await clerk.keyboard.press("a")
    await expect(clerk.locator("[data-keys][data-armed]")).to_be_visible()
    async with clerk.expect_navigation():
        await clerk.keyboard.press("a")
    assert clerk.url != before


async def test_single_keys_can_be_switched_off(stack: Stack, desk: BrowserContext, officers: Officers) -> None:
    clerk = await officers.open(desk, CLERK)
    await clerk.goto(f"{stack.web}/desk/{LINQU}/applications")
    await clerk.get_by_role("button", name="关闭单键快捷键").click()
    await clerk.keyboard.press("j")
    await expect(clerk.locator("[data-key-rows] tbody th a").first).not_to_be_focused()
    await clerk.reload()
    await clerk.get_by_role("button", name="打开单键快捷键").click()
    await clerk.keyboard.press("j")
    await expect(clerk.locator("[data-key-rows] tbody th a").first).to_be_focused()


async def test_without_javascript_a_clerk_decides_with_the_mouse(
    stack: Stack, without_scripts: BrowserContext, officers: Officers
) -> None:
    clerk = await officers.open(without_scripts, CLERK)
    await clerk.goto(f"{stack.web}/desk/{LINQU}/applications")
    await clerk.get_by_role("button", name="办理下一份").click()
    await expect(clerk.get_by_role("heading", level=1)).to_contain_text("的申请")
    await expect(clerk.locator("[data-keys]")).to_be_hidden()
    first = clerk.url
    await clerk.get_by_role("button", name="先跳过，办理下一份").click()
    await expect(clerk.get_by_role("heading", level=1)).to_contain_text("的申请")
    assert clerk.url != first
