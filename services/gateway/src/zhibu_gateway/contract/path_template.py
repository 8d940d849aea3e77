"""Path templates of google.api.http, and the table that finds the method of a path.

Matching works on the raw path: it is split at "/" first and decoded afterwards, so that %2F in an identifier neither adds a
segment nor vanishes. A ":" that is not encoded separates the custom verb; in any other place of a variable it matches
nothing, so "/records/7:cosign" is never the record "7:cosign".
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

T = TypeVar("T")

_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)(?:=([^{}]+))?\}")
_LITERAL = re.compile(r"[A-Za-z0-9._~-]+")
# More segments than any path of the contract has.
MAX_SEGMENTS = 32


class TemplateError(ValueError):
    """A template that google.api.http does not allow, or two that answer to one path."""


class PathError(ValueError):
    """A path that is not UTF-8 text after decoding, or that holds U+0000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A field of the request and the segments that hold its value; `end` None means all that are left."""

    field_path: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathTemplate:
    """A template taken apart: literals, "*" and "**", the variables over them, and the verb."""

    text: str
    segments: tuple[str, ...]
    variables: tuple[Variable, ...]
    verb: str | None

    @property
    def openapi_path(self) -> str:
        """The template as OpenAPI writes it: "{name=shelves/*}" becomes "{name}"."""
        return _VARIABLE.sub(lambda match: "{" + match.group(1) + "}", self.text)


def parse_template(text: str) -> PathTemplate:
    """Takes a template apart.

    Raises:
        TemplateError: the syntax is not that of google.api.http.
    """
    # Slashes inside braces belong to the variable.
    path, verb = text, None
    match = re.fullmatch(r"(.*[^/]):([A-Za-z][A-Za-z0-9]*)", text)
    if match is not None and "}" not in match.group(2):
        path, verb = match.group(1), match.group(2)
    if not path.startswith("/"):
        raise TemplateError(f"{text!r} does not begin with a slash")
    segments: list[str] = []
    variables: list[Variable] = []
    for piece in re.findall(r"\{[^{}]*\}|[^/{}]+", path[1:]):
        variable = _VARIABLE.fullmatch(piece)
        inner = (variable.group(2) or "*").split("/") if variable else [piece]
        start = len(segments)
        for segment in inner:
            if segment not in ("*", "**") and _LITERAL.fullmatch(segment) is None:
                raise TemplateError(f"{text!r} has the segment {segment!r}")
            segments.append(segment)
        if variable:
            end = None if segments[-1] == "**" else len(segments)
            variables.append(Variable(field_path=variable.group(1), start=start, end=end))
    if "**" in segments[:-1]:
        raise TemplateError(f"{text!r} has ** before its end")
    return PathTemplate(text=text, segments=tuple(segments), variables=tuple(variables), verb=verb)


@dataclass(slots=True)
class _Node(Generic[T]):
    literals: dict[str, "_Node[T]"] = field(default_factory=dict)
    star: "_Node[T] | None" = None
    # Leaves by verb, then by HTTP method; and the same for a "**" that begins here.
    here: dict[str | None, dict[str, tuple[PathTemplate, T]]] = field(default_factory=dict)
    rest: dict[str | None, dict[str, tuple[PathTemplate, T]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What a path leads to, and the decoded values of its variables by field path."""

    target: T
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OtherMethods:
    """The path exists, but only with these HTTP methods."""

    allowed: tuple[str, ...]


class RouteTable(Generic[T]):
    """Finds targets by HTTP method and path, literals before variables."""

    def __init__(self) -> None:
        """Starts empty."""
        self._root: _Node[T] = _Node()

    def add(self, http_method: str, template: PathTemplate, target: T) -> None:
        """Adds a route.

        Raises:
            TemplateError: another route answers to the same method and paths.
        """
        node = self._root
        segments = template.segments
        whole_rest = segments[-1:] == ("**",)
        for segment in segments[:-1] if whole_rest else segments:
            if segment == "*":
                node.star = node.star or _Node()
                node = node.star
            else:
                node = node.literals.setdefault(segment, _Node())
        leaves = (node.rest if whole_rest else node.here).setdefault(template.verb, {})
        if http_method in leaves:
            raise TemplateError(f"{http_method} {template.text} and {leaves[http_method][0].text} are one route")
        leaves[http_method] = (template, target)

    def find(self, http_method: str, raw_path: str) -> Found[T] | OtherMethods | None:
        """Finds the route of a raw (still percent-encoded) path.

        Raises:
            PathError: a segment is not UTF-8 text.
        """
        if not raw_path.startswith("/"):
            return None
        raw = raw_path[1:].split("/")
        if raw_path == "/":
            return self._choose([self._root.here], http_method, [], None)
        if len(raw) > MAX_SEGMENTS:
            return None
        last, colon, verb = raw[-1].rpartition(":")
        if colon:
            raw[-1] = last
        if not all(raw) or any(":" in segment for segment in raw) or (colon and not verb):
            return None
        segments = [_decode(segment) for segment in raw]
        return self._choose(_candidates(self._root, raw, 0), http_method, segments, verb if colon else None)

    @staticmethod
    def _choose(
        candidates: Iterable[dict[str | None, dict[str, tuple[PathTemplate, T]]]],
        http_method: str,
        segments: list[str],
        verb: str | None,
    ) -> Found[T] | OtherMethods | None:
        allowed: set[str] = set()
        for leaves in candidates:
            by_method = leaves.get(verb)
            if not by_method:
                continue
            hit = by_method.get(http_method)
            if hit is not None:
                template, target = hit
                return Found(target, tuple(_values(template, segments)))
            allowed.update(by_method)
        return OtherMethods(tuple(sorted(allowed))) if allowed else None


def _candidates(
    node: _Node[T], raw: list[str], index: int
) -> Iterator[dict[str | None, dict[str, tuple[PathTemplate, T]]]]:
    if index == len(raw):
        yield node.here
        return
    literal = node.literals.get(raw[index])
    if literal is not None:
        yield from _candidates(literal, raw, index + 1)
    if node.star is not None:
        yield from _candidates(node.star, raw, index + 1)
    yield node.rest


def _values(template: PathTemplate, segments: list[str]) -> Iterator[tuple[str, str]]:
    for variable in template.variables:
        yield variable.field_path, "/".join(segments[variable.start : variable.end])


def _decode(segment: str) -> str:
    if "%" not in segment:
        return segment
    try:
        text = unquote_to_bytes(segment).decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise PathError from error
    if "\x00" in text:
        raise PathError
    return text
