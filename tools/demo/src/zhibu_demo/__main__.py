"""`python -m zhibu_demo load` puts the demonstration in, through the public API."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from zhibu_demo.api import RefusedError
from zhibu_demo.errors import DemoError
from zhibu_demo.load import Options, run_load
from zhibu_demo.people import DEFAULT_SEED


def main() -> int:
    """Run the command; an expected failure is one sentence and a non-zero code."""
    options = _parse()

    def say(text: str) -> None:
        print(f"  演示 / demo: {text}", flush=True)

    try:
        run_load(options, say)
    except (DemoError, RefusedError, httpx.HTTPError, ExceptionGroup) as error:
        for leaf in _leaves(error):
            print(f"✗ 演示数据没有装入 / the demonstration could not be loaded: {leaf}", file=sys.stderr)
        return 1
    return 0


def _leaves(error: BaseException) -> Iterator[str]:
    """Give the single failures; what nobody expected is raised with its trace."""
    match error:
        case BaseExceptionGroup():
            for inner in error.exceptions:
                yield from _leaves(inner)
        case DemoError() | RefusedError():
            yield str(error)
        case httpx.HTTPError():
            yield f"{type(error).__name__}: {error}"
        case _:
            raise error


def _parse() -> Options:
    base = int(os.environ.get("ZHIBU_PORT_BASE", "7000"))
    parser = argparse.ArgumentParser(prog="python -m zhibu_demo", description=__doc__)
    parser.add_argument("command", choices=["load"])
    parser.add_argument("--gateway", default=f"http://localhost:{base + 80}", help="address of the gateway")
    parser.add_argument("--issuer", default=f"http://localhost:{base + 90}/realms/zhibu", help="Keycloak's realm")
    parser.add_argument("--phone", default=f"http://localhost:{base + 76}", help="the demo telephone page")
    parser.add_argument("--web", default=f"http://localhost:{base}", help="the web client")
    parser.add_argument("--directory", type=Path, default=Path(".run"), help="where progress and secrets are kept")
    parser.add_argument("--seed", default=DEFAULT_SEED, help="another seed makes other people")
    arguments = parser.parse_args()
    return Options(
        gateway_url=arguments.gateway.rstrip("/"),
        issuer=arguments.issuer.rstrip("/"),
        phone_url=arguments.phone.rstrip("/"),
        web_url=arguments.web.rstrip("/"),
        directory=arguments.directory.resolve(),
        seed=arguments.seed,
    )


if __name__ == "__main__":
    sys.exit(main())
