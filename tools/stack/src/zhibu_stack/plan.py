"""The processes of Zhibu on one machine: what each is, what it needs, and the settings that it is given."""

import asyncio
import contextlib
import http.client
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from zhibu_stack.databases import ServiceDatabase, create_plain_database, create_service_databases
from zhibu_stack.engines import Keycloak, Nats, Postgres
from zhibu_stack.nats_permissions import nats_users
from zhibu_stack.secret_store import SecretStore
from zhibu_stack.steps import Step

PORT_BASE = 7000
PROBE_TIMEOUT_S = 5
KEYCLOAK_TIMEOUT_S = 300
LOAD_TIMEOUT_S = 600

# People who cannot log in are told this number; a real installation sets its own.
DEMONSTRATION_HELP_TELEPHONE = "0536-0000-371"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service behind the gateway: its number makes its ports, `databases` are what it owns."""

    name: str
    number: int
    databases: Sequence[str]
    peers: Sequence[str] = ()


SERVICES = (
    Service(name="identity", number=1, databases=("identity", "identity_keys"), peers=("branches", "notify")),
    Service(name="branches", number=2, databases=("branches",), peers=("identity",)),
    Service(name="notify", number=3, databases=("notify",), peers=("identity",)),
)


class Ports:
    """Ports of a run, all from one base."""

    def __init__(self, base: int) -> None:
        self.web = base
        self.nats = base + 22
        self.postgres = base + 32
        self.smsc = base + 75
        self.telephone = base + 76
        self.gateway = base + 80
        self.gateway_health = base + 81
        self.web_health = base + 82
        self.smsc_health = base + 77
        self.keycloak = base + 90
        self.keycloak_management = base + 91
        self.base = base

    def grpc(self, service: Service) -> int:
        """The port for calls."""
        return self.base + 100 + service.number

    def health(self, service: Service) -> int:
        """The port for /readyz and /metrics."""
        return self.base + 200 + service.number


class Plan:
    """Everything that is known about one run; `steps()` is what the supervisor gets."""

    def __init__(
        self, directory: Path, *, port_base: int = PORT_BASE, environment: Mapping[str, str] = os.environ
    ) -> None:
        self.directory = directory.resolve()
        self.ports = Ports(port_base)
        self.environment = environment
        self.secrets = SecretStore(self.directory / "secrets")
        self.postgres = Postgres(self.directory / "postgres", self.ports.postgres, secrets=self.secrets)
        self.nats = Nats(
            self.directory / "nats", self.ports.nats, users=nats_users([s.name for s in SERVICES], self.secrets)
        )
        self.keycloak = Keycloak(
            self.directory / "keycloak",
            self.ports.keycloak,
            database_url=self._database_url("keycloak", "keycloak"),
            secrets=self.secrets,
            management_port=self.ports.keycloak_management,
            gateway_url=f"http://localhost:{self.ports.gateway}",
            help_telephone=environment.get("ZHIBU_HELP_TELEPHONE", DEMONSTRATION_HELP_TELEPHONE),
        )

    @property
    def web_url(self) -> str:
        """The one address that people open."""
        return f"http://localhost:{self.ports.web}"

    @property
    def accounts_file(self) -> Path:
        """Where the demonstration's loader writes one account per kind of user."""
        return self.directory / "demo" / "accounts.json"
