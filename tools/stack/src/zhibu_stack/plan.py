"""The processes of Zhibu on one machine: what each is, what it needs, and the order that follows from it."""

import asyncio
import http.client
import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from zhibu_stack.databases import create_plain_database, create_service_databases
from zhibu_stack.engines import Keycloak, Nats, Postgres
from zhibu_stack.engines.java import find_java
from zhibu_stack.engines.keycloak_distribution import check_maven
from zhibu_stack.engines.process import Program
from zhibu_stack.environment import Environment
from zhibu_stack.errors import StackError
from zhibu_stack.layout import PORT_BASE, SERVICES, Ports
from zhibu_stack.log_keys import WITNESSES
from zhibu_stack.nats_users import make_streams, nats_users
from zhibu_stack.ports import port_in_use
from zhibu_stack.secret_store import SecretStore
from zhibu_stack.steps import Step

PROBE_TIMEOUT_S = 5
KEYCLOAK_TIMEOUT_S = 300
# A service is ready only once Keycloak is, which takes minutes on a busy machine.
SERVICE_TIMEOUT_S = 360
LOAD_TIMEOUT_S = 600
# A service lets calls in flight finish before it goes.
SERVICE_GRACE_S = 10.0


class Plan:
    """Everything that is known about one run; `steps()` is what the supervisor gets."""

    def __init__(
        self, directory: Path, *, port_base: int = PORT_BASE, environment: Mapping[str, str] = os.environ
    ) -> None:
        self.directory = directory.resolve()
        self.ports = Ports(port_base)
        self.secrets = SecretStore(self.directory / "secrets")
        self.environment = Environment(self.directory, self.ports, self.secrets, outer=environment)
        self.postgres = Postgres(self.directory / "postgres", self.ports.postgres, secrets=self.secrets)
        self.nats = Nats(self.directory / "nats", self.ports.nats, users=nats_users(self.secrets))
        self.keycloak = Keycloak(
            self.directory / "keycloak",
            self.ports.keycloak,
            database_url=self.environment.database_url("keycloak", role="keycloak"),
            secrets=self.secrets,
            management_port=self.ports.keycloak_management,
            certificate_port=self.ports.keycloak_certificate,
            gateway_url=self.ports.gateway_url,
            help_telephone=self.environment.help_telephone,
        )

    def check_tools(self) -> None:
        """Refuse at once what would fail only after minutes.

        Raises: StackError that names the missing tool.
        """
        find_java()
        check_maven()
        if sys.platform != "linux":
            raise StackError("目前只能在 Linux 上运行。", "This runs on Linux only for now.")

    def steps(self, *, without: Collection[str] = ()) -> list[Step]:
        """Return the steps; those named in `without` are left out with all that need them."""
        steps = [*self._engine_steps(), *self._witness_steps(), *self._service_steps(), *self._front_steps()]
        left_out = set(without)
        for step in steps:
            if left_out & {step.name, *step.needs}:
                left_out.add(step.name)
        return [step for step in steps if step.name not in left_out]

    def _engine_steps(self) -> list[Step]:
        postgres, nats, keycloak = self.postgres, self.nats, self.keycloak
        return [
            Step(
                name="postgres",
                prepare=postgres.prepare,
                program=postgres.program,
                is_ready=postgres.is_ready,
                ports=[postgres.port],
            ),
            Step(name="nats", prepare=nats.prepare, program=nats.program, is_ready=nats.is_ready, ports=[nats.port]),
            Step(name="streams", needs=["nats"], prepare=lambda: asyncio.run(make_streams(nats.url, self.secrets))),
            Step(name="databases", needs=["postgres"], prepare=self._create_databases),
            # Apart from the start, because the first time it downloads and builds while the databases are being made.
            Step(name="keycloak-files", prepare=keycloak.prepare),
            Step(
                name="keycloak",
                needs=["databases", "keycloak-files"],
                program=keycloak.program,
                is_ready=keycloak.is_ready,
                ports=[keycloak.port, keycloak.management_port, keycloak.certificate_port],
                timeout_s=KEYCLOAK_TIMEOUT_S,
            ),
            Step(
                name="realm",
                needs=["keycloak"],
                prepare=lambda: keycloak.apply_realm(web_url=self.ports.web_url, profile="development"),
            ),
            self._service_step(
                "smsc",
                "zhibu_smsc",
                [],
                ports=[self.ports.smsc, self.ports.telephone],
                probe=(self.ports.telephone, "/"),
            ),
        ]

    def _witness_steps(self) -> list[Step]:
        steps: list[Step] = []
        for number in range(1, WITNESSES + 1):
            name, port = f"witness-{number}", self.ports.witness(number)
            steps.append(
                Step(
                    name=name,
                    program=lambda name=name: self._python(name, "zhibu_tlog.witness", "serve"),
                    is_ready=lambda port=port: port_in_use(port),
                    ports=[port],
                )
            )
        return steps

    def _service_steps(self) -> list[Step]:
        steps: list[Step] = []
        for service in SERVICES:
            steps.append(self._migration_step(service.name, service.module, ["databases"]))
            needs = [f"migrate-{service.name}", "streams", *(["smsc"] if service.name == "notify" else [])]
            ports = [self.ports.grpc(service), self.ports.health(service)]
            steps.append(
                self._service_step(
                    service.name, service.module, needs, ports=ports, probe=(self.ports.health(service), "/readyz")
                )
            )
        return steps

    def _front_steps(self) -> list[Step]:
        gateway, web = self.ports.gateway_health, self.ports.web_health
        return [
            self._service_step(
                "gateway",
                "zhibu_gateway",
                ["streams"],
                ports=[self.ports.gateway, gateway],
                probe=(gateway, "/readyz"),
            ),
            self._migration_step("web", "zhibu_web", ["databases"]),
            self._service_step(
                "web", "zhibu_web", ["migrate-web"], ports=[self.ports.web, web], probe=(web, "/readyz")
            ),
            Step(
                name="demo",
                needs=["realm", "gateway", "web", *(service.name for service in SERVICES)],
                program=lambda: self._python("demo", "zhibu_demo", "load", "--directory", str(self.directory)),
                timeout_s=LOAD_TIMEOUT_S,
            ),
        ]

    def _service_step(
        self, name: str, module: str, needs: list[str], *, ports: list[int], probe: tuple[int, str]
    ) -> Step:
        return Step(
            name=name,
            needs=needs,
            program=lambda: self._python(name, module),
            is_ready=lambda: answers(*probe),
            ports=ports,
            timeout_s=SERVICE_TIMEOUT_S,
        )

    def _migration_step(self, name: str, module: str, needs: list[str]) -> Step:
        return Step(
            name=f"migrate-{name}",
            needs=needs,
            program=lambda: self._python(name, module, "migrate"),
            timeout_s=SERVICE_TIMEOUT_S,
        )

    def _python(self, name: str, module: str, *arguments: str) -> Program:
        return Program(
            name=name,
            argv=[sys.executable, "-m", module, *arguments],
            env=self.environment.of(name),
            grace_s=SERVICE_GRACE_S,
        )

    def _create_databases(self) -> None:
        async def create() -> None:
            names = [name for service in SERVICES for name in service.databases]
            await create_service_databases(self.postgres.dsn(), [*names, "web"], secrets=self.secrets)
            await create_plain_database(self.postgres.dsn(), "keycloak", secrets=self.secrets)

        asyncio.run(create())
        self.environment.write_files()


def answers(port: int, path: str) -> bool:
    """Say whether an HTTP server on the loopback answers well there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
