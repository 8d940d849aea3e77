"""Generated documents are fresh, and links in the written ones lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from zhibu_docs.configuration import settings_of
from zhibu_docs.contract import REPOSITORY, methods
from zhibu_docs.errors import all_kinds
from zhibu_docs.packages import runnable_packages

_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
_PAGES = sorted(
    path
    for pattern in (
        "*.md",
        "docs/**/*.md",
        "packages/*/README.md",
        "services/*/README.md",
        "tools/*/README.md",
        "clients/*/README.md",
    )
    for path in REPOSITORY.glob(pattern)
)


def test_the_generated_pages_are_fresh() -> None:
    # In a process of its own: other tests of this one declare errors that no service has.
    check = subprocess.run([sys.executable, "-m", "zhibu_docs", "--check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, f"run `make docs` and commit the result: {check.stdout}{check.stderr}"


def test_the_documents_know_every_package_that_runs() -> None:
    assert {"zhibu_identity", "zhibu_branches", "zhibu_notify", "zhibu_audit", "zhibu_gateway", "zhibu_web"} <= set(
        runnable_packages()
    )


@pytest.mark.parametrize("package", runnable_packages())
def test_every_setting_says_what_it_is_for(package: str) -> None:
    for settings in settings_of(package):
        assert [name for name, field in settings.model_fields.items() if not field.description] == []


def test_every_kind_of_error_speaks_chinese_and_english() -> None:
    for kind in all_kinds().values():
        assert re.search(r"[\u4e00-\u9fff]", kind.zh), kind.reason
        assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", kind.en), kind.reason
        assert set(re.findall(r"\{(\w+)\}", kind.zh)) == set(re.findall(r"\{(\w+)\}", kind.en)), kind.reason


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []


def test_the_words_of_the_contract_are_in_the_glossary() -> None:
    glossary = (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8").lower()
    services = {method.containing_service.name.removesuffix("Service") for method in methods()}
    nouns = {re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower() for name in services}
    assert {noun for noun in nouns if noun not in glossary.replace("-", "") and noun not in glossary} == set()
