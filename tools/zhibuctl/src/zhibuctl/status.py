"""`zhibuctl status`: asks every process whether it is ready."""

import json
from typing import Final

import click
import httpx

from zhibuctl.context import Context, pass_context
from zhibuctl.errors import OperatorError
from zhibuctl.installation import PROCESSES, Installation
from zhibuctl.texts import both

_TIMEOUT_S: Final = 3


@click.command(short_help=both("各服务是否就绪", "whether every process is ready"))
@pass_context
def status(context: Context) -> None:
    """Ask every process, and say what it lacks; the exit status is 1 when one is not ready.

    逐个询问各服务是否就绪；有一个不就绪则返回 1。
    """
    answers = {name: _ask(context.installation, name) for name in PROCESSES}
    answers["keycloak"] = _ask_keycloak(context.installation)
    if context.json:
        click.echo(json.dumps(answers, ensure_ascii=False))
    else:
        for name, fault in answers.items():
            click.echo(f"{'✗' if fault else '✓'} {name:<10} {fault or both('就绪', 'ready')}")
    if any(answers.values()):
        raise SystemExit(1)


def _ask(installation: Installation, name: str) -> str:
    """Return what is wrong, nothing when the process is ready."""
    try:
        address = installation.environment_of(name).get("ZHIBU_HEALTH_LISTEN", "")
    except OperatorError:
        return both("没有配置", "not configured")
    return _get(f"http://{address}/readyz") if address else both("没有配置", "not configured")


def _ask_keycloak(installation: Installation) -> str:
    try:
        issuer = installation.environment_of("identity").get("ZHIBU_OIDC_ISSUER", "")
    except OperatorError:
        return both("没有配置", "not configured")
    return _get(f"{issuer}/.well-known/openid-configuration") if issuer else both("没有配置", "not configured")


def _get(url: str) -> str:
    try:
        response = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False)
    except httpx.HTTPError:
        return both("没有应答", "no answer")
    return "" if response.is_success else both(f"未就绪（{response.status_code}）", "not ready")
