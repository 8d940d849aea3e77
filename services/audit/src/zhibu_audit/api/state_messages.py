"""How the log stands, as the contract tells of it."""

from __future__ import annotations

from datetime import datetime

from zhibu.audit.v1 import log_service_pb2 as pb
from zhibu_tlog.checkpoints import SignedCheckpoint

from zhibu_audit.api.entry_messages import timestamp_of
from zhibu_audit.origins import Origin
from zhibu_audit.shelf import Shelf
from zhibu_audit.standing import Standing


def state_message(
    log: Origin,
    standing: Standing,
    shelf: Shelf,
    *,
    signed: SignedCheckpoint | None,
    signed_at: datetime | None,
) -> pb.GetLogStateResponse:
    """Return the state of a log."""
    size = signed.checkpoint.size if signed else 0
    return pb.GetLogStateResponse(
        origin=log.name,
        verifier_key=shelf.verifier_key(log).text,
        size=size,
        sign_time=timestamp_of(signed_at) if signed_at else None,
        waiting_count=max(0, standing.entries_count - log.first_index - size),
        lanes=[
            pb.Lane(
                lane=row.lane,
                sequence=row.sequence,
                stopped=row.stopped_at is not None,
                stop_time=timestamp_of(row.stopped_at) if row.stopped_at else None,
                incident_id=row.incident_id or "",
                update_time=timestamp_of(row.updated_at),
            )
            for row in standing.lanes
        ],
        witnesses=[
            pb.Witness(
                name=row.name,
                verifier_key=row.verifier_key,
                size=row.size,
                cosign_time=timestamp_of(row.cosigned_at) if row.cosigned_at else None,
            )
            for row in standing.witnesses
        ],
        quorum=shelf.keys.quorum,
    )
