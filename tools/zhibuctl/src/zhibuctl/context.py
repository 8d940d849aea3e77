"""What every command needs: which installation, and how to answer."""

from dataclasses import dataclass

import click

from zhibuctl.installation import Installation


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """`json` asks for answers that programs read."""

    installation: Installation
    json: bool


pass_context = click.make_pass_decorator(Context)
