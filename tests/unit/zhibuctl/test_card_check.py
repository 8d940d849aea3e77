"""`zhibuctl card check`: a picture, a file with the code and the code itself; reasons in both languages; no network."""

import json
from pathlib import Path
from typing import Any

import pytest
import segno
from click.testing import CliRunner, Result
from zhibuctl.__main__ import main

EXAMPLES: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "web" / "card_code_examples.json").read_text(encoding="utf-8")
)
CODE: str = EXAMPLES["codes"][0]["code"]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(EXAMPLES["keys"]), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["--json", "card", "check", *map(str, arguments)])


@pytest.mark.parametrize("kind", ["code", "text file", "picture"])
def test_a_card_is_read_from_a_code_a_file_and_a_picture(kind: str, keys: Path, tmp_path: Path) -> None:
    given = CODE
    if kind == "text file":
        given = str(tmp_path / "code.txt")
        Path(given).write_text(f"{CODE}\n", encoding="utf-8")
    if kind == "picture":
        given = str(tmp_path / "card.png")
        segno.make_qr(CODE, error="m").save(given, scale=4)
    answer = json.loads(run(given, "--keys", keys).stdout)
    # Nothing of the signature depends on the day; the example's term does.
    assert answer["reason"] in (None, "EXPIRED", "NOT_YET_VALID")
    assert answer["real_name"] == EXAMPLES["codes"][0]["real_name"]


@pytest.mark.parametrize("example", EXAMPLES["codes"], ids=lambda example: example.get("reason", "good"))
def test_what_is_not_good_has_status_1_and_a_reason(example: dict[str, str], keys: Path, tmp_path: Path) -> None:
    revocations = tmp_path / "revoked.json"
    revocations.write_text(
        json.dumps({"revokedCardDigests": EXAMPLES["revokedCardDigests"], "asOfTime": EXAMPLES["now"]}),
        encoding="utf-8",
    )
    result = run(example["code"], "--keys", keys, "--revocations", revocations)
    reason = json.loads(result.stdout)["reason"]
    assert (reason is None) == (result.exit_code == 0)
    if example.get("reason") in ("MALFORMED", "KEY_UNKNOWN", "SIGNATURE_WRONG"):
        assert reason == example["reason"]


def test_a_picture_without_a_code_and_a_file_without_keys_are_told_as_such(keys: Path, tmp_path: Path) -> None:
    picture = tmp_path / "other.png"
    segno.make_qr("https://example.org").save(str(picture), scale=4)
    result = run(picture, "--keys", keys)
    assert (result.exit_code, "图片中没有找到" in result.output) == (1, True)
    keys.write_text("{}", encoding="utf-8")
    result = run(CODE, "--keys", keys)
    assert (result.exit_code, "密钥或注销名单无法读取" in result.output) == (1, True)


def test_people_read_the_answer_in_both_languages(keys: Path) -> None:
    changed = CODE[:-5] + ("A" if CODE[-5] != "A" else "B") + CODE[-4:]
    result = CliRunner().invoke(main, ["card", "check", changed, "--keys", str(keys)])
    assert result.exit_code == 1
    assert result.output.startswith("✗ ")
    assert "forged" in result.output or "damaged" in result.output
