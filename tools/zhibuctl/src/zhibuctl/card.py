"""`zhibuctl card check`: checks the card of an e-ID without a network, against keys that were fetched before."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import zxingcpp
from PIL import Image, UnidentifiedImageError
from zhibu_card.checking import CardRefusedError, Refusal, check_card
from zhibu_card.code import PREFIX, Card
from zhibu_card.keys import KeysUnreadableError, read_keys, read_revocations

from zhibuctl.context import Context, pass_context
from zhibuctl.errors import OperatorError
from zhibuctl.texts import both

WORDS = {
    Refusal.MALFORMED: both("不是身份卡的码，或者码已损坏", "this is no code of a card, or it is damaged"),
    Refusal.KEY_UNKNOWN: both(
        "签名的密钥不在密钥文件中，请重新下载密钥；仍然如此则是伪造",
        "signed with a key that is not in the file: fetch the keys anew",
    ),
    Refusal.SIGNATURE_WRONG: both("签名不对：码被改动过，或者是伪造", "the signature is wrong: changed or forged"),
    Refusal.NOT_YET_VALID: both("还没有生效，请检查本机时间", "not valid yet; check this machine's clock"),
    Refusal.EXPIRED: both("已过有效期", "expired"),
    Refusal.REVOKED: both("已注销", "revoked"),
}


@click.group(short_help=both("查验身份卡", "check cards of e-IDs"))
def card() -> None:
    """Check cards of e-IDs.

    查验身份卡。
    """


@card.command(short_help=both("不联网查验一张卡", "check one card without a network"))
@click.argument("what", metavar="FILE|CODE")
@click.option(
    "--keys",
    "keys_file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=both("公钥文件（GET /v1/card-keys）", "public keys, as GET /v1/card-keys gives them"),
)
@click.option(
    "--revocations",
    "revocations_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=both("注销名单（GET /v1/card-revocations）", "revoked cards, as GET /v1/card-revocations gives them"),
)
@pass_context
def check(context: Context, what: str, keys_file: Path, revocations_file: Path | None) -> None:
    """Check a card: a picture of it, a file with its code, or the code itself. Status 1 when it is not good.

    查验一张卡：卡的图片、存有码的文件，或码本身。不合格时状态为 1。
    """
    code = read_what(what)
    try:
        keys = read_keys(keys_file.read_text(encoding="utf-8"))
        revoked = read_revocations(revocations_file.read_text(encoding="utf-8")) if revocations_file else frozenset()
    except (KeysUnreadableError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"密钥或注销名单无法读取：{error}", f"Keys or revocations cannot be read: {error}"
        ) from None
    try:
        good = check_card(code, keys=keys, now=datetime.now(UTC), revoked_digests=revoked)
    except CardRefusedError as refused:
        say(context, refused.card, refused.reason)
        raise SystemExit(1) from None
    say(context, good, None)
    if revocations_file is None and not context.json:
        click.echo(both("没有注销名单，未查是否已注销。", "without a list of revocations: it may have been revoked."))


def say(context: Context, card: Card | None, reason: Refusal | None) -> None:
    """Answer in words or as JSON."""
    if context.json:
        known = (
            {
                "real_name": card.real_name,
                "county_code": card.county_code,
                "county_name": card.county_name,
                "number_end": card.number_end,
                "issued_at": card.issued_at.isoformat(),
                "expires_at": card.expires_at.isoformat(),
            }
            if card
            else {}
        )
        click.echo(json.dumps({"good": reason is None, "reason": reason, **known}, ensure_ascii=False))
        return
    click.echo("✗ " + WORDS[reason] if reason else "✓ " + both("有效", "good"))
    if card:
        click.echo(both(f"姓名：{card.real_name}", "name"))
        click.echo(both(f"发放单位：{card.county_name}（{card.county_code}）", "county"))
        click.echo(both(f"编号末四位：{card.number_end}", "last four of the number"))
        click.echo(both(f"有效期至：{card.expires_at:%Y-%m-%d}", "good until"))


def read_what(what: str) -> str:
    """Return the code that an argument is, or names.

    Raises:
        OperatorError: nothing can be read from the file.
    """
    path = Path(what)
    try:
        is_file = path.is_file()
    except OSError:
        # A damaged code is longer than names of files can be.
        is_file = False
    if what.strip().startswith(PREFIX) or not is_file:
        return what
    try:
        with Image.open(path) as picture:
            found = zxingcpp.read_barcodes(picture.convert("RGB"))
    except UnidentifiedImageError:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except (OSError, Image.DecompressionBombError):
        raise OperatorError("图片无法读取。", "The picture cannot be read.") from None
    codes = [one.text for one in found if one.text.startswith(PREFIX)]
    if len(codes) != 1:
        raise OperatorError(
            "图片中没有找到身份卡的码（或不止一个），请换一张清楚的图片。",
            "The picture shows no card's code, or more than one; take a clearer one.",
        )
    return codes[0]
