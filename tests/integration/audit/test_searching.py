"""Searching and proving: officers see what is theirs, members what is about them, and every proof holds."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import grpc
import orjson
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from integration.audit.asking import CLERK, COUNTY_ADMIN, OTHER_ADMIN, PROVINCE_ADMIN, SECURITY, Asked, asked_about
from integration.audit.planted_log import (
    AT,
    BRANCH,
    CITY,
    COUNTY,
    LI,
    OFFICER,
    OTHER_CITY,
    OTHER_COUNTY,
    PROVINCE,
    TOWNSHIP,
    ZHANG,
)
from integration.audit.some_log import (
    APPROVED,
    BY_SERVICE,
    ELSEWHERE,
    FILLING,
    LISTED,
    OF_BRANCH,
    OF_PROVINCE,
    OWN,
    REFUSED,
    some_entries,
)
from support.rpc import Metadata, outcome_of, refusal_of
from zhibu.audit.v1 import entry_pb2
from zhibu.audit.v1 import log_service_pb2 as pb
from zhibu_audit.entries import Wanted
from zhibu_kit.paging import encode_page_token
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres
from zhibu_tlog.keys import read_verifier_key
from zhibu_tlog.proof_files import check_proof_file
from zhibu_tlog.proofs import ProofRefusedError


@pytest.fixture(scope="module")
async def asked(
    nats: NatsServer, postgres: Postgres, service_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Asked]:
    directory: Path = tmp_path_factory.mktemp("audit")
    async with asked_about(
        some_entries(), nats=nats, postgres=postgres, make_database=service_database, directory=directory
    ) as asked:
        yield asked


async def found(asked: Asked, who: Metadata, organisation_id: str, **wanted: object) -> list[int]:
    """Search, and give the numbers of the entries that are not filling."""
    request = pb.SearchEntriesRequest(organisation_id=organisation_id, page_size=200, **wanted)  # pyright: ignore[reportArgumentType]
    numbers: list[int] = []
    while True:
        response = await asked.log.SearchEntries(request, metadata=who)
        numbers += [entry.index for entry in response.entries if entry.index <= BY_SERVICE]
        if not response.next_page_token:
            return numbers
        request.page_token = response.next_page_token


def instant(minutes: int) -> Timestamp:
    """Give the instant of an entry."""
    timestamp = Timestamp()
    timestamp.FromDatetime(AT + timedelta(minutes=minutes))
    return timestamp


async def test_each_level_sees_what_happened_there_and_below_it(asked: Asked) -> None:
    province, county = asked.officer(PROVINCE_ADMIN), asked.officer(COUNTY_ADMIN)
    everything = [BY_SERVICE, OWN, OF_PROVINCE, ELSEWHERE, OF_BRANCH, REFUSED, LISTED, APPROVED]
    assert await found(asked, province, PROVINCE) == everything
    assert await found(asked, province, CITY) == [OWN, OF_BRANCH, REFUSED, LISTED, APPROVED]
    assert await found(asked, province, OTHER_CITY) == [ELSEWHERE]
    assert await found(asked, county, COUNTY) == [OWN, OF_BRANCH, REFUSED, LISTED, APPROVED]
    assert await found(asked, county, TOWNSHIP) == [OF_BRANCH]
    assert await found(asked, county, BRANCH) == [OF_BRANCH]
    assert await found(asked, asked.officer(OTHER_ADMIN), OTHER_COUNTY) == [ELSEWHERE]


async def test_officers_of_a_county_see_nothing_of_another_and_clerks_nothing_at_all(asked: Asked) -> None:
    for who, where in ((OTHER_ADMIN, COUNTY), (COUNTY_ADMIN, OTHER_COUNTY), (COUNTY_ADMIN, PROVINCE), (CLERK, COUNTY)):
        search = pb.SearchEntriesRequest(organisation_id=where)
        assert await outcome_of(asked.log.SearchEntries(search, metadata=asked.officer(who))) == "PERMISSION_DENIED"
        proof = pb.ProveEntryRequest(organisation_id=where, index=APPROVED)
        assert await outcome_of(asked.log.ProveEntry(proof, metadata=asked.officer(who))) == "PERMISSION_DENIED"
    for where, index in ((COUNTY, ELSEWHERE), (COUNTY, OF_PROVINCE), (TOWNSHIP, APPROVED), (COUNTY, 10**9)):
        proof = pb.ProveEntryRequest(organisation_id=where, index=index)
        assert await outcome_of(asked.log.ProveEntry(proof, metadata=asked.officer(COUNTY_ADMIN))) == "NOT_FOUND"


async def test_a_search_finds_by_subject_member_act_outcome_and_period(asked: Asked) -> None:
    county = asked.officer(COUNTY_ADMIN)
    # Those who are only committed to are found too.
    assert await found(asked, county, COUNTY, subject_id=ZHANG) == [OWN, REFUSED, LISTED, APPROVED]
    assert await found(asked, county, COUNTY, subject_id=LI) == [OF_BRANCH, LISTED]
    assert await found(asked, county, COUNTY, member_id=ZHANG) == [OWN]
    assert await found(asked, county, COUNTY, action_prefix="identity.person.") == [REFUSED]
    assert await found(asked, county, COUNTY, action_prefix="identity_person") == []
    assert await found(asked, county, COUNTY, outcome=entry_pb2.ENTRY_OUTCOME_REFUSED) == [REFUSED]
    during = {"start_time": instant(LISTED), "end_time": instant(OF_BRANCH)}
    assert await found(asked, county, COUNTY, **during) == [REFUSED, LISTED]
    assert await found(asked, county, COUNTY, subject_id=ZHANG, **during, outcome=entry_pb2.ENTRY_OUTCOME_READ) == [
        LISTED
    ]


async def test_pages_follow_each_other_without_gap_or_repetition(asked: Asked) -> None:
    request = pb.SearchEntriesRequest(organisation_id=PROVINCE, page_size=37)
    numbers: list[int] = []
    while True:
        response = await asked.log.SearchEntries(request, metadata=asked.officer(PROVINCE_ADMIN))
        numbers += [entry.index for entry in response.entries]
        if not response.next_page_token:
            break
        request.page_token = response.next_page_token
    # Searching stands in the log too, so there may be more than was planted.
    assert numbers == list(reversed(range(numbers[0] + 1)))
    assert numbers[0] >= BY_SERVICE + FILLING


async def test_an_entry_reads_in_the_callers_language(asked: Asked) -> None:
    request = pb.SearchEntriesRequest(organisation_id=COUNTY, subject_id=ZHANG, end_time=instant(LISTED))
    (entry,) = (await asked.log.SearchEntries(request, metadata=asked.officer(SECURITY))).entries
    assert entry == entry_pb2.Entry(
        index=APPROVED,
        lane="identity",
        sequence=1,
        action="identity.application.approved",
        action_text="通过申请",
        outcome=entry_pb2.ENTRY_OUTCOME_DONE,
        account_id="officer",
        member_id=OFFICER,
        offices=[
            entry_pb2.EntryOffice(
                office="county_approver", office_text="县级审批员", organisation_id=COUNTY, organisation_name="临朐县"
            )
        ],
        organisation_id=COUNTY,
        organisation_name="临朐县",
        subject_id=ZHANG,
        subjects_count=1,
        create_time=instant(APPROVED),
        provable=True,
    )
    (entry,) = (await asked.log.SearchEntries(request, metadata=asked.officer(SECURITY, language="en"))).entries
    assert (entry.action_text, entry.offices[0].office_text) == ("approved an application", "County approver")


async def test_a_proof_holds_and_of_another_leaf_it_does_not(asked: Asked) -> None:
    request = pb.ProveEntryRequest(organisation_id=COUNTY, index=LISTED)
    given = await asked.log.ProveEntry(request, metadata=asked.officer(COUNTY_ADMIN))
    key = read_verifier_key(given.verifier_key)
    assert key == asked.key.verifier
    trust = {
        "origin": key.name,
        "keys": [key],
        "witnesses": list(map(read_verifier_key, given.witness_keys)),
        "quorum": given.quorum,
    }
    proved = check_proof_file(given.proof.encode(), given.leaf, **trust)  # pyright: ignore[reportArgumentType]
    assert (proved.index, len(proved.cosignatures), given.quorum) == (LISTED, 2, 2)
    assert orjson.loads(given.leaf)["row"]["action"] == given.entry.action == "identity.people.listed"
    with pytest.raises(ProofRefusedError):
        check_proof_file(given.proof.encode(), given.leaf.replace(b"officer", b"0fficer"), **trust)  # pyright: ignore[reportArgumentType]


async def test_an_entry_that_is_not_under_a_checkpoint_cannot_be_proven_yet(asked: Asked) -> None:
    behind = 10**6
    await asked.everything.execute(
        "insert into entry select $1, kind, 'waiting', 1, leaf, action, outcome, account_id, member_id, organisation_id,"
        " county_codes, 'waiting', request_id, occurred_at from entry where entry_index = 0",
        behind,
    )
    try:
        county = asked.officer(COUNTY_ADMIN)
        search = pb.SearchEntriesRequest(organisation_id=COUNTY, subject_id="waiting")
        (entry,) = (await asked.log.SearchEntries(search, metadata=county)).entries
        assert (entry.index, entry.provable) == (behind, False)
        proof = pb.ProveEntryRequest(organisation_id=COUNTY, index=behind)
        assert await outcome_of(asked.log.ProveEntry(proof, metadata=county)) == "ENTRY_NOT_PROVABLE"
    finally:
        await asked.everything.execute("delete from entry where entry_index = $1", behind)


async def test_searching_the_log_stands_in_the_log(asked: Asked) -> None:
    count = "select count(*) from kit_audit where action = $1 and outcome = $2"
    before = await asked.everything.fetchval(count, "audit.entries.searched", "read") or 0
    await found(asked, asked.officer(COUNTY_ADMIN), TOWNSHIP, subject_id=ZHANG)
    assert await asked.everything.fetchval(count, "audit.entries.searched", "read") == before + 1
    row = await asked.everything.fetchrow("select * from kit_audit order by occurred_at desc, audit_id desc limit 1")
    assert row
    assert (row["subject_id"], row["subjects_count"], row["organisation_id"]) == (TOWNSHIP, 1, TOWNSHIP)


def forged(*keys: str) -> str:
    """Make a token for the search below: tokens are not signed."""
    return encode_page_token(keys, query=f"{COUNTY}\n{Wanted()}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"page_token": "rubbish"},
        {"page_token": "WyJhIiwiYiJd"},
        {"page_token": forged("0001-01-01T00:00:00+23:59", "1")},
        {"page_token": forged("2026-11-10T08:00:00", "1")},
        {"page_token": forged("2026-11-10T08:00:00+00:00", "-1")},
        {"member_id": "'; drop table entry"},
        {"action_prefix": "identity.%"},
        {"subject_id": "a b"},
        {"outcome": 9},
        {"page_size": 201},
        {"start_time": Timestamp(seconds=10**17)},
    ],
)
async def test_rubbish_is_refused_as_such(asked: Asked, wrong: dict[str, object]) -> None:
    request = pb.SearchEntriesRequest(organisation_id=COUNTY, **wrong)  # pyright: ignore[reportArgumentType]
    refusal = await refusal_of(lambda: asked.log.SearchEntries(request, metadata=asked.officer(COUNTY_ADMIN)))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_page_token_belongs_to_its_search(asked: Asked) -> None:
    county = asked.officer(COUNTY_ADMIN)
    first = await asked.log.SearchEntries(pb.SearchEntriesRequest(organisation_id=COUNTY, page_size=1), metadata=county)
    other = pb.SearchEntriesRequest(organisation_id=COUNTY, member_id=ZHANG, page_token=first.next_page_token)
    assert await outcome_of(asked.log.SearchEntries(other, metadata=county)) == "INVALID_ARGUMENT"


async def test_an_entry_of_several_counties_is_shown_in_each_and_once(asked: Asked) -> None:
    await asked.everything.execute(
        "update entry set county_codes = array['370281', '370724'] where entry_index = $1", ELSEWHERE
    )
    try:
        province = asked.officer(PROVINCE_ADMIN)
        assert ELSEWHERE in await found(asked, asked.officer(COUNTY_ADMIN), COUNTY)
        assert await found(asked, asked.officer(OTHER_ADMIN), OTHER_COUNTY) == [ELSEWHERE]
        for where in (CITY, OTHER_CITY, PROVINCE):
            assert (await found(asked, province, where)).count(ELSEWHERE) == 1
    finally:
        await asked.everything.execute(
            "update entry set county_codes = array['370281'] where entry_index = $1", ELSEWHERE
        )
