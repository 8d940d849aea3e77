"""`zhibu-audit verify`: checks a log or an export, and says so by its exit status too."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhibu_tlog.keys import SignatureType, VerifierKey, read_verifier_key
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.verifying import Trust

from zhibu_audit.verifying.exports import check_export, is_export
from zhibu_audit.verifying.logs import CannotCheckError, Checked, check_log_directory, check_log_url, read_older
from zhibu_audit.verifying.reporting import Bar, tell, tell_why_not

if TYPE_CHECKING:
    from zhibu_audit.verifying.reading import Progress

GOOD: Final = 0
BAD: Final = 1
CANNOT_CHECK: Final = 2
_ABOUT: Final = (
    "检查日志或导出文件是否被改动过；退出码 0 完好，1 有问题，2 无法检查。 / "
    "Checks whether a log or an export was changed; exit status 0 good, 1 bad, 2 cannot check."
)


def add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage] - argparse has no other name for it
    """Describe the command."""
    parser = commands.add_parser("verify", help="检查日志或导出文件 / check a log or an export", description=_ABOUT)
    parser.add_argument(
        "target", metavar="DIR|URL|EXPORT", help="目录、网址或导出的 .zip / a directory, a URL, an export"
    )
    parser.add_argument("--key", metavar="VKEY", help="日志的验证密钥 / verifier key of the log")
    parser.add_argument(
        "--witness", metavar="VKEY", action="append", default=[], help="见证人的验证密钥，可多次 / key of a witness"
    )
    parser.add_argument(
        "--quorum", type=int, help="法定见证数，默认为全部 / how many must have cosigned, by default all"
    )
    parser.add_argument(
        "--older",
        type=Path,
        metavar="CHECKPOINT",
        help="以前检查时留下的检查点 / checkpoint kept from an earlier check",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="完好时把检查点存到这里 / keep the checkpoint here when all is good"
    )
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="访问令牌文件 / file with an access token")
    parser.set_defaults(run=run_verify)


def run_verify(given: argparse.Namespace) -> int:
    """Check what is given and say what was found."""
    bar = Bar()
    try:
        checked = _check(given, bar)
        bar.clear()
        if given.keep and checked.is_good and checked.signed:
            _keep(given.keep, checked.signed.note.data)
    except CannotCheckError as error:
        bar.clear()
        tell_why_not(error, sys.stderr)
        return CANNOT_CHECK
    except OSError as error:
        bar.clear()
        tell_why_not(CannotCheckError(str(error), str(error)), sys.stderr)
        return CANNOT_CHECK
    tell(checked, sys.stdout)
    return GOOD if checked.is_good else BAD


def _check(given: argparse.Namespace, progress: Progress) -> Checked:
    target: str = given.target
    trust = _trust(given)
    path = Path(target)
    is_url = target.startswith(("https://", "http://"))
    if not is_url and is_export(path):
        if given.older:
            raise CannotCheckError(
                "导出文件不能与以前的检查点比较", "an export cannot be compared with an older checkpoint"
            )
        return check_export(path, trust, progress)
    if trust is None:
        raise CannotCheckError("请用 --key 给出日志的验证密钥", "give the verifier key of the log by --key")
    if given.older:
        older = read_older(given.older, trust)
        trust = Trust(
            origin=trust.origin,
            keys=trust.keys,
            witnesses=trust.witnesses,
            quorum=trust.quorum,
            older=older.checkpoint,
        )
    if is_url:
        token = given.token_file.read_text(encoding="utf-8").strip() if given.token_file else None
        return check_log_url(target, trust, progress, token=token)
    return check_log_directory(path, trust, progress)


def _trust(given: argparse.Namespace) -> Trust | None:
    if given.key is None:
        if given.witness or given.quorum is not None:
            raise CannotCheckError("请同时给出 --key", "give --key too")
        return None
    key = _key(given.key, SignatureType.ED25519)
    witnesses = tuple(_key(text, SignatureType.COSIGNATURE) for text in given.witness)
    quorum = len(witnesses) if given.quorum is None else given.quorum
    if not 0 <= quorum <= len(witnesses):
        raise CannotCheckError("--quorum 多于给出的见证人", "--quorum asks for more witnesses than were given")
    return Trust(origin=key.name, keys=(key,), witnesses=witnesses, quorum=quorum)


def _key(text: str, kind: SignatureType) -> VerifierKey:
    try:
        key = read_verifier_key(text.strip())
    except MalformedError as error:
        raise CannotCheckError(f"不是验证密钥：{text}", f"not a verifier key: {text} ({error})") from error
    if key.type is not kind:
        raise CannotCheckError(f"不是这种用途的密钥：{text}", f"a key of another kind: {text}")
    return key


def _keep(path: Path, checkpoint: bytes) -> None:
    """Write the checkpoint whole or not at all: half of one would spoil the next check."""
    aside = path.with_name(f"{path.name}.new")
    aside.write_bytes(checkpoint)
    os.replace(aside, path)  # noqa: PTH105 - says better what happens
