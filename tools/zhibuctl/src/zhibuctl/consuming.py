"""`zhibuctl dead-letters`, `reconcile` and `audit-verify`: events that failed or were missed, and the audit chain."""

import click

from zhibuctl.context import Context, pass_context
from zhibuctl.installation import SERVICES
from zhibuctl.service_command import run_service_command
from zhibuctl.texts import both

_service = click.option(
    "--service",
    required=True,
    type=click.Choice(SERVICES),
    help=both("服务", "which service"),
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
    click.echo(run_service_command(context.installation, service, "dead-letters", "list"), nl=False)


@dead_letters.command(short_help=both("重放", "replay"))
@_service
@click.option("--id", "letter_id", default="all", help=both("只重放这一条", "only this one; all when left out"))
@pass_context
def replay(context: Context, service: str, letter_id: str) -> None:
    """Handle dead letters once more, in the order of their arrival; what fails again stays.

    按到达顺序重新处理死信；再次失败的仍然保留。
    """
    click.echo(run_service_command(context.installation, service, "dead-letters", "replay", letter_id), nl=False)


@dead_letters.command(short_help=both("丢弃", "throw away"))
@_service
@click.option("--id", "letter_id", required=True, help=both("死信编号", "which one"))
@pass_context
def discard(context: Context, service: str, letter_id: str) -> None:
    """Throw away a dead letter that can never be handled, after its publisher has told how things stand (reconcile).

    丢弃无法处理的死信；请先让发布方对账（reconcile）。
    """
    click.echo(run_service_command(context.installation, service, "dead-letters", "discard", letter_id), nl=False)


@click.command(short_help=both("对账", "have a service say again how everything stands"))
@_service
@pass_context
def reconcile(context: Context, service: str) -> None:
    """Put an event for everything a service owns into its outbox, so that consumers that missed something catch up.

    让服务重新发布全部现状，使错过事件的其他服务补齐；没有差异的不受影响。
    """
    click.echo(run_service_command(context.installation, service, "reconcile"), nl=False)


@click.command(name="audit-verify", short_help=both("校验审计链", "recompute the chain of audit rows"))
@_service
@pass_context
def audit_verify(context: Context, service: str) -> None:
    """Recompute the chain of a service's audit rows; the exit status is 1 when it is broken.

    重新计算服务的审计链，发现断裂或改动则返回 1。
    """
    click.echo(run_service_command(context.installation, service, "audit-verify"), nl=False)
