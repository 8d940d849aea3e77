"""The comments of the contract, by full name."""

from importlib.resources import files
from typing import cast

import orjson


class Descriptions:
    """What people wrote about each element of the contract."""

    def __init__(self, texts: dict[str, str] | None = None) -> None:
        """Reads descriptions.json of this package, unless texts are given."""
        if texts is None:
            raw = files("zhibu_gateway").joinpath("descriptions.json").read_bytes()
            texts = cast("dict[str, str]", orjson.loads(raw))
        self._texts = texts

    def of(self, full_name: str) -> str:
        """Gives the comment of an element; empty when there is none."""
        return self._texts.get(full_name, "")

    def summary(self, full_name: str, name: str) -> str:
        """Gives the first sentence of an RPC's comment without its name in front, as a heading."""
        text = self.of(full_name).split("\n")[0]
        sentence = text.partition(". ")[0].rstrip(".")
        bare = sentence.removeprefix(name).strip()
        return (bare[:1].upper() + bare[1:]) if bare else name
