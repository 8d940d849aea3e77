"""Engines that the tests of one process share, started at first use and stopped at its end."""

import asyncio
import atexit
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from zhibu_stack.databases import create_plain_database
from zhibu_stack.engines import Keycloak, Postgres
from zhibu_stack.ports import free_port


@cache
def scratch_directory() -> Path:
    """Return a directory that is removed at the end."""
    directory = Path(tempfile.mkdtemp(prefix="zhibu-stack-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


@cache
def shared_postgres() -> Postgres:
    """Return a running cluster; make databases of your own in it."""
    postgres = Postgres(scratch_directory() / "postgres", fsync=False)
    postgres.start()
    atexit.register(postgres.stop)
    return postgres


@cache
def shared_keycloak() -> Keycloak:
    """Return a running Keycloak with the realm `zhibu` in its development profile. The first call takes half a minute.

    `gateway_url` names a port on which nothing listens until a test does.
    """
    postgres = shared_postgres()

    # In a thread of its own: the caller's may be running an event loop already.
    with ThreadPoolExecutor(1) as thread:
        made = create_plain_database(postgres.dsn(), "keycloak", secrets=postgres.secrets)
        database_url = thread.submit(asyncio.run, made).result()
    keycloak = Keycloak(
        scratch_directory() / "keycloak",
        database_url=database_url,
        secrets=postgres.secrets,
        gateway_url=f"http://localhost:{free_port()}",
        help_telephone="0536-0000000",
    )
    keycloak.start()
    atexit.register(keycloak.stop)
    keycloak.apply_realm(web_url=f"http://localhost:{free_port()}")
    return keycloak
