"""The repository itself: what would otherwise be found by the next person who stumbles over it."""

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from google.protobuf.descriptor import FieldDescriptor
from zhibu.policy.v1 import policy_pb2
from zhibu_docs.contract import (
    REPOSITORY,
    audited_of,
    events,
    http_rule_of,
    is_personal,
    is_published,
    messages,
    methods,
)
from zhibu_docs.events import service_names, subjects_of

# Why a file may be longer than 300 lines. An entry without need is an error too.
LONG_FILES: dict[str, str] = {}
LONGEST_FILE = 300
LONGEST_FUNCTION = 70

_MIGRATION = re.compile(r"^([0-9]{4})_[a-z0-9_]+\.sql$")
_GENERATED = ("proto/gen/", "proto/third_party/", "clients/web/src/zhibu_web/static/vendor")
# Addresses from which packages come: the tools know them, and a private mirror must be able to stand in for them.
_REGISTRY_HOSTS = re.compile(
    "|".join(
        ("py" + r"pi\.org", "files.python" + r"hosted\.org", "registry.npm" + r"js\.org", "repo1?.maven" + r"\.apache|repo1" + r"\.maven\.org",
         "crates" + r"\.io", "proxy.golang" + r"\.org", "docker" + r"\.io", "ghcr" + r"\.io", "quay" + r"\.io")
    )
)  # fmt: skip


@cache
def _tracked() -> tuple[str, ...]:
    output = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(path for path in output.splitlines() if (REPOSITORY / path).is_file())


def _sources() -> list[Path]:
    return [
        REPOSITORY / path
        for path in _tracked()
        if path.endswith(".py") and not path.startswith(_GENERATED) and not path.startswith("bench/")
    ]


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_no_source_file_is_longer_than_three_hundred_lines_without_a_reason() -> None:
    long = {_name(path) for path in _sources() if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE}
    assert long == set(LONG_FILES)


def test_no_function_is_longer_than_seventy_lines() -> None:
    long: list[str] = []
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long.append(f"{_name(path)}: {node.name} has {lines} lines")
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    nothing = {"utils", "util", "common", "helpers", "misc", "manager", "base"}
    assert [_name(path) for path in _sources() if path.stem in nothing] == []


def test_no_file_names_a_host_of_a_package_registry() -> None:
    named: list[str] = []
    for path in _tracked():
        if path == "uv.lock" or path.startswith(_GENERATED):
            continue
        try:
            text = (REPOSITORY / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if _REGISTRY_HOSTS.search(text):
            named.append(path)
    assert named == []


def test_nothing_is_skipped_silently() -> None:
    skipped = re.compile(r"pytest\.(skip|mark\.skip|mark\.xfail|importorskip)\b")
    own = _name(Path(__file__))
    found = [_name(path) for path in _sources() if _name(path) != own and skipped.search(path.read_text("utf-8"))]
    assert found == []


def test_no_test_sleeps() -> None:
    sleeps = re.compile(r"\b(?:asyncio|time)\.sleep\((?!0\))")
    own = _name(Path(__file__))
    tests = [path for path in _sources() if _name(path).startswith("tests/") and path.name.startswith("test_")]
    assert [_name(path) for path in tests if _name(path) != own and sleeps.search(path.read_text("utf-8"))] == []


def test_nothing_of_our_own_is_mocked() -> None:
    mocks = re.compile(r"unittest\.mock|\bmocker\b|MagicMock|\bmonkeypatch\.setattr\(\s*[\"']?zhibu")
    own = _name(Path(__file__))
    assert [_name(path) for path in _sources() if _name(path) != own and mocks.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("folder", ["services", "clients", "libs"])
def test_every_package_has_a_pyproject_and_one_import_root(folder: str) -> None:
    for package in sorted((REPOSITORY / folder).iterdir()):
        if package.is_dir() and (package / "src").exists():
            roots = [
                child.name for child in (package / "src").iterdir() if child.is_dir() and child.name != "__pycache__"
            ]
            assert roots == [f"zhibu_{package.name}"]
            with (package / "pyproject.toml").open("rb") as file:
                assert tomllib.load(file)["project"]["name"] == f"zhibu-{package.name}"


def test_no_service_imports_another_service() -> None:
    services = {f"zhibu_{path.name}" for path in (REPOSITORY / "services").iterdir() if (path / "src").exists()}
    imported: list[str] = []
    for path in _sources():
        own = next((name for name in services if f"/{name}/" in f"/{_name(path)}/"), None)
        if own is None or not _name(path).startswith("services/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            imported += [f"{_name(path)}: {name}" for name in names if name.partition(".")[0] in services - {own}]
    assert imported == []


def _migration_folders() -> list[Path]:
    files = [REPOSITORY / path for path in _tracked() if path.endswith(".sql") and "migrations" in path]
    return sorted({path.parent for path in files})


@pytest.mark.parametrize("folder", _migration_folders(), ids=_name)
def test_migrations_are_numbered_without_a_gap(folder: Path) -> None:
    names = sorted(path.name for path in folder.glob("*.sql"))
    numbers = [int(match.group(1)) for name in names if (match := _MIGRATION.match(name))]
    assert len(numbers) == len(names)
    assert numbers == list(range(1, len(names) + 1))


def test_every_write_of_people_is_audited_and_every_reading_that_is_audited_is_a_get_or_a_search() -> None:
    silent: list[str] = []
    for method in methods():
        audited = audited_of(method)
        writes = "request_id" in method.input_type.fields_by_name
        if writes and (audited is None or audited.reading):
            silent.append(method.full_name)
    assert silent == []


def test_the_subject_of_an_audit_row_is_a_field_of_the_request_and_never_personal() -> None:
    for method in methods():
        audited = audited_of(method)
        if audited and audited.subject_field:
            message = method.input_type
            field: FieldDescriptor | None = None
            for name in audited.subject_field.split("."):
                assert message is not None, method.full_name
                field = message.fields_by_name[name]
                message = field.message_type
            assert field is not None
            assert not is_personal(field), method.full_name


def test_no_personal_field_can_stand_in_an_address() -> None:
    exposed: list[str] = []
    for method in methods():
        rule = http_rule_of(method)
        if rule is None:
            continue
        path: str = getattr(rule, rule.WhichOneof("pattern") or "get")
        exposed += [
            f"{method.full_name}.{field.name}"
            for field in method.input_type.fields
            if is_personal(field) and (not rule.body or f"{{{field.name}" in path)
        ]
    assert exposed == []


# Names under which personal data or secrets travel; a field called so is marked, or says here why not.
_PERSONAL_NAMES = re.compile(
    r"(^|_)(real_name|resident_number|telephone|birth_date|eid_number|password|proof_token)$|_code$"
)
_NOT_PERSONAL = {
    # Codes of organisations (GB/T 2260), public.
    "county_code",
    # The county's help desk, public.
    "help_telephone",
}


def test_fields_that_sound_personal_are_marked_personal() -> None:
    unmarked = [
        field.full_name
        for message in messages()
        for field in message.fields
        if field.type == FieldDescriptor.TYPE_STRING
        and _PERSONAL_NAMES.search(field.name)
        and field.name not in _NOT_PERSONAL
        and not is_personal(field)
    ]
    assert unmarked == []


def test_no_event_has_a_personal_field_at_any_depth() -> None:
    def personal(message: object, seen: frozenset[str]) -> list[str]:
        found: list[str] = []
        for field in getattr(message, "fields"):  # noqa: B009  descriptors have no common type in the stubs
            if is_personal(field):
                found.append(field.full_name)
            if field.message_type is not None and field.message_type.full_name not in seen:
                found += personal(field.message_type, seen | {field.message_type.full_name})
        return found

    assert [name for event in events() for name in personal(event.descriptor, frozenset())] == []


def test_every_event_names_the_field_that_orders_it_or_goes_without_an_outbox() -> None:
    for event in events():
        fields = event.descriptor.fields_by_name
        assert not event.key_field or event.key_field in fields
        assert bool(event.key_field) == bool(event.version_field)
        if event.version_field:
            assert fields[event.version_field].type == FieldDescriptor.TYPE_INT64


def test_published_fields_are_text_or_files_and_never_personal_at_the_same_time() -> None:
    for message in messages():
        for field in message.fields:
            if is_published(field):
                assert not is_personal(field), field.full_name
                assert field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE), field.full_name


def test_text_that_somebody_writes_for_everybody_is_published() -> None:
    """Coverage of `published`: a public RPC returns no free text that a request of people can set and that is not marked."""
    written = {
        field.name
        for method in methods()
        if "request_id" in method.input_type.fields_by_name
        for field in method.input_type.fields
        if field.type == FieldDescriptor.TYPE_STRING
        and field.name in ("name", "title", "text", "summary", "help_hours")
    }
    unmarked = [
        field.full_name
        for method in methods()
        if method.GetOptions().Extensions[policy_pb2.access].WhichOneof("rule") == "public"
        for message in [method.output_type, *(f.message_type for f in method.output_type.fields if f.message_type)]
        for field in message.fields
        if field.name in written and not is_published(field)
    ]
    # The name of an office is an identifier from our own code.
    assert [name for name in unmarked if name != "zhibu.identity.v1.Office.name"] == []


def test_every_service_lists_the_events_that_it_publishes() -> None:
    for event in events():
        assert event.subject in subjects_of(event.service).publishes


def test_every_subject_that_a_readme_lists_is_an_event_of_the_contract() -> None:
    known = {event.subject for event in events()}
    for service in service_names():
        listed = subjects_of(service)
        assert {*listed.publishes, *listed.consumes} - known == set(), service


def test_every_event_has_a_consumer_or_is_published_for_later() -> None:
    consumed = {subject for service in service_names() for subject in subjects_of(service).consumes}
    assert {event.subject for event in events()} - consumed == _FOR_LATER


# Published already because their history must be whole when the first consumer comes.
_FOR_LATER = {"zhibu.identity.v1.application_changed", "zhibu.identity.v1.eid_changed"}
