"""A witness as a process: it can be killed, come back, and be asked what it remembers."""

import re
import secrets
import subprocess
import sys
from pathlib import Path

from zhibu_stack.ports import free_port
from zhibu_tlog.keys import SignatureType, SignerKey, VerifierKey
from zhibu_tlog.witness.state import make_state


class WitnessProcess:
    """`zhibu-witness serve` on a port that stays the same."""

    def __init__(self, directory: Path, name: str, logs: list[VerifierKey]) -> None:
        """Make its key and its directory; it watches these logs."""
        directory.mkdir()
        self._directory = directory
        key = SignerKey(name=name, type=SignatureType.COSIGNATURE, seed=secrets.token_bytes(32))
        make_state(directory / "state", directory / "key", key)
        (directory / "logs").write_text("".join(f"log {log.text}\n" for log in logs), "utf-8")
        self.key = key.verifier
        self.url = f"http://127.0.0.1:{free_port()}"
        self._child: subprocess.Popen[str] | None = None

    @property
    def setting(self) -> str:
        """How audit is told of it."""
        return f"{self.url} {self.key.text}"

    def start(self) -> None:
        """Start it; it answers when this returns."""
        places = {"--key": "key", "--state": "state", "--logs": "logs"}
        flags = [word for flag, place in places.items() for word in (flag, str(self._directory / place))]
        command = [sys.executable, "-m", "zhibu_tlog.witness", "serve", *flags, "--listen", self.url[7:]]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._child.stdout
        assert re.search(r" watches \d+ logs on ", self._child.stdout.readline())

    def stop(self) -> None:
        """End it at once."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()
