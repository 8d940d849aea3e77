"""Placeholder replaced below."""

from collections.abc import Sequence

from zhibu_stack.engines.nats import NatsUser
from zhibu_stack.secret_store import SecretStore


def nats_users(services: Sequence[str], secrets: SecretStore) -> list[NatsUser]:
    """Return one user per service."""
    return [NatsUser(name=s, password=secrets.get(f"nats-{s}"), publish=[">"], subscribe=[">"]) for s in services]
