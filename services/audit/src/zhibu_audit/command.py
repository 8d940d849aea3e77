"""The command `zhibu-audit`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from zhibu_audit.verifying.command import add_verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command."""
    parser = argparse.ArgumentParser(
        prog="zhibu-audit", description="防篡改日志 / the log that nobody can change unseen"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add_verify(commands)
    given = parser.parse_args(arguments)
    return given.run(given)


if __name__ == "__main__":
    sys.exit(main())
