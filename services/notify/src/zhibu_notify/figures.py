"""What notify measures of its messages and of the message centre."""

from typing import Final

from zhibu_kit.metrics import counter, durations, gauge

_SESSION: Final = {"session": "`codes` or `notices`: each has a connection of its own"}
_OUTCOME: Final = "`ACCEPTED`, then `DELIVERED` or `UNDELIVERED` as the message centre reports; or the reason why not"

CODES: Final = counter("zhibu.sms.codes", "One-time codes by what became of them.", labels={"outcome": _OUTCOME})
NOTICES: Final = counter(
    "zhibu.sms.notices",
    "Notices by what became of them.",
    labels={"outcome": f"{_OUTCOME}; `DROPPED` when nobody wanted it any more"},
)
BOUND: Final = gauge("zhibu.smsc.bound", "1 while messages can be sent.", labels=_SESSION)
SUBMISSIONS: Final = durations(
    "zhibu.smsc.duration",
    "How long the message centre took to answer a message, or one part of a long one.",
    labels={
        **_SESSION,
        "outcome": "`accepted`, `throttled`, `refused`, `unknown` (no answer in time), `down` (no connection)",
    },
)
