"""Foundings as the contract shows them."""

from __future__ import annotations

from collections.abc import Sequence

from zhibu.branches.v1 import founding_pb2 as pb
from zhibu_kit.etag import etag_of

from zhibu_branches.foundings.queries import Cosigner, Founding
from zhibu_branches.member_events import instant
from zhibu_branches.rules.foundings import REQUIRED_FULL_MEMBERS, Kind


def founding_message(found: Founding, *, member_id: str | None, signed: bool) -> pb.Founding:
    """What a caller sees of a founding; `signed` tells whether this caller signed it."""
    return pb.Founding(
        founding_id=found.founding_id,
        organisation_id=found.organisation_id,
        county_code=found.county_code,
        name=found.name,
        kind=found.kind,
        purpose=found.purpose,
        initiator_member_id=found.initiator_member_id,
        state=pb.FoundingState.ValueType(found.state),
        cosigner_count=found.cosigner_count,
        full_member_count=found.full_member_count,
        required_count=REQUIRED_FULL_MEMBERS,
        signed_by_me=signed,
        initiated_by_me=bool(member_id) and found.initiator_member_id == member_id,
        branch_id=found.branch_id or "",
        refusal_note=found.refusal_note,
        expire_time=instant(found.expire_time),
        create_time=instant(found.create_time),
        etag=etag_of(found.version),
    )


def cosigner_messages(cosigners: Sequence[Cosigner]) -> list[pb.Cosigner]:
    """Who signed."""
    return [
        pb.Cosigner(
            member_id=cosigner.member_id, full_member=cosigner.full_member, sign_time=instant(cosigner.sign_time)
        )
        for cosigner in cosigners
    ]


def kind_messages(kinds: Sequence[Kind]) -> list[pb.FoundingKind]:
    """The kinds of a county."""
    return [
        pb.FoundingKind(kind=kind.name, display_name_zh=kind.zh, display_name_en=kind.en, active=kind.active)
        for kind in kinds
    ]


def kinds_from(messages: Sequence[pb.FoundingKind]) -> list[Kind]:
    """The kinds that a county wishes."""
    return [
        Kind(
            name=message.kind,
            zh=message.display_name_zh.strip(),
            en=message.display_name_en.strip(),
            active=message.active,
        )
        for message in messages
    ]
