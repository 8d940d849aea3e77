import pytest
from zhibu_gateway.contract.path_template import (
    Found,
    OtherMethods,
    PathError,
    RouteTable,
    TemplateError,
    parse_template,
)


def table(*routes: str) -> RouteTable[str]:
    made: RouteTable[str] = RouteTable()
    for route in routes:
        method, _, template = route.partition(" ")
        made.add(method, parse_template(template), template)
    return made


TABLE = table(
    "GET /v1/records/{id}",
    "PATCH /v1/records/{id}",
    "POST /v1/records/{id}:cosign",
    "GET /v1/records/special",
    "GET /v1/records:search",
    "POST /v1/records",
    "GET /v1/{parent=shelves/*}/books/{book.id}",
    "GET /v1/files/{path=**}",
    "GET /v1/files/{path=**}:download",
    "GET /",
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/records/7", Found("/v1/records/{id}", (("id", "7"),))),
        ("GET", "/v1/records/special", Found("/v1/records/special", ())),
        ("PATCH", "/v1/records/special", Found("/v1/records/{id}", (("id", "special"),))),
        ("POST", "/v1/records/7:cosign", Found("/v1/records/{id}:cosign", (("id", "7"),))),
        ("GET", "/v1/records/7:cosign", OtherMethods(("POST",))),
        ("GET", "/v1/records/7:other", None),
        ("GET", "/v1/records/7%3Acosign", Found("/v1/records/{id}", (("id", "7:cosign"),))),
        ("GET", "/v1/records/a%2Fb", Found("/v1/records/{id}", (("id", "a/b"),))),
        ("GET", "/v1/records/%2e%2e", Found("/v1/records/{id}", (("id", ".."),))),
        ("GET", "/v1/records/%E6%94%AF", Found("/v1/records/{id}", (("id", "支"),))),
        ("GET", "/v1/records:search", Found("/v1/records:search", ())),
        ("GET", "/v1/records", OtherMethods(("POST",))),
        ("DELETE", "/v1/records/7", OtherMethods(("GET", "PATCH"))),
        ("GET", "/v1/records/", None),
        ("GET", "/v1/records//7", None),
        ("GET", "/v1/records/7/", None),
        ("GET", "/v1/records/7:", None),
        ("GET", "/v1/records/:cosign", None),
        ("GET", "/v1/re%63ords/7", None),
        ("GET", "/v1/a:b/records", None),
        ("GET", "*", None),
        ("GET", "/", Found("/", ())),
        ("GET", "//", None),
        ("GET", "/:", None),
        (
            "GET",
            "/v1/shelves/1/books/2",
            Found("/v1/{parent=shelves/*}/books/{book.id}", (("parent", "shelves/1"), ("book.id", "2"))),
        ),
        ("GET", "/v1/files/a/b/c", Found("/v1/files/{path=**}", (("path", "a/b/c"),))),
        ("GET", "/v1/files/a/b:download", Found("/v1/files/{path=**}:download", (("path", "a/b"),))),
        ("GET", "/v1/files" + "/a" * 40, None),
    ],
)
def test_a_path_leads_to_its_method(method: str, path: str, expected: object) -> None:
    assert TABLE.find(method, path) == expected


@pytest.mark.parametrize("path", ["/v1/records/%FF", "/v1/records/a%00b", "/v1/records/%ED%A0%80"])
def test_a_segment_that_is_no_text_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        TABLE.find("GET", path)


def test_two_routes_for_the_same_paths_collide() -> None:
    with pytest.raises(TemplateError):
        table("GET /v1/a/{x}", "GET /v1/a/{y}")


@pytest.mark.parametrize("template", ["v1/a", "/v1/{a=**}/b", "/v1/ a"])
def test_a_template_outside_the_syntax_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        parse_template(template)
