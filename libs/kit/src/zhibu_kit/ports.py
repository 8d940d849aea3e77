"""What the run-time half of the kit asks of the data half; the implementations live with the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from zhibu_kit.call import Call
    from zhibu_kit.principal import Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    """Where an organisation stands: itself and everything above it, and the county it lies in.

    `organisation_ids` begins with the organisation itself and ends with the root. `county_code` is None for a city and
    the province.
    """

    organisation_ids: tuple[str, ...]
    county_code: str | None


class OrganisationTree(Protocol):
    """The tree of organisations, as a service's projection knows it."""

    async def ancestry(self, organisation_id: str) -> Ancestry | None:
        """Return where the organisation stands, or None when it is unknown."""
        ...


class GrantSource(Protocol):
    """The grants of office, as a service's projection knows them; only those in force are returned."""

    async def grants_of(self, account_id: str) -> tuple[Grant, ...]:
        """Return the grants in force which the account holds."""
        ...


class RefusalLog(Protocol):
    """Keeps refused attempts at audited methods."""

    async def audit_refusal(self, call: Call, request: Message | None, reason: str) -> None:
        """Commit an audit row of its own for a refused attempt; `reason` is the error's reason."""
        ...


class ReadinessCheck(Protocol):
    """Something a service cannot work without, asked at each /readyz."""

    async def __call__(self) -> bool:
        """Return whether the thing is there now."""
        ...
