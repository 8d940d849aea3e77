"""Incidents over the API: the province's officers see them, two of them sign, and the signed word is an entry of the log."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from integration.audit.asking import COUNTY_ADMIN, PROVINCE_ADMIN, SECOND_ADMIN, Asked, asked_about
from integration.audit.planted_log import AT, COUNTY, PROVINCE, PlantedLog
from support.rpc import outcome_of
from zhibu.audit.v1 import incident_service_pb2 as pb
from zhibu.audit.v1 import log_service_pb2
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres

FIRST, SECOND = "01jdincident00000000000001", "01jdincident00000000000002"


@pytest.fixture(scope="module")
async def asked(
    nats: NatsServer, postgres: Postgres, service_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Asked]:
    directory: Path = tmp_path_factory.mktemp("audit")
    log = PlantedLog()
    log.add()
    async with asked_about(
        log, nats=nats, postgres=postgres, make_database=service_database, directory=directory
    ) as asked:
        await asked.everything.executemany(
            "insert into incident (incident_id, kind, state, lane, from_sequence, to_sequence, chain_hash, anchored, created_at,"
            " version) values ($1, 'gap', 'open', $2, 2, 5, $3, true, $4, 1)",
            [(FIRST, "identity", bytes(32), AT), (SECOND, "branches", bytes(32), AT + timedelta(days=1))],
        )
        yield asked


async def test_incidents_are_shown_newest_first_and_to_the_province_alone(asked: Asked) -> None:
    province = asked.officer(PROVINCE_ADMIN)
    request = pb.ListIncidentsRequest(organisation_id=PROVINCE, page_size=1)
    first = await asked.incidents.ListIncidents(request, metadata=province)
    request.page_token = first.next_page_token
    second = await asked.incidents.ListIncidents(request, metadata=province)
    assert [one.incident_id for one in (*first.incidents, *second.incidents)] == [SECOND, FIRST]
    assert second.next_page_token == ""
    (incident,) = second.incidents
    assert (incident.kind, incident.lane, incident.from_sequence, incident.to_sequence) == (
        pb.INCIDENT_KIND_GAP,
        "identity",
        2,
        5,
    )
    county = pb.ListIncidentsRequest(organisation_id=COUNTY)
    call = asked.incidents.ListIncidents(county, metadata=asked.officer(COUNTY_ADMIN))
    assert await outcome_of(call) == "INCIDENTS_OF_PROVINCE"
    request.page_token = "WyIwIl0"
    assert await outcome_of(asked.incidents.ListIncidents(request, metadata=province)) == "INVALID_ARGUMENT"


async def test_two_officers_sign_and_the_word_becomes_an_entry(asked: Asked) -> None:
    def sign(
        who: str, statement: str = "", *, etag: str = "v1", request_id: str = ""
    ) -> Awaitable[pb.SignIncidentResponse]:
        request = pb.SignIncidentRequest(
            organisation_id=PROVINCE, incident_id=FIRST, statement=statement, etag=etag, request_id=request_id
        )
        return asked.incidents.SignIncident(request, metadata=asked.officer(who))

    assert await outcome_of(sign(PROVINCE_ADMIN)) == "INCIDENT_STATEMENT_MISSING"
    signed = await sign(PROVINCE_ADMIN, "磁盘损坏，记录已丢失。", request_id="once")
    assert (signed.incident.state, signed.etag) == (pb.INCIDENT_STATE_SIGNED, "v2")
    assert await sign(PROVINCE_ADMIN, "磁盘损坏，记录已丢失。", request_id="once") == signed
    assert await outcome_of(sign(PROVINCE_ADMIN, etag="v2")) == "INCIDENT_SECOND_SIGNER"
    assert await outcome_of(sign(SECOND_ADMIN, etag="v1")) == "ETAG_MISMATCH"
    closed = (await sign(SECOND_ADMIN, etag="v2")).incident
    assert (closed.state, closed.statement) == (pb.INCIDENT_STATE_CLOSED, "磁盘损坏，记录已丢失。")
    assert closed.first_signed_by_member_id != closed.second_signed_by_member_id
    leaf = await asked.everything.fetchval("select leaf from entry where entry_index = $1", closed.entry_index)
    assert orjson.loads(leaf or b"{}")["statement"] == "磁盘损坏，记录已丢失。"
    search = log_service_pb2.SearchEntriesRequest(organisation_id=PROVINCE, action_prefix="log.")
    (entry,) = (await asked.log.SearchEntries(search, metadata=asked.officer(PROVINCE_ADMIN))).entries
    assert (entry.action, entry.action_text, entry.subject_id) == ("log.incident", "日志事件登记在案", FIRST)
