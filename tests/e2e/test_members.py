"""What a member does here: both branches on one page, foundings, requests, own data, notices; on a phone, on a desk, without scripts."""

import io
import re
import secrets
import zipfile

from e2e.browsing import Officers, check_page, watch
from e2e.running_stack import Stack
from playwright.async_api import BrowserContext, Page, expect

MEMBER = "党员 / member"
OWN = [
    "/",
    "/branch",
    "/survey",
    "/services",
    "/inbox",
    "/inbox/preferences",
    "/foundings",
    "/foundings/new",
    "/me",
    "/me/record",
    "/me/data",
    "/me/corrections/new",
    "/me/telephone",
]


async def test_a_members_pages_are_accessible_and_fit(
    stack: Stack, context: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(context, MEMBER)
    complaints = watch(page, stack)
    for path in OWN:
        response = await page.goto(stack.web + path)
        assert response is not None
        assert response.status == 200, path
        assert await page.locator("h1").count() == 1, path
        await check_page(page)
    assert complaints == []


async def test_the_tree_is_open_to_everybody_by_levels_and_by_search(stack: Stack, context: BrowserContext) -> None:
    page = await context.new_page()
    complaints = watch(page, stack)
    await page.goto(f"{stack.web}/organisations")
    for name in ("山东省", "潍坊市", "临朐县", "城关街道", "兴隆社区党支部"):
        await page.get_by_role("main").get_by_role("link", name=re.compile(name)).first.click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    await check_page(page)
    await expect(page.get_by_role("heading", name="上网率")).to_be_visible()
    await expect(page.get_by_text("登录后可以查看支部委员会。")).to_be_visible()
    await page.goto(f"{stack.web}/organisations/370724")
    await check_page(page)
    await page.get_by_label("组织名称").fill("流动党员")
    await page.get_by_role("button", name="查找").click()
    await check_page(page)
    await page.get_by_role("link", name=re.compile("流动党员网上党支部")).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("虚拟支部")
    await page.goto(f"{stack.web}/organisations/370724?as_of=tomorrow")
    await expect(page.get_by_role("alert")).to_contain_text("日期不对")
    await check_page(page)
    assert complaints == []


async def test_a_member_sees_both_branches_and_what_each_entitles_to(
    stack: Stack, desk: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(desk, MEMBER)
    await page.get_by_role("link", name="我的支部").first.click()
    physical, virtual = page.locator("[data-test=physical]"), page.locator("[data-test=virtual]")
    await expect(physical).to_contain_text("兴隆社区党支部")
    await expect(physical).to_contain_text("书记")
    await expect(physical.get_by_role("img", name=re.compile("上网率变化图"))).to_be_visible()
    await expect(virtual).to_contain_text("流动党员网上党支部")
    rights = [await one.locator("[data-test=rights]").inner_text() for one in (physical, virtual)]
    assert rights[0] != rights[1]
    await physical.get_by_role("link", name=re.compile("查看全部党员")).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("支部党员")
    assert await page.locator(".z-people li").count() >= 7
    await check_page(page)


async def test_a_member_signs_a_founding_and_takes_the_signature_back_without_javascript(
    stack: Stack, without_scripts: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(without_scripts, MEMBER)
    await page.goto(f"{stack.web}/services")
    await page.get_by_role("link", name=re.compile("成立虚拟支部")).click()
    await page.get_by_role("link", name=re.compile("铝型材行业网上党支部")).click()
    await expect(page.locator("[data-test=progress]")).to_contain_text("还差 1 名")
    await page.get_by_role("button", name="我愿意联名").click()
    await expect(page.get_by_role("alert")).to_contain_text("您已联名")
    await expect(page.locator("[data-test=progress]")).to_contain_text("可以报县里审批")
    await page.get_by_role("button", name="撤回我的联名").click()
    await expect(page.locator("[data-test=progress]")).to_contain_text("还差 1 名")


async def test_a_member_proposes_a_virtual_branch_and_withdraws_it(
    stack: Stack, desk: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(desk, MEMBER)
    await page.goto(f"{stack.web}/foundings/new")
    await page.get_by_role("button", name="发起", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("请选择支部类型")
    await check_page(page)
    name = f"临朐县试验{secrets.token_hex(3)}网上党支部"
    await page.get_by_label("支部名称").fill(name)
    await page.get_by_label("流动党员").check()
    await page.get_by_label("设在哪个组织下面").select_option(label="临朐县")
    await page.get_by_label("成立的目的").fill("外出务工的党员在网上参加组织生活。")
    await page.get_by_role("button", name="发起", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    await expect(page.locator("[data-test=cosigners] li")).to_have_count(1)
    await check_page(page)
    await page.get_by_role("button", name="复制地址").click()
    await expect(page.get_by_role("button", name="已复制")).to_be_visible()
    await page.get_by_role("link", name="撤回这次发起").click()
    await check_page(page)
    await page.get_by_role("button", name="确定撤回").click()
    await expect(page.locator("[data-test=founding-state]")).to_have_text("已撤回")


async def test_a_correction_is_asked_for_followed_and_withdrawn_without_javascript(
    stack: Stack, without_scripts: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(without_scripts, MEMBER)
    await page.goto(f"{stack.web}/me/data")
    await expect(page.get_by_text(re.compile(r"^99\d{4}\*{10}"))).to_be_visible()
    await page.goto(f"{stack.web}/me/corrections/new?field=PERSON_FIELD_WORK_UNIT")
    await page.get_by_label("应改为").fill("临朐县图书馆 管理员")
    await page.get_by_role("button", name="提交").click()
    await expect(page.get_by_role("alert")).to_contain_text("更正申请已提交")
    await page.get_by_role("button", name=re.compile("撤回")).first.click()
    await expect(page.locator("[data-test=correction-state]").first).to_contain_text("已撤回")


async def test_notices_are_counted_opened_and_then_read(stack: Stack, desk: BrowserContext, officers: Officers) -> None:
    page = await officers.open(desk, "支部书记 / branch secretary")
    await page.goto(f"{stack.web}/inbox?view=unread")
    before = await _unread(page)
    assert before >= 0
    if before:
        await page.get_by_role("button", name=re.compile("去看看|知道了")).first.click()
        await page.goto(f"{stack.web}/inbox?view=unread")
        assert await _unread(page) == before - 1
    await page.goto(f"{stack.web}/inbox")
    assert await page.locator(".z-notice").count() >= 1
    await check_page(page)


async def _unread(page: Page) -> int:
    return int(await page.locator("[data-test=unread]").inner_text())


async def test_a_member_takes_all_own_data_and_the_card_along(
    stack: Stack, desk: BrowserContext, officers: Officers
) -> None:
    page = await officers.open(desk, MEMBER)
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name=re.compile("PDF")).click()
    assert (await (await waiting.value).path()).read_bytes().startswith(b"%PDF")
    await page.goto(f"{stack.web}/me/data")
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="下载（ZIP 文件）").click()
    contents = (await (await waiting.value).path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        assert archive.testzip() is None
        assert {"identity.json", "branches.json", "notify.json"} <= set(archive.namelist())
