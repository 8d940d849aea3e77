"""The code on a card: what comes out is what went in, and nothing that was changed is believed."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from zhibu_card.checking import CardRefusedError, Refusal, check_card
from zhibu_card.code import LONGEST_CODE, PREFIX, Card, read_code, sign_card
from zhibu_card.keys import CardKey, KeysUnreadableError, read_keys, read_revocations

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
KEY_ID = "00112233445566ff"
# A key for tests: the same every time, so that the examples for the browser stay as they are.
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CARD = Card(
    card_id=bytes(range(16)),
    real_name="阿卜杜拉·买买提",
    county_code="370724",
    county_name="临朐县",
    number_end="1234",
    issued_at=NOW,
    expires_at=NOW + timedelta(days=365),
)
KEYS = {
    KEY_ID: CardKey(
        key_id=KEY_ID,
        public_key=PRIVATE.public_key(),
        not_before=NOW - timedelta(days=1),
        not_after=NOW + timedelta(days=700),
    )
}
CODE = sign_card(CARD, key_id=KEY_ID, key=PRIVATE)


def refusal_of(code: str, *, now: datetime = NOW, revoked: frozenset[str] = frozenset()) -> Refusal:
    with pytest.raises(CardRefusedError) as refused:
        check_card(code, keys=KEYS, now=now, revoked_digests=revoked)
    return refused.value.reason


def spelt(*, tag: int = 18, protected: bytes | None = None, unprotected: object = None, payload: bytes = b"") -> str:
    """Return a code whose signature is right for its parts, in whatever form they are."""
    given = read_code(CODE)
    protected = cbor2.dumps({1: -8, 4: bytes.fromhex(KEY_ID)}, canonical=True) if protected is None else protected
    signed = cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)
    message = cbor2.CBORTag(tag, [protected, unprotected or {}, payload, PRIVATE.sign(signed)])
    assert given.key_id == KEY_ID
    return PREFIX + base64.b32encode(cbor2.dumps(message, canonical=True)).decode().rstrip("=")


def claims_of(code: str) -> dict[int, object]:
    message = base64.b32decode(code.removeprefix(PREFIX) + "=" * (-len(code.removeprefix(PREFIX)) % 8))
    return cbor2.loads(cbor2.loads(message).value[2])


def test_a_good_card_says_what_was_signed_and_its_code_is_always_the_same() -> None:
    assert check_card(f"  {CODE}\n", keys=KEYS, now=NOW) == CARD
    assert sign_card(CARD, key_id=KEY_ID, key=PRIVATE) == CODE
    # Version 12 of a QR code at level M, in its tight mode for capitals and digits.
    assert len(CODE) <= 419
    assert set(CODE) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ:")


def test_every_single_byte_that_is_changed_is_refused() -> None:
    characters = [chr(value) for value in range(256)]
    for place, right in enumerate(CODE):
        for wrong in characters:
            if wrong != right:
                refusal_of(CODE[:place] + wrong + CODE[place + 1 :])


def test_every_single_bit_of_the_signed_message_that_is_changed_is_refused() -> None:
    text = CODE.removeprefix(PREFIX)
    message = base64.b32decode(text + "=" * (-len(text) % 8))
    for bit in range(len(message) * 8):
        changed = bytearray(message)
        changed[bit // 8] ^= 1 << bit % 8
        refusal_of(PREFIX + base64.b32encode(changed).decode().rstrip("="))


@settings(max_examples=200, deadline=None)
@given(start=st.integers(0, len(CODE)), length=st.integers(0, 20), text=st.text(max_size=20))
def test_no_cut_and_no_insertion_is_believed(start: int, length: int, text: str) -> None:
    changed = CODE[:start] + text + CODE[start + length :]
    if changed.strip() != CODE:
        refusal_of(changed)


def test_a_message_spelt_in_another_way_is_refused_even_when_its_signature_is_right() -> None:
    good = cbor2.dumps(claims_of(CODE), canonical=True)
    assert check_card(spelt(payload=good), keys=KEYS, now=NOW) == CARD
    claims = claims_of(CODE)
    unsorted = cbor2.dumps(dict(reversed(claims.items())))
    header = cbor2.dumps({4: bytes.fromhex(KEY_ID), 1: -8})
    others = [
        spelt(payload=unsorted),
        spelt(payload=good, protected=header),
        spelt(payload=good, unprotected={4: b"another"}),
        spelt(payload=good, tag=98),
        spelt(payload=cbor2.dumps({**claims, 99: "more"}, canonical=True)),
        spelt(payload=cbor2.dumps({**claims, 4: float(NOW.timestamp())}, canonical=True)),
        spelt(payload=cbor2.dumps({**claims, 4: 10**18}, canonical=True)),
        spelt(payload=cbor2.dumps({**claims, 7: b"short"}, canonical=True)),
        spelt(payload=cbor2.dumps([], canonical=True)),
        spelt(payload=b"\xff"),
        CODE.lower(),
        CODE + "A" * LONGEST_CODE,
        "",
    ]
    assert {refusal_of(other) for other in others} == {Refusal.MALFORMED}


def test_time_revocation_and_foreign_keys_are_named_as_the_reason() -> None:
    assert refusal_of(CODE, now=CARD.expires_at) is Refusal.EXPIRED
    assert refusal_of(CODE, now=NOW - timedelta(minutes=6)) is Refusal.NOT_YET_VALID
    assert check_card(CODE, keys=KEYS, now=NOW - timedelta(minutes=4)) == CARD
    assert refusal_of(CODE, revoked=frozenset({CARD.digest})) is Refusal.REVOKED
    stranger = Ed25519PrivateKey.generate()
    assert refusal_of(sign_card(CARD, key_id=KEY_ID, key=stranger)) is Refusal.SIGNATURE_WRONG
    assert refusal_of(sign_card(CARD, key_id="0" * 16, key=stranger)) is Refusal.KEY_UNKNOWN


def test_a_key_signs_nothing_outside_of_its_time() -> None:
    early = replace(CARD, issued_at=NOW - timedelta(days=2))
    late = replace(CARD, expires_at=NOW + timedelta(days=701))
    assert refusal_of(sign_card(early, key_id=KEY_ID, key=PRIVATE)) is Refusal.KEY_UNKNOWN
    assert refusal_of(sign_card(late, key_id=KEY_ID, key=PRIVATE)) is Refusal.KEY_UNKNOWN


def test_keys_and_revocations_are_read_as_the_gateway_gives_them() -> None:
    public = base64.urlsafe_b64encode(PRIVATE.public_key().public_bytes_raw()).decode().rstrip("=")
    entry = {
        "keyId": KEY_ID,
        "algorithm": "EdDSA",
        "curve": "Ed25519",
        "publicKey": public,
        "notBeforeTime": "2026-11-22T08:00:00Z",
        "notAfterTime": "2028-10-23T08:00:00Z",
    }
    keys = read_keys(json.dumps({"keys": [entry, {"algorithm": "ML-DSA"}]}))
    assert check_card(CODE, keys=keys, now=NOW) == CARD
    assert read_revocations(json.dumps({"asOfTime": "2026-11-23T08:00:00Z"})) == frozenset()
    listed = json.dumps({"revokedCardDigests": [CARD.digest], "asOfTime": "2026-11-23T08:00:00Z"})
    assert read_revocations(listed) == {CARD.digest}
    for wrong in ("", "[]", "{}", json.dumps({"keys": [{**entry, "publicKey": "AAAA"}]})):
        with pytest.raises(KeysUnreadableError):
            read_keys(wrong)
    for wrong in ("", "{}", json.dumps({"revokedCardDigests": ["12"], "asOfTime": ""})):
        with pytest.raises(KeysUnreadableError):
            read_revocations(wrong)


def test_the_examples_for_the_browser_are_these_codes() -> None:
    """The page /cards/check is tried with the same codes: tests/unit/web/card_code_examples.json."""
    path = Path(__file__).parents[1] / "web" / "card_code_examples.json"
    assert json.loads(path.read_text(encoding="utf-8")) == examples()


def examples() -> dict[str, object]:
    """Return codes and what is to be said of each; written by hand into the file when this changes."""
    public = base64.urlsafe_b64encode(PRIVATE.public_key().public_bytes_raw()).decode().rstrip("=")
    good = cbor2.dumps(claims_of(CODE), canonical=True)
    middle = len(CODE) // 2
    wrong = CODE[:middle] + ("A" if CODE[middle] != "A" else "B") + CODE[middle + 1 :]
    revoked = replace(CARD, card_id=bytes(16))
    return {
        "now": NOW.isoformat(),
        "keys": {
            "keys": [
                {
                    "keyId": KEY_ID,
                    "algorithm": "EdDSA",
                    "curve": "Ed25519",
                    "publicKey": public,
                    "notBeforeTime": KEYS[KEY_ID].not_before.isoformat(),
                    "notAfterTime": KEYS[KEY_ID].not_after.isoformat(),
                }
            ]
        },
        "revokedCardDigests": [revoked.digest],
        "codes": [
            {"code": CODE, "real_name": CARD.real_name, "digest": CARD.digest},
            {"code": wrong, "reason": refusal_of(wrong)},
            {"code": CODE.lower(), "reason": "MALFORMED"},
            {"code": spelt(payload=good, unprotected={4: b"another"}), "reason": "MALFORMED"},
            {
                "code": spelt(payload=cbor2.dumps({**claims_of(CODE), 99: "more"}, canonical=True)),
                "reason": "MALFORMED",
            },
            {"code": sign_card(CARD, key_id="0" * 16, key=PRIVATE), "reason": "KEY_UNKNOWN"},
            {
                "code": sign_card(CARD, key_id=KEY_ID, key=Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))),
                "reason": "SIGNATURE_WRONG",
            },
            {"code": sign_card(revoked, key_id=KEY_ID, key=PRIVATE), "reason": "REVOKED"},
            {
                "code": sign_card(
                    replace(CARD, issued_at=NOW - timedelta(hours=3), expires_at=NOW - timedelta(hours=1)),
                    key_id=KEY_ID,
                    key=PRIVATE,
                ),
                "reason": "EXPIRED",
            },
            {
                "code": sign_card(replace(CARD, issued_at=NOW + timedelta(hours=1)), key_id=KEY_ID, key=PRIVATE),
                "reason": "NOT_YET_VALID",
            },
        ],
    }
