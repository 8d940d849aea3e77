"""The real engines that Zhibu stands on, started the same way by `make run` and by the tests."""

from zhibu_stack.engines.keycloak import Keycloak
from zhibu_stack.engines.nats import Nats, NatsUser
from zhibu_stack.engines.postgres import Postgres

__all__ = ["Keycloak", "Nats", "NatsUser", "Postgres"]
