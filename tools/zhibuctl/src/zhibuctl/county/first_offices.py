"""Codes with which the county's first officers get their offices: each redeems one on the own application."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import click

from zhibuctl.county.plan import Plan
from zhibuctl.county.step import Step
from zhibuctl.gateway import Gateway
from zhibuctl.installation import Installation
from zhibuctl.service_command import last_json, run_service_command
from zhibuctl.texts import both

_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


def first_office_steps(gateway: Gateway, plan: Plan, installation: Installation, *, there: bool) -> Iterator[Step]:
    """Give a step for each first office that nobody holds and for which no code waits."""
    grants = gateway.pages(f"/v1/organisations/{plan.code}/grants", "grants") if there else iter(())
    held = {grant["office"] for grant in grants if grant["organisationId"] == plan.code and not grant.get("ended")}
    for office in plan.first_offices:
        waiting = None if office in held else _code_good_until(installation, plan.code, office)
        said = ("已有任职", "held") if office in held else (f"启用码有效至 {waiting}", "a code waits to be redeemed")

        def make_code(office: str = office) -> None:
            answer = _bootstrap(installation, plan.code, office)
            click.echo(
                both(
                    f"  启用码：{answer['code']}，一次有效，至 {_in_shanghai(answer['expires_at'])}；只显示这一次",
                    "works once, shown this once only",
                )
            )

        done = office in held or waiting is not None
        yield Step(
            zh=f"首任职务 {office}" + (f"（{said[0]}）" if done else "：制作启用码"),
            en=f"first holder: {said[1]}" if done else "make a code for the first holder",
            do=None if done else make_code,
        )


def _code_good_until(installation: Installation, code: str, office: str) -> str | None:
    answer = _bootstrap(installation, code, office, "--find")
    return _in_shanghai(answer["expires_at"]) if answer["expires_at"] else None


def _in_shanghai(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(_SHANGHAI):%Y-%m-%d %H:%M}（北京时间）"


def _bootstrap(installation: Installation, code: str, office: str, *more: str) -> dict[str, str]:
    output = run_service_command(
        installation, "identity", "bootstrap", "--organisation", code, "--office", office, *more
    )
    return last_json(output, "identity")
