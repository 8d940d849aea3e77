"""`zhibuctl dead-letters` and `zhibuctl reconcile`: what consumers could not handle, and projections that differ."""

import click

from zhibuctl.context import Context, pass_context
from zhibuctl.installation import SERVICES
from zhibuctl.service_command import run_service_command
from zhibuctl.texts import both

_service = click.option(
    "--service",
    required=True,
    type=click.Choice(SERVICES),
    help=both("服务", "the service whose consumers it is about"),
)


@click.group(name="dead-letters", short_help=both("查看与重放死信", "list and replay dead letters"))
def dead_letters() -> None:
    """Work with the events that a service's consumers gave up on.

    消费者多次处理失败的事件：查看，或在修复之后重放。
    """


@dead_letters.command(name="list", short_help=both("查看", "list"))
@_service
@pass_context
def list_letters(context: Context, service: str) -> None:
    """List the dead letters of a service: id, event, consumer, reason, time. Events hold no personal data.

    列出死信：编号、事件、消费者、原因、时间。
    """
    click.echo(_run(context, service, "dead-letters", "list"), nl=False)


@dead_letters.command(short_help=both("重放", "replay"))
@_service
@click.option("--id", "letter_id", default="", help=both("只重放这一条", "only this one; all when left out"))
@pass_context
def replay(context: Context, service: str, letter_id: str) -> None:
    """Handle dead letters once more, in the order of their arrival; what fails again stays.

    按到达顺序重新处理死信；再次失败的仍然保留。
    """
    chosen = ("--id", letter_id) if letter_id else ()
    click.echo(_run(context, service, "dead-letters", "replay", *chosen), nl=False)


@click.command(short_help=both("对账", "bring projections back in line"))
@_service
@pass_context
def reconcile(context: Context, service: str) -> None:
    """Compare what a service knows from others with its source, mend the differences, and count them.

    把服务从他处得知的数据与来源核对并修正，报告差异数量。
    """
    click.echo(_run(context, service, "reconcile"), nl=False)


def _run(context: Context, service: str, *arguments: str) -> str:
    machine = ("--json",) if context.json else ()
    return run_service_command(context.installation, service, *arguments, *machine)
