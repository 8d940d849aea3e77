"""From memberships, records and their history to the messages of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zhibu.branches.v1 import membership_pb2 as pb
from zhibu_kit.etag import etag_of

from zhibu_branches.member_events import day, instant
from zhibu_branches.member_queries import Membership, Record
from zhibu_branches.records import DecisionEntry
from zhibu_branches.rules.members import PartyStatus
from zhibu_branches.rules.rights import Right, acts_of


def membership_message(
    membership: Membership,
    *,
    branch_names: Mapping[str, str],
    rights: Sequence[Right] = (),
    status: PartyStatus | None = None,
) -> pb.Membership:
    """What callers see of a membership; with rights and status, also what it entitles to while it lasts."""
    acts = (
        acts_of(rights, kind=membership.kind, status=status)
        if status is not None and membership.end_date is None
        else []
    )
    return pb.Membership(
        membership_id=membership.membership_id,
        member_id=membership.member_id,
        branch_id=membership.branch_id,
        branch_name=branch_names.get(membership.branch_id, ""),
        kind=pb.MembershipKind.ValueType(membership.kind),
        start_date=day(membership.start_date),
        end_date=day(membership.end_date),
        end_reason=pb.MembershipEndReason.ValueType(membership.end_reason or 0),
        acts=acts,
        county_code=membership.county_code,
        etag=etag_of(membership.version),
    )


def record_message(record: Record, memberships: Sequence[pb.Membership]) -> pb.MemberRecord:
    """What callers see of a record."""
    return pb.MemberRecord(
        member_id=record.member_id,
        county_code=record.county_code,
        branch_id=record.branch_id,
        status=pb.PartyStatus.ValueType(record.status),
        status_date=day(record.status_date),
        applied_date=day(record.applied_date),
        admitted_date=day(record.admitted_date),
        confirmed_date=day(record.confirmed_date),
        occupation=pb.OccupationCategory.ValueType(record.occupation),
        standing=pb.Standing.ValueType(record.standing),
        end_date=day(record.end_date),
        etag=etag_of(record.version),
        memberships=memberships,
    )


def decision_message(entry: DecisionEntry) -> pb.MemberDecision:
    """What callers see of an entry of the history."""
    return pb.MemberDecision(
        decision_id=entry.decision_id,
        member_id=entry.member_id,
        branch_id=entry.branch_id,
        decision_date=day(entry.decision_date),
        status=pb.PartyStatus.ValueType(entry.status or 0),
        occupation=pb.OccupationCategory.ValueType(entry.occupation or 0),
        standing=pb.Standing.ValueType(entry.standing or 0),
        document_number=entry.document_number,
        document_id=entry.document_id,
        source=pb.DecisionSource.ValueType(entry.source),
        made_by_member_id=entry.made_by_member_id,
        create_time=instant(entry.create_time),
        restore_reason=pb.RestoreReason.ValueType(entry.restore_reason or 0),
    )
