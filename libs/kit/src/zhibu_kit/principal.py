"""Who calls: the account behind a verified token, and the offices that it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An office held at an organisation; its permissions reach downward along the tree."""

    office: str
    organisation_id: str
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller of one RPC, taken from the verified token alone.

    `service` is the name of the calling service when the token is a service account's. `grants` are filled in for
    people, where the contract's rule asks for offices, never for services.
    """

    account_id: str
    client_id: str
    issued_at: datetime
    expires_at: datetime
    member_id: str | None = None
    county_code: str | None = None
    service: str | None = None
    scopes: frozenset[str] = frozenset()
    grants: tuple[Grant, ...] = ()
    # When the person last logged in with password and code, not when the token was renewed; None when the token does not
    # say, which counts as long ago.
    authenticated_at: datetime | None = None
