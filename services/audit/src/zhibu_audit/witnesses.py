"""Witnesses: whom the log asks to cosign its checkpoints."""

from dataclasses import dataclass

from zhibu_tlog.keys import VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAddress:
    """A witness: where it answers (c2sp.org/tlog-witness) and what it signs with."""

    url: str
    key: VerifierKey
