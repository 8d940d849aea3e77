"""What has been done so far, so that an interrupted load goes on where it stopped and a finished one is skipped."""

import json
import os
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

# Raise it when the demonstration changes so much that what an older load left does not fit.
VERSION: Final = 1


class Progress:
    """A file (0600) with facts by name; it is written after every step that cannot be asked for again."""

    def __init__(self, path: Path, seed: str) -> None:
        self._path = path
        self._seed = seed
        self._facts: dict[str, Any] = {}
        try:
            saved: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            saved = {}
        if saved.get("seed") == seed and saved.get("version") == VERSION:
            self._facts = saved["facts"]

    def get(self, name: str) -> Any:
        """Return a fact, or None when it is not known yet."""
        return self._facts.get(name)

    def put(self, name: str, value: Any) -> None:
        """Keep a fact."""
        self._facts[name] = value
        write_private(self._path, {"version": VERSION, "seed": self._seed, "facts": self._facts})

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


def write_private(path: Path, value: object) -> None:
    """Write JSON into a file that only its owner reads; it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
    draft.replace(path)
