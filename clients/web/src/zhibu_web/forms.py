"""Forms: what was entered, what is wrong with it, and the summary that leads from the one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zhibu_web.gateway_client import ProblemError


@dataclass(slots=True)
class Form:
    """Values as they were entered, and errors by the name of their field; an error without a field is under ''."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    errors: dict[str, str] = field(default_factory=dict[str, str])

    def value(self, name: str) -> str:
        """Return what was entered, without blanks around it."""
        return self.values.get(name, "").strip()

    def refuse(self, name: str, message: str) -> None:
        """Note what is wrong with a field; the first finding counts."""
        self.errors.setdefault(name, message)

    def refuse_problem(self, problem: ProblemError, fields: Mapping[str, str], fallback: str) -> None:
        """Note a refusal by the gateway: at the fields that it names, else for the form as a whole.

        `fields` leads from the names in the API to those of the form.
        """
        for one in problem.errors:
            name = fields.get(one.field) or fields.get(one.field.rpartition(".")[2], "")
            self.refuse(name, one.detail or fallback)
        if not problem.errors:
            self.refuse("", problem.detail or fallback)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self.errors
