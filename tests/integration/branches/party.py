"""Members and branches for tests, made by the service's own use cases."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from integration.branches.running_branches import PROVINCE_ADMIN, Branches
from support.rpc import Metadata, bearer
from zhibu.branches.v1 import organisation_pb2
from zhibu_branches.memberships import NewRecord, open_record
from zhibu_branches.rules.members import Occupation, PartyStatus
from zhibu_kit.db import Database, Scope, Transaction
from zhibu_kit.ids import new_ulid

_BRANCH = organisation_pb2.ORGANISATION_LEVEL_BRANCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member as the token tells of one."""

    member_id: str
    county_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """The running service, and what stands behind it."""

    branches: Branches
    database: Database
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def as_member(self, person: Person) -> Metadata:
        token = self.branches.issuer.token(
            f"account-{person.member_id}", member_id=person.member_id, county_code=person.county_code
        )
        return bearer(token)

    def as_account(self, account_id: str) -> Metadata:
        return self.branches.as_account(account_id)

    def name(self, what: str) -> str:
        """A name that nothing else of this module has."""
        return f"{what}{next(self._numbers)}党支部"

    async def branch(self, parent_id: str = "370724", *, what: str = "实体") -> str:
        made = await self.branches.create(parent_id, _BRANCH, self.name(what), account_id=PROVINCE_ADMIN)
        return made.organisation_id

    async def people(self, branch_id: str, count: int, status: PartyStatus = PartyStatus.FULL) -> list[Person]:
        async with self.database.transaction(Scope.of(branch_id[:6])) as transaction:
            return await self.people_in(transaction, branch_id, count, status)

    async def people_in(
        self, transaction: Transaction, branch_id: str, count: int, status: PartyStatus = PartyStatus.FULL
    ) -> list[Person]:
        """New members of a branch; they are there when the transaction commits."""
        made = [Person(member_id=new_ulid(), county_code=branch_id[:6]) for _ in range(count)]
        for person in made:
            await open_record(
                transaction,
                NewRecord(
                    member_id=person.member_id,
                    branch_id=branch_id,
                    status=status,
                    status_date=date(2020, 7, 1),
                    occupation=Occupation.FARMER,
                ),
                start_date=date(2020, 7, 1),
                now=datetime.now(UTC),
            )
        return made
