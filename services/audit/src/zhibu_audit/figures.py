"""What audit measures of the log."""

from typing import Final

from zhibu_kit.metrics import counter, gauge

_LANE: Final = {"lane": "service whose rows they are"}
_WITNESS: Final = {"witness": "name of the witness"}

ROWS: Final = counter(
    "zhibu.audit.rows",
    "Audit rows that came to the log.",
    labels={
        **_LANE,
        "outcome": "`next` (new in the log), `known` (came again), `lost` (after an incident said so), `conflict`",
    },
)
SIZE: Final = gauge("zhibu.audit.log_size", "Entries of the log, with and without a signed checkpoint over them.")
WAITING_AGE: Final = gauge(
    "zhibu.audit.log_waiting_age", "For how long entries have waited for a checkpoint over them.", unit="s"
)
LANE_STOPPED: Final = gauge(
    "zhibu.audit.lane_stopped", "1 while a lane stands still at an incident that somebody must look into.", labels=_LANE
)
LANE_WAITING_AGE: Final = gauge(
    "zhibu.audit.lane_waiting_age", "For how long rows of a lane are missing.", unit="s", labels=_LANE
)
LOG_STOPPED: Final = gauge(
    "zhibu.audit.log_stopped",
    "1 while nothing is appended: the log was restored to less than was cosigned, or contradicts.",
)
WITNESS_BEHIND_AGE: Final = gauge(
    "zhibu.audit.witness_behind_age",
    "For how long a witness has not cosigned what the log has grown by.",
    unit="s",
    labels=_WITNESS,
)
