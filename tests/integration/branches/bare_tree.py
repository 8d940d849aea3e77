"""A province with two counties in a database of its own, without the running service: nothing happens but what a test does."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from zhibu_branches.memberships import NewRecord, open_membership, open_record
from zhibu_branches.organisations import create_organisation, ensure_province
from zhibu_branches.publication import publish_change
from zhibu_branches.rules.members import MembershipKind, Occupation, PartyStatus
from zhibu_branches.rules.tree import Level
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Database, Role, Scope
from zhibu_kit.ids import new_ulid

LINQU: Final = "370724"
QINGZHOU: Final = "370781"
BOTH: Final = Scope.of(LINQU, QINGZHOU)


def today() -> date:
    return datetime.now(SHANGHAI).date()


class BareTree:
    """Organisations and members, each made in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def begin(self) -> None:
        async with self.database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
            now = datetime.now(UTC)
            await ensure_province(transaction, code="37", name="山东省", now=now)
            for parent, level, code, name in (
                ("37", Level.CITY, "3707", "潍坊市"),
                ("3707", Level.COUNTY, LINQU, "临朐县"),
                ("3707", Level.COUNTY, QINGZHOU, "青州市"),
            ):
                one = await create_organisation(
                    transaction, parent_id=parent, level=level, code=code, name=name, new_id="", now=now
                )
                await publish_change(transaction, one, change_time=now)

    async def create(self, parent_id: str = LINQU, level: Level = Level.BRANCH, *, virtual: bool = False) -> str:
        now = datetime.now(UTC)
        async with self.database.transaction(BOTH) as transaction:
            made = await create_organisation(
                transaction,
                parent_id=parent_id,
                level=level,
                code="",
                name=f"组织{new_ulid()}",
                new_id=new_ulid(),
                now=now,
                virtual=virtual,
            )
            await publish_change(transaction, made, change_time=now)
        return made.place.organisation_id

    async def take_up(self, member_id: str, branch_id: str) -> None:
        now = datetime.now(UTC)
        new = NewRecord(
            member_id=member_id,
            branch_id=branch_id,
            status=PartyStatus.FULL,
            status_date=None,
            occupation=Occupation.FARMER,
        )
        async with self.database.transaction(Scope.of(branch_id[:6])) as transaction:
            await open_record(transaction, new, start_date=today(), now=now)

    async def people(self, branch_id: str, count: int) -> list[str]:
        """New members of a branch, in the order of their identifiers."""
        made = [new_ulid() for _ in range(count)]
        for member_id in made:
            await self.take_up(member_id, branch_id)
        return sorted(made)

    async def join(self, member_id: str, branch_id: str) -> None:
        """Make somebody a member of a virtual branch."""
        async with self.database.transaction(BOTH) as transaction:
            await open_membership(
                transaction,
                member_id=member_id,
                branch_id=branch_id,
                kind=MembershipKind.VIRTUAL,
                start_date=today(),
                now=datetime.now(UTC),
            )
