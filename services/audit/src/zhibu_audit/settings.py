"""Settings of audit, read from the environment."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from zhibu_kit.settings import ServiceSettings
from zhibu_tlog.keys import VerifierKey, read_verifier_key

from zhibu_audit.witnesses import WitnessAddress


class AuditSettings(ServiceSettings):
    """What audit needs beyond every service's settings."""

    audit_directory: Path = Field(
        default=Path("/var/lib/zhibu-audit"),
        description="Directory of the log: one folder for each origin, on a disk of its own.",
    )
    audit_key_file: Path = Field(
        default=Path("/etc/zhibu/audit.key"),
        description="File of the log's private key, made once by `zhibu-audit make-key`.",
    )
    audit_origin: str = Field(
        default="log.zhibu.invalid",
        pattern=r"^[a-z0-9][a-z0-9./-]{0,199}$",
        description="Name of the log, as it stands in every checkpoint; never changed.",
    )
    audit_witnesses: str = Field(
        default="", description="Witnesses, separated by commas: URL, a space, verifier key of each."
    )
    audit_quorum: int = Field(
        default=0, ge=0, le=16, description="How many witnesses must have cosigned before an entry counts as proven."
    )
    audit_gap_s: float = Field(
        default=60.0, gt=0, le=86400, description="Seconds after which rows that are missing become an incident."
    )

    @model_validator(mode="after")
    def _quorum_can_be_reached(self) -> Self:
        if self.audit_quorum > len(self.witnesses):
            raise ValueError("ZHIBU_AUDIT_QUORUM is more than there are witnesses")
        return self

    @property
    def witnesses(self) -> tuple[WitnessAddress, ...]:
        """The witnesses, read.

        Raises:
            ValueError: when one is no URL and key.
        """
        return tuple(map(_read_witness, filter(None, map(str.strip, self.audit_witnesses.split(",")))))

    @property
    def witness_keys(self) -> tuple[VerifierKey, ...]:
        """Their verifier keys."""
        return tuple(one.key for one in self.witnesses)


def _read_witness(text: str) -> WitnessAddress:
    url, _, key = text.partition(" ")
    if not url.startswith(("http://", "https://")):
        raise ValueError("a witness of ZHIBU_AUDIT_WITNESSES is no URL and verifier key")
    return WitnessAddress(url=url.rstrip("/"), key=read_verifier_key(key.strip()))
