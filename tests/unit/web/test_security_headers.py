"""Pages load only what comes from ourselves, and templates hold nothing that such a policy would refuse."""

import re
from pathlib import Path

import pytest
import zhibu_web
from zhibu_web.security_headers import security_headers
from zhibu_web.settings import WebSettings

PACKAGE = Path(zhibu_web.__file__).parent
PLAIN = WebSettings(web_session_key="k" * 40, oidc_issuer="http://localhost:7090/realms/zhibu")


def _policy(settings: WebSettings) -> dict[str, str]:
    directives = security_headers(settings)["Content-Security-Policy"].split("; ")
    return {name: value for name, _, value in (directive.partition(" ") for directive in directives)}


def test_the_policy_allows_ourselves_and_forms_that_end_at_keycloak() -> None:
    policy = _policy(PLAIN)
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert policy["form-action"] == "'self' http://localhost:7090"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in str(policy)
    assert "*" not in str(policy)
    assert "data:" not in str(policy)


def test_over_tls_browsers_are_told_to_stay_there() -> None:
    settings = WebSettings(web_session_key="k" * 40, profile="production", public_url="https://zhibu.example")
    assert "max-age" in security_headers(settings)["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in security_headers(PLAIN)


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("templates/**/*.html")), ids=lambda path: path.name)
def test_a_template_has_no_script_or_style_of_its_own(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:|hx-on|hx-vals=.js:", source)
    # Nothing is marked as safe but constants.
    assert not re.search(r"\{\{(?!\s*')[^}']*\|\s*safe", source)


def test_pages_need_no_address_but_our_own() -> None:
    for path in [*PACKAGE.glob("templates/**/*.html"), *PACKAGE.glob("static/*")]:
        if path.is_file():
            found = re.findall(r"https?://[^\s\"'<]+", path.read_text(encoding="utf-8"))
            assert [address for address in found if address != "http://www.w3.org/2000/svg"] == []
