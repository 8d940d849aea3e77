"""Failures that an operator can do something about."""

from typing import IO, Any

import click

from zhibuctl.texts import both


class OperatorError(click.ClickException):
    """One sentence in each language; exit status 1."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(both(zh, en))

    def format_message(self) -> str:
        """Mark it as a failure."""
        return f"✗ {self.message}"

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it without click's English "Error:" before it."""
        click.echo(self.format_message(), file=file, err=file is None)
