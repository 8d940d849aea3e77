"""Documents: PDF, JPEG and PNG by what is in them, sealed piece by piece, up and down in pieces."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from google.api import httpbody_pb2
from integration.identity.people_by_hand import (
    SECRETARY,
    TOWNSHIP,
    TOWNSHIP_BRANCH,
    TOWNSHIP_OFFICER,
    RosterPerson,
    add_organisations_and_officers,
    documents_of,
    enter_people,
)
from integration.identity.running_identity import LINQU, LINQU_ADMIN, LINQU_BRANCH, QINGZHOU_CLERK, Identity, Officer
from integration.identity.setting_up import Databases
from support.rpc import outcome_of, refusal_of
from zhibu.identity.v1 import document_service_pb2 as pb
from zhibu_identity.rules.media_types import MOST_BYTES
from zhibu_kit.ids import new_ulid

PDF = b"%PDF-1.7\n" + os.urandom(600_000)
PNG = b"\x89PNG\r\n\x1a\n" + os.urandom(300)
JPEG = b"\xff\xd8\xff\xe0" + os.urandom(262_140)


@pytest.fixture(scope="module", autouse=True)
async def more(databases: Databases) -> None:
    await add_organisations_and_officers(databases)


@pytest.fixture(scope="module")
async def person(identity: Identity, more: None) -> RosterPerson:
    person = RosterPerson(branch_id=TOWNSHIP_BRANCH)
    await enter_people(identity.parts, [person])
    return person


async def upload(
    identity: Identity,
    person: RosterPerson,
    data: bytes,
    *,
    name: str = "入党志愿书.pdf",
    officer: Officer = LINQU_ADMIN,
    organisation_id: str = LINQU,
    request_id: str = "",
    piece_bytes: int = 100_000,
) -> pb.Document:
    async def pieces() -> AsyncIterator[pb.UploadDocumentRequest]:
        yield pb.UploadDocumentRequest(
            organisation_id=organisation_id,
            member_id=person.member_id,
            file_name=name,
            file=httpbody_pb2.HttpBody(content_type="text/html", data=data[:piece_bytes]),
            request_id=request_id or new_ulid(),
        )
        for at in range(piece_bytes, len(data), piece_bytes):
            yield pb.UploadDocumentRequest(file=httpbody_pb2.HttpBody(data=data[at : at + piece_bytes]))

    uploaded = await documents_of(identity).UploadDocument(pieces(), metadata=identity.officer(officer))
    return uploaded.document


async def download(
    identity: Identity, document: pb.Document, officer: Officer = LINQU_ADMIN, organisation_id: str = LINQU
) -> list[httpbody_pb2.HttpBody]:
    request = pb.DownloadDocumentRequest(
        organisation_id=organisation_id, member_id=document.member_id, document_id=document.document_id
    )
    call = documents_of(identity).DownloadDocument(request, metadata=identity.officer(officer))
    return [piece async for piece in call]


@pytest.mark.parametrize(
    ("data", "kind"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")], ids=["pdf", "png", "jpeg"]
)
async def test_what_goes_up_comes_down_with_the_kind_that_it_has_and_not_the_one_that_was_said(
    identity: Identity, person: RosterPerson, data: bytes, kind: str
) -> None:
    document = await upload(identity, person, data)
    assert (document.content_type, document.size_bytes, document.file_name) == (kind, len(data), "入党志愿书.pdf")
    pieces = await download(identity, document)
    assert b"".join(piece.data for piece in pieces) == data
    assert {piece.content_type for piece in pieces} == {kind}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"PK\x03\x04" + bytes(2000),
        b" %PDF-1.7",
        b"GIF89a",
    ],
    ids=["nothing", "html", "svg", "zip", "pdf-later", "gif"],
)
async def test_anything_else_is_refused_and_leaves_nothing(
    identity: Identity, databases: Databases, person: RosterPerson, data: bytes
) -> None:
    count = "select count(*) from document_chunk"
    before = await databases.owner.fetchval(count)
    error = await refusal_of(lambda: upload(identity, person, data))
    assert [one.reason for one in error.fields] == ["DOCUMENT_KIND"]
    assert await databases.owner.fetchval(count) == before


async def test_a_file_that_is_too_large_is_refused(identity: Identity, person: RosterPerson) -> None:
    error = await refusal_of(lambda: upload(identity, person, b"%PDF-" + bytes(MOST_BYTES), piece_bytes=1024 * 1024))
    assert [one.reason for one in error.fields] == ["DOCUMENT_TOO_LARGE"]


async def test_the_same_upload_sent_again_is_one_document(identity: Identity, person: RosterPerson) -> None:
    request_id = new_ulid()
    first = await upload(identity, person, PNG, request_id=request_id)
    assert await upload(identity, person, PNG, request_id=request_id) == first
    listed = await documents_of(identity).ListDocuments(
        pb.ListDocumentsRequest(organisation_id=LINQU, member_id=person.member_id),
        metadata=identity.officer(LINQU_ADMIN),
    )
    assert [one.document_id for one in listed.documents].count(first.document_id) == 1


async def test_directories_and_control_characters_stay_out_of_a_files_name(
    identity: Identity, person: RosterPerson
) -> None:
    document = await upload(identity, person, PNG, name="..\\..\\照片\r\n\u202e.png")
    assert document.file_name == "照片.png"


async def test_only_those_who_see_the_person_and_may_read_documents_get_one(
    identity: Identity, person: RosterPerson
) -> None:
    document = await upload(identity, person, PNG, officer=TOWNSHIP_OFFICER, organisation_id=TOWNSHIP)
    assert await download(identity, document, TOWNSHIP_OFFICER, TOWNSHIP)
    for officer, organisation_id, reason in (
        (SECRETARY, LINQU_BRANCH, "PERMISSION_DENIED"),
        (QINGZHOU_CLERK, LINQU, "PERMISSION_DENIED"),
        (LINQU_ADMIN, LINQU_BRANCH, "NOT_FOUND"),
    ):
        error = await refusal_of(lambda: download(identity, document, officer, organisation_id))  # noqa: B023 - called at once
        assert error.reason == reason


async def test_pieces_are_sealed_and_can_be_neither_exchanged_nor_cut_off(
    identity: Identity, databases: Databases, person: RosterPerson
) -> None:
    document = await upload(identity, person, PDF)
    rows = await databases.owner.fetch(
        "select position, sealed from document_chunk where document_id = $1 order by position", document.document_id
    )
    assert len(rows) == 3
    assert all(PDF[at * 262_144 :][:64] not in row["sealed"] for at, row in enumerate(rows))
    change = "update document_chunk set sealed = $3 where document_id = $1 and position = $2"
    await databases.owner.execute(change, document.document_id, 0, rows[1]["sealed"])
    assert await outcome_of(asyncio.ensure_future(download(identity, document))) == "INTERNAL"
    await databases.owner.execute(change, document.document_id, 0, rows[0]["sealed"])
    await databases.owner.execute("update document set chunk_count = 2 where document_id = $1", document.document_id)
    assert await outcome_of(asyncio.ensure_future(download(identity, document))) == "INTERNAL"


async def test_after_an_erasure_no_document_opens(identity: Identity) -> None:
    gone = RosterPerson()
    await enter_people(identity.parts, [gone])
    document = await upload(identity, gone, PDF)
    await identity.parts.vault.erase(gone.member_id)
    assert await outcome_of(asyncio.ensure_future(download(identity, document))) == "PERSON_ERASED"
