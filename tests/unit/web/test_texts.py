"""Every text is there in both languages, is used, and says the same."""

import re
import string
from pathlib import Path

import pytest
import zhibu_web
from zhibu_web.texts import CATALOGUE, EN, ZH, text

PACKAGE = Path(zhibu_web.__file__).parent
_CALLS = re.compile(r"""\bt\(\s*(['"])([a-z0-9_.A-Z-]+)\1(\s*~)?""")
_F_STRINGS = re.compile(r"""\.t\(\s*f"([a-z0-9_.]+)\{""")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def _sources() -> list[str]:
    files = [*PACKAGE.glob("templates/**/*.html"), *PACKAGE.glob("**/*.py")]
    return [path.read_text(encoding="utf-8") for path in files if "texts" not in path.parts]


def _used() -> tuple[set[str], set[str]]:
    """Give the keys that are named, and the beginnings of those that are put together."""
    keys: set[str] = set()
    beginnings: set[str] = set()
    for source in _sources():
        for _, key, joined in _CALLS.findall(source):
            (beginnings if joined else keys).add(key)
        beginnings.update(_F_STRINGS.findall(source))
        # A choice between two keys, and keys handed to a macro.
        keys.update(
            key for _, key in re.findall(r"""(['"])([a-z_0-9]+\.[a-z_0-9A-Z.-]+)\1""", source) if key in CATALOGUE
        )
    return keys, beginnings


def _placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_key_that_a_page_names_is_in_the_catalogue() -> None:
    keys, beginnings = _used()
    assert {key for key in keys if key not in CATALOGUE} == set()
    assert {one for one in beginnings if not any(key.startswith(one) for key in CATALOGUE)} == set()


def test_no_text_is_kept_that_nothing_shows() -> None:
    keys, beginnings = _used()
    idle = {key for key in CATALOGUE if key not in keys and not any(key.startswith(one) for one in beginnings)}
    assert idle == set()


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_text_is_complete_in_both_languages(key: str) -> None:
    zh, en = CATALOGUE[key]
    assert zh.strip() == zh != ""
    assert en.strip() == en != "" or key in {"common.error_word", "common.error_prefix"}
    assert _placeholders(zh) == _placeholders(en)
    if key != "common.to_chinese":
        assert not _CHINESE.search(en)


def test_a_value_of_an_enum_that_is_newer_than_this_version_has_words_too() -> None:
    assert text(ZH, "application_state.APPLICATION_STATE_NEWER") == "未知"
    assert text(EN, "finding.FINDING_NEWER") == "Something needs to be looked at"
    # As a gateway writes it that does not know it either.
    assert text(EN, "change_kind.7") == "A change that this version does not know"
    with pytest.raises(KeyError):
        text(ZH, "apply.no_such_text")


def test_a_placeholder_without_value_is_an_error_and_not_a_hole() -> None:
    with pytest.raises(KeyError):
        text(ZH, "common.step", number=1)
    assert text(EN, "common.step", number=1, total=5) == "Step 1 of 5"


@pytest.mark.parametrize(
    ("prefix", "proto", "enum"),
    [
        ("application_state", "identity/v1/application.proto", "APPLICATION_STATE"),
        ("case.state", "identity/v1/application.proto", "APPLICATION_STATE"),
        ("case.text", "identity/v1/application.proto", "APPLICATION_STATE"),
        ("refusal", "identity/v1/application.proto", "REFUSAL_REASON"),
        ("claim", "identity/v1/application.proto", "MEMBERSHIP_CLAIM"),
        ("finding", "identity/v1/application.proto", "FINDING"),
        ("eid_state", "identity/v1/eid.proto", "EID_STATE"),
        ("revocation", "identity/v1/eid.proto", "REVOCATION_REASON"),
        ("gender", "identity/v1/person.proto", "GENDER"),
        ("education", "identity/v1/person.proto", "EDUCATION"),
        ("person_field", "identity/v1/person.proto", "PERSON_FIELD"),
        ("correction_state", "identity/v1/person.proto", "CORRECTION_STATE"),
        ("level", "branches/v1/organisation.proto", "ORGANISATION_LEVEL"),
        ("membership_kind", "branches/v1/membership.proto", "MEMBERSHIP_KIND"),
        ("party_status", "branches/v1/membership.proto", "PARTY_STATUS"),
        ("occupation", "branches/v1/membership.proto", "OCCUPATION_CATEGORY"),
        ("standing", "branches/v1/membership.proto", "STANDING"),
        ("decision_source", "branches/v1/membership.proto", "DECISION_SOURCE"),
        ("request_state", "branches/v1/membership_service.proto", "MEMBERSHIP_REQUEST_STATE"),
        ("post", "branches/v1/committee.proto", "POST"),
        ("online_state", "branches/v1/survey.proto", "ONLINE_STATE"),
        ("survey_state", "branches/v1/survey.proto", "SURVEY_ANSWER_STATE"),
        ("founding_state", "branches/v1/founding.proto", "FOUNDING_STATE"),
        ("notice_kind", "notify/v1/inbox.proto", "NOTICE_KIND"),
        ("entry_outcome", "audit/v1/entry.proto", "ENTRY_OUTCOME"),
        ("incident.kind", "audit/v1/incident_service.proto", "INCIDENT_KIND"),
        ("incident.state", "audit/v1/incident_service.proto", "INCIDENT_STATE"),
    ],
)
def test_every_value_of_an_enum_that_is_shown_has_words(prefix: str, proto: str, enum: str) -> None:
    contract = (Path(__file__).parents[3] / "proto/zhibu" / proto).read_text(encoding="utf-8")
    body = re.search(rf"^enum \w+ \{{\n((?:  //.*\n|  {enum}_[A-Z_0-9]+ = \d+;\n|\n)+)\}}", contract, re.MULTILINE)
    assert body
    values = set(re.findall(rf"^  ({enum}_[A-Z_]+) = \d+;", body[1], re.MULTILINE))
    assert values
    assert {value for value in values if f"{prefix}.{value}" not in CATALOGUE} == set()
