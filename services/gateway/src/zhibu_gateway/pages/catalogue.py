"""What is known of each kind of error, for the pages that explain them."""

from dataclasses import dataclass
from importlib.resources import files
from typing import cast

import orjson
from zhibu_kit.errors import catalogue

from zhibu_gateway.errors import http_status


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A kind of error as its page shows it."""

    reason: str
    status: int
    zh: str
    en: str


def load_catalogue() -> dict[str, Explained]:
    """Gives the kinds that services declared when the contract was generated, and those of this process."""
    raw = files("zhibu_gateway").joinpath("error_kinds.json").read_bytes()
    known = {
        reason: Explained(reason=reason, status=int(str(kind["status"])), zh=str(kind["zh"]), en=str(kind["en"]))
        for reason, kind in cast("dict[str, dict[str, object]]", orjson.loads(raw)).items()
    }
    for reason, kind in catalogue().items():
        known[reason] = Explained(reason=reason, status=int(http_status(kind)), zh=kind.zh, en=kind.en)
    return dict(sorted(known.items()))
