"""Names at the edge: who may know the name of whom, in one question to each database.

Members of a common branch know each other, officers know whom they look after, and officers know officers. Pages show
names by asking here; nobody else keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ARRAY, Text, bindparam, text
from zhibu_kit.db import Transaction
from zhibu_kit.principal import Principal

from zhibu_identity.keys.vault import Vault
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import open_details

# What lets an officer see people by name at and below an organisation.
PERMISSION: Final = "identity.people.read"

# From each person's branches (or the county, for those whom no branch holds) up to the province; the caller's offices are
# looked for on the way. Up, because a county has hundreds of branches below it, and a branch four organisations above.
_KNOWN: Final = text("""
    WITH RECURSIVE wanted AS (
        SELECT member_id, county_code, branch_id, details FROM person WHERE member_id = ANY (:member_ids)
    ), place AS (
        SELECT member_id, branch_id FROM member_place WHERE member_id = ANY (:member_ids) AND active
        UNION
        SELECT member_id, CASE branch_id WHEN '' THEN county_code ELSE branch_id END FROM wanted
    ), own AS (
        SELECT branch_id FROM member_place WHERE member_id = :caller AND active
        UNION
        SELECT branch_id FROM person WHERE member_id = :caller AND branch_id <> ''
    ), upward (start, organisation_id) AS (
        SELECT branch_id, branch_id FROM place
        UNION
        SELECT upward.start, above.parent_id FROM upward JOIN kit_organisation above USING (organisation_id)
        WHERE above.parent_id <> ''
    )
    SELECT member_id, county_code, details FROM wanted
    WHERE member_id = :caller
       OR EXISTS (SELECT 1 FROM place JOIN own USING (branch_id) WHERE place.member_id = wanted.member_id)
       OR EXISTS (
            SELECT 1 FROM place JOIN upward ON upward.start = place.branch_id
            WHERE place.member_id = wanted.member_id AND upward.organisation_id = ANY (:held)
        )
       OR (:officer AND EXISTS (
            SELECT 1 FROM office_grant
            WHERE office_grant.member_id = wanted.member_id AND ended_at IS NULL
              AND starts_at <= :now AND (ends_at IS NULL OR ends_at > :now)
        ))
""").bindparams(bindparam("member_ids", type_=ARRAY(Text)), bindparam("held", type_=ARRAY(Text)))


async def look_up_names(
    transaction: Transaction, parts: Parts, member_ids: Sequence[str], *, caller: Principal
) -> dict[str, str]:
    """Return the names that the caller may know, by member. The transaction sees every county.

    People whose key was erased have no name any more and are left out.
    """
    held = sorted({grant.organisation_id for grant in caller.grants if PERMISSION in grant.permissions})
    rows = await transaction.all(
        _KNOWN.bindparams(
            member_ids=list(member_ids),
            caller=caller.member_id or "",
            held=held,
            officer=any(grant.permissions for grant in caller.grants),
            now=parts.clock.now(),
        )
    )
    keys = await parts.vault.keys_in({row.member_id: row.county_code for row in rows})
    return {
        row.member_id: open_details(row.details, keys[row.member_id]).real_name for row in rows if row.member_id in keys
    }


async def telephones_of(transaction: Transaction, vault: Vault, member_ids: Sequence[str]) -> dict[str, str]:
    """Return the telephones of members who have one; those whose record is closed get no messages."""
    rows = await transaction.all(_REACHABLE.bindparams(member_ids=list(member_ids)))
    keys = await vault.keys_in({row.member_id: row.county_code for row in rows})
    found = {row.member_id: open_details(row.details, keys.get(row.member_id)).telephone for row in rows}
    return {member_id: found[member_id] for member_id in member_ids if found.get(member_id)}


_REACHABLE: Final = text("""
    SELECT member_id, county_code, details FROM person WHERE member_id = ANY (:member_ids) AND standing IN (0, 1)
""").bindparams(bindparam("member_ids", type_=ARRAY(Text)))
