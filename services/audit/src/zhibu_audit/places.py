"""Gives entries their places: dense, in the order of the log, under the lock of its head."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from zhibu_kit.db import Transaction

_TAKE: Final = "update log_head set size = size + $1 returning size"
_SIZE: Final = "select size, stopped_because from log_head"
_INSERT: Final = """
insert into entry (entry_index, kind, lane, sequence, leaf, action, outcome, account_id, member_id, organisation_id,
  county_codes, subject_id, request_id, occurred_at)
select entry_index, kind, lane, sequence, leaf, action, outcome, account_id, member_id, organisation_id,
  string_to_array(county_codes, ','), subject_id, request_id, occurred_at
from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::text[], $11::text[], $12::text[], $13::text[], $14::timestamptz[]) as new(entry_index, kind, lane, sequence, leaf, action,
  outcome, account_id, member_id, organisation_id, county_codes, subject_id, request_id, occurred_at)"""
# A member who was erased stays erased, whatever comes again.
_INSERT_SUBJECTS: Final = """
insert into entry_subject (entry_index, commitment, subject_id, salt, county_codes)
select entry_index, commitment, case when erased_at is null then nullif(subject_id, '') end,
  case when erased_at is null then nullif(salt, ''::bytea) end, string_to_array(county_codes, ',')
from unnest($1::bigint[], $2::bytea[], $3::text[], $4::bytea[], $5::text[])
  as new(entry_index, commitment, subject_id, salt, county_codes) left join erased_subject using (subject_id)
on conflict (entry_index, commitment) do nothing"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry without its place; `county_codes` has commas between."""

    kind: str
    lane: str
    sequence: int
    leaf: bytes
    action: str
    outcome: str
    account_id: str
    member_id: str
    organisation_id: str
    county_codes: str
    subject_id: str
    request_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Opens one place in the commitment of an entry."""

    entry_index: int
    commitment: bytes
    subject_id: str
    salt: bytes
    county_codes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How many entries have a place, and why no more get one, when that is so."""

    size: int
    stopped_because: str


async def get_head(transaction: Transaction) -> Head:
    """Read the head of the log."""
    row = await (await transaction.raw()).fetchrow(_SIZE)
    assert row is not None
    return Head(size=row["size"], stopped_because=row["stopped_because"])


async def give_places(transaction: Transaction, entries: Sequence[NewEntry]) -> int:
    """Put entries at the end of the log, and return the place of the first; others wait until this transaction ends."""
    raw = await transaction.raw()
    size = await raw.fetchval(_TAKE, len(entries))
    assert isinstance(size, int)
    first = size - len(entries)
    columns: list[list[Any]] = [
        [first + at for at in range(len(entries))],
        *([getattr(entry, name) for entry in entries] for name in NewEntry.__dataclass_fields__),
    ]
    await raw.execute(_INSERT, *columns)
    return first


async def add_openings(transaction: Transaction, openings: Sequence[Opening]) -> None:
    """Keep whom entries are about; what is there already stays as it is."""
    if openings:
        columns = [[getattr(opening, name) for opening in openings] for name in Opening.__dataclass_fields__]
        await (await transaction.raw()).execute(_INSERT_SUBJECTS, *columns)
