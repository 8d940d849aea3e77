"""Starts the services of the repository within the test's process, each on a database of its own."""

import base64
import importlib
import secrets
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhibu_docs.contract import REPOSITORY, methods
from zhibu_kit.app import RunningService
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.ports import free_port
from zhibu_tlog.keys import SignatureType, SignerKey

_NOBODY = "127.0.0.1:9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A running service and its database."""

    name: str
    running: RunningService
    database: ServiceDatabase


def serving() -> list[str]:
    """Return the services that the contract has RPCs of."""
    return sorted({method.containing_service.file.package.split(".")[1] for method in methods()})


async def start_every_service(
    stack: AsyncExitStack,
    *,
    nats: NatsServer,
    issuer: TokenIssuer,
    make_database: DatabaseMaker,
    connected: bool = False,
    **more_settings: dict[str, Any],
) -> dict[str, Started]:
    """Start them all, `connected` to each other or not; Keycloak is not there. `more_settings` are settings by service."""
    log = stack.enter_context(tempfile.TemporaryDirectory())
    more_settings = {
        **more_settings,
        "identity": await _identity_settings(make_database),
        "audit": log_settings(Path(log)),
    }
    # Unless they are connected, nobody answers there: the door is judged, not what the services do together.
    peers = {name: f"127.0.0.1:{free_port()}" if connected else _NOBODY for name in serving()}
    started: dict[str, Started] = {}
    for name in serving():
        database = await make_database(name)
        own: dict[str, Any] = {"oidc_client_id": f"svc-{name}", "peers": peers, **more_settings.get(name, {})}
        if connected:
            own["listen"] = peers[name]
        running = await stack.enter_async_context(
            start_service(
                name,
                importlib.import_module(f"zhibu_{name}.__main__").build,
                database=database,
                nats=nats,
                issuer=issuer,
                settings=_settings_of(name),
                **own,
            )
        )
        started[name] = Started(name=name, running=running, database=database)
    return started


def log_settings(directory: Path, *, origin: str = "log.test/county") -> dict[str, Any]:
    """Make a key for a log, and return the settings of audit that name it."""
    key = SignerKey(name=origin, type=SignatureType.ED25519, seed=secrets.token_bytes(32))
    key_file = directory / "log.key"
    key_file.write_text(f"{key.text}\n", encoding="ascii")
    return {"audit_directory": directory / "log", "audit_key_file": key_file, "audit_origin": origin}


async def _identity_settings(make_database: DatabaseMaker) -> dict[str, str]:
    """Make identity's key database."""
    directory = REPOSITORY / "services" / "identity" / "migrations_keys"
    keys = await make_database("identity_keys", directory=directory, kit=False)
    master_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return {
        "key_database_url": keys.app_url,
        "key_database_owner_url": keys.owner_url,
        "master_key": f"1:{master_key}",
    }


def _settings_of(name: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"zhibu_{name}.settings")
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ServiceSettings) and value.__module__ == module.__name__
    )
