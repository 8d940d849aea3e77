"""The organisation tree and the offices, as far as pages name them: public, asked often, changing seldom."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from zhibu_web.contract import CountySettings, Grant, Message, Office, Organisation
from zhibu_web.contract_branches import FoundingKind, MembershipRight
from zhibu_web.gateway_client import Gateway, ProblemError, segment

LIFETIME_S: Final = 120.0
SETTINGS_LIFETIME_S: Final = 20.0
MAX_ENTRIES: Final = 5000
PAGE_SIZE: Final = 200
# Below one township there are dozens of branches, seldom hundreds.
MAX_PAGES: Final = 5

V = TypeVar("V")


class Cache(Generic[V]):
    """Remembers a bounded number of values for a while."""

    def __init__(self, lifetime_s: float) -> None:
        """Keep each value for `lifetime_s` seconds."""
        self._lifetime_s = lifetime_s
        self._entries: OrderedDict[str, tuple[float, V]] = OrderedDict()

    async def get(self, key: str, load: Callable[[], Awaitable[V]]) -> V:
        """Return the value of a key, loading it when it is missing or old."""
        entry = self._entries.get(key)
        if entry is not None and entry[0] > time.monotonic():
            return entry[1]
        value = await load()
        self._entries[key] = (time.monotonic() + self._lifetime_s, value)
        self._entries.move_to_end(key)
        if len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
        return value

    def forget(self, key: str) -> None:
        """Load a value anew when it is next wanted."""
        self._entries.pop(key, None)


class Directory:
    """Names of organisations and offices, and the switches of counties."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._organisations: Cache[Organisation] = Cache(LIFETIME_S)
        self._children: Cache[list[Organisation]] = Cache(LIFETIME_S)
        self._offices: Cache[list[Office]] = Cache(LIFETIME_S)
        self._settings: Cache[CountySettings] = Cache(SETTINGS_LIFETIME_S)
        self._rights: Cache[list[MembershipRight]] = Cache(LIFETIME_S)
        self._founding_kinds: Cache[list[FoundingKind]] = Cache(SETTINGS_LIFETIME_S)

    async def organisation(self, gateway: Gateway, organisation_id: str) -> Organisation:
        """Return an organisation.

        Raises:
            ProblemError: 404 when there is none.
        """

        async def load() -> Organisation:
            path = f"/v1/organisations/{segment(organisation_id)}"
            return await gateway.get(path, Organisation, part="organisation")

        return await self._organisations.get(organisation_id, load)

    async def name(self, gateway: Gateway, organisation_id: str) -> str:
        """Return the name of an organisation, its identifier when there is no such organisation, or an empty string."""
        if not organisation_id:
            return ""
        try:
            return (await self.organisation(gateway, organisation_id)).name
        except ProblemError as problem:
            if problem.status in (400, 404):
                return organisation_id
            raise

    async def children(self, gateway: Gateway, parent_id: str) -> list[Organisation]:
        """Return the active organisations directly below one; without a parent, the province."""

        async def load() -> list[Organisation]:
            rows: list[Organisation] = []
            token = ""
            for _ in range(MAX_PAGES):
                page = await gateway.get(
                    "/v1/organisations",
                    _OrganisationPage,
                    params={"parentId": parent_id, "pageSize": PAGE_SIZE, "pageToken": token},
                )
                rows += page.organisations
                token = page.next_page_token
                if not token:
                    break
            return [row for row in rows if row.active]

        return await self._children.get(parent_id, load)

    async def offices(self, gateway: Gateway, language: str) -> list[Office]:
        """Return every office, named in a language."""
        return await self._offices.get(language, lambda: gateway.get_list("/v1/offices", Office, "offices"))

    async def rights(self, gateway: Gateway, county_id: str, language: str) -> list[MembershipRight]:
        """Return what memberships entitle to in a county, named in a language."""

        async def load() -> list[MembershipRight]:
            path = f"/v1/organisations/{segment(county_id)}/membership-rights"
            return await gateway.get_list(path, MembershipRight, "rights")

        return await self._rights.get(f"{county_id} {language}", load)

    async def founding_kinds(self, gateway: Gateway, county_id: str) -> list[FoundingKind]:
        """Return the kinds of virtual branches that a county knows."""

        async def load() -> list[FoundingKind]:
            path = f"/v1/organisations/{segment(county_id)}/founding-kinds"
            return await gateway.get_list(path, FoundingKind, "kinds")

        return await self._founding_kinds.get(county_id, load)

    async def settings(self, gateway: Gateway, county_id: str) -> CountySettings:
        """Return the switches of a county."""

        async def load() -> CountySettings:
            path = f"/v1/organisations/{segment(county_id)}/settings"
            return await gateway.get(path, CountySettings, part="settings")

        return await self._settings.get(county_id, load)

    def settings_changed(self, county_id: str) -> None:
        """Ask for the switches of a county anew."""
        self._settings.forget(county_id)

    def tree_changed(self, *organisation_ids: str) -> None:
        """Ask anew for organisations and for what stands below them."""
        for one in organisation_ids:
            self._organisations.forget(one)
            self._children.forget(one)


class _OrganisationPage(Message):
    organisations: tuple[Organisation, ...] = ()
    next_page_token: str = ""


def permissions_at(organisation: Organisation, grants: Sequence[Grant], offices: Sequence[Office]) -> frozenset[str]:
    """Return what grants allow at an organisation: an office reaches downward from where it is held."""
    reach = {organisation.organisation_id, *organisation.ancestor_ids}
    carried = {office.name: office.permissions for office in offices}
    return frozenset(
        permission
        for grant in grants
        if grant.organisation_id in reach and not grant.ended
        for permission in carried.get(grant.office, ())
    )
