"""Headers of downloads: a media type that cannot run, and a file name in any script (RFC 6266, RFC 8187)."""

import mimetypes
import re
import unicodedata
from typing import Final
from urllib.parse import quote

from google.api import httpbody_pb2
from google.protobuf import struct_pb2
from google.protobuf.message import Message

from zhibu_gateway.contract.path_template import PathTemplate

_MEDIA_TYPE: Final = re.compile(
    r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}(?:; ?charset=[a-z0-9_-]{1,20})?", re.IGNORECASE
)
_MAX_NAME: Final = 150
_DEFAULT: Final = "application/octet-stream"
# What RFC 8187 lets stand unescaped besides letters and digits.
_UNESCAPED: Final = "!#$&+-.^_`|~"


def name_of(request: Message, body: httpbody_pb2.HttpBody, *, default: str) -> str:
    """Gives the name under which a file is saved.

    A service names it in an extension of the first HttpBody, a google.protobuf.Struct with `file_name`; otherwise it is the
    request's own field `file_name`, where it has one, or what the path names, as in "applications.csv".
    """
    for extension in body.extensions:
        details = struct_pb2.Struct()
        if extension.Unpack(details) and details.fields["file_name"].string_value:
            return details.fields["file_name"].string_value
    name = getattr(request, "file_name", None)
    if isinstance(name, str) and name:
        return name
    return default + (mimetypes.guess_extension(body.content_type.partition(";")[0].strip()) or "")


def default_name(template: PathTemplate) -> str:
    """Gives the last fixed part of a path: "applications" for ".../applications:export"."""
    return next((segment for segment in reversed(template.segments) if "*" not in segment), "file")


def download_headers(media_type: str, name: str | None) -> list[tuple[bytes, bytes]]:
    """Gives the headers of a file: always saved, never shown by the browser as a page of ours."""
    safe_type = media_type if _MEDIA_TYPE.fullmatch(media_type) else _DEFAULT
    return [
        (b"content-type", safe_type.encode("ascii")),
        (b"content-disposition", content_disposition(name).encode("ascii")),
        (b"content-security-policy", b"sandbox; default-src 'none'"),
        (b"cache-control", b"no-store"),
    ]


def content_disposition(name: str | None) -> str:
    """Writes the header, with the name in ASCII for old programs and in full for the others."""
    if not name:
        return "attachment"
    clean = "".join(
        character for character in name.replace("\\", "/").rpartition("/")[2] if _is_printable(character)
    ).strip(" .")[:_MAX_NAME]
    if not clean:
        return "attachment"
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", clean)
    if plain == clean:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(clean, safe=_UNESCAPED)}"


def _is_printable(character: str) -> bool:
    # Control and formatting characters (a right-to-left mark turns "gpj.exe" around) and lone surrogates.
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
