"""Which services there are, what they own, and where everything listens."""

from collections.abc import Sequence
from dataclasses import dataclass

PORT_BASE = 7000


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service behind the gateway: its number makes its ports, `databases` are what it owns."""

    name: str
    number: int
    databases: Sequence[str]

    @property
    def module(self) -> str:
        """The package that is run."""
        return f"zhibu_{self.name}"


SERVICES = (
    Service(name="identity", number=1, databases=("identity", "identity_keys")),
    Service(name="branches", number=2, databases=("branches",)),
    Service(name="notify", number=3, databases=("notify",)),
    Service(name="audit", number=4, databases=("audit",)),
)


class Ports:
    """Ports of a run, all from one base."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.web = base
        self.nats = base + 22
        self.postgres = base + 32
        self.smsc = base + 75
        self.telephone = base + 76
        self.gateway = base + 80
        self.gateway_health = base + 81
        self.web_health = base + 82
        self.keycloak = base + 90
        self.keycloak_management = base + 91
        self.keycloak_certificate = base + 92
        self.prometheus = base + 95

    def witness(self, number: int) -> int:
        """The port of a witness of the log."""
        return self.base + 83 + number

    def grpc(self, service: Service) -> int:
        """The port for calls."""
        return self.base + 100 + service.number

    def health(self, service: Service) -> int:
        """The port for /readyz and /metrics."""
        return self.base + 200 + service.number

    @property
    def web_url(self) -> str:
        """The one address that people open."""
        return f"http://localhost:{self.web}"

    @property
    def gateway_url(self) -> str:
        """The public API."""
        return f"http://localhost:{self.gateway}"

    @property
    def keycloak_url(self) -> str:
        """Keycloak's pages."""
        return f"http://localhost:{self.keycloak}"

    @property
    def certificate_url(self) -> str:
        """Keycloak's log-in for officers with a key stick."""
        return f"https://localhost:{self.keycloak_certificate}"

    @property
    def telephone_url(self) -> str:
        """The page that shows what arrived by SMS."""
        return f"http://localhost:{self.telephone}"
