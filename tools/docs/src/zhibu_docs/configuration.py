"""docs/configuration.md: every setting of every process, from the pydantic models that read them."""

import importlib
import importlib.util
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from types import UnionType
from typing import Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings
from zhibu_kit.settings import ServiceSettings

from zhibu_docs.markdown import page, table
from zhibu_docs.packages import runnable_packages

_ABOUT = """
Every process reads its settings from the environment. Names are those below; an empty value counts as not set. What holds a password is
kept out of logs. `make run` sets everything by itself (`tools/stack`); in a cluster the chart does.
"""


def render() -> str:
    """Write the page."""
    sections = ["## Every service", _table(ServiceSettings, inherited=True)]
    for package in runnable_packages():
        for settings in settings_of(package):
            heading = f"## {package.removeprefix('zhibu_')}"
            note = "Besides those of every service:" if issubclass(settings, ServiceSettings) else "On its own:"
            rows = _table(settings, inherited=not issubclass(settings, ServiceSettings))
            sections += [heading, note, rows] if rows else [heading, "Only those of every service."]
    return page("Configuration", "the settings models of the services", _ABOUT, *sections)


def settings_of(package: str) -> Iterator[type[BaseSettings]]:
    """Give the settings models that a package declares in its module `settings`."""
    name = f"{package}.settings"
    if importlib.util.find_spec(name) is None:
        return
    for value in vars(importlib.import_module(name)).values():
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == name:
            yield value


def _table(settings: type[BaseSettings], *, inherited: bool) -> str:
    known = {} if inherited else ServiceSettings.model_fields
    rows = [
        [
            f"`{_variable(settings, name, field)}`",
            _type_name(field.annotation),
            _default(field),
            field.description or "",
        ]
        for name, field in settings.model_fields.items()
        if name not in known or field.default != known[name].default
    ]
    return table(["variable", "type", "default", "meaning"], rows) if rows else ""


def _variable(settings: type[BaseSettings], name: str, field: FieldInfo) -> str:
    if name == "peers":
        return "ZHIBU_PEER_<SERVICE>"
    alias = field.validation_alias
    return alias if isinstance(alias, str) else f"{settings.model_config.get('env_prefix', '')}{name}".upper()


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    if field.default_factory is not None or field.default is PydanticUndefined:
        return ""
    value: object = field.default
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, timedelta):
        value = f"{value.total_seconds():g} s"
    return "(empty)" if value in ("", None, ()) else f"`{value}`"


def _type_name(annotation: object) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if origin in (Union, UnionType):
        return " or ".join(_type_name(part) for part in get_args(annotation) if part is not type(None))
    if origin is not None:
        return str(getattr(origin, "__name__", origin))
    return str(getattr(annotation, "__name__", annotation))
