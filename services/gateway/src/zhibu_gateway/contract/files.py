"""Finds every generated module of the contract, so that a new service is published by being in proto/."""

import importlib
from pathlib import Path

import zhibu
from google.protobuf.descriptor import FileDescriptor


def contract_files() -> list[FileDescriptor]:
    """Imports all modules under zhibu.* that protoc generated and gives their descriptors, in the order of their names."""
    names: set[str] = set()
    for root in zhibu.__path__:
        for path in Path(root).rglob("*_pb2.py"):
            names.add(".".join(("zhibu", *path.relative_to(root).with_suffix("").parts)))
    return [importlib.import_module(name).DESCRIPTOR for name in sorted(names)]
