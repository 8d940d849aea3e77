"""Makes descriptions.json out of the contract's comments: `python -m zhibu_gateway.describe <descriptor set> <out.json>`.

Generated Python holds no comments, so a descriptor set made with `--include_source_info` is read once, when the contract is
generated, and what people wrote about each element is committed next to the code that shows it.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import orjson
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet

# Field numbers in descriptor.proto, of which source paths are made.
_FILE_MESSAGE, _FILE_ENUM, _FILE_SERVICE = 4, 5, 6
_MESSAGE_FIELD, _MESSAGE_NESTED, _MESSAGE_ENUM = 2, 3, 4
_ENUM_VALUE: Final = 2
_SERVICE_METHOD: Final = 2

_Path = tuple[int, ...]


def descriptions_of(descriptors: FileDescriptorSet) -> dict[str, str]:
    """Gives the comment of every service, RPC, message, field, enum and enum value of the contract by its full name."""
    return {
        name: text
        for file in descriptors.file
        if file.package.startswith("zhibu.")
        for name, text in _file(file)
        if text
    }


def _file(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    comments = {tuple(location.path): location.leading_comments for location in file.source_code_info.location}
    for path, name in _elements(file):
        yield name, _clean(comments.get(path, ""))


def _elements(file: FileDescriptorProto) -> Iterator[tuple[_Path, str]]:
    for index, message in enumerate(file.message_type):
        yield from _message(message, (_FILE_MESSAGE, index), file.package)
    for index, enum in enumerate(file.enum_type):
        yield from _enum(enum, (_FILE_ENUM, index), file.package)
    for index, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield (_FILE_SERVICE, index), name
        for number, method in enumerate(service.method):
            yield (_FILE_SERVICE, index, _SERVICE_METHOD, number), f"{name}.{method.name}"


def _message(message: DescriptorProto, path: _Path, scope: str) -> Iterator[tuple[_Path, str]]:
    name = f"{scope}.{message.name}"
    yield path, name
    for index, field in enumerate(message.field):
        yield (*path, _MESSAGE_FIELD, index), f"{name}.{field.name}"
    for index, nested in enumerate(message.nested_type):
        yield from _message(nested, (*path, _MESSAGE_NESTED, index), name)
    for index, enum in enumerate(message.enum_type):
        yield from _enum(enum, (*path, _MESSAGE_ENUM, index), name)


def _enum(enum: EnumDescriptorProto, path: _Path, scope: str) -> Iterator[tuple[_Path, str]]:
    name = f"{scope}.{enum.name}"
    yield path, name
    for index, value in enumerate(enum.value):
        # Values have the enum's name in front here, unlike in protobuf, where they are its siblings.
        yield (*path, _ENUM_VALUE, index), f"{name}.{value.name}"


def _clean(comment: str) -> str:
    """Joins wrapped lines, keeps paragraphs, and leaves out what is meant for linters."""
    lines = [line.strip() for line in comment.splitlines() if not line.strip().startswith("buf:lint:")]
    paragraphs = re.split(r"\n{2,}", "\n".join(lines).strip())
    return "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)


def main(arguments: Sequence[str]) -> int:
    """Reads the descriptor set and writes the descriptions."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m zhibu_gateway.describe <descriptor set> <out.json>\n")
        return 2
    source, target = (Path(argument) for argument in arguments)
    described = descriptions_of(FileDescriptorSet.FromString(source.read_bytes()))
    target.write_bytes(orjson.dumps(described, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
