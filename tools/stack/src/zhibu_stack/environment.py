"""The settings that each process is given, as environment variables."""

import os
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from zhibu_stack.keycloak.certificates import ensure_certificates
from zhibu_stack.layout import SERVICES, Ports
from zhibu_stack.log_keys import LOG_ORIGIN, ensure_log_keys
from zhibu_stack.secret_store import SecretStore

# People who cannot log in are told this number; a real installation sets its own.
DEMONSTRATION_HELP_TELEPHONE = "12371"


class Environment:
    """Variables by process; secrets are made on first use and kept in `.run/secrets`."""

    def __init__(self, directory: Path, ports: Ports, secrets: SecretStore, *, outer: Mapping[str, str]) -> None:
        self.directory = directory
        self.ports = ports
        self.secrets = secrets
        self.outer = outer
        self.help_telephone = outer.get("ZHIBU_HELP_TELEPHONE") or DEMONSTRATION_HELP_TELEPHONE

    def of(self, name: str) -> dict[str, str]:
        """Return the variables of a process."""
        match name:
            case "gateway":
                return {**self._service("gateway", self.ports.gateway, self.ports.gateway_health), **self._gateway()}
            case "web":
                return {**self._common(), **self._web()}
            case "smsc":
                return {**self._common(), **self._smsc()}
            case "identity" | "branches" | "notify" | "audit":
                service = next(service for service in SERVICES if service.name == name)
                variables = self._service(name, self.ports.grpc(service), self.ports.health(service))
                own = {
                    "identity": self._identity,
                    "branches": dict[str, str],
                    "notify": self._notify,
                    "audit": self._audit,
                }[name]()
                return {**variables, **self._database("", name), **own}
            case "witness-1" | "witness-2":
                return {**self._common(), **self._witness(int(name[-1]))}
            case _:
                return self._common()

    def database_url(self, database: str, *, role: str) -> str:
        """Return a URL for a role whose password is kept."""
        password = quote(self.secrets.get(f"postgres-{role}"), safe="")
        return f"postgresql://{role}:{password}@127.0.0.1:{self.ports.postgres}/{database}"

    def write_files(self) -> None:
        """Keep each service's settings in `env/<name>.env` (0600), for operators' commands such as zhibuctl."""
        folder = self.directory / "env"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (*(service.name for service in SERVICES), "gateway", "web"):
            lines = [f"{variable}={value}\n" for variable, value in sorted(self.of(name).items())]
            descriptor = os.open(folder / f"{name}.env", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.writelines(lines)

    def _common(self) -> dict[str, str]:
        return {
            "ZHIBU_PROFILE": "development",
            "ZHIBU_RUN_DIRECTORY": str(self.directory),
            "ZHIBU_PORT_BASE": str(self.ports.base),
            "ZHIBU_NATS_URL": f"nats://127.0.0.1:{self.ports.nats}",
            "ZHIBU_OIDC_ISSUER": f"{self.ports.keycloak_url}/realms/zhibu",
            "ZHIBU_HELP_TELEPHONE": self.help_telephone,
            **{f"ZHIBU_PEER_{service.name.upper()}": f"127.0.0.1:{self.ports.grpc(service)}" for service in SERVICES},
            # Everything is on this machine; a proxy of the surroundings is not for it.
            "NO_PROXY": "localhost,127.0.0.1",
            "no_proxy": "localhost,127.0.0.1",
            "PYTHONUNBUFFERED": "1",
        }

    def _service(self, name: str, port: int, health_port: int) -> dict[str, str]:
        return {
            **self._common(),
            "ZHIBU_LISTEN": f"127.0.0.1:{port}",
            "ZHIBU_HEALTH_LISTEN": f"127.0.0.1:{health_port}",
            "ZHIBU_NATS_USER": name,
            "ZHIBU_NATS_PASSWORD": self.secrets.get(f"nats-{name}"),
            "ZHIBU_OIDC_CLIENT_ID": f"svc-{name}",
            "ZHIBU_OIDC_CLIENT_SECRET": self.secrets.get(f"client-svc-{name}"),
        }

    def _database(self, prefix: str, database: str) -> dict[str, str]:
        return {
            f"ZHIBU_{prefix}DATABASE_URL": self.database_url(database, role=f"{database}_app"),
            f"ZHIBU_{prefix}DATABASE_OWNER_URL": self.database_url(database, role=f"{database}_owner"),
        }

    def _identity(self) -> dict[str, str]:
        return {
            **self._database("KEY_", "identity_keys"),
            # Made by the stack, so that Keycloak trusts it from the beginning; identity takes it over at its first start.
            "ZHIBU_DEVELOPMENT_AUTHORITY": str(ensure_certificates(self.secrets.directory / "certificates").authority),
            "ZHIBU_KEYCLOAK_LIST_CLIENT_SECRET": self.secrets.get("client-zhibu-revocation-list"),
            "ZHIBU_MASTER_KEY": f"1:{urlsafe_b64encode(self._key('identity-master-key')).decode()}",
            "ZHIBU_WEB_URL": self.ports.web_url,
        }

    def _notify(self) -> dict[str, str]:
        return {
            "ZHIBU_NOTIFY_NUMBER_KEY": self._key("notify-number-key").hex(),
            "ZHIBU_NOTIFY_SMSC_HOST": "127.0.0.1",
            "ZHIBU_NOTIFY_SMSC_PORT": str(self.ports.smsc),
            "ZHIBU_NOTIFY_SMSC_SYSTEM_ID": "zhibu",
            "ZHIBU_NOTIFY_SMSC_PASSWORD": self._smsc_password(),
        }

    def _audit(self) -> dict[str, str]:
        keys = ensure_log_keys(self.directory)
        witnesses = [
            f"http://127.0.0.1:{self.ports.witness(number)} {key}" for number, key in enumerate(keys.witnesses, start=1)
        ]
        return {
            "ZHIBU_AUDIT_DIRECTORY": str(self.directory / "audit"),
            "ZHIBU_AUDIT_KEY_FILE": str(keys.log_key_file),
            "ZHIBU_AUDIT_ORIGIN": LOG_ORIGIN,
            "ZHIBU_AUDIT_WITNESSES": ",".join(witnesses),
            "ZHIBU_AUDIT_QUORUM": str(len(witnesses)),
        }

    def _witness(self, number: int) -> dict[str, str]:
        keys = ensure_log_keys(self.directory)
        return {
            "ZHIBU_WITNESS_KEY_FILE": str(keys.witness_key_files[number - 1]),
            "ZHIBU_WITNESS_STATE": str(keys.witness_states[number - 1]),
            "ZHIBU_WITNESS_LOGS_FILE": str(keys.logs_file),
            "ZHIBU_WITNESS_LISTEN": f"127.0.0.1:{self.ports.witness(number)}",
        }

    def _smsc(self) -> dict[str, str]:
        return {
            "ZHIBU_SMSC_LISTEN": f"127.0.0.1:{self.ports.smsc}",
            "ZHIBU_SMSC_WEB_LISTEN": f"127.0.0.1:{self.ports.telephone}",
            "ZHIBU_SMSC_SYSTEM_ID": "zhibu",
            "ZHIBU_SMSC_PASSWORD": self._smsc_password(),
        }

    def _gateway(self) -> dict[str, str]:
        return {
            "ZHIBU_GATEWAY_PUBLIC_URL": self.ports.gateway_url,
            # The demonstration's sixty people all apply from this machine.
            "ZHIBU_LIMITS_FACTOR": "20",
            # The web client says for whom it calls.
            "ZHIBU_TRUSTED_PROXIES": "127.0.0.1",
            # Keycloak's page asks for the SMS code from the member's browser.
            "ZHIBU_CORS_ORIGINS": f"{self.ports.keycloak_url},{self.ports.web_url}",
        }

    def _web(self) -> dict[str, str]:
        return {
            **self._database("", "web"),
            "ZHIBU_LISTEN": f"127.0.0.1:{self.ports.web}",
            "ZHIBU_HEALTH_LISTEN": f"127.0.0.1:{self.ports.web_health}",
            "ZHIBU_PUBLIC_URL": self.ports.web_url,
            "ZHIBU_CERTIFICATE_LOGIN_URL": self.ports.certificate_url,
            "ZHIBU_GATEWAY_URL": f"http://127.0.0.1:{self.ports.gateway}",
            "ZHIBU_OIDC_CLIENT_ID": "zhibu-web",
            "ZHIBU_OIDC_CLIENT_SECRET": self.secrets.get("client-zhibu-web"),
            "ZHIBU_WEB_SESSION_KEY": self._key("web-session-key").hex(),
        }

    def _smsc_password(self) -> str:
        # SMPP 3.4 has room for eight characters.
        return self.secrets.get("smsc")[:8]

    def _key(self, name: str) -> bytes:
        """Return 32 octets made from a kept secret."""
        return sha256(self.secrets.get(name).encode()).digest()
