"""The main job: somebody applies, is approved, logs in, and is refused everywhere soon after the revocation."""

import asyncio
import re
import time
from collections.abc import Callable

from e2e.browsing import Officers, Person, apply, check_page, log_in, watch
from e2e.running_stack import Stack
from playwright.async_api import BrowserContext, Page, Route, expect

# Within a minute, says the requirement; the page asks again every few seconds.
REVOCATION_LIMIT_S = 60
CLERK = "clerk"
ADMINISTRATOR = "county administrator"


async def _open_case(page: Page, stack: Stack, number: str, code: str) -> None:
    await page.goto(f"{stack.web}/case")
    await page.get_by_label("受理号").fill(number)
    await page.get_by_label("查询码").fill(code)
    await page.get_by_role("button", name="查询").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("办理进度")


async def _find_application(clerk: Page, stack: Stack, number: str, name: str) -> None:
    await clerk.goto(f"{stack.web}/desk")
    await clerk.get_by_label("查找申请").fill(number)
    await clerk.get_by_role("button", name="查找", exact=True).click()
    await clerk.get_by_role("link", name=name).click()
    await expect(clerk.get_by_role("heading", level=1)).to_contain_text(name)


async def test_a_person_applies_is_approved_logs_in_and_is_refused_after_revocation(  # noqa: PLR0917 - fixtures
    stack: Stack,
    context: BrowserContext,
    desk: BrowserContext,
    browser_of_another: BrowserContext,
    officers: Officers,
    new_person: Callable[[str], Person],
) -> None:
    # A middle dot, and a character beyond the basic plane.
    person = new_person("买买提·𠮷力")
    page = await context.new_page()
    complaints = watch(page, stack)

    number, code = await apply(page, stack, person, check=True)
    await page.get_by_role("button", name="我已抄好，查看进度").click()
    await expect(page.locator("[data-test=state]")).to_have_text("等待审批")
    await check_page(page)
    for kept in (person.real_name, person.resident_number, person.telephone, code):
        assert kept not in page.url

    clerk = await officers.open(desk, CLERK)
    await _find_application(clerk, stack, number, person.real_name)
    await check_page(clerk)
    await expect(clerk.get_by_text(person.resident_number)).to_be_visible()
    # The rare character is a finding, which has to be confirmed.
    await clerk.get_by_role("button", name="通过", exact=True).click()
    await expect(clerk.get_by_role("alert")).to_contain_text("请先打勾")
    await clerk.get_by_label("我已核对以上疑点，确认可以通过").check()
    await clerk.get_by_role("button", name="通过", exact=True).click()
    await expect(clerk.get_by_role("alert")).to_contain_text("的申请已通过")

    await _reload_until(page, "[data-test=state]", "已办好")
    eid_number = (await page.locator("[data-test=eid-number]").inner_text()).replace(" ", "")
    await check_page(page)

    await clerk.reload()
    await _reload_until(clerk, "[data-test=state]", "已制证")
    await clerk.get_by_role("link", name="查看电子身份证").click()
    await check_page(clerk)
    await clerk.get_by_role("button", name="生成激活码，当面交给本人").click()
    activation_code = await clerk.locator("[data-test=activation-code]").inner_text()
    await check_page(clerk)
    await clerk.get_by_role("button", name="已交给本人，返回").click()
    eid_page = clerk.url

    password = f"Zhibu-{number}-own"
    await log_in(
        page,
        stack,
        eid_number=eid_number,
        password=activation_code,
        telephone=person.telephone,
        new_password=password,
    )
    await expect(page.locator("[data-test=hello]")).to_have_text(f"{person.real_name}，您好")
    card = page.get_by_role("img", name=re.compile("电子身份证卡片"))
    await expect(card).to_be_visible()
    assert await card.evaluate("(picture) => picture.complete && picture.naturalWidth > 300")
    await check_page(page)

    await _add_and_use_a_passkey(page, stack)

    administrator = await officers.open(browser_of_another, ADMINISTRATOR)
    await administrator.goto(eid_page)
    await administrator.get_by_role("button", name="注销电子身份证").click()
    await check_page(administrator)
    await administrator.get_by_role("button", name="注销", exact=True).click()
    await expect(administrator.get_by_role("alert")).to_contain_text("请选择注销的原因")
    await administrator.get_by_label("审批有误").check()
    await administrator.get_by_label(re.compile("我确认要注销")).check()
    await administrator.get_by_role("button", name="注销", exact=True).click()
    await expect(administrator.locator("[data-test=eid-state]")).to_have_text("已注销")

    ended = page.get_by_role("heading", name="您已退出登录")
    ends_at_s = time.monotonic() + REVOCATION_LIMIT_S
    while not await ended.is_visible():
        assert time.monotonic() < ends_at_s, "still let in a minute after the revocation"
        await page.goto(f"{stack.web}/me")
    await check_page(page)
    await page.goto(f"{stack.web}/auth/login")
    await page.locator("#username").fill(eid_number)
    await page.locator("#password").fill(password)
    await page.locator("#kc-login").click()
    await expect(page.locator("#username")).to_be_visible()
    assert complaints == []


async def _reload_until(page: Page, selector: str, words: str) -> None:
    ends_at_s = time.monotonic() + 60
    while words not in await page.locator(selector).inner_text():
        assert time.monotonic() < ends_at_s, f"{words} never came"
        await page.reload()


async def _add_and_use_a_passkey(page: Page, stack: Stack) -> None:
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    device = await devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    await page.get_by_role("button", name="添加通行密钥").click()
    await page.locator("#registerWebAuthn").click()
    await page.wait_for_url(f"{stack.web}/me")
    await expect(page.get_by_role("alert")).to_contain_text("通行密钥已添加")
    await page.get_by_role("button", name="退出登录").click()
    await expect(page.get_by_role("heading", name="已退出登录")).to_be_visible()
    await check_page(page)
    # A browser that suggests passkeys logs in by itself once the member agrees, and this device always does.
    await page.goto(f"{stack.web}/auth/login", wait_until="commit")
    await page.wait_for_url(f"{stack.web}/me")
    await expect(page.locator("[data-test=hello]")).to_be_visible()
    await devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device["authenticatorId"]})


async def test_what_is_chosen_before_the_scripts_have_come_is_not_lost(stack: Stack, phone: BrowserContext) -> None:
    page = await phone.new_page()
    scripts_may_come = asyncio.Event()

    async def come_late(route: Route) -> None:
        await scripts_may_come.wait()
        await route.continue_()

    await page.goto(f"{stack.web}/")
    await page.get_by_role("main").get_by_role("link", name="申请电子身份证").click()
    await page.route("**/vendor/htmx*", come_late)
    await page.get_by_role("button", name="开始申请").click(no_wait_after=True)
    await page.get_by_label("市", exact=True).select_option(label="潍坊市")
    scripts_may_come.set()
    await expect(page.get_by_label("县（市、区）")).to_be_visible()


async def test_without_javascript_a_person_applies_and_withdraws(
    stack: Stack, without_scripts: BrowserContext, new_person: Callable[[str], Person]
) -> None:
    person = new_person("王建国")
    page = await without_scripts.new_page()
    await page.goto(f"{stack.web}/apply/place")
    await page.get_by_label("我已阅读并同意隐私告知").check()
    await page.get_by_label("市", exact=True).select_option(label="潍坊市")
    await page.get_by_role("button", name="显示下一级").click()
    await page.get_by_label("县（市、区）").select_option(label="临朐县")
    await page.get_by_role("button", name="继续").click()
    before = stack.newest_message(person.telephone)
    await page.get_by_label("手机号").fill(person.telephone)
    await page.get_by_role("button", name="发送验证码").click()
    message = stack.wait_for_message(person.telephone, before)
    found = re.search(r"\d{6}", message)
    assert found
    await page.get_by_label("验证码", exact=True).fill(found.group())
    await page.get_by_role("button", name="继续").click()
    await page.get_by_label("姓名").fill(person.real_name)
    await page.get_by_label("居民身份证号").fill(person.resident_number)
    await page.get_by_label("预备党员").check()
    await page.get_by_role("button", name="继续").click()
    await page.get_by_role("button", name="提交申请").click()
    number = await page.locator("[data-test=case-number]").inner_text()
    code = await page.locator("[data-test=case-code]").inner_text()
    await page.get_by_role("button", name="我已抄好，结束").click()

    await _open_case(page, stack, number, code)
    await page.get_by_role("link", name="撤回申请").click()
    await page.get_by_role("button", name="确定撤回").click()
    await expect(page.locator("[data-test=state]")).to_have_text("已撤回")


async def test_a_question_is_asked_answered_and_the_case_refused_with_a_reason(
    stack: Stack, context: BrowserContext, desk: BrowserContext, officers: Officers, new_person: Callable[[str], Person]
) -> None:
    person = new_person("李秀英")
    page = await context.new_page()
    number, code = await apply(page, stack, person)
    clerk = await officers.open(desk, CLERK)
    await _find_application(clerk, stack, number, person.real_name)
    await clerk.locator("summary", has_text="请申请人补充").click()
    await clerk.get_by_label("要问的问题").fill("您的组织关系是哪一年转入的？")
    await clerk.get_by_role("button", name="请申请人补充").click()
    await expect(clerk.get_by_role("alert")).to_contain_text("问题已发出")

    await _open_case(page, stack, number, code)
    await expect(page.locator("[data-test=question]")).to_have_text("您的组织关系是哪一年转入的？")
    await check_page(page)
    await page.get_by_label("您的回答").fill("2011 年转入。")
    await page.get_by_role("button", name="提交回答").click()
    await expect(page.locator("[data-test=state]")).to_have_text("等待审批")

    await clerk.reload()
    await expect(clerk.get_by_text("2011 年转入。")).to_be_visible()
    await clerk.locator("summary", has_text="不通过").click()
    await clerk.get_by_label("所选党支部没有您的记录").check()
    await clerk.get_by_role("button", name="不通过").click()
    await expect(clerk.get_by_role("alert")).to_contain_text("未通过")

    await page.reload()
    await expect(page.locator("[data-test=state]")).to_have_text("没有通过")
    await expect(page.get_by_text("所选党支部没有您的记录")).to_be_visible()
    await check_page(page)


async def test_a_clerk_who_comes_second_is_told_how_the_case_stands(
    stack: Stack,
    desk: BrowserContext,
    browser_of_another: BrowserContext,
    officers: Officers,
    new_person: Callable[[str], Person],
) -> None:
    person = new_person("陈静")
    number, _ = await apply(await desk.new_page(), stack, person)
    first = await officers.open(desk, CLERK)
    second = await officers.open(browser_of_another, ADMINISTRATOR)
    for page in (first, second):
        await _find_application(page, stack, number, person.real_name)
    await first.get_by_role("button", name="通过", exact=True).click()
    await expect(first.get_by_role("alert")).to_contain_text("已通过")
    await second.get_by_role("button", name="通过", exact=True).click()
    await expect(second.get_by_role("alert")).to_contain_text("没有办成")
    await expect(second.locator("[data-test=state]")).to_contain_text(re.compile("已通过|已制证"))


async def test_many_are_approved_at_once_with_progress(
    stack: Stack, desk: BrowserContext, officers: Officers, new_person: Callable[[str], Person]
) -> None:
    people = [new_person("刘洋"), new_person("杨帆")]
    for person in people:
        await apply(await desk.new_page(), stack, person, branch=False)
        await desk.clear_cookies()
    clerk = await officers.open(desk, CLERK)
    await clerk.goto(f"{stack.web}/desk")
    await check_page(clerk)
    for person in people:
        row = clerk.get_by_role("row", name=re.compile(person.real_name)).filter(has_text=person.telephone[-4:])
        await row.get_by_role("checkbox").check()
    await expect(clerk.locator("#chosen-count")).to_have_text("已选 2 份")
    await clerk.get_by_role("button", name="批量通过所选申请").click()
    await expect(clerk.locator("[data-test=batch-state]")).to_have_text("全部办理完毕。")
    await expect(clerk.get_by_label("共 2 份：已通过 2 份，未办成 0 份")).to_be_visible()
    await check_page(clerk)
