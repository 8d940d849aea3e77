"""The data half of the kit in memory, for tests of the run-time half and of the gateway, which have no database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zhibu_kit.ports import Ancestry
from zhibu_kit.principal import Grant

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from nats.aio.client import Client

    from zhibu_kit.background import Background
    from zhibu_kit.call import Call
    from zhibu_kit.clock import Clock
    from zhibu_kit.health import Check
    from zhibu_kit.settings import ServiceSettings
    from zhibu_kit.telemetry import Telemetry


class MemoryOrganisations:
    """An organisation tree: Shandong, Weifang, two counties, a township and a branch of Linqu."""

    def __init__(self) -> None:
        """Plant the tree."""
        self.parents: dict[str, str | None] = {
            "37": None,
            "3707": "37",
            "370724": "3707",
            "370725": "3707",
            "370724101": "370724",
            "370724-b01": "370724101",
            "370725-b01": "370725",
        }

    async def ancestry(self, organisation_id: str) -> Ancestry | None:
        """Return where an organisation stands, or None when it is unknown."""
        if organisation_id not in self.parents:
            return None
        organisation_ids: list[str] = []
        at: str | None = organisation_id
        while at is not None:
            organisation_ids.append(at)
            at = self.parents[at]
        return Ancestry(organisation_ids=tuple(organisation_ids), county_code=organisation_id[:6])


class MemoryGrants:
    """Grants by account."""

    def __init__(self) -> None:
        """Begin with none."""
        self.by_account: dict[str, tuple[Grant, ...]] = {}

    def give(self, account_id: str, organisation_id: str, *permissions: str, office: str = "county_approver") -> None:
        """Give an account an office at an organisation."""
        grant = Grant(office=office, organisation_id=organisation_id, permissions=frozenset(permissions))
        self.by_account[account_id] = (*self.by_account.get(account_id, ()), grant)

    async def grants_of(self, account_id: str) -> tuple[Grant, ...]:
        """Return the grants of an account."""
        return self.by_account.get(account_id, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refused attempt that was audited."""

    method: str
    account_id: str | None
    reason: str


class MemoryRefusals:
    """Refused attempts, in the order in which they were made."""

    def __init__(self) -> None:
        """Begin with none."""
        self.rows: list[Refusal] = []

    async def audit_refusal(self, call: Call, request: Message | None, reason: str) -> None:
        """Keep a refused attempt."""
        account_id = call.principal.account_id if call.principal else None
        self.rows.append(Refusal(method=call.method.descriptor.name, account_id=account_id, reason=reason))


class MemoryBacking:
    """Stands behind a service that needs no database and no events; with `nats`, the deny-list follows identity."""

    def __init__(self, *, nats: Client | None = None) -> None:
        """Begin with the tree of MemoryOrganisations and without grants."""
        self.database: Any = None
        self.bus: Any = None
        self.notifications: Any = None
        self.organisations = MemoryOrganisations()
        self.grants = MemoryGrants()
        self.refusals = MemoryRefusals()
        self.nats = nats
        self.checks: Mapping[str, Check] = {}
        self.closed = asyncio.Event()

    def start(self, background: Background, consumers: Sequence[Any]) -> None:
        """Start nothing."""

    async def close(self) -> None:
        """Note that everything before was closed."""
        self.closed.set()

    async def open(self, name: str, settings: ServiceSettings, telemetry: Telemetry, clock: Clock) -> MemoryBacking:
        """Open as `running_service` wants it: `backing=MemoryBacking().open`."""
        return self
