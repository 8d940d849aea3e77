"""What a member is shown of the log: who looked at the own record, by office and never by name, and proofs of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from integration.audit.asking import Asked, asked_about
from integration.audit.planted_log import LI, OFFICER, ZHANG
from integration.audit.some_log import APPROVED, BY_SERVICE, ELSEWHERE, LISTED, OWN, REFUSED, some_entries
from support.rpc import outcome_of
from zhibu.audit.v1 import entry_pb2
from zhibu.audit.v1 import log_service_pb2 as pb
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres
from zhibu_tlog.keys import read_verifier_key
from zhibu_tlog.proof_files import check_proof_file


@pytest.fixture(scope="module")
async def asked(
    nats: NatsServer, postgres: Postgres, service_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Asked]:
    directory: Path = tmp_path_factory.mktemp("audit")
    async with asked_about(
        some_entries(), nats=nats, postgres=postgres, make_database=service_database, directory=directory
    ) as asked:
        yield asked


async def test_a_member_sees_who_looked_by_office_and_never_who_it_was(asked: Asked) -> None:
    response = await asked.log.ListMyEntries(pb.ListMyEntriesRequest(), metadata=asked.member(ZHANG))
    assert [entry.index for entry in response.entries] == [BY_SERVICE, OWN, REFUSED, LISTED, APPROVED]
    by_service, own, refused, listed, _ = response.entries
    assert (by_service.caller_service, by_service.action_text) == ("notify", "为发送短信取用手机号码")
    # What the member did is marked as the member's own.
    assert [entry.member_id for entry in response.entries] == ["", ZHANG, "", "", ""]
    assert [entry.account_id for entry in response.entries] == [""] * 5
    assert (listed.offices[0].office_text, listed.offices[0].organisation_name) == ("县级审批员", "临朐县")
    assert (refused.outcome, refused.reason, own.outcome) == (
        entry_pb2.ENTRY_OUTCOME_REFUSED,
        "PERMISSION_DENIED",
        entry_pb2.ENTRY_OUTCOME_READ,
    )
    assert OFFICER not in str(response)
    read = await asked.log.ListMyEntries(
        pb.ListMyEntriesRequest(outcome=entry_pb2.ENTRY_OUTCOME_READ, page_size=2), metadata=asked.member(ZHANG)
    )
    assert [entry.index for entry in read.entries] == [BY_SERVICE, OWN]
    rest = await asked.log.ListMyEntries(
        pb.ListMyEntriesRequest(outcome=entry_pb2.ENTRY_OUTCOME_READ, page_size=2, page_token=read.next_page_token),
        metadata=asked.member(ZHANG),
    )
    assert [entry.index for entry in rest.entries] == [LISTED]


async def test_a_member_proves_an_entry_and_opens_the_own_place_in_it(asked: Asked) -> None:
    given = await asked.log.ProveMyEntry(pb.ProveMyEntryRequest(index=LISTED), metadata=asked.member(LI))
    check_proof_file(
        given.proof.encode(), given.leaf, origin=asked.key.name, keys=[read_verifier_key(given.verifier_key)]
    )
    own = sha256(bytes.fromhex(given.opening.salt) + LI.encode()).hexdigest()
    assert (given.opening.subject_id, own in given.opening.commitments) == (LI, True)
    assert len(given.opening.commitments) == 2
    together = sha256(bytes.fromhex("".join(given.opening.commitments))).hexdigest()
    assert orjson.loads(given.leaf)["row"]["subjects_commitment"] == together
    # Named by the entry itself, there is nothing to open.
    named = await asked.log.ProveMyEntry(pb.ProveMyEntryRequest(index=REFUSED), metadata=asked.member(ZHANG))
    assert not named.HasField("opening")


async def test_what_is_not_about_the_member_is_not_there(asked: Asked) -> None:
    for member_id, index in ((LI, APPROVED), (OFFICER, APPROVED), (ZHANG, ELSEWHERE), (ZHANG, 10**9)):
        request = pb.ProveMyEntryRequest(index=index)
        assert await outcome_of(asked.log.ProveMyEntry(request, metadata=asked.member(member_id))) == "NOT_FOUND"
    assert not (await asked.log.ListMyEntries(pb.ListMyEntriesRequest(), metadata=asked.member(OFFICER))).entries
    nobody = asked.member(None)
    assert await outcome_of(asked.log.ListMyEntries(pb.ListMyEntriesRequest(), metadata=nobody)) == "PERMISSION_DENIED"
