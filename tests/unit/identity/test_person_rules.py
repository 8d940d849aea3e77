"""What a resident number tells, how schooling is written, which files are documents, ages in bands, who may confirm."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_identity.rules.age_bands import NAMES, band_of, count_bands
from zhibu_identity.rules.media_types import safe_file_name, sniff
from zhibu_identity.rules.person import Field, Gender, birth_date_of, fits, gender_of, read_education
from zhibu_identity.rules.recovery import RecoveryFault, RecoveryState, find_confirm_fault, find_start_fault

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "gender", "birth"),
    [
        ("990724198005170013", Gender.MALE, date(1980, 5, 17)),
        ("990724198005170021", Gender.FEMALE, date(1980, 5, 17)),
        ("", Gender.UNKNOWN, None),
        ("990724198013450021", Gender.FEMALE, None),
    ],
)
def test_a_resident_number_tells_gender_and_birth(number: str, gender: Gender, birth: date | None) -> None:
    assert (gender_of(number), birth_date_of(number)) == (gender, birth)


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("小学", 1),
        ("初中", 2),
        ("中专", 3),
        (" 大专 ", 4),
        ("大学本科", 5),
        ("EDUCATION_BACHELOR", 5),
        ("college", 4),
        ("博士", 6),
        ("很高", None),
        ("", None),
    ],
)
def test_schooling_is_read_as_departments_and_the_contract_write_it(written: str, level: int | None) -> None:
    assert read_education(written) == level


def test_a_value_is_neither_empty_nor_longer_than_its_field() -> None:
    assert fits(Field.ETHNICITY, "回族")
    assert not fits(Field.ETHNICITY, "回" * 21)
    assert not fits(Field.ADDRESS, "  ")


@given(st.integers(min_value=0, max_value=130))
def test_every_age_stands_in_one_band(age: int) -> None:
    band = band_of(age)
    assert band in NAMES
    first, _, last = band.rstrip("+").partition("-")
    assert age < 18 or int(first) <= age <= int(last or 200)


def test_a_year_later_the_same_counts_stand_a_year_older_without_counting_anew() -> None:
    counts = {1997: 3, 1996: 4}
    assert count_bands(counts, year=2026)["18-29"] == 3
    assert count_bands(counts, year=2027)["18-29"] == 0
    assert sum(count_bands(counts, year=2050).values()) == 7


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"%PDF-1.4\n", "application/pdf"),
        (b"\xff\xd8\xff\xdb", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\x89PNG\n", None),
        (b"GIF89a%PDF-", None),
        (b"<?xml version='1.0'?><svg/>", None),
        (b"", None),
    ],
)
def test_a_file_is_what_its_first_bytes_say(beginning: bytes, kind: str | None) -> None:
    assert sniff(beginning) == kind


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\文件\\志愿书.pdf", "志愿书.pdf"),
        ("\r\n", "document"),
        ("...", "document"),
        ("a\u202egpj.pdf", "agpj.pdf"),
    ],
)
def test_a_files_name_has_no_directories_and_nothing_invisible(given_name: str, kept: str) -> None:
    assert safe_file_name(given_name) == kept


@pytest.mark.parametrize(
    ("state", "officer", "later", "fault"),
    [
        (RecoveryState.WAITING, "second", timedelta(0), None),
        (RecoveryState.WAITING, "first", timedelta(0), RecoveryFault.SAME_OFFICER),
        (RecoveryState.WAITING, "member", timedelta(0), RecoveryFault.OWN),
        (RecoveryState.WAITING, "second", timedelta(days=1), RecoveryFault.EXPIRED),
        (RecoveryState.DONE, "second", timedelta(days=2), RecoveryFault.ENDED),
    ],
)
def test_another_officer_confirms_within_a_day(
    state: RecoveryState, officer: str, later: timedelta, fault: RecoveryFault | None
) -> None:
    found = find_confirm_fault(
        state=state,
        officer_member_id=officer,
        started_by_member_id="first",
        member_id="member",
        expires_at=NOW + timedelta(days=1),
        now=NOW + later,
    )
    assert found is fault


def test_nobody_begins_their_own_recovery() -> None:
    assert find_start_fault(officer_member_id="a", member_id="a") is RecoveryFault.OWN
    assert find_start_fault(officer_member_id="a", member_id="b") is None
