"""Generated passwords: each is made once, kept in a file that only its owner reads, and used again at the next start."""

import os
import secrets
from pathlib import Path

SECRET_BYTES = 24


class SecretStore:
    """A directory (0700) with one file (0600) per secret."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def get(self, name: str) -> str:
        """Return the secret of this name, making it on first use."""
        path = self.directory / name
        if path.exists():
            return path.read_text(encoding="ascii")
        self.put(name, secrets.token_urlsafe(SECRET_BYTES))
        return path.read_text(encoding="ascii")

    def put(self, name: str, value: str) -> None:
        """Keep this value unless one is kept already: the file appears whole or not at all, also beside another process."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.directory / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(value)
        try:
            os.link(draft, self.directory / name)
        except FileExistsError:
            pass  # Somebody else was first; theirs counts.
        finally:
            draft.unlink()
