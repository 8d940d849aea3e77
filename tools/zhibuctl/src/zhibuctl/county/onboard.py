"""`zhibuctl county onboard`: brings one county online from a plan, and says first what it would do."""

from collections.abc import Iterator
from pathlib import Path

import click

from zhibuctl.context import Context, pass_context
from zhibuctl.county.first_offices import first_office_steps
from zhibuctl.county.officer import check_officer
from zhibuctl.county.organisations import Organisations
from zhibuctl.county.plan import Plan, read_plan
from zhibuctl.county.roster import RosterImport
from zhibuctl.county.step import Step
from zhibuctl.county.switches import switches_step
from zhibuctl.errors import OperatorError
from zhibuctl.gateway import Gateway
from zhibuctl.installation import Installation
from zhibuctl.logging_in import log_in
from zhibuctl.texts import both


@click.group(short_help=both("县", "counties"))
def county() -> None:
    """Counties.

    县级上线。
    """


@county.command(short_help=both("上线一个县", "bring a county online"))
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help=both("只说要做什么，不改动", "say what would be done, change nothing"))
@click.option("--gateway", "gateway_url", help=both("网关地址", "address of the gateway; make run's by default"))
@click.option("--issuer", help=both("登录服务地址", "Keycloak's realm; make run's by default"))
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
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
    """Bring the county of PLAN_FILE online: organisations, switches, codes for the first officers, roster.

    按计划文件上线一个县：组织、开关、首任职务的启用码、花名册。可重复运行，已完成的不再做。
    """
    plan = read_plan(plan_file)
    installation = context.installation
    address = gateway_url or installation.environment_of("gateway").get("ZHIBU_GATEWAY_PUBLIC_URL", "")
    if not address:
        raise OperatorError("请用 --gateway 指明网关地址。", "Name the gateway with --gateway.")
    session = None
    if token_file is None:
        session = log_in(issuer or installation.environment_of("identity").get("ZHIBU_OIDC_ISSUER", ""))

    def token() -> str:
        return session.token() if session else _read_token(token_file)

    left = 0
    with Gateway(address, token) as gateway:
        for step in steps_of(gateway, plan, installation):
            click.echo(f"{'✓' if step.do is None else '+'} {both(step.zh, step.en)}")
            if step.do is not None:
                left += 1
                if not dry_run:
                    step.do()
    if dry_run:
        click.echo(
            both(f"以上为试运行，没有改动任何数据；待办 {left} 项", f"a dry run: nothing was changed, {left} to do")
        )
    elif left:
        click.echo(both(f"{plan.name}：办理了 {left} 项", f"{left} steps were done"))
    else:
        click.echo(both(f"{plan.name}早已上线，没有改动", "everything was there, nothing was changed"))


def steps_of(gateway: Gateway, plan: Plan, installation: Installation) -> Iterator[Step]:
    """Give the steps in their order; each looks at what is there when it is asked for."""
    organisations = Organisations(gateway, plan)
    present = organisations.find_county()
    check_officer(gateway, plan.code, county_exists=present is not None)
    yield organisations.county(present)
    # A dry run has not made it.
    there = present is not None or gateway.find(f"/v1/organisations/{plan.code}") is not None
    yield from organisations.committees(there=there)
    yield from organisations.branches()
    yield switches_step(gateway, plan, there=there)
    yield from first_office_steps(gateway, plan, installation, there=there)
    if plan.roster is not None:
        yield RosterImport(gateway, plan, plan.roster, organisations=organisations).step(there=there)


def _read_token(token_file: Path | None) -> str:
    try:
        token = token_file.read_text(encoding="ascii").strip() if token_file else ""
    except (OSError, UnicodeDecodeError):
        raise OperatorError(f"读不了令牌文件 {token_file}。", "The token file cannot be read.") from None
    if not token:
        raise OperatorError(f"令牌文件 {token_file} 是空的。", "The token file is empty.")
    return token
