"""The private key of the log: made once by a command, and never written over."""

import secrets
from pathlib import Path

from zhibu_tlog.durable_files import write_secret
from zhibu_tlog.keys import KEY_BYTES, SignatureType, SignerKey, read_signer_key
from zhibu_tlog.spelling import MalformedError


class KeyRefusedError(Exception):
    """The key of the log cannot be used; the text is one sentence for the operator."""


def make_key(path: Path, origin: str) -> SignerKey:
    """Make the key of a log.

    Raises:
        KeyRefusedError: when there is one already.
    """
    key = SignerKey(name=origin, type=SignatureType.ED25519, seed=secrets.token_bytes(KEY_BYTES))
    try:
        write_secret(path, f"{key.text}\n".encode())
    except FileExistsError:
        raise KeyRefusedError(f"{path} exists already; a key of a log is never written over") from None
    return key


def read_key(path: Path, origin: str) -> SignerKey:
    """Read the key of a log.

    Raises:
        KeyRefusedError: when there is none, or it is another log's.
    """
    try:
        key = read_signer_key(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise KeyRefusedError(f"There is no key {path}: `zhibu-audit make-key` makes it, once.") from None
    except (OSError, UnicodeDecodeError, MalformedError) as error:
        raise KeyRefusedError(f"{path} cannot be read as a key: {error}") from error
    if key.name != origin or key.type is not SignatureType.ED25519:
        raise KeyRefusedError(f"{path} is the key of {key.name}, and not that of {origin}")
    return key
