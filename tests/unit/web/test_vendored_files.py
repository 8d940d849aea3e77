"""The files that come from elsewhere are the ones that the build script made."""

import hashlib
from pathlib import Path

import zhibu_web

VENDOR = Path(zhibu_web.__file__).parent / "static/vendor"


def test_vendored_files_are_unchanged_and_named_with_their_licence() -> None:
    lines = [line.split() for line in (VENDOR / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    sums = {name: digest for digest, name in lines}
    files = {path.name for path in VENDOR.iterdir()} - {"SHA256SUMS", "README.md"}
    assert set(sums) == files
    readme = (VENDOR / "README.md").read_text(encoding="utf-8")
    for name, expected in sums.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == expected
        assert name in readme


def test_the_style_sheet_loads_nothing() -> None:
    assert "url(" not in (VENDOR / "govuk-frontend.css").read_text(encoding="utf-8")
