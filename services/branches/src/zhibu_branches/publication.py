"""Telling everybody, ourselves included, how an organisation stands now."""

from collections.abc import AsyncGenerator
from datetime import datetime

from google.protobuf.message import Message
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit import tables
from zhibu_kit.db import Transaction

from zhibu_branches.messages import organisation_changed
from zhibu_branches.queries import Organisation, stream_organisations


async def publish_change(transaction: Transaction, organisation: Organisation, *, change_time: datetime) -> None:
    """Emit the event, and write the kit's projection of the tree at once, by which the access of the next call is judged."""
    event = organisation_changed(organisation, change_time=change_time)
    transaction.emit(event, county_code=event.county_code)
    values = {
        "parent_id": event.parent_id,
        "level": event.level,
        "name": event.name,
        "county_code": event.county_code,
        "active": event.active,
        "version": event.version,
    }
    await transaction.execute(
        insert(tables.organisation)
        .values(organisation_id=event.organisation_id, **values)
        .on_conflict_do_update(index_elements=["organisation_id"], set_=values)
    )


async def snapshot(transaction: Transaction) -> AsyncGenerator[tuple[Message, str]]:
    """Every organisation as the event that would tell of it, parents first, for reconciling."""
    async for organisation, update_time in stream_organisations(transaction):
        yield organisation_changed(organisation, change_time=update_time), organisation.place.county_code
