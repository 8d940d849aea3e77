"""The packages that run as processes of their own: every service and every client of this repository."""

from functools import cache

from zhibu_docs.contract import REPOSITORY


@cache
def runnable_packages() -> tuple[str, ...]:
    """Return the import names, services before clients."""
    return tuple(
        package.name
        for folder in ("services", "clients")
        for package in sorted((REPOSITORY / folder).glob("*/src/zhibu_*"))
        if package.is_dir()
    )
