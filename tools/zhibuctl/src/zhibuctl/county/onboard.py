"""`zhibuctl county onboard`: brings one county online from a plan, and says first what it would do."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import click

from zhibuctl.context import Context, pass_context
from zhibuctl.county.plan import Plan, RosterPlan, read_plan
from zhibuctl.errors import OperatorError
from zhibuctl.gateway import Gateway, Json
from zhibuctl.installation import Installation
from zhibuctl.logging_in import log_in
from zhibuctl.service_command import last_json, run_service_command
from zhibuctl.texts import both

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEDIA_TYPES: Final = {".xlsx": _XLSX, ".xls": "application/vnd.ms-excel", ".csv": "text/csv"}
_LEVELS: Final = {"county": "ORGANISATION_LEVEL_COUNTY", "township": "ORGANISATION_LEVEL_TOWNSHIP"}
_BRANCH: Final = "ORGANISATION_LEVEL_BRANCH"
_BUSY: Final = frozenset({"ROSTER_STATE_CHECKING", "ROSTER_STATE_COMMITTING", "ROSTER_STATE_COMMITTED"})
_LOOK_AGAIN_S: Final = 1.0
_LONGEST_S: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do: what it is, and how; `do` is None when it is done already."""

    zh: str
    en: str
    do: Callable[[], None] | None


@click.group(short_help=both("县", "counties"))
def county() -> None:
    """Counties.

    县级上线。
    """


@county.command(short_help=both("上线一个县", "bring a county online"))
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help=both("只说要做什么，不改动", "say what would be done, change nothing"))
@click.option("--gateway", "gateway_url", help=both("网关地址", "address of the gateway; make run's by default"))
@click.option("--issuer", help=both("登录服务地址", "Keycloak's realm; make run's by default"))
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=both("从文件读取访问令牌，不交互登录", "read the access token from a file instead of logging in"),
)
@pass_context
def onboard(
    context: Context,
    *,
    plan_file: Path,
    dry_run: bool,
    gateway_url: str | None,
    issuer: str | None,
    token_file: Path | None,
) -> None:
    """Bring the county of PLAN_FILE online: organisations, switches, code for the first office, roster.

    按计划文件上线一个县：组织、开关、首个职务的启用码、花名册。可重复运行，已完成的不再做。
    """
    plan = read_plan(plan_file)
    environment = context.installation.environment_of("identity")
    session = None if token_file else log_in(issuer or environment.get("ZHIBU_OIDC_ISSUER", ""))
    address = gateway_url or environment.get("ZHIBU_GATEWAY_URL") or environment.get("ZHIBU_PUBLIC_GATEWAY_URL", "")
    if not address:
        raise OperatorError("请用 --gateway 指明网关地址。", "Name the gateway with --gateway.")

    def token() -> str:
        return token_file.read_text(encoding="ascii").strip() if token_file else session.token() if session else ""

    with Gateway(address, token) as gateway:
        onboarding = Onboarding(gateway, plan, context.installation)
        for step in onboarding.steps():
            mark = "✓" if step.do is None else "+"
            click.echo(f"{mark} {both(step.zh, step.en)}")
            if step.do is not None and not dry_run:
                step.do()
    if dry_run:
        click.echo(both("以上为试运行，没有改动任何数据。", "a dry run: nothing was changed"))


class Onboarding:
    """One county's plan against what the platform has; steps are found one after the other."""

    def __init__(self, gateway: Gateway, plan: Plan, installation: Installation) -> None:
        self._gateway = gateway
        self._plan = plan
        self._installation = installation
        self._path = f"/v1/organisations/{plan.code}"
        # Ids of townships and sectors by code and by name; those that a dry run would make have none.
        self._places: dict[str, str] = {}

    def steps(self) -> Iterator[Step]:
        """Give the steps in their order; each looks at what is there when it is asked for."""
        plan = self._plan
        present = self._gateway.find(self._path)
        yield self._organisation(present, plan.city, "county", plan.name, code=plan.code)
        there = present is not None or self._gateway.find(self._path) is not None
        below = self._children(plan.code) if there else {}
        for township in plan.townships:
            yield self._organisation(below.get(township.code), plan.code, "township", township.name, code=township.code)
            self._places |= {township.code: township.code, township.name: township.code}
        for name in plan.sectors:
            known = next((each for each in below.values() if each["name"] == name), None)
            yield self._organisation(known, plan.code, "township", name)
            self._places |= {each["name"]: key for key, each in self._children(plan.code, there=there).items()}
        yield from self._branches(there=there)
        yield self._switches(there=there)
        yield self._first_office(there=there)
        if plan.roster is not None:
            yield self._roster(plan.roster, there=there)

    def _organisation(self, known: Json | None, parent: str, level: str, name: str, *, code: str = "") -> Step:
        def create() -> None:
            body = {"level": _LEVELS[level], "name": name, "organisationId": code}
            self._gateway.write(
                "POST", f"/v1/organisations/{parent}/children", body, request_id=self._request_id(parent, code, name)
            )

        return Step(zh=f"组织 {name}", en=f"organisation {code or name}", do=None if known else create)

    def _branches(self, *, there: bool) -> Iterator[Step]:
        siblings: dict[str, dict[str, Json]] = {}
        for branch in self._plan.branches:
            parent = self._places.get(branch.parent, self._plan.code if branch.parent == self._plan.code else "")
            if not parent and there and branch.parent not in self._plan.sectors:
                raise OperatorError(
                    f"支部“{branch.name}”的上级“{branch.parent}”不在计划中。", "a branch's parent is not in the plan"
                )
            if parent and parent not in siblings:
                siblings[parent] = self._children(
                    parent, there=there and self._gateway.find(f"/v1/organisations/{parent}") is not None
                )
            names = {each["name"] for each in siblings.get(parent, {}).values()}
            body = {"level": _BRANCH, "name": branch.name, "termYears": branch.term_years}

            def create(parent: str = parent, body: Json = body) -> None:
                self._gateway.write(
                    "POST",
                    f"/v1/organisations/{parent}/children",
                    body,
                    request_id=self._request_id(parent, "branch", body["name"]),
                )

            done = branch.name in names
            yield Step(zh=f"支部 {branch.name}", en=f"branch below {branch.parent}", do=None if done else create)

    def _switches(self, *, there: bool) -> Step:
        wanted = self._plan.switches
        body = {
            "organisationId": self._plan.code,
            "applicationsOpen": wanted.applications_open,
            "activationByTelephone": wanted.activation_by_telephone,
            "helpTelephone": wanted.help_telephone,
            "helpHours": wanted.help_hours,
        }
        path = f"{self._path}/settings"
        now = (self._gateway.find(path) or {}) if there else {}
        settings: Json = now.get("settings", {})
        same = bool(settings) and all(settings.get(name, type(value)()) == value for name, value in body.items())

        def update() -> None:
            etag = self._gateway.get(path).get("etag", "")
            request_id = self._request_id("switches", str(sorted(asdict(wanted).items())), etag)
            self._gateway.write("PUT", path, {"settings": body, "etag": etag}, request_id=request_id)

        return Step(zh="开关与服务电话", en="switches and help desk", do=None if same else update)

    def _first_office(self, *, there: bool) -> Step:
        office = self._plan.first_office
        grants = self._gateway.pages(f"{self._path}/grants", "grants") if there else iter(())
        held = any(grant["office"] == office and not grant.get("ended") for grant in grants)

        def make_code() -> None:
            output = run_service_command(
                self._installation, "identity", "bootstrap", "--organisation", self._plan.code, "--office", office
            )
            answer = last_json(output, "identity")
            click.echo(
                both(f"  启用码：{answer['code']}，至 {answer['expires_at']}", "works once, for the first officer")
            )

        return Step(zh=f"首个职务 {office}", en="code for the first office", do=None if held else make_code)

    def _roster(self, roster: RosterPlan, *, there: bool) -> Step:
        words = ("检查并提交", "check and commit") if roster.commit else ("检查", "check")
        done = there and any(
            each.get("fileName") == roster.file.name and each["state"] == "ROSTER_STATE_APPLIED"
            for each in self._gateway.pages(f"{self._path}/rosters", "rosters")
        )
        return Step(
            zh=f"花名册 {roster.file.name}：{words[0]}",
            en=f"{words[1]} the roster, {roster.file.stat().st_size} bytes",
            do=None if done else lambda: self._import(roster),
        )

    def _import(self, roster: RosterPlan) -> None:
        media_type = _MEDIA_TYPES.get(roster.file.suffix.lower(), "application/octet-stream")
        made = self._gateway.upload(f"{self._path}/rosters", roster.file, media_type)["roster"]
        path = f"{self._path}/rosters/{made['rosterId']}"
        found = self._wait(path)
        if roster.create_branches and found.get("missingBranches"):
            self._create_missing(found["missingBranches"])
            self._gateway.write(
                "POST", f"{path}:map", {"etag": found["etag"]}, request_id=self._request_id("map", found["etag"])
            )
            found = self._wait(path)
        counts = {name: found.get(f"{name}Count", 0) for name in ("new", "changed", "same", "gone", "problem")}
        click.echo(
            both(
                "  新增 {new}，变更 {changed}，不变 {same}，名册中没有 {gone}，问题 {problem}".format(**counts),
                "new, changed, same, gone, problems",
            )
        )
        if found["state"] == "ROSTER_STATE_FAILED":
            raise OperatorError(f"花名册读不了：{found.get('failure')}", "the roster cannot be read")
        if counts["problem"]:
            target = roster.file.with_name(f"{roster.file.stem}-问题行.xlsx")
            self._gateway.download(f"{path}/problems", target)
            raise OperatorError(f"请修改 {target} 后重新运行。", "Mend the bad rows in this file and run again.")
        if roster.commit:
            self._gateway.write(
                "POST", f"{path}:commit", {"etag": found["etag"]}, request_id=self._request_id("commit", found["etag"])
            )
            self._wait(path)

    def _create_missing(self, missing: list[Json]) -> None:
        for each in missing:
            parent = each.get("committeeId") or self._places.get(each.get("committeeName", ""), self._plan.code)
            body = {"level": _BRANCH, "name": each["branchName"]}
            self._gateway.write(
                "POST",
                f"/v1/organisations/{parent}/children",
                body,
                request_id=self._request_id(parent, "branch", each["branchName"]),
            )
            click.echo(f"  + {each['branchName']}")

    def _wait(self, path: str) -> Json:
        """Look until the roster needs somebody again."""
        until_s = time.monotonic() + _LONGEST_S
        while time.monotonic() < until_s:
            roster: Json = self._gateway.get(path)["roster"]
            if roster["state"] not in _BUSY:
                return roster
            time.sleep(_LOOK_AGAIN_S)
        raise OperatorError("花名册没有按时处理完。", "The roster was not done in time.")

    def _children(self, parent: str, *, there: bool = True) -> dict[str, Json]:
        if not there:
            return {}
        rows = self._gateway.pages("/v1/organisations", "organisations", parent_id=parent)
        return {row["organisationId"]: row for row in rows}

    def _request_id(self, *parts: Any) -> str:
        return str(uuid5(NAMESPACE_URL, "zhibuctl-onboard:" + "\n".join(map(str, (self._plan.code, *parts)))))
