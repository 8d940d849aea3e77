"""What has been done so far, so that an interrupted load goes on where it stopped and a finished one is skipped."""

import json
import os
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

# Raise it when the demonstration changes so much that what an older load left does not fit.
VERSION: Final = 2


class Progress:
    """A file (0600) with facts by name, one a line, the newest last; what other seeds or versions left is put aside.

    A line is added after every step that cannot be asked for again.
    """

    def __init__(self, path: Path, seed: str) -> None:
        self._path = path
        self._seed = seed
        self._facts: dict[str, Any] = {}
        header = {"seed": seed, "version": VERSION}
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            lines = []
        if not lines or _read(lines[0]) != header:
            write_private(path, header)
            return
        for line in lines[1:]:
            fact = _read(line)
            # The last line of a load that was killed may be cut off.
            if isinstance(fact, list):
                self._facts[str(fact[0])] = fact[1]

    def get(self, name: str) -> Any:
        """Return a fact, or None when it is not known yet."""
        return self._facts.get(name)

    def put(self, name: str, value: Any) -> None:
        """Keep a fact."""
        self._facts[name] = value
        with self._path.open("a", encoding="utf-8") as file:
            # Begun on a line of its own, whatever an interrupted load left behind.
            file.write("\n" + json.dumps([name, value], ensure_ascii=False))

    def of(self, key: str) -> "Notes":
        """Return the facts about one person."""
        return Notes(self, key)

    def request_id(self, name: str) -> str:
        """Return the request id of a step: always the same for the same seed, so that the repetition does nothing."""
        return str(uuid5(NAMESPACE_URL, f"zhibu-demo:{self._seed}:{name}"))


class Notes:
    """The facts about one person."""

    def __init__(self, progress: Progress, key: str) -> None:
        self._progress = progress
        self._key = key

    def get(self, name: str) -> Any:
        """Return a fact, or None when it is not known yet."""
        return self._progress.get(f"{self._key}.{name}")

    def put(self, name: str, value: Any) -> None:
        """Keep a fact."""
        self._progress.put(f"{self._key}.{name}", value)

    def request_id(self, name: str) -> str:
        """Return the request id of a step of this person."""
        return self._progress.request_id(f"{self._key}.{name}")


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def write_private(path: Path, value: object) -> None:
    """Write JSON into a file that only its owner reads; it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)
    draft.replace(path)
