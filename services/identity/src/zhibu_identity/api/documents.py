"""DocumentService: originals about a member go in and out in pieces, sealed in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from google.api import httpbody_pb2
from zhibu.identity.v1 import document_service_pb2 as pb
from zhibu_kit.call import Call

from zhibu_identity.api.clerks import member_of
from zhibu_identity.api.person_messages import document_message
from zhibu_identity.parts import Parts
from zhibu_identity.people.changes import get_person_key
from zhibu_identity.people.documents import get_document, list_documents, open_file_name, read_document, store_document
from zhibu_identity.people.reach import get_person_within

# An upload keeps a database connection for as long as it lasts; the others need connections too.
MOST_UPLOADS: Final = 4


class DocumentApi:
    """The RPCs of DocumentService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts
        self._uploads = asyncio.Semaphore(MOST_UPLOADS)

    async def UploadDocument(
        self, requests: AsyncIterator[pb.UploadDocumentRequest], call: Call
    ) -> pb.UploadDocumentResponse:
        """Keep a document about a member; the first message says about whom, all of them hold pieces."""
        parts, first = self._parts, await anext(requests)
        async with self._uploads, parts.database.write(call, first, pb.UploadDocumentResponse) as write:
            if write.replayed is not None:
                return write.replayed
            person = await get_person_within(write, first.organisation_id, first.member_id)
            key = await get_person_key(parts, person)
            record = await store_document(
                write,
                parts,
                person,
                key=key,
                file_name=first.file_name,
                pieces=_pieces(first, requests),
                officer_member_id=member_of(call),
            )
            message = document_message(record, file_name=open_file_name(record, key))
            return write.reply(pb.UploadDocumentResponse(document=message), subjects=[person.member_id])

    async def ListDocuments(self, request: pb.ListDocumentsRequest, call: Call) -> pb.ListDocumentsResponse:
        """Show what there is about a member."""
        parts = self._parts
        async with parts.database.read(call, request) as read:
            person = await get_person_within(read, request.organisation_id, request.member_id)
            key = await parts.vault.find_member_key(person.member_id, person.county_code)
            found = await list_documents(read, person.member_id)
            return read.reply(
                pb.ListDocumentsResponse(
                    documents=[document_message(one, file_name=open_file_name(one, key)) for one in found]
                ),
                subjects=[person.member_id],
            )

    async def DownloadDocument(
        self, request: pb.DownloadDocumentRequest, call: Call
    ) -> AsyncGenerator[httpbody_pb2.HttpBody]:
        """Download one document."""
        parts = self._parts
        async with parts.database.read(call, request) as read:
            person = await get_person_within(read, request.organisation_id, request.member_id)
            record = await get_document(read, request.document_id, member_id=person.member_id)
            key = await get_person_key(parts, person)
            # The audit row is committed before the first byte leaves.
            read.reply(httpbody_pb2.HttpBody(), subjects=[person.member_id])
        async for piece in read_document(parts, record, key):
            yield httpbody_pb2.HttpBody(content_type=record.content_type, data=piece)


async def _pieces(
    first: pb.UploadDocumentRequest, rest: AsyncIterator[pb.UploadDocumentRequest]
) -> AsyncIterator[bytes]:
    yield first.file.data
    async for request in rest:
        yield request.file.data
