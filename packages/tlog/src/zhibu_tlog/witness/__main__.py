"""`zhibu-witness`: makes the key of a witness, and runs it until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvicorn

from zhibu_tlog.keys import KEY_BYTES, SignatureType, SignerKey
from zhibu_tlog.notes import NoteRefusedError
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.witness.ledger import Ledger
from zhibu_tlog.witness.logs import read_logs
from zhibu_tlog.witness.server import make_app
from zhibu_tlog.witness.state import StateRefusedError, make_state, opened_state

# Logs ask once in a while; whoever comes when so many are there is told to come again.
MOST_CONNECTIONS: Final = 200
KEEP_ALIVE_S: Final = 75
_LISTEN: Final = "127.0.0.1:8080"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 1 when it cannot be done."""
    given = _parser(os.environ).parse_args(arguments)
    try:
        if given.command == "generate-key":
            return _generate_key(given.name, given.key, given.state)
        return _serve(given)
    except (StateRefusedError, MalformedError, NoteRefusedError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Describe the commands; every flag has an environment variable behind it."""
    parser = argparse.ArgumentParser(prog="zhibu-witness", description="A witness for tamper-evident logs.")
    commands = parser.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate-key", help="make a key and the directory that belongs to it")
    generate.add_argument("--name", required=True, help="how the witness calls itself, for example w1.example.org")
    serve = commands.add_parser("serve", help="answer logs until SIGTERM or SIGINT")
    for command in (generate, serve):
        _add_path(command, "--key", environment, "ZHIBU_WITNESS_KEY_FILE", "file of the private key")
        _add_path(command, "--state", environment, "ZHIBU_WITNESS_STATE", "directory of what was cosigned")
    _add_path(serve, "--logs", environment, "ZHIBU_WITNESS_LOGS_FILE", "file with a line `log <vkey>` for each log")
    listen = environment.get("ZHIBU_WITNESS_LISTEN", _LISTEN)
    serve.add_argument("--listen", default=listen, help=f"host:port (ZHIBU_WITNESS_LISTEN, or {_LISTEN})")
    return parser


def _add_path(
    parser: argparse.ArgumentParser, flag: str, environment: Mapping[str, str], variable: str, meaning: str
) -> None:
    default = environment.get(variable)
    parser.add_argument(flag, type=Path, default=default, required=default is None, help=f"{meaning} ({variable})")


def _generate_key(name: str, key_file: Path, state: Path) -> int:
    key = SignerKey(name=name, type=SignatureType.COSIGNATURE, seed=secrets.token_bytes(KEY_BYTES))
    make_state(state, key_file, key)
    sys.stdout.write(f"{key.verifier.text}\n")
    return 0


def _serve(given: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logs = read_logs(given.logs.read_text(encoding="utf-8"))
    host, _, port = given.listen.rpartition(":")
    if not host or not port.isdigit():
        raise MalformedError(f"--listen wants host:port, not {given.listen!r}")
    with opened_state(given.state, given.key) as (directory, key):
        app = make_app(Ledger(directory, key, logs), lambda: datetime.now(UTC))
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                access_log=False,
                log_config=None,
                lifespan="off",
                server_header=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_S,
            )
        )
        with _listening(host.strip("[]"), int(port)) as listener:
            address = listener.getsockname()
            sys.stdout.write(f"{key.verifier.text} watches {len(logs)} logs on http://{host}:{address[1]}\n")
            sys.stdout.flush()
            server.run(sockets=[listener])
    return 0


def _listening(host: str, port: int) -> socket.socket:
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    # From here on connections wait until the server takes them, so that nobody who reads the address comes too early.
    listener.listen(MOST_CONNECTIONS)
    return listener


if __name__ == "__main__":
    sys.exit(main())
