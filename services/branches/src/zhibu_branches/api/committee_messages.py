"""Committees as the contract shows them."""

from __future__ import annotations

from datetime import date

from zhibu.branches.v1 import committee_pb2 as pb
from zhibu_kit.etag import etag_of

from zhibu_branches.committees.queries import Committee, Holder
from zhibu_branches.member_events import day
from zhibu_branches.rules.committees import months_left


def committee_message(found: Committee, *, today: date) -> pb.Committee:
    """What callers see of a committee."""
    return pb.Committee(
        committee_id=found.committee_id,
        branch_id=found.branch_id,
        branch_name=found.branch_name,
        source=pb.CommitteeSource.ValueType(found.source),
        document_number=found.document_number,
        start_date=day(found.start_date),
        term_end_date=day(found.term_end_date),
        end_date=day(found.end_date),
        holders=[_holder_message(holder) for holder in found.holders],
        vacancies=[pb.Post.ValueType(post) for post in found.vacancies],
        months_left=months_left(found.term_end_date, today),
        etag=etag_of(found.version),
    )


def _holder_message(holder: Holder) -> pb.PostHolder:
    return pb.PostHolder(
        post_id=holder.post_id,
        member_id=holder.member_id,
        post=pb.Post.ValueType(holder.post),
        start_date=day(holder.start_date),
        end_date=day(holder.end_date),
        end_reason=pb.PostEndReason.ValueType(holder.end_reason or 0),
    )
