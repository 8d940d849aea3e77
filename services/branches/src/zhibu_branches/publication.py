"""Telling everybody, ourselves included, how an organisation stands now."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Final

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
        "virtual": event.virtual,
    }
    await transaction.execute(
        insert(tables.organisation)
        .values(organisation_id=event.organisation_id, **values)
        .on_conflict_do_update(index_elements=["organisation_id"], set_=values)
    )


async def publish_changes(
    transaction: Transaction, organisations: Sequence[Organisation], *, change_time: datetime
) -> None:
    """The same for many at once: an event each, one statement for the projection."""
    made = [organisation_changed(one, change_time=change_time) for one in organisations]
    for event in made:
        transaction.emit(event, county_code=event.county_code)
    await (await transaction.raw()).execute(
        _PROJECT,
        [event.organisation_id for event in made],
        [event.parent_id for event in made],
        [int(event.level) for event in made],
        [event.name for event in made],
        [event.county_code for event in made],
        [event.active for event in made],
        [event.version for event in made],
        [event.virtual for event in made],
    )


_PROJECT: Final = """
insert into kit_organisation as k (organisation_id, parent_id, level, name, county_code, active, version, virtual)
select * from unnest(
  $1::text[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::boolean[], $7::bigint[], $8::boolean[])
on conflict (organisation_id) do update set
  parent_id = excluded.parent_id, level = excluded.level, name = excluded.name, county_code = excluded.county_code,
  active = excluded.active, version = excluded.version, virtual = excluded.virtual
where k.version < excluded.version"""


async def snapshot(transaction: Transaction) -> AsyncGenerator[tuple[Message, str]]:
    """Every organisation as the event that would tell of it, parents first, for reconciling."""
    async for organisation, update_time in stream_organisations(transaction):
        yield organisation_changed(organisation, change_time=update_time), organisation.place.county_code
