"""`zhibuctl bootstrap`: makes the code that gives the first office."""

import json

import click

from zhibuctl.context import Context, pass_context
from zhibuctl.service_command import last_json, run_service_command
from zhibuctl.texts import both


@click.command(short_help=both("制作启用码", "make the code that gives the first office"))
@click.option(
    "--organisation", required=True, metavar="CODE", help=both("组织代码，例如 37", "organisation, for example 37")
)
@click.option("--office", required=True, help=both("职务，例如 province_admin", "office, for example province_admin"))
@pass_context
def bootstrap(context: Context, organisation: str, office: str) -> None:
    """Make a bootstrap code that works once; whoever redeems it on their own application gets the office.

    制作一次性的启用码：本人先申请电子身份证，再用此码完成首次任职。
    """
    output = run_service_command(
        context.installation, "identity", "bootstrap", "--organisation", organisation, "--office", office
    )
    answer = last_json(output, "identity")
    if context.json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(both(f"启用码：{answer['code']}", "bootstrap code, works once"))
    click.echo(both(f"有效期至：{answer['expires_at']}", "good until then"))
    click.echo(
        both(
            "请本人先在网页上申请，再凭受理号、查询码和启用码完成任职。",
            "The person applies first, then redeems the code with the case's number and code.",
        )
    )
