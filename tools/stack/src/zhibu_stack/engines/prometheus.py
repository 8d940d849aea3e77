"""Debian's Prometheus as a process of ours, with the alerts of deploy/alerts: for developers and tests."""

import http.client
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from zhibu_stack.engines.process import Child, Program
from zhibu_stack.errors import StackError
from zhibu_stack.ports import free_port

START_TIMEOUT_S = 60
PROBE_TIMEOUT_S = 2
RETENTION = "7d"
EVERY_S = 5.0


class Prometheus:
    """One server in `directory` (configuration, data and log) on 127.0.0.1:`port`; it reads the metrics of `targets`.

    `targets` are addresses by job, such as `zhibu-identity`.
    """

    name = "prometheus"

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        *,
        targets: Mapping[str, str],
        rules: Path,
        every_s: float = EVERY_S,
    ) -> None:
        self.directory = directory.resolve()
        self.port = port or free_port()
        self.targets = dict(targets)
        self.rules = rules.resolve()
        self.every_s = every_s
        self.configuration = self.directory / "prometheus.yaml"
        self.log = self.directory / "prometheus.log"
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The address of its pages and its API."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Write the configuration, start and wait until it answers.

        Raises: StackError in one sentence when it does not start.
        """
        self.prepare()
        self._child = Child(self.program(), log=self.log)
        try:
            self._child.wait_until(self.is_ready, timeout_s=START_TIMEOUT_S)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it; what it has measured stays."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def prepare(self) -> None:
        """Write the configuration."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.configuration.write_text(self.configuration_text(), encoding="utf-8")

    def program(self) -> Program:
        """Return the server process.

        Raises: StackError when it is not installed.
        """
        path = shutil.which("prometheus")
        if path is None:
            raise StackError(
                "缺少 Prometheus：请先运行 tools/setup --prometheus。",
                "Prometheus is missing: run tools/setup --prometheus first.",
            )
        return Program(
            name=self.name,
            argv=[
                path,
                f"--config.file={self.configuration}",
                f"--storage.tsdb.path={self.directory / 'data'}",
                f"--storage.tsdb.retention.time={RETENTION}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ],
            cwd=self.directory,
        )

    def is_ready(self) -> bool:
        """Say whether it has taken up its work."""
        return self._answers("/-/ready")

    def page(self, name: str) -> str:
        """Return the address of a page (`alerts`, `targets`, `graph`); Debian's build has the older ones."""
        return f"http://localhost:{self.port}{'' if self._answers(f'/{name}') else '/classic'}/{name}"

    def _answers(self, path: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PROBE_TIMEOUT_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def configuration_text(self) -> str:
        """Return the configuration: JSON, which is YAML."""
        every = f"{round(self.every_s * 1000)}ms"
        return json.dumps(
            {
                "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
                "rule_files": [str(self.rules)],
                "scrape_configs": [
                    {"job_name": job, "static_configs": [{"targets": [address]}]}
                    for job, address in self.targets.items()
                ],
            },
            indent=2,
        )
