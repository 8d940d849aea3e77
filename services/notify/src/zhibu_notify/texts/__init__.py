"""Every text of a notice, in one place, by the name that is stored."""

from collections.abc import Mapping
from typing import Final

from zhibu_notify.texts.branches import BRANCHES
from zhibu_notify.texts.members import MEMBERS
from zhibu_notify.texts.template import Kind, Template
from zhibu_notify.texts.work import WORK

__all__ = ["TEMPLATES", "Kind", "Template"]

TEMPLATES: Final[Mapping[str, Template]] = {one.name: one for one in (*MEMBERS, *BRANCHES, *WORK)}
