"""What members do: propose, sign, take the signature back, hand in, withdraw.

Locks are taken in the order of `locks`: organisations, records, then foundings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Scope, Transaction
from zhibu_kit.errors import NOT_FOUND, field_error
from zhibu_kit.prepared import Prepared

from zhibu_branches.errors import NAME_NOT_READABLE, ORGANISATION_DISSOLVED, ORGANISATION_NAME_TAKEN
from zhibu_branches.foundings import errors
from zhibu_branches.foundings.changing import (
    change,
    check_founding_etag,
    full_members_missing,
    is_full,
    lock_founding,
    look_again,
    remove_signatures,
    settle,
    tell,
)
from zhibu_branches.foundings.errors import MEMBER_RECORD_REQUIRED
from zhibu_branches.foundings.kinds import kinds_of
from zhibu_branches.foundings.queries import Founding, count_open_of, find_founding
from zhibu_branches.foundings.tables import founding, founding_cosigner
from zhibu_branches.locks import to_change
from zhibu_branches.member_places import own_record, present_record
from zhibu_branches.member_queries import Record
from zhibu_branches.models import organisation
from zhibu_branches.queries import Organisation, find_organisation
from zhibu_branches.rules.foundings import (
    MAX_COSIGNERS,
    MAX_OPEN_PER_INITIATOR,
    OPEN,
    State,
    expires_at,
    may_be_submitted,
)
from zhibu_branches.rules.tree import Level, Refusal, readable_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What an initiator wishes."""

    organisation_id: str
    name: str
    kind: str
    purpose: str


async def propose(
    transaction: Transaction, proposal: Proposal, *, member_id: str | None, new_id: str, now: datetime
) -> Founding:
    """Begins a founding; who proposes it is the first who signs.

    Raises:
        ServiceError: NOT_FOUND for the organisation, ORGANISATION_DISSOLVED, MEMBER_RECORD_REQUIRED, TOO_MANY_FOUNDINGS,
            FOUNDING_NAME_TAKEN, ORGANISATION_NAME_TAKEN, or a field error on organisation_id, kind or name.
    """
    name = readable_name(proposal.name)
    if isinstance(name, Refusal):
        raise field_error("name", NAME_NOT_READABLE)
    parent = await _lock_parent(transaction, proposal.organisation_id)
    county_code = parent.place.county_code
    known = (await kinds_of(transaction, county_code)).kinds
    if proposal.kind not in {kind.name for kind in known if kind.active}:
        raise field_error("kind", errors.FOUNDING_KIND_UNKNOWN)
    initiator = await own_record(transaction, member_id)
    open_count = await count_open_of(transaction, initiator.member_id)
    if open_count >= MAX_OPEN_PER_INITIATOR:
        raise errors.TOO_MANY_FOUNDINGS(count=str(open_count))
    await _check_name_free(transaction, organisation_id=proposal.organisation_id, name=name)
    full_member = is_full(initiator)
    await transaction.execute(
        insert(founding).values(
            founding_id=new_id,
            county_code=county_code,
            organisation_id=proposal.organisation_id,
            name=name,
            kind=proposal.kind,
            purpose=proposal.purpose.strip(),
            initiator_member_id=initiator.member_id,
            state=State.COLLECTING,
            cosigner_count=1,
            full_member_count=int(full_member),
            refusal_note="",
            expire_time=expires_at(now),
            version=1,
            state_version=1,
            create_time=now,
            update_time=now,
        )
    )
    await _sign(transaction, new_id, county_code, initiator, now=now)
    return await tell(transaction, await lock_founding(transaction, new_id))


async def cosign(transaction: Transaction, founding_id: str, *, member_id: str | None, now: datetime) -> Founding:
    """Signs a founding. Signing twice changes nothing.

    Raises:
        ServiceError: NOT_FOUND, MEMBER_RECORD_REQUIRED, FOUNDING_NOT_COLLECTING, FOUNDING_OVER, FOUNDING_FULL.
    """
    if not member_id:
        raise MEMBER_RECORD_REQUIRED()
    await transaction.widen_to(_COUNTIES_OF_SIGNING, founding_id, member_id)
    signer = await present_record(transaction, member_id)
    found = await _lock_collecting(transaction, founding_id, now=now)
    if found.cosigner_count >= MAX_COSIGNERS and not await _has_signed(transaction, founding_id, signer.member_id):
        raise errors.FOUNDING_FULL(count=str(MAX_COSIGNERS))
    if not await _sign(transaction, founding_id, found.county_code, signer, now=now):
        return found
    counts = {
        "cosigner_count": found.cosigner_count + 1,
        "full_member_count": found.full_member_count + int(is_full(signer)),
    }
    return await change(transaction, found, counts, now=now)


# Members of other counties sign too, and the county in the token may be an old one.
_COUNTIES_OF_SIGNING: Final = (
    "(select array_agg(county_code) from founding where founding_id = $1)"
    " || (select array_agg(distinct county_code) from physical_places(array[$2]))"
)


async def withdraw_signature(
    transaction: Transaction, founding_id: str, *, member_id: str | None, now: datetime
) -> Founding:
    """Takes a signature back; whoever has not signed changes nothing.

    Raises:
        ServiceError: NOT_FOUND, FOUNDING_NOT_COLLECTING, FOUNDING_OVER, INITIATOR_SIGNS.
    """
    await _show(transaction, founding_id)
    found = await _lock_collecting(transaction, founding_id, now=now)
    if found.initiator_member_id == member_id:
        raise errors.INITIATOR_SIGNS()
    return await remove_signatures(transaction, found, [member_id or ""], now=now)


async def submit(
    transaction: Transaction, founding_id: str, *, member_id: str | None, etag: str, now: datetime
) -> Founding:
    """Hands a founding to the county, when enough full members stand behind it as the records are now.

    Raises:
        ServiceError: NOT_FOUND, INITIATOR_ONLY, ETAG_MISMATCH, FOUNDING_NOT_COLLECTING, FOUNDING_OVER,
            FULL_MEMBERS_MISSING.
    """
    await _show(transaction, founding_id)
    found = await _lock_collecting(transaction, founding_id, now=now)
    _check_initiator(found, member_id)
    check_founding_etag(etag, found)
    signers = await look_again(transaction, found)
    if not may_be_submitted(signers):
        raise full_members_missing(signers)
    counts = await settle(transaction, found, signers)
    return await change(transaction, found, {**counts, "expire_time": expires_at(now)}, state=State.SUBMITTED, now=now)


async def withdraw(
    transaction: Transaction, founding_id: str, *, member_id: str | None, etag: str, now: datetime
) -> Founding:
    """Ends a founding that is not decided.

    Raises:
        ServiceError: NOT_FOUND, INITIATOR_ONLY, ETAG_MISMATCH, FOUNDING_CLOSED.
    """
    await _show(transaction, founding_id)
    found = await lock_founding(transaction, founding_id)
    _check_initiator(found, member_id)
    if found.state not in OPEN:
        raise errors.FOUNDING_CLOSED()
    check_founding_etag(etag, found)
    return await change(transaction, found, {}, state=State.WITHDRAWN, now=now)


async def _show(transaction: Transaction, founding_id: str) -> None:
    """Lets the scope show the county of a founding: members of other counties sign too."""
    found = await find_founding(transaction, founding_id)
    if found is None:
        raise NOT_FOUND(noun="founding")
    await transaction.widen(Scope.of(found.county_code))


async def _lock_collecting(transaction: Transaction, founding_id: str, *, now: datetime) -> Founding:
    found = await lock_founding(transaction, founding_id)
    if found.state is not State.COLLECTING:
        raise errors.FOUNDING_NOT_COLLECTING()
    if found.expire_time <= now:
        raise errors.FOUNDING_OVER()
    return found


async def _lock_parent(transaction: Transaction, organisation_id: str) -> Organisation:
    """The organisation above, in whose place nobody takes a name until the transaction ends."""
    parent = await find_organisation(transaction, organisation_id)
    if parent is None:
        raise NOT_FOUND(noun="organisation")
    if parent.place.level not in {Level.COUNTY, Level.TOWNSHIP}:
        raise field_error("organisation_id", errors.FOUNDING_PARENT_NOT_ALLOWED)
    await transaction.widen(Scope.of(parent.place.county_code))
    active = await transaction.scalar(
        to_change(select(organisation.c.active).where(organisation.c.organisation_id == organisation_id))
    )
    if not active:
        raise ORGANISATION_DISSOLVED()
    return parent


async def _check_name_free(transaction: Transaction, *, organisation_id: str, name: str) -> None:
    branch = select(organisation.c.organisation_id).where(
        organisation.c.parent_id == organisation_id, organisation.c.name == name, organisation.c.active
    )
    if await transaction.scalar(branch) is not None:
        raise ORGANISATION_NAME_TAKEN()
    proposed = select(founding.c.founding_id).where(
        founding.c.organisation_id == organisation_id, founding.c.name == name, founding.c.state.in_(OPEN)
    )
    other = await transaction.scalar(proposed)
    if other is not None:
        raise errors.FOUNDING_NAME_TAKEN(founding_id=other)


async def _sign(transaction: Transaction, founding_id: str, county_code: str, signer: Record, *, now: datetime) -> bool:
    """Adds a signature; False when it was there already."""
    added = await _SIGN.execute(
        transaction,
        founding_id=founding_id,
        member_id=signer.member_id,
        county_code=county_code,
        full_member=is_full(signer),
        sign_time=now,
    )
    return added == 1


_SIGN: Final = Prepared(
    insert(founding_cosigner)
    .values({name: bindparam(name) for name in founding_cosigner.columns.keys()})  # noqa: SIM118 - a ColumnCollection is no dict
    .on_conflict_do_nothing()
)


async def _has_signed(transaction: Transaction, founding_id: str, member_id: str) -> bool:
    signed = select(founding_cosigner.c.member_id).where(
        founding_cosigner.c.founding_id == founding_id, founding_cosigner.c.member_id == member_id
    )
    return await transaction.scalar(signed) is not None


def _check_initiator(found: Founding, member_id: str | None) -> None:
    if found.initiator_member_id != member_id:
        raise errors.INITIATOR_ONLY()
