"""`python -m zhibu_demo load` puts the demonstration in through the public API, `county` the whole of Linqu after it."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from zhibu_demo.api import RefusedError
from zhibu_demo.county.load import load_county
from zhibu_demo.errors import DemoError
from zhibu_demo.load import Options, run_load
from zhibu_demo.people import DEFAULT_SEED


def main() -> int:
    """Run the command; an expected failure is one sentence and a non-zero code."""
    command, part, options = _parse()

    def say(text: str) -> None:
        print(f"  演示 / demo: {text}", flush=True)

    try:
        if command == "county":
            asyncio.run(load_county(options, say, part=part))
        else:
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


def _parse() -> tuple[str, int, Options]:
    base = int(os.environ.get("ZHIBU_PORT_BASE", "7000"))
    parser = argparse.ArgumentParser(prog="python -m zhibu_demo", description=__doc__)
    parser.add_argument("command", choices=["load", "county"])
    parser.add_argument("--gateway", default=f"http://localhost:{base + 80}", help="address of the gateway")
    parser.add_argument("--issuer", default=f"http://localhost:{base + 90}/realms/zhibu", help="Keycloak's realm")
    parser.add_argument("--phone", default=f"http://localhost:{base + 76}", help="the demo telephone page")
    parser.add_argument("--web", default=f"http://localhost:{base}", help="the web client")
    parser.add_argument("--directory", type=Path, default=Path(".run"), help="where progress and secrets are kept")
    parser.add_argument("--part", type=int, default=1, help="of the county load only the nth part (for tests)")
    parser.add_argument("--seed", default=DEFAULT_SEED, help="another seed makes other people")
    arguments = parser.parse_args()
    return (
        arguments.command,
        arguments.part,
        Options(
            gateway_url=arguments.gateway.rstrip("/"),
            issuer=arguments.issuer.rstrip("/"),
            phone_url=arguments.phone.rstrip("/"),
            web_url=arguments.web.rstrip("/"),
            directory=arguments.directory.resolve(),
            seed=arguments.seed,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
