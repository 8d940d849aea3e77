"""What a code message says, how it is cut, and how many a number may get."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_notify.rules import (
    LIMITS,
    Purpose,
    Segment,
    code_text,
    segments_of,
    validity_period,
    wait_until_allowed,
)
from zhibu_smsc.texts import Part, Reassembler, split_user_data


@pytest.mark.parametrize(
    ("purpose", "language", "expires_in_s", "expected"),
    [
        (Purpose.LOGIN, "zh-CN", 300, "【支部】登录验证码482913，5分钟内有效。请勿告诉他人，工作人员不会向您索取。"),
        (Purpose.LOGIN, "", 59, "【支部】登录验证码482913，59秒内有效。请勿告诉他人，工作人员不会向您索取。"),
        (
            Purpose.TELEPHONE_PROOF,
            "zh-CN",
            7200,
            "【支部】验证码482913，用于核验您填写的手机号码，2小时内有效。请勿告诉他人。",
        ),
        (
            Purpose.ACTIVATION,
            "zh-CN",
            604800,
            "【支部】您的电子身份证激活码482913，7天内有效，只能使用一次。请勿告诉他人。",
        ),
        (Purpose.ACTIVATION, "en", 86400, "(Zhibu) 482913 activates your e-ID once. Valid for 1 day. Do not share it."),
    ],
)
def test_the_text_follows_purpose_language_and_expiry(
    purpose: Purpose, language: str, expires_in_s: int, expected: str
) -> None:
    assert code_text(purpose=purpose, code="482913", language=language, expires_in_s=expires_in_s) == expected


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_text_with_an_ordinary_code_is_one_part(purpose: Purpose, language: str) -> None:
    text = code_text(purpose=purpose, code="482913", language=language, expires_in_s=604800)
    assert len(segments_of(text, reference=1)) == 1


def test_english_travels_in_the_gsm_alphabet() -> None:
    assert segments_of("(Zhibu) 482913", reference=1) == [
        Segment(octets=b"(Zhibu) 482913", data_coding=0, has_header=False)
    ]


# Surrogates alone are no text, and nothing else may be lost on the way to the telephone.
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=700), reference=st.integers(0, 255))
def test_a_telephone_joins_the_parts_to_the_same_text(text: str, reference: int) -> None:
    reassembler = Reassembler()
    whole = None
    for segment in segments_of(text, reference=reference):
        assert len(segment.octets) <= (140 if segment.data_coding == 8 else 160)
        body, concatenation = split_user_data(segment.octets, esm_class=0x40 if segment.has_header else 0)
        number, total, sequence = concatenation or (None, 1, 1)
        # No part ends within a character, because some telephones show parts one by one.
        body.decode("utf-16-be" if segment.data_coding == 8 else "ascii")
        whole = reassembler.add(
            Part(
                sender="z",
                recipient="1",
                data_coding=segment.data_coding,
                octets=body,
                reference=number,
                total=total,
                sequence=sequence,
            )
        )
    assert whole is not None
    assert whole.text == text


@pytest.mark.parametrize(
    ("expires_in_s", "expected"), [(300, "000000000500000R"), (604800, "000007000000000R"), (90061, "000001010101000R")]
)
def test_the_message_centre_forgets_a_code_when_it_expires(expires_in_s: int, expected: str) -> None:
    assert validity_period(expires_in_s) == expected
    assert len(expected) == 16


def test_a_number_without_recent_codes_may_have_one() -> None:
    assert wait_until_allowed([]) is None
    assert wait_until_allowed([timedelta(days=2)] * 100) is None


@given(ages=st.lists(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)), max_size=60))
def test_after_the_stated_wait_the_number_is_free(ages: list[timedelta]) -> None:
    wait = wait_until_allowed(ages)
    if wait is not None:
        assert wait_until_allowed([age + wait for age in ages]) is None
        for period, count in LIMITS:
            if sum(age < period for age in ages) >= count:
                return
        raise AssertionError("refused without a limit being reached")
