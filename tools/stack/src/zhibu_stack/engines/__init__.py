"""The real engines that Zhibu stands on, started the same way by `make run` and by the tests."""

from zhibu_stack.engines.keycloak import Keycloak
from zhibu_stack.engines.nats import Nats, NatsUser
from zhibu_stack.engines.postgres import Postgres
from zhibu_stack.engines.prometheus import Prometheus

__all__ = ["Keycloak", "Nats", "NatsUser", "Postgres", "Prometheus"]
