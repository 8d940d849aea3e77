"""`zhibuctl authority import`: gives identity the certificate authority of officers' key sticks."""

import json
from typing import TextIO

import click

from zhibuctl.context import Context, pass_context
from zhibuctl.service_command import last_json, run_service_command
from zhibuctl.texts import both


@click.group(short_help=both("干部证书机构", "certificate authority of officers"))
def authority() -> None:
    """Look after the authority that issues officers' certificates.

    管理发放干部证书的证书机构。
    """


@authority.command("import", short_help=both("导入证书和密钥", "import certificate and key"))
@click.argument("pem", type=click.File("r", encoding="ascii"), metavar="PEM")
@pass_context
def import_(context: Context, pem: TextIO) -> None:
    """Keep certificate and unencrypted key of an authority (PEM, one file, - for standard input) in the key database.

    把证书机构的证书和密钥存入密钥库（用主密钥加密）。只能导入一次；导入后请销毁原文件。
    """
    output = run_service_command(context.installation, "identity", "authority-import", text=pem.read())
    answer = last_json(output, "identity")
    if context.json:
        click.echo(json.dumps(answer))
    else:
        click.echo(both("已导入。请销毁原来的密钥文件。", "imported; destroy the file that held the key."))
