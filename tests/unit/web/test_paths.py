"""Where people are sent after an act is always a page of ours; where links lead exists."""

import re
from pathlib import Path

import pytest
import zhibu_web
from fastapi.routing import APIRoute
from starlette.routing import Match
from zhibu_web.app import PAGES, create_app
from zhibu_web.settings import WebSettings
from zhibu_web.visit import local_path

TEMPLATES = Path(zhibu_web.__file__).parent / "templates"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "evil",
        "",
        "javascript:alert(1)",
        "/a\nb",
        "/a b",
        "/auth/logout",
        "/auth/login?return_to=/",
    ],
)
def test_a_target_elsewhere_becomes_the_home_page(target: str) -> None:
    assert local_path(target) == "/"


@pytest.mark.parametrize("target", ["/", "/me", "/desk/370724/applications?view=closed&page=abc"])
def test_a_target_of_ours_is_kept(target: str) -> None:
    assert local_path(target) == target


def _addresses() -> set[tuple[str, str]]:
    """Give method and path of every link and form; what is filled in stands as `x`."""
    found: set[tuple[str, str]] = set()
    for path in TEMPLATES.glob("**/*.html"):
        source = path.read_text(encoding="utf-8")
        source = re.sub(r"\{\{ desk\.path \}\}", "/desk/x", source)
        source = re.sub(r"\{\{ (section|'below' if .*?) \}\}", "grants", source)
        source = re.sub(r"\{\{ path \}\}", "/desk/x/applications/x", source)
        for found_tag in re.finditer(
            r'<(a|form|img|div|select)\b[^>]*?\b(href|action|src|hx-get|hx-post)="(/[^"]*)"', source
        ):
            tag, attribute, value = found_tag.groups()
            sends = tag == "form" and 'method="get"' not in found_tag.group()
            method = "POST" if sends or attribute == "hx-post" else "GET"
            address = re.sub(r"\{\{.*?\}\}", "x", value).partition("?")[0].partition("#")[0]
            found.add((method, address))
        found.update(
            ("GET", value) for value in re.findall(r"(?:ui\.back\(t|nav\(|line\([^)]*), '(/[a-z/-]+)'(?! ~)", source)
        )
        found.update(("GET", value) for value in re.findall(r"nav\('(/[a-z/-]*)'", source))
    return found


def test_no_link_and_no_form_leads_nowhere() -> None:
    app = create_app(WebSettings(web_session_key="k" * 40))
    addresses = _addresses()
    assert len(addresses) > 30
    dead = set()
    for method, path in addresses:
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        if not any(route.matches(scope)[0] is Match.FULL for route in app.router.routes):
            dead.add((method, path))
    assert dead == set()


def test_every_page_that_changes_something_is_a_post_and_asks_for_the_form_token() -> None:
    """All pages open a visit, which refuses a POST without token; only Keycloak's own call proves itself otherwise."""
    unchecked = {
        route.path
        for page in PAGES
        for route in page.router.routes
        if isinstance(route, APIRoute)
        and "POST" in (route.methods or set())
        and not any(one.name in ("visit", "upload") for one in route.dependant.dependencies)
    }
    assert unchecked == {"/auth/backchannel-logout"}
