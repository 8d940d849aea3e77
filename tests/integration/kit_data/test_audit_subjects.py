"""Whom an audit row is about: nobody learns it from the row, who holds the opening can prove it, and it can be forgotten."""

from __future__ import annotations

import hashlib

import pytest
from integration.kit_data.audit_rows import as_superuser, audit_rows, openings, read_about, refuse
from integration.kit_data.records import COUNTY
from zhibu_kit.audit_chain import number_audit_rows, verify_audit_chain
from zhibu_kit.audit_subjects import forget_subject
from zhibu_kit.db import Database, Scope
from zhibu_stack.engines import Postgres


async def test_a_row_holds_the_commitment_that_the_openings_beside_it_give(owner: Database) -> None:
    await read_about(owner, ["member-2", "member-1"])
    [row] = await audit_rows(owner)
    assert (row.subjects_count, row.commitment_salt) == (2, None)
    opened = await openings(owner, row.audit_id)
    assert {one.subject_id for one in opened} == {"member-1", "member-2"}
    assert len({bytes(one.salt) for one in opened}) == 2
    commitments = [hashlib.sha256(one.salt + one.subject_id.encode()).digest() for one in opened]
    assert commitments == sorted(commitments) == [bytes(one.commitment) for one in opened]
    assert bytes(row.subjects_commitment) == hashlib.sha256(b"".join(commitments)).digest()


async def test_a_row_about_very_many_keeps_an_opening_for_each(owner: Database) -> None:
    subjects = [f"member-{number}" for number in range(24_000)]
    await read_about(owner, subjects)
    await number_audit_rows(owner)
    [row] = await audit_rows(owner)
    assert row.subjects_count == 24_000
    assert {one.subject_id for one in await openings(owner, row.audit_id)} == set(subjects)
    assert await verify_audit_chain(owner) == []


async def test_who_is_forgotten_is_in_no_opening_and_the_rows_still_verify(owner: Database) -> None:
    for subjects in (["member-1", "member-2"], ["member-1"], ["member-3"]):
        await read_about(owner, subjects)
    await number_audit_rows(owner)
    async with owner.transaction(Scope.of(COUNTY)) as transaction:
        await forget_subject(transaction, "member-1")
    left = [one for row in await audit_rows(owner) for one in await openings(owner, row.audit_id)]
    assert len(left) == 4
    assert sorted(one.subject_id for one in left if one.salt is not None) == ["member-2", "member-3"]
    assert [one.subject_id for one in left if one.salt is None] == [None, None]
    assert await verify_audit_chain(owner) == []


@pytest.mark.parametrize(
    "change",
    [
        "update kit_audit_subject set subject_id = 'somebody else'",
        "update kit_audit_subject set commitment = sha256('somebody else'), subject_id = null, salt = null",
        "delete from kit_audit_subject",
        "insert into kit_audit_subject select audit_id, sha256('somebody else') from kit_audit where sequence = 2",
    ],
)
async def test_whom_a_row_is_about_cannot_be_changed_unseen(postgres: Postgres, owner: Database, change: str) -> None:
    await refuse(owner)
    await number_audit_rows(owner)
    await read_about(owner, ["member-1"])
    await number_audit_rows(owner)
    assert await verify_audit_chain(owner) == []
    await as_superuser(postgres, owner, change)
    assert await verify_audit_chain(owner) == ["whom row 2 is about was changed"]


async def test_rows_of_before_the_feed_keep_their_one_salt_and_verify(postgres: Postgres, owner: Database) -> None:
    await refuse(owner)
    # As the version before wrote them, and as it still does while both run.
    await as_superuser(
        postgres,
        owner,
        "update kit_audit set subjects_count = 2, subjects_commitment = sha256('two'), commitment_salt = 'salt'",
    )
    await number_audit_rows(owner)
    assert await verify_audit_chain(owner) == []
