"""The keys of the log and of its witnesses, made once for a run and kept in `.run/secrets/log`."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhibu_tlog.durable_files import write_secret
from zhibu_tlog.keys import SignatureType, SignerKey, read_signer_key
from zhibu_tlog.witness.state import make_state

LOG_ORIGIN: Final = "log.zhibu.localhost/county"
WITNESSES: Final = 2
# After a loss that cannot be fed again the log begins anew under its name with a serial; so many are watched from the start.
_SERIALS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKeys:
    """Where the keys lie, and what the witnesses sign with."""

    log_key_file: Path
    logs_file: Path
    witness_key_files: tuple[Path, ...]
    witness_states: tuple[Path, ...]
    witnesses: tuple[str, ...]


def ensure_log_keys(directory: Path) -> LogKeys:
    """Make what is missing of the keys below a run's directory, and never write one over."""
    folder = directory / "secrets" / "log"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log_key = _ensure_key(folder / "log.key")
    logs_file = folder / "logs"
    logs_file.write_text("".join(f"log {_of_serial(log_key, serial)}\n" for serial in range(1, _SERIALS + 1)), "utf-8")
    key_files = tuple(folder / f"witness-{number}.key" for number in range(1, WITNESSES + 1))
    states = tuple(directory / f"witness-{number}" for number in range(1, WITNESSES + 1))
    keys = [
        _ensure_witness(*files, number) for number, files in enumerate(zip(key_files, states, strict=True), start=1)
    ]
    return LogKeys(
        log_key_file=folder / "log.key",
        logs_file=logs_file,
        witness_key_files=key_files,
        witness_states=states,
        witnesses=tuple(key.verifier.text for key in keys),
    )


def _ensure_key(path: Path) -> SignerKey:
    if not path.exists():
        key = SignerKey(name=LOG_ORIGIN, type=SignatureType.ED25519, seed=secrets.token_bytes(32))
        write_secret(path, f"{key.text}\n".encode())
    return read_signer_key(path.read_text("utf-8").strip())


def _ensure_witness(key_file: Path, state: Path, number: int) -> SignerKey:
    if not key_file.exists():
        name = f"witness-{number}.zhibu.localhost"
        make_state(state, key_file, SignerKey(name=name, type=SignatureType.COSIGNATURE, seed=secrets.token_bytes(32)))
    return read_signer_key(key_file.read_text("utf-8").strip())


def _of_serial(key: SignerKey, serial: int) -> str:
    name = key.name if serial == 1 else f"{key.name}/{serial}"
    return SignerKey(name=name, type=key.type, seed=key.seed).verifier.text
