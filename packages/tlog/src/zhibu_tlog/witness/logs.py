"""The logs that a witness watches, from a file: lines `log <vkey>`, a subset of c2sp.org/tlog-policy.

A log's origin is the name of its key. A log with several keys, for example while it changes them, has a line for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zhibu_tlog.keys import SignatureType, VerifierKey, read_verifier_key
from zhibu_tlog.spelling import MalformedError

MOST_LOGS: Final = 10_000


def read_logs(text: str) -> Mapping[str, tuple[VerifierKey, ...]]:
    """Give the keys of each log by its origin.

    Raises:
        MalformedError: with the number of the line that is wrong.
    """
    logs: dict[str, tuple[VerifierKey, ...]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            key = _read_line(words)
        except MalformedError as error:
            raise MalformedError(f"line {number}: {error}") from error
        logs[key.name] = (*logs.get(key.name, ()), key)
        if len(logs) > MOST_LOGS:
            raise MalformedError(f"a witness watches at most {MOST_LOGS} logs")
    return logs


def _read_line(words: list[str]) -> VerifierKey:
    if len(words) not in {2, 3} or words[0] != "log":
        raise MalformedError("a line says `log`, the key and, as it likes, an address")
    key = read_verifier_key(words[1])
    if key.type is not SignatureType.ED25519:
        raise MalformedError("a log signs with an Ed25519 key of type 1")
    return key
