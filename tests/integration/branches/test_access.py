"""Who may change the tree: by office, a second time by the database, and written down either way."""

import asyncpg
import pytest
from integration.branches.running_branches import LINQU_ADMIN, LINQU_APPROVER, STRANGER, Branches
from support.rpc import outcome_of
from zhibu.branches.v1 import organisation_pb2
from zhibu.branches.v1 import organisation_service_pb2 as pb
from zhibu_kit.ids import new_ulid

BRANCH = organisation_pb2.ORGANISATION_LEVEL_BRANCH


@pytest.mark.parametrize(
    ("account_id", "parent_id", "expected"),
    [
        (LINQU_ADMIN, "370724", "OK"),
        (LINQU_ADMIN, "370781", "PERMISSION_DENIED"),
        (LINQU_ADMIN, "3707", "PERMISSION_DENIED"),
        (LINQU_ADMIN, "370799", "PERMISSION_DENIED"),
        (LINQU_APPROVER, "370724", "PERMISSION_DENIED"),
        (STRANGER, "370724", "PERMISSION_DENIED"),
    ],
)
async def test_only_an_office_at_or_above_lets_make_organisations(
    branches: Branches, account_id: str, parent_id: str, expected: str
) -> None:
    name = f"{account_id}的党支部"
    assert await outcome_of(branches.create(parent_id, BRANCH, name, account_id=account_id)) == expected


async def test_without_a_token_or_as_a_service_nothing_can_be_changed(branches: Branches) -> None:
    request = pb.CreateOrganisationRequest(parent_id="370724", level=BRANCH, name="党支部", request_id=new_ulid())
    assert await outcome_of(branches.stub.CreateOrganisation(request)) == "UNAUTHENTICATED"
    token = branches.issuer.token("account-of-svc-identity", service="identity")
    metadata = (("authorization", f"Bearer {token}"),)
    assert await outcome_of(branches.stub.CreateOrganisation(request, metadata=metadata)) == "PERMISSION_DENIED"


async def test_the_database_itself_refuses_rows_of_another_county(
    branches: Branches, app_connection: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    before = await owner.fetch("select organisation_id, name from organisation order by 1")
    async with app_connection.transaction():
        await app_connection.execute("select set_config('zhibu.counties', '370724', true)")
        assert (
            await app_connection.execute("update organisation set name = '改' where county_code = '370781'")
            == "UPDATE 0"
        )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _insert_branch(app_connection, "370781", scope="370724")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _insert_branch(app_connection, "370724", scope="")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app_connection.execute("delete from organisation")
    assert await owner.fetch("select organisation_id, name from organisation order by 1") == before


async def _insert_branch(connection: asyncpg.Connection, county_code: str, *, scope: str) -> None:
    async with connection.transaction():
        await connection.execute("select set_config('zhibu.counties', $1, true)", scope)
        await connection.execute(
            """insert into organisation
               select $1 || '-bx', parent_id, 5, '越界党支部', 'x', '{}', $1, ancestor_ids, true, 1, now(), now()
               from organisation where organisation_id = $1""",
            county_code,
        )


async def test_every_change_has_its_audit_row_and_every_refusal_too(
    branches: Branches, owner: asyncpg.Connection
) -> None:
    made = await branches.create("370724", BRANCH, "审计党支部", account_id=LINQU_ADMIN)
    await outcome_of(branches.create("370781", BRANCH, "审计党支部", account_id=LINQU_ADMIN))
    rows = await owner.fetch(
        """select action, outcome, reason, organisation_id, subject_id from kit_audit
           where account_id = $1 order by occurred_at desc limit 2""",
        LINQU_ADMIN,
    )
    assert [tuple(row) for row in rows] == [
        ("branches.organisation.created", "refused", "PERMISSION_DENIED", "", "370781"),
        ("branches.organisation.created", "done", "", "370724", "370724"),
    ]
    assert made.active
