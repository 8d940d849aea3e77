"""The texts of notices: each has its words, fits, and asks for nothing that its events do not bring."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from zhibu.notify.v1 import inbox_pb2
from zhibu_kit.offices import OFFICES
from zhibu_notify.notice_rules import NEWS_AGE, QuietHours, is_news, month_of, retry_after, start_of_day
from zhibu_notify.rules import segments_of
from zhibu_notify.texts import TEMPLATES, Kind
from zhibu_notify.wording import SIGNATURE, organisations_of, sms_of, words_of

_NAMES = {"370724": "临朐县委组织部", "370724-b01": "兴隆社区党支部"}
_PARAMETERS = {
    "organisation_id": "370724",
    "branch_id": "370724-b01",
    "desk_id": "370724",
    "founding_id": "01m83wwq7v0q0rxhjejkkzg5nx",
    "office": "county_clerk",
    "post": "6",
    "end_date": "2027-05-01",
    "months_left": "3",
    "rate_permille": "455",
    "applied_count": "23980",
    "unchanged_count": "0",
    "conflict_count": "20",
}
_README = Path(__file__).resolve().parents[3] / "services" / "notify" / "README.md"


def test_the_kinds_are_those_of_the_contract() -> None:
    named = {name.removeprefix("NOTICE_KIND_"): value for name, value in inbox_pb2.NoticeKind.items() if value}
    assert named == {kind.name: kind.value for kind in Kind}


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_notice_has_words_in_both_languages_and_leads_somewhere(name: str) -> None:
    template = TEMPLATES[name]
    chinese = words_of(template, _PARAMETERS, names=_NAMES, english=False)
    english = words_of(template, _PARAMETERS, names=_NAMES, english=True)
    for words in (chinese, english):
        assert words.title
        assert words.body.endswith(("。", "."))
        assert not re.search(r"[{}]|370724-b01(?!/)", words.title + words.body)
    assert chinese.link_path == "" or re.fullmatch(r"(/[a-z0-9-]+)+", chinese.link_path)


@pytest.mark.parametrize("name", [name for name, template in TEMPLATES.items() if template.sms])
def test_a_message_with_ordinary_names_is_signed_and_one_part(name: str) -> None:
    text = sms_of(TEMPLATES[name], _PARAMETERS, names=_NAMES)
    former = sms_of(TEMPLATES[name], _PARAMETERS, names=_NAMES, former=True)
    for one in (text, former) if former else (text,):
        assert one.startswith(SIGNATURE)
        assert one.endswith("。")
        assert len(segments_of(one, reference=1)) == 1


@pytest.mark.parametrize("name", TEMPLATES)
def test_texts_ask_for_known_parameters_only(name: str) -> None:
    template = TEMPLATES[name]
    texts = (template.title_zh, template.title_en, template.body_zh, template.body_en, template.sms, template.link)
    wanted = {field for text in texts for _, field, _, _ in string.Formatter().parse(text) if field}
    assert wanted <= {*_PARAMETERS, "rate"}


def test_an_urgent_notice_can_always_go_by_sms() -> None:
    assert all(template.sms for template in TEMPLATES.values() if template.urgent)


def test_an_organisation_that_is_not_known_and_a_parameter_that_is_missing_leave_a_readable_text() -> None:
    template = TEMPLATES["membership_began"]
    assert words_of(template, {"branch_id": "x"}, names={}, english=False).body == "您的组织关系已编入（组织）。"
    assert words_of(template, {}, names={}, english=False).body == "您的组织关系已编入。"
    term = {**_PARAMETERS, "end_date": "2029-12-31"}
    assert "任期至2029年12月31日" in words_of(TEMPLATES["office_granted"], term, names=_NAMES, english=False).body
    assert "until 31 December 2029" in words_of(TEMPLATES["office_granted"], term, names=_NAMES, english=True).body
    office = {"office": "office_of_a_later_version", "organisation_id": "370724"}
    assert "office_of_a_later_version" in words_of(TEMPLATES["office_ended"], office, names=_NAMES, english=True).body


def test_names_are_asked_for_organisations_only() -> None:
    assert organisations_of([_PARAMETERS, {"branch_id": ""}]) == {"370724", "370724-b01"}
    assert "county_clerk" in OFFICES


@pytest.mark.parametrize(
    ("hours", "quiet"),
    [
        (QuietHours(from_hour=21, until_hour=8), {21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7}),
        (QuietHours(from_hour=12, until_hour=14), {12, 13}),
        (QuietHours(from_hour=9, until_hour=9), set[int]()),
    ],
)
def test_quiet_hours_are_hours_in_shanghai(hours: QuietHours, quiet: set[int]) -> None:
    midnight = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    assert {hour for hour in range(24) if hours.hold(midnight + timedelta(hours=hour))} == quiet


def test_days_and_months_are_those_of_shanghai() -> None:
    evening = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
    assert month_of(evening) == "2026-12"
    assert start_of_day(evening) == evening


def test_news_grow_old_and_pauses_grow_up_to_ten_minutes() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert is_news(now - NEWS_AGE, now)
    assert not is_news(now - NEWS_AGE - timedelta(seconds=1), now)
    assert [retry_after(count).total_seconds() for count in (0, 1, 5, 6, 60)] == [10, 20, 320, 600, 600]


def test_the_table_of_the_readme_names_every_notice_as_it_is() -> None:
    rows = re.findall(
        r"^\| `([a-z_]+)` \| ([a-z]+) \| (inbox|inbox, SMS|urgent) \|", _README.read_text("utf-8"), re.MULTILINE
    )
    assert rows == [
        (
            template.name,
            template.kind.name.lower(),
            "urgent" if template.urgent else "inbox, SMS" if template.sms else "inbox",
        )
        for template in TEMPLATES.values()
    ]
