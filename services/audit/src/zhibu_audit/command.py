"""The command `zhibu-audit`: `verify` needs nothing of the platform, everything else is the service's own command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from zhibu_audit.verifying.command import add_verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command and return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["verify"]:
        parser = argparse.ArgumentParser(prog="zhibu-audit")
        add_verify(parser.add_subparsers(required=True))
        parsed = parser.parse_args(given)
        return parsed.run(parsed)
    # Only now: whoever checks a log from outside has neither kit nor settings.
    from zhibu_audit.__main__ import main as run_service  # noqa: PLC0415

    return run_service(given)


if __name__ == "__main__":
    sys.exit(main())
