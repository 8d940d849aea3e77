"""Where an installation keeps the settings of its services.

Inside a service's own pod the settings are the environment already. On one machine `make run` writes them to `.run/env/<service>.env`.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhibuctl.errors import OperatorError

# In this order they are listed; the gateway and the web client have no consumers and no dead letters.
SERVICES: Final = ("identity", "branches", "notify", "audit")
PROCESSES: Final = (*SERVICES, "gateway", "web")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """`directory` is `.run/` of `make run`; None when the settings are this process's environment."""

    directory: Path | None
    outer: Mapping[str, str]

    def environment_of(self, service: str) -> dict[str, str]:
        """Return the variables that a process of the service is started with.

        Raises:
            OperatorError: nothing is known about the service.
        """
        if self.directory is None:
            return dict(self.outer)
        path = self.directory / "env" / f"{service}.env"
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            raise OperatorError(
                f"找不到 {path}：请先运行 make run，或者用 --directory 指明状态目录。",
                f"There is no {path}: start make run first, or name the state directory with --directory.",
            ) from None
        return {**self.outer, **dict(_variables(lines))}

    def secret(self, name: str) -> str | None:
        """Return a secret that `make run` generated, None where there is none."""
        if self.directory is None:
            return None
        path = self.directory / "secrets" / name
        return path.read_text(encoding="ascii").strip() if path.exists() else None


def find_installation(directory: Path | None) -> Installation:
    """Return the installation that is meant: the directory named, else the own environment, else `.run/`."""
    if directory is not None:
        return Installation(directory=directory.resolve(), outer=os.environ)
    # `make run` tells its children where it keeps its state; a pod has the address of its database.
    if own := os.environ.get("ZHIBU_RUN_DIRECTORY"):
        return Installation(directory=Path(own), outer=os.environ)
    if os.environ.get("ZHIBU_DATABASE_URL"):
        return Installation(directory=None, outer=os.environ)
    return Installation(directory=Path(".run").resolve(), outer=os.environ)


def _variables(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, separator, value = line.partition("=")
        if separator and not name.startswith("#"):
            yield name, value
