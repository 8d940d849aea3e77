"""Texts survive the way over SMPP whatever they are made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_smsc.texts import Part, Reassembler, WholeText, split_user_data

_CHINESE = "您好,𠮷林省的张·三同志:验证码是 482913。"


def _parts(text: str, *, octets_per_part: int) -> list[Part]:
    octets = text.encode("utf-16-be")
    pieces = [octets[start : start + octets_per_part] for start in range(0, len(octets), octets_per_part)] or [b""]
    return [
        Part(
            sender="10690",
            recipient="19900000001",
            data_coding=8,
            octets=piece,
            reference=7,
            total=len(pieces),
            sequence=number,
        )
        for number, piece in enumerate(pieces, start=1)
    ]


def test_a_whole_chinese_text_needs_one_part() -> None:
    whole = Reassembler().add(
        Part(sender="10690", recipient="19900000001", data_coding=8, octets=_CHINESE.encode("utf-16-be"))
    )
    assert whole == WholeText(sender="10690", recipient="19900000001", text=_CHINESE, segments=1)


# Even a character cut in two by the sender, and parts in any order, give the text back.
@given(text=st.text(min_size=1, max_size=80), octets_per_part=st.integers(1, 134), data=st.data())
def test_any_text_survives_parts_in_any_order(text: str, octets_per_part: int, data: st.DataObject) -> None:
    octets_per_part = max(octets_per_part, len(text.encode("utf-16-be")) // 200 + 1)
    parts = data.draw(st.permutations(_parts(text, octets_per_part=octets_per_part)))
    reassembler = Reassembler()
    results = [reassembler.add(part) for part in parts]
    assert results[:-1] == [None] * (len(parts) - 1)
    assert results[-1] is not None
    assert results[-1].text == text


def test_a_repeated_part_does_not_finish_a_text() -> None:
    first, second = _parts(_CHINESE, octets_per_part=len(_CHINESE.encode("utf-16-be")) // 2)[:2]
    reassembler = Reassembler()
    assert reassembler.add(first) is None
    assert reassembler.add(first) is None
    assert reassembler.add(second) is not None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (bytes([5, 0, 3, 9, 2, 1]), (9, 2, 1)),
        (bytes([6, 8, 4, 1, 2, 3, 2]), (0x0102, 3, 2)),
        (bytes([9, 5, 2, 1, 1, 0, 3, 9, 2, 1]), (9, 2, 1)),
        (bytes([0]), None),
    ],
)
def test_the_concatenation_element_is_found_in_the_header(header: bytes, expected: tuple[int, int, int] | None) -> None:
    assert split_user_data(header + b"text", esm_class=0x40) == (b"text", expected)


@pytest.mark.parametrize("octets", [b"", bytes([5, 0]), bytes([3, 0, 9, 1])])
def test_a_header_longer_than_its_message_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match="longer"):
        split_user_data(octets, esm_class=0x40)


def test_the_gsm_alphabet_is_read_with_its_escapes() -> None:
    whole = Reassembler().add(
        Part(
            sender="z",
            recipient="1",
            data_coding=0,
            octets=b"[Zhibu] \x00 code".replace(b"[", b"\x1b<").replace(b"]", b"\x1b>"),
        )
    )
    assert whole is not None
    assert whole.text == "[Zhibu] @ code"
