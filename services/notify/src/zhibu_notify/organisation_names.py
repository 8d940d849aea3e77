"""Names of organisations, from the tree that the kit keeps."""

from collections.abc import Collection

from sqlalchemy import select
from zhibu_kit import tables
from zhibu_kit.db import Transaction


async def names_of(transaction: Transaction, organisation_ids: Collection[str]) -> dict[str, str]:
    """The names of those that are known, dissolved ones too: notices tell of them."""
    if not organisation_ids:
        return {}
    table = tables.organisation.c
    rows = await transaction.all(
        select(table.organisation_id, table.name).where(table.organisation_id.in_(sorted(organisation_ids)))
    )
    return {row.organisation_id: row.name for row in rows}
