"""`python -m zhibu_docs` writes the generated documents; with `--check` it only says whether they are fresh."""

import sys
from collections.abc import Callable

from zhibu_docs import configuration, errors, events, metrics, permissions, requirements
from zhibu_docs.contract import REPOSITORY

PAGES: dict[str, Callable[[], str]] = {
    "configuration.md": configuration.render,
    "errors.md": errors.render,
    "events.md": events.render,
    "metrics.md": metrics.render,
    "permissions.md": permissions.render,
    "requirements.md": requirements.render,
}


def stale_pages() -> list[str]:
    """Return the pages whose file is not what would be written now."""
    stale: list[str] = []
    for name, render in PAGES.items():
        path = REPOSITORY / "docs" / name
        if not path.exists() or path.read_text(encoding="utf-8") != render():
            stale.append(name)
    return stale


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    if "--check" in arguments:
        stale = stale_pages()
        if stale:
            print(f"docs not fresh: {', '.join(stale)}: run 'make docs' and commit the result", file=sys.stderr)
        return 1 if stale else 0
    for name, render in PAGES.items():
        (REPOSITORY / "docs" / name).write_text(render(), encoding="utf-8")
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
