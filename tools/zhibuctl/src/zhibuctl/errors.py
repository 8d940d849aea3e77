"""Failures that an operator can do something about."""

import click

from zhibuctl.texts import both


class OperatorError(click.ClickException):
    """One sentence in each language; exit status 1."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(both(zh, en))

    def format_message(self) -> str:
        """Mark it as a failure."""
        return f"✗ {self.message}"
