"""How the message centre misbehaves, switched over the control API."""

from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, get_type_hints


class Receipts(StrEnum):
    """What happens to delivery receipts."""

    DELIVERED = "delivered"
    NONE = "none"
    DUPLICATED = "duplicated"
    UNDELIVERABLE = "undeliverable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """All switches; the default is a well-behaved message centre. Counters count down with each use."""

    refuse_bind: bool = False
    # Submits to cut off before the message is taken: the connection closes and nothing arrives.
    drop_before_submits: int = 0
    # Submits to cut off after the message was taken: it arrives, but nobody answers.
    drop_after_submits: int = 0
    # Submits to answer with ESME_RTHROTTLED.
    throttle_submits: int = 0
    # Submits to answer with ESME_RSYSERR.
    fail_submits: int = 0
    # Answer no submit at all; the message does not arrive.
    silent_submits: bool = False
    silent_enquire_links: bool = False
    # Numbers (as they arrive, without 86) that are answered with ESME_RINVDSTADR.
    reject_numbers: tuple[str, ...] = ()
    submit_delay_s: float = 0.0
    receipts: Receipts = Receipts.DELIVERED
    receipt_delay_s: float = 0.0


_MAX_DELAY_S = 600.0


@dataclass(slots=True)
class FaultSwitch:
    """The current faults, changed by the control API and used up by the sessions."""

    current: Faults = field(default_factory=Faults)

    def take(self, counter: str) -> bool:
        """True when this use is to fail; counts the counter down."""
        left: int = getattr(self.current, counter)
        if left <= 0:
            return False
        self.current = replace(self.current, **{counter: left - 1})
        return True

    def change(self, wanted: dict[str, object]) -> None:
        """Changes the named switches and leaves the others.

        Raises:
            ValueError: a name is unknown or a value has the wrong form.
        """
        self.current = replace(self.current, **{name: _checked(name, value) for name, value in wanted.items()})

    def reset(self) -> None:
        """Back to a well-behaved message centre."""
        self.current = Faults()

    def as_json(self) -> dict[str, object]:
        """What the control API shows."""
        return asdict(self.current)


_TYPES: dict[str, Any] = {item.name: get_type_hints(Faults)[item.name] for item in fields(Faults)}


def _checked(name: str, value: object) -> object:
    wanted = _TYPES.get(name)
    if wanted is None:
        raise ValueError(f"there is no switch {name!r}")
    if wanted is bool and isinstance(value, bool):
        return value
    if wanted is int and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if (
        wanted is float
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 <= value <= _MAX_DELAY_S
    ):
        return float(value)
    if wanted is Receipts and isinstance(value, str):
        return Receipts(value)
    if name == "reject_numbers" and isinstance(value, list | tuple):
        return tuple(str(number) for number in value)
    raise ValueError(f"switch {name!r} does not take {value!r}")
