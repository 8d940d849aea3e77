"""`zhibuctl`: what operators do beside `make run` and Helm."""

from pathlib import Path

import click

from zhibuctl.authority import authority
from zhibuctl.bootstrap import bootstrap
from zhibuctl.card import card
from zhibuctl.client import client
from zhibuctl.consuming import audit_verify, dead_letters, reconcile
from zhibuctl.context import Context
from zhibuctl.county.onboard import county
from zhibuctl.installation import find_installation
from zhibuctl.status import status
from zhibuctl.texts import both


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help=both("make run 的状态目录", "state directory of make run (.run); in a pod the environment is used"),
)
@click.option("--json", "as_json", is_flag=True, help=both("以 JSON 回答", "answer as JSON"))
@click.pass_context
def main(click_context: click.Context, *, directory: Path | None, as_json: bool) -> None:
    """Operators' command line of Zhibu.

    支部平台运维命令行。
    """
    click_context.obj = Context(installation=find_installation(directory), json=as_json)


for command in (audit_verify, authority, bootstrap, card, client, county, dead_letters, reconcile, status):
    main.add_command(command)


if __name__ == "__main__":
    main()
