"""The repository itself: what would otherwise be found by the next person who stumbles over it."""

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from zhibu_docs.contract import REPOSITORY

# Why a file may be longer than 300 lines.
LONG_FILES: dict[str, str] = {
    "clients/web/src/zhibu_web/contract_desk.py": "the answers that the desk reads, one short class each",
    "clients/web/src/zhibu_web/oidc.py": "the whole exchange with the issuer in one place, to be read against the specification",
    "clients/web/src/zhibu_web/pages/apply.py": "one form in five steps, of which none is used anywhere else",
    "clients/web/src/zhibu_web/visit.py": "everything that a page knows about one visit",
    "services/branches/src/zhibu_branches/api/memberships.py": "one handler per RPC of a large service",
    "services/branches/src/zhibu_branches/changes.py": "every change of the tree from plan to effect",
    "services/branches/src/zhibu_branches/errors.py": "every refusal of the service with its words",
    "services/branches/src/zhibu_branches/memberships.py": "the only code that opens and ends memberships",
    "services/branches/src/zhibu_branches/rosters/applying.py": "how a part of a roster becomes memberships, step by step",
    "services/identity/src/zhibu_identity/eids/accounts.py": "the only code that talks to Keycloak about accounts",
    "services/identity/src/zhibu_identity/api/rosters.py": "one handler per RPC of a large service",
    "services/identity/src/zhibu_identity/people/corrections.py": "a correction from its asking to its answer",
    "services/identity/src/zhibu_identity/errors.py": "every refusal of the service with its words",
    "services/identity/src/zhibu_identity/keys/vault.py": "the only code that opens and seals personal data; to be reviewed as a whole",
    "services/identity/src/zhibu_identity/models.py": "every table of the service",
    "services/identity/src/zhibu_identity/recoveries/recovering.py": "both recoveries before two officers, cut off at any point",
    "services/identity/src/zhibu_identity/rosters/checking.py": "checking a roster, resumable, step by step",
    "services/identity/src/zhibu_identity/rosters/committing.py": "committing a roster as a whole, to be reviewed as a whole",
    "services/identity/src/zhibu_identity/rosters/reading/fields.py": "the words by which departments call columns and values, as data",
    "services/identity/src/zhibu_identity/rosters/reading/files.py": "every kind of file and every way in which it can be bad",
    "services/identity/src/zhibu_identity/rosters/reading/people.py": "how the cells of a row become a person",
    "services/identity/src/zhibu_identity/rosters/records.py": "the states of a roster",
    "tests/integration/branches/test_committees.py": "one story after the other about one part",
    "tests/integration/branches/test_foundings.py": "one story after the other about one part",
    "tests/integration/branches/test_membership_model.py": "one state machine",
    "tests/integration/branches/test_membership_service.py": "one story after the other about one part",
    "tests/integration/branches/test_organisation_changes.py": "one story after the other about one part",
    "tests/integration/branches/test_surveys.py": "one story after the other about one part",
    "tests/integration/identity/test_certificate_login.py": "one story after the other about one part",
    "tests/integration/identity/test_certificate_requests.py": "one story after the other about one part",
    "tests/integration/identity/test_certificates.py": "one story after the other about one part",
    "tests/integration/identity/test_desk.py": "one story after the other about one desk",
    "tests/integration/identity/test_eids.py": "one story after the other about one e-ID",
    "tests/integration/identity/test_following_branches.py": "one story after the other about one part",
    "tests/integration/identity/test_people.py": "one story after the other about one part",
    "tests/integration/identity/test_recovery.py": "one story after the other about one part",
    "tests/integration/identity/test_rosters.py": "one story after the other about one part",
    "tests/integration/notify/test_inbox.py": "one story after the other about one part",
    "tests/integration/notify/test_notices.py": "one story after the other about one part",
    "tests/integration/web/test_member_pages.py": "one story after the other about one part",
    "tests/unit/identity/test_roster_reading.py": "one story after the other about one part",
    "tests/integration/web/test_desk_log.py": "one story after the other about one part",
}
LONGEST_FILE = 300
LONGEST_FUNCTION = 70
LONGEST_LOOK_S = 0.5

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
    assert long <= set(LONG_FILES)


def test_no_function_is_longer_than_seventy_lines() -> None:
    long: list[str] = []
    # A test is a story, and some stories are long.
    for path in (path for path in _sources() if not _name(path).startswith("tests/")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long.append(f"{_name(path)}: {node.name} has {lines} lines")
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    nothing = {"utils", "util", "common", "helpers", "misc", "manager", "base"}
    # Texts that stand on every page: there is no better word for them.
    texts = "clients/web/src/zhibu_web/texts/common.py"
    assert [_name(path) for path in _sources() if path.stem in nothing and _name(path) != texts] == []


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


def test_no_test_sleeps_instead_of_waiting_for_something() -> None:
    sleeping: list[str] = []
    for path in (path for path in _sources() if _name(path).startswith("tests/")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                # Between two looks at what is waited for, a moment is allowed.
                case ast.Call(
                    func=ast.Attribute(attr="sleep", value=ast.Name(id="asyncio" | "time")),
                    args=[ast.Constant(value=int() | float() as seconds)],
                ) if seconds > LONGEST_LOOK_S:
                    sleeping.append(f"{_name(path)}:{node.lineno}")
                case _:
                    pass
    assert sleeping == []


def test_nothing_is_mocked() -> None:
    mocks = re.compile(r"unittest\.mock|\bmocker\b|Magic" + "Mock")
    own = _name(Path(__file__))
    assert [_name(path) for path in _sources() if _name(path) != own and mocks.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("folder", ["services", "clients", "libs", "packages"])
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
