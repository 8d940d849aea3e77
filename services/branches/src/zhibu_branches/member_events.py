"""What other services are told of members."""

from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from zhibu.branches.v1 import branches_events_pb2 as events
from zhibu.branches.v1 import membership_pb2 as pb

from zhibu_branches.member_queries import Membership, Record
from zhibu_branches.rules.members import DecisionSource


def membership_changed(membership: Membership, *, source: DecisionSource | None = None) -> events.MembershipChanged:
    """A membership as it stands; `source` keeps the rows of a roster from being told to members one by one."""
    return events.MembershipChanged(
        membership_id=membership.membership_id,
        member_id=membership.member_id,
        branch_id=membership.branch_id,
        county_code=membership.county_code,
        kind=pb.MembershipKind.ValueType(membership.kind),
        active=membership.end_date is None,
        start_date=day(membership.start_date),
        end_date=day(membership.end_date),
        end_reason=pb.MembershipEndReason.ValueType(membership.end_reason or 0),
        version=membership.version,
        change_time=instant(membership.update_time),
        source=pb.DecisionSource.ValueType(source or 0),
    )


def record_changed(record: Record, *, source: DecisionSource | None = None) -> events.MemberRecordChanged:
    """A record as it stands; `source` is that of the decision which changed it, none when only the branch did."""
    return events.MemberRecordChanged(
        member_id=record.member_id,
        county_code=record.county_code,
        branch_id=record.branch_id,
        status=pb.PartyStatus.ValueType(record.status),
        occupation=pb.OccupationCategory.ValueType(record.occupation),
        standing=pb.Standing.ValueType(record.standing),
        end_date=day(record.end_date),
        version=record.version,
        change_time=instant(record.update_time),
        source=pb.DecisionSource.ValueType(source or 0),
    )


def day(value: date | None) -> str:
    """A day as the contract writes it, empty for none."""
    return "" if value is None else value.isoformat()


def instant(value: datetime) -> Timestamp:
    """An instant as the contract writes it."""
    made = Timestamp()
    made.FromDatetime(value)
    return made
