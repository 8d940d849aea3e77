"""What lies outside of identity, as an implementation of its own: accounts with Keycloak's rules, telephones that keep
what arrived. Keycloak and notify themselves are in the tests marked `keycloak` and in tests/e2e.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from zhibu_identity.eids.accounts import AccountRefusedError, AccountsError, Coded, ForeignAccountError, NewAccount
from zhibu_identity.telephones.sending import Purpose
from zhibu_kit.errors import UNAVAILABLE
from zhibu_kit.ids import new_ulid


@dataclass(slots=True)
class Account:
    """An account as Keycloak would hold it."""

    account_id: str
    eid_number: str
    member_id: str
    county_code: str
    totp_seed: str
    password: str
    enabled: bool = True
    own_password: bool = False
    ended_sessions: int = 0


@dataclass(slots=True)
class MemoryAccounts:
    """Accounts in memory: names are unique, whatever is repeated does no harm."""

    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    # While it is set, nothing works.
    down: bool = False
    # Members whose account is not taken, and how often that was tried.
    refused: set[str] = field(default_factory=set[str])
    refused_count: int = 0
    opened_count: int = 0
    # Accounts whose sessions were ended, and how often the list of revocations was forgotten.
    ended_sessions: list[str] = field(default_factory=list[str])
    forgotten_lists: int = 0

    async def open(self, account: NewAccount) -> str:
        self._check()
        if account.member_id in self.refused:
            self.refused_count += 1
            raise AccountRefusedError("refused")
        existing = self.by_number(account.eid_number)
        if existing is not None:
            if existing.member_id != account.member_id:
                raise ForeignAccountError
            return existing.account_id
        account_id = new_ulid()
        self.opened_count += 1
        self.accounts[account_id] = Account(
            account_id=account_id,
            eid_number=account.eid_number,
            member_id=account.member_id,
            county_code=account.county_code,
            totp_seed=account.totp_seed,
            # Nobody knows it.
            password=secrets.token_urlsafe(32),
        )
        return account_id

    async def open_many(self, accounts: Sequence[NewAccount]) -> dict[str, str]:
        opened: dict[str, str] = {}
        refused: AccountRefusedError | None = None
        for account in accounts:
            try:
                opened[account.eid_number] = await self.open(account)
            except ForeignAccountError:
                continue
            except AccountRefusedError as error:
                refused = error
        if refused is not None:
            raise refused
        return opened

    async def set_activation_code(self, account_id: str, code: str) -> None:
        self._check()
        self.accounts[account_id].password = code

    async def set_activation_codes(self, codes: Mapping[str, str]) -> dict[str, Coded]:
        self._check()
        done: dict[str, Coded] = {}
        for account_id, code in codes.items():
            account = self.accounts.get(account_id)
            if account is None:
                done[account_id] = Coded.GONE
            elif account.own_password:
                done[account_id] = Coded.IN_USE
            else:
                account.password = code
                done[account_id] = Coded.SET
        return done

    async def end_activation_code(self, account_id: str) -> None:
        self._check()
        if account_id in self.accounts:
            self.accounts[account_id].password = secrets.token_urlsafe(32)

    async def has_own_password(self, account_id: str) -> bool:
        self._check()
        return account_id in self.accounts and self.accounts[account_id].own_password

    async def renew(self, account_id: str, *, totp_seed: str, code: str) -> None:
        self._check()
        account = self.accounts[account_id]
        account.password, account.totp_seed, account.own_password = code, totp_seed, False
        account.ended_sessions += 1

    async def set_county(self, account_id: str, county_code: str) -> None:
        self._check()
        if account_id in self.accounts:
            self.accounts[account_id].county_code = county_code

    async def close(self, account_id: str) -> None:
        self._check()
        if account_id in self.accounts:
            self.accounts[account_id].enabled = False

    async def delete(self, *, eid_number: str, member_id: str) -> None:
        self._check()
        found = self.by_number(eid_number)
        if found is not None and found.member_id == member_id:
            del self.accounts[found.account_id]

    async def forget_revocation_list(self) -> None:
        self._check()
        self.forgotten_lists += 1

    async def end_sessions(self, account_id: str) -> None:
        self._check()
        self.ended_sessions.append(account_id)

    def by_number(self, eid_number: str) -> Account | None:
        return next((account for account in self.accounts.values() if account.eid_number == eid_number), None)

    def of_member(self, member_id: str) -> list[Account]:
        return [account for account in self.accounts.values() if account.member_id == member_id]

    def _check(self) -> None:
        if self.down:
            raise AccountsError("down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A code that arrived on a telephone."""

    code: str
    purpose: Purpose
    request_id: str


@dataclass(slots=True)
class MemoryTelephones:
    """Telephones in memory; the newest code of each is last."""

    arrived: dict[str, list[Arrived]] = field(default_factory=lambda: defaultdict(list))
    down: bool = False
    rings: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send_code(
        self, telephone: str, code: str, *, purpose: Purpose, language: str, request_id: str, expires_in: timedelta
    ) -> None:
        if self.down:
            raise UNAVAILABLE()
        if all(known.request_id != request_id for known in self.arrived[telephone]):
            async with self.rings:
                self.arrived[telephone].append(Arrived(code=code, purpose=purpose, request_id=request_id))
                self.rings.notify_all()

    async def wait_for(self, telephone: str, purpose: Purpose, *, count: int = 1) -> str:
        """Return the newest code for a purpose, once so many have arrived."""

        def codes() -> list[str]:
            return [one.code for one in self.arrived[telephone] if one.purpose is purpose]

        async with asyncio.timeout(30), self.rings:
            await self.rings.wait_for(lambda: len(codes()) >= count)
        return codes()[-1]
