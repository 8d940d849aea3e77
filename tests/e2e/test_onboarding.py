"""`zhibuctl county onboard` on the real stack: a county comes online, sees its own, and city and province see its sums."""

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from e2e.onboarding import (
    CITY,
    County,
    DeviceOfficer,
    children_of,
    find_untouched_county,
    onboard,
    write_plan,
    write_roster,
)
from e2e.running_stack import Stack
from playwright.async_api import Browser, Page, expect
from zhibu_demo.activation import LogIn
from zhibu_demo.api import Api, RefusedError, TokenSource
from zhibu_demo.applications import apply
from zhibu_demo.desk import Desk
from zhibu_demo.divisions import LINQU_COUNTY_CODE
from zhibu_demo.login import Keycloak
from zhibu_demo.officers import redeem
from zhibu_demo.people import Claim, Outcome, Person
from zhibu_demo.phone import Phone
from zhibu_demo.progress import Progress
from zhibu_demo.synthetic import resident_number, telephone
from zhibu_stack.secret_store import SecretStore

MEMBERS = 30


@dataclass(frozen=True, slots=True)
class People:
    """People of the new county who use the platform from outside, as everybody does."""

    api: Api
    phone: Phone
    progress: Progress
    log_ins: LogIn

    async def apply(self, county: County, key: str) -> Person:
        number = int(key.rpartition("-")[2])
        born = resident_number(f"99{county.code[2:]}", date(1980, 1, 1 + number), 900 + number)
        person = Person(
            key=key,
            real_name=f"李{'建志文'[number]}",
            resident_number=born,
            telephone=telephone(int(county.code) * 1_000 + 900 + number),
            county_code=county.code,
            branch=None,
            claim=Claim.FULL,
            outcome=Outcome.ACTIVATED,
        )
        await apply(self.api, self.phone, self.progress, person)
        return person

    async def first_officer(self, county: County, key: str, code: str) -> TokenSource:
        """Apply, redeem the operator's code on the own application, and log in for the first time."""
        person = await self.apply(county, key)
        self.progress.put("bootstrap_code", code)
        await redeem(self.api, self.progress, person)
        return (await self.log_ins.activate(person)).token

    async def approved_by(self, officer: TokenSource, county: County, key: str) -> Person:
        """Apply, be approved at the county's desk, and get the activation code there."""
        person = await self.apply(county, key)
        desk = Desk(self.api, self.progress, officer, county.code)
        await desk.open()
        await desk.approve(person)
        await desk.wait_until_issued([person])
        await desk.issue_activation_code(person)
        return person


@pytest.fixture
async def people(stack: Stack, tmp_path: Path) -> AsyncGenerator[People]:
    progress = Progress(tmp_path / "progress.jsonl", "onboarding")
    issuer = f"{stack.ports.keycloak_url}/realms/zhibu"
    async with Api(stack.ports.gateway_url) as api, Phone(stack.telephone) as phone, Keycloak(issuer) as keycloak:
        secrets = SecretStore(tmp_path / "secrets")
        yield People(api, phone, progress, LogIn(api, phone, keycloak, progress=progress, secret_store=secrets))


@pytest.fixture(scope="session")
async def province(browser: Browser, stack: Stack) -> AsyncGenerator[tuple[Page, DeviceOfficer]]:
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    page = await context.new_page()
    yield page, DeviceOfficer(page, stack)
    await context.close()


async def test_a_county_comes_online_sees_its_own_and_those_above_see_its_sums(
    stack: Stack, province: tuple[Page, DeviceOfficer], people: People, tmp_path: Path
) -> None:
    page, officer = province
    county = find_untouched_county(stack)
    roster = tmp_path / "党员花名册.csv"
    write_roster(roster, county, MEMBERS, bad_row=True)
    plan = write_plan(tmp_path, county, roster=roster)

    dry = await onboard(stack, plan, "--dry-run", officer=officer.agree)
    assert dry.status == 0, dry.said
    assert "没有改动任何数据" in dry.said
    assert "nothing was changed" in dry.said
    assert children_of(stack, county.code) == []

    token_file = tmp_path / "province-token"
    session = await officer.session()

    def as_province() -> tuple[str, str]:
        token_file.write_text(session.token(), encoding="ascii")
        return "--token-file", str(token_file)

    # Broken off after the organisations, before switches, codes and roster.
    broken = await onboard(stack, plan, *as_province(), kill_at="开关与服务电话")
    assert broken.status != 0
    assert "启用码" not in broken.said
    assert "城关街道" in children_of(stack, county.code)

    bad = await onboard(stack, plan, *as_province())
    assert bad.status == 1, bad.said
    assert f"✓ 支部 {county.branch}" in bad.said
    assert "1 bad rows, nothing was committed" in bad.said
    assert (tmp_path / "党员花名册-问题行.xlsx").stat().st_mode & 0o077 == 0
    codes = re.findall(r"启用码：(\S+?)，", bad.said)
    assert len(codes) == 2

    write_roster(roster, county, MEMBERS)
    done = await onboard(stack, plan, *as_province())
    assert done.status == 0, done.said
    assert f"new {MEMBERS}, changed 0" in done.said
    # What the roster names and the plan does not was made by `create_branches`.
    assert f"{county.name}城关街道东关社区党支部" in children_of(stack, f"{county.code}001")

    again = await onboard(stack, plan, *as_province())
    assert again.status == 0, again.said
    assert "没有改动" in again.said
    assert "+ " not in again.said

    admin = await people.first_officer(county, "newcomer-0", codes[0])
    approver = await people.first_officer(county, "newcomer-1", codes[1])
    viewer = await people.approved_by(approver, county, "newcomer-2")
    await _grant_city_viewer(page, stack, str(people.progress.of(viewer.key).get("eid_number")))
    await _see_their_own_only(people.api, county, admin, approver)
    await _see_sums_only(people.api, county, (await people.log_ins.activate(viewer)).token)
    await page.goto(f"{stack.web}/desk/37/statistics")
    await expect(page.get_by_role("main")).to_contain_text("潍坊市")
    await page.goto(f"{stack.web}/desk/{CITY}/statistics")
    await expect(page.get_by_role("row", name=county.name)).to_contain_text(str(MEMBERS))
    await _others_are_refused(stack, county, admin, tmp_path)


async def _grant_city_viewer(page: Page, stack: Stack, eid_number: str) -> None:
    """Have the province's administrator give the office in the browser, where Keycloak knows them already."""
    await page.goto(f"{stack.web}/auth/login")
    await page.goto(f"{stack.web}/desk/{CITY}/grants/new")
    await page.locator("[name=eid_number]").fill(eid_number)
    await page.locator("select[name=office]").select_option("city_viewer")
    await page.get_by_role("button", name="授予").click()
    await expect(page.get_by_role("table")).to_contain_text("市级查询员")


async def _see_their_own_only(api: Api, county: County, *officers: TokenSource) -> None:
    for token in officers:
        own = await api.get(f"/v1/organisations/{county.code}/people", token=token, page_size=200)
        assert own["totalCount"] >= MEMBERS
        sums = await api.get(f"/v1/organisations/{county.code}/statistics", token=token)
        assert sums["total"]["memberCount"] == MEMBERS
        for elsewhere in (LINQU_COUNTY_CODE, CITY, "37"):
            for what in ("people", "statistics", "people-statistics"):
                await _refused(api, f"/v1/organisations/{elsewhere}/{what}", token)


async def _see_sums_only(api: Api, county: County, viewer: TokenSource) -> None:
    answer = await api.get(
        f"/v1/organisations/{CITY}/statistics", token=viewer, wait_for=frozenset({"PERMISSION_DENIED"})
    )
    below = {row["organisationId"]: row.get("memberCount", 0) for row in answer["below"]}
    assert below[county.code] == MEMBERS
    assert below[LINQU_COUNTY_CODE] > 0
    assert answer["total"]["memberCount"] == sum(below.values())
    for code in (county.code, LINQU_COUNTY_CODE, CITY):
        await _refused(api, f"/v1/organisations/{code}/people", viewer)
    await _refused(api, "/v1/organisations/37/statistics", viewer)


async def _refused(api: Api, path: str, token: TokenSource) -> None:
    with pytest.raises(RefusedError) as refusal:
        await api.get(path, token=token)
    assert "PERMISSION_DENIED" in refusal.value.codes, path


async def _others_are_refused(stack: Stack, county: County, admin: TokenSource, directory: Path) -> None:
    """The administrator of one county brings no other online, and a code that is none is told."""
    token_file = directory / "token"
    token_file.write_text(await admin(), encoding="ascii")
    other = County(LINQU_COUNTY_CODE, "临朐县")
    refused = await onboard(stack, write_plan(directory, other), "--token-file", str(token_file))
    assert refused.status == 1
    assert f"您没有在 {other.code} 办理上线的职务" in refused.said
    assert "You hold no office" in refused.said
    unknown = await onboard(stack, write_plan(directory, County("999901", "某县")), "--token-file", str(token_file))
    assert (unknown.status, "没有代码为 9999 的市级组织" in unknown.said) == (1, True)
    renamed = await onboard(
        stack, write_plan(directory, County(county.code, "别的县")), "--token-file", str(token_file)
    )
    assert (renamed.status, "已存在，名称是" in renamed.said) == (1, True)
    own = await onboard(stack, write_plan(directory, county), "--dry-run", "--token-file", str(token_file))
    assert (own.status, "待办 0 项" in own.said) == (0, True), own.said
