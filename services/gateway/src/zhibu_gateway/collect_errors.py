"""Makes error_kinds.json, which /errors shows: `python -m zhibu_gateway.collect_errors <out.json> <module>...`.

The gateway must not import services, and yet explains their refusals. So this runs when the contract is generated, in the
workspace where all of them are installed: each module named declares the kinds of one service.
"""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from zhibu_kit.errors import catalogue

# The gateway's own kinds belong in the list too.
from zhibu_gateway.errors import http_status


def main(arguments: Sequence[str]) -> int:
    """Imports the modules and writes what they declare."""
    if not arguments:
        sys.stderr.write("usage: python -m zhibu_gateway.collect_errors <out.json> <module>...\n")
        return 2
    target, *modules = arguments
    for module in modules:
        importlib.import_module(module)
    kinds = {
        reason: {"status": int(http_status(kind)), "grpc": kind.code.name, "zh": kind.zh, "en": kind.en}
        for reason, kind in catalogue().items()
    }
    Path(target).write_bytes(orjson.dumps(kinds, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
