"""The OpenAPI document, arranged for the reference page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_METHODS: Final = ("get", "post", "put", "patch", "delete")
Part = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A parameter or a field."""

    name: str
    place: str
    type: str
    link: str | None
    required: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One operation."""

    anchor: str
    http_method: str
    path: str
    summary: str
    text: str
    deprecated: bool
    token: str
    parameters: list[Row]
    body: list[tuple[str, Row]]
    answers: list[tuple[str, str, list[tuple[str, Row]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The operations of one service."""

    name: str
    text: str
    entries: list[Entry]


def groups_of(document: Part) -> list[Group]:
    """Arranges the operations by service."""
    entries: dict[str, list[Entry]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for http_method in _METHODS:
            if http_method in item:
                operation = item[http_method]
                entries[operation["tags"][0]].append(_entry(document, path, http_method, operation))
    return [Group(name=tag["name"], text=tag["description"], entries=entries[tag["name"]]) for tag in document["tags"]]


def type_rows(document: Part) -> Iterator[tuple[str, Part, list[Row]]]:
    """Gives every type with its fields."""
    for name, schema in document["components"]["schemas"].items():
        rows = [
            _row(field, "", part, required=field in schema.get("required", ()))
            for field, part in schema.get("properties", {}).items()
        ]
        yield name, schema, rows


def _entry(document: Part, path: str, http_method: str, operation: Part) -> Entry:
    parameters = [_resolve(document, parameter) for parameter in operation["parameters"]]
    security = operation["security"]
    rpc = operation["operationId"].partition("_")[2]
    return Entry(
        anchor=f"{operation['tags'][0]}.{rpc}",
        http_method=http_method.upper(),
        path=path,
        summary=operation["summary"],
        text=operation["description"],
        deprecated=operation.get("deprecated", False),
        token="no_token" if not security else "optional_token" if {} in security else "token",
        parameters=[
            _row(
                parameter["name"],
                parameter["in"],
                {**parameter["schema"], "description": parameter.get("description", "")},
                required=parameter.get("required", False),
            )
            for parameter in parameters
        ],
        body=_content(operation.get("requestBody", {})),
        answers=[
            (status, resolved["description"], _content(resolved))
            for status, answer in operation["responses"].items()
            for resolved in (_resolve(document, answer),)
        ],
    )


def _content(part: Part) -> list[tuple[str, Row]]:
    return [
        (media_type, _row("", "", content.get("x-event-data", content.get("schema", {})), required=True))
        for media_type, content in part.get("content", {}).items()
    ]


def _resolve(document: Part, part: Part) -> Part:
    if "$ref" not in part:
        return part
    target: Any = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return target


def _row(name: str, place: str, schema: Part, *, required: bool) -> Row:
    label, link = _type(schema)
    return Row(name=name, place=place, type=label, link=link, required=required, text=schema.get("description", ""))


def _type(schema: Part) -> tuple[str, str | None]:
    """Gives how a type reads, and the component that it leads to."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return name, name
    if schema.get("type") == "array":
        label, link = _type(schema.get("items", {}))
        return f"{label}[]", link
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        label, link = _type(schema["additionalProperties"])
        return f"map<string, {label}>", link
    kind = schema.get("type", "any")
    label = " | ".join(kind) if isinstance(kind, list) else str(kind)
    bounds = [
        f"{keyword}: {schema[keyword]}"
        for keyword in ("format", "pattern", "minLength", "maxLength", "minimum", "maximum", "enum", "default")
        if keyword in schema
    ]
    return (f"{label} ({', '.join(bounds)})" if bounds else label), None
