"""Names and types of downloads."""

import pytest
from google.api import httpbody_pb2
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from zhibu.testing.v1 import probe_service_pb2
from zhibu_gateway.contract.path_template import parse_template
from zhibu_gateway.pipelines.disposition import content_disposition, default_name, download_headers, name_of
from zhibu_gateway.pipelines.header_fields import read_file_name
from zhibu_kit.errors import ServiceError


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("list.csv", 'attachment; filename="list.csv"'),
        ("名单 1.csv", "attachment; filename=\"__ 1.csv\"; filename*=UTF-8''%E5%90%8D%E5%8D%95%201.csv"),
        ('a".csv', "attachment; filename=\"a_.csv\"; filename*=UTF-8''a%22.csv"),
        ("../../etc/passwd", 'attachment; filename="passwd"'),
        ("C:\\temp\\a.txt", 'attachment; filename="a.txt"'),
        (
            "a\r\nSet-Cookie: x.csv",
            "attachment; filename=\"aSet-Cookie_ x.csv\"; filename*=UTF-8''aSet-Cookie%3A%20x.csv",
        ),
        ("photo\u202egpj.exe", 'attachment; filename="photogpj.exe"'),
        ("...", "attachment"),
        ("", "attachment"),
    ],
)
def test_a_file_name_is_written_for_old_and_new_programs(name: str, header: str) -> None:
    assert content_disposition(name) == header


@pytest.mark.parametrize("media_type", ["text/html\r\nX: y", "nonsense", "", "text/html; charset=utf-8; x=y"])
def test_a_media_type_that_is_none_becomes_bytes(media_type: str) -> None:
    assert dict(download_headers(media_type, "a"))[b"content-type"] == b"application/octet-stream"


def test_the_service_names_the_file_or_the_request_or_the_path() -> None:
    body = httpbody_pb2.HttpBody(content_type="text/csv; charset=utf-8")
    request = probe_service_pb2.WatchRequest()
    assert name_of(request, body, default="applications") == "applications.csv"
    assert name_of(probe_service_pb2.DownloadRequest(file_name="b.bin"), body, default="x") == "b.bin"
    details = struct_pb2.Struct()
    details.update({"file_name": "申请.csv"})
    body.extensions.add().Pack(details)
    assert name_of(request, body, default="applications") == "申请.csv"


def test_the_paths_last_fixed_part_is_the_default() -> None:
    assert default_name(parse_template("/v1/organisations/{id}/applications:export")) == "applications"
    assert default_name(parse_template("/v1/me/card")) == "card"


@pytest.mark.parametrize(
    "parameter",
    ["filename*=unicode_escape''%5Cud800", "filename*=utf-7''+2AA-", "filename*=idna''x%FF", "filename*=undefined''x"],
)
def test_an_uploads_name_in_an_encoding_that_makes_no_text_is_a_malformed_header(parameter: str) -> None:
    with pytest.raises(ServiceError) as refused:
        read_file_name(f"attachment; {parameter}")
    assert refused.value.reason == "MALFORMED_HEADER"


@given(st.text(alphabet=st.characters(max_codepoint=0xFF), max_size=80))
def test_any_header_names_a_file_that_a_message_takes_or_is_refused(parameters: str) -> None:
    try:
        name = read_file_name(f"attachment; {parameters}")
    except ServiceError:
        return
    assert "/" not in name
    assert probe_service_pb2.DownloadRequest(file_name=name).file_name == name
