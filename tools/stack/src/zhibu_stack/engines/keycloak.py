"""A real Keycloak on PostgreSQL, on loopback, with our theme: HTTP for everybody, HTTPS for log-in by certificate."""

import http.client
import shutil
from importlib.resources import files
from pathlib import Path

from zhibu_stack.engines.java import find_java
from zhibu_stack.engines.keycloak_distribution import ensure_built, java_command
from zhibu_stack.engines.process import Child, Program
from zhibu_stack.errors import StackError
from zhibu_stack.keycloak.apply import apply_realm
from zhibu_stack.keycloak.certificates import ensure_certificates
from zhibu_stack.keycloak.realm_model import Profile, RealmSettings
from zhibu_stack.ports import free_port, port_in_use
from zhibu_stack.secret_store import SecretStore

# The client with which the realm is applied; Keycloak makes it when its database is empty.
ADMIN_CLIENT = "zhibu-admin"

START_TIMEOUT_S = 240
PROBE_TIMEOUT_S = 2
HEAP_MB = 512
DATABASE_POOL_SIZE = 20
# Keycloak's copy of the list of revoked certificates: identity has it forgotten at each revocation; should that fail, it
# lives no longer than this.
LIST_KEPT_S = 60


class Keycloak:
    """One server; its state is in the database, `directory` holds only its log and temporary files.

    `database_url` is `postgresql://user:password@host:port/name`, as `create_plain_database` returns it.
    """

    name = "keycloak"

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        *,
        database_url: str,
        secrets: SecretStore | None = None,
        management_port: int | None = None,
        certificate_port: int | None = None,
        gateway_url: str = "http://localhost:7080",
        help_telephone: str = "",
    ) -> None:
        self.directory = directory.resolve()
        self.port = port or free_port()
        self.management_port = management_port or free_port()
        self.certificate_port = certificate_port or free_port()
        self.database_url = database_url
        self.secrets = secrets or SecretStore(self.directory / "secrets")
        self.gateway_url = gateway_url
        self.help_telephone = help_telephone
        # Beside the secrets: they must outlive everything else, as the certificates that the authority signs do.
        self.certificates = self.secrets.directory / "certificates"
        self.home = self.directory / "home"
        self.log = self.directory / "keycloak.log"
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The address that browsers and services use."""
        return f"http://localhost:{self.port}"

    @property
    def certificate_url(self) -> str:
        """The address at which Keycloak asks browsers for a certificate."""
        return f"https://localhost:{self.certificate_port}"

    @property
    def issuer(self) -> str:
        """The issuer in tokens of our realm."""
        return f"{self.url}/realms/zhibu"

    @property
    def admin_secret(self) -> str:
        """The secret of the administrating client."""
        return self.secrets.get("keycloak-admin")

    def start(self) -> None:
        """Build Keycloak if it is not built, start it and wait until it is ready: 20 s, or 90 on an empty database.

        Raises: StackError in one sentence when a port is taken or it does not start.
        """
        self.prepare()
        self._child = Child(self.program(), log=self.log)
        try:
            self._child.wait_until(self.is_ready, timeout_s=START_TIMEOUT_S)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it; sessions are in the database."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def client_secret(self, client_id: str) -> str:
        """Return the secret of one of the realm's confidential clients."""
        return self.secrets.get(f"client-{client_id}")

    def apply_realm(self, *, web_url: str = "http://localhost:7000", profile: Profile = "development") -> None:
        """Create the realm `zhibu` in the running server, or bring it up to date."""
        settings = RealmSettings(
            client_secret=self.client_secret, web_url=web_url, gateway_url=self.gateway_url, profile=profile
        )
        apply_realm(self.url, admin_client=ADMIN_CLIENT, admin_secret=self.admin_secret, settings=settings)

    def prepare(self) -> None:
        """Check the ports, fetch and build what is missing, lay out a home of our own over the shared build."""
        for port in (self.port, self.management_port, self.certificate_port):
            if port_in_use(port):
                raise StackError(
                    f"端口 {port} 已被占用，Keycloak 无法启动。", f"Port {port} is in use; Keycloak cannot start."
                )
        distribution = ensure_built()
        ensure_certificates(self.certificates)
        # Anew each time: Keycloak keeps compressed copies of theme files under data/, which would outlive a change.
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        for name in ("lib", "conf", "providers"):
            (self.home / name).symlink_to(distribution / name)
        (self.home / "themes").mkdir()
        (self.home / "themes" / "zhibu").symlink_to(theme_directory())

    def program(self) -> Program:
        """Return the server process."""
        credentials, _, place = self.database_url.removeprefix("postgresql://").rpartition("@")
        user, _, password = credentials.partition(":")
        certificates = ensure_certificates(self.certificates)
        return Program(
            name=self.name,
            argv=[
                *java_command(self.home, find_java(), heap_mb=HEAP_MB),
                "start",
                "--optimized",
                "--http-enabled=true",
                "--http-host=127.0.0.1",
                f"--http-port={self.port}",
                f"--http-management-port={self.management_port}",
                # With HTTPS on, its readiness would want HTTPS too; the port is on loopback.
                "--http-management-scheme=http",
                f"--https-port={self.certificate_port}",
                f"--https-certificate-file={certificates.server}",
                f"--https-certificate-key-file={certificates.server_key}",
                f"--https-trust-store-file={certificates.trusted}",
                f"--truststore-paths={certificates.trusted}",
                f"--spi-crl-storage--infinispan--cache-time={LIST_KEPT_S}",
                f"--hostname={self.url}",
                f"--db-pool-max-size={DATABASE_POOL_SIZE}",
            ],
            env={
                "KC_DB_URL": f"jdbc:postgresql://{place}",
                "KC_DB_USERNAME": user,
                "KC_DB_PASSWORD": password,
                "KC_BOOTSTRAP_ADMIN_CLIENT_ID": ADMIN_CLIENT,
                "KC_BOOTSTRAP_ADMIN_CLIENT_SECRET": self.admin_secret,
                # Read by theme.properties.
                "ZHIBU_GATEWAY_URL": self.gateway_url,
                "ZHIBU_HELP_TELEPHONE": self.help_telephone,
            },
            cwd=self.directory,
            grace_s=20,
        )

    def is_ready(self) -> bool:
        """Say whether its own readiness check passes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.management_port, timeout=PROBE_TIMEOUT_S)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()


def theme_directory() -> Path:
    """Return the folder of our theme."""
    return Path(str(files("zhibu_stack.keycloak") / "themes" / "zhibu"))
