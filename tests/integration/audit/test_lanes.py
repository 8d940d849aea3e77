"""Rows come to the log: each once, in the order of its lane, whatever happens to the messages."""

import random
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from integration.audit.running_audit import FIRST, SECOND, Audit
from support.lane_rows import LaneRows, make_row
from zhibu.identity.v1.roster_events_pb2 import PersonErased
from zhibu_audit.chains import Chains, read_leaf
from zhibu_kit.errors import ServiceError
from zhibu_kit.testing.waiting import wait_until

MEMBER, OTHER = "m" * 26, "n" * 26


def faults_in(leaves: list[bytes]) -> list[str]:
    chains = Chains()
    return [fault.because for index, leaf in enumerate(leaves) for fault in chains.follow(index, leaf)]


async def test_rows_of_every_lane_get_dense_places_in_the_order_of_their_lane(audit: Audit) -> None:
    lanes = {name: LaneRows(lane=name) for name in ("identity", "branches", "notify", "audit")}
    for _ in range(5):
        for name, rows in lanes.items():
            await audit.publish(name, rows.write(7), per_message=3)
    for name in lanes:
        await audit.wait_for(name, 35)

    leaves = await audit.leaves()
    assert len(leaves) == 140
    assert faults_in(leaves) == []
    content = read_leaf(leaves[0])
    assert (content["kind"], content["v"], content["row"]["sequence"]) == ("row", 1, 1)


async def test_what_is_repeated_is_there_once(audit: Audit) -> None:
    rows = LaneRows(lane="identity").write(20)
    for _ in range(3):
        await audit.publish("identity", rows, per_message=6)
    await audit.wait_for("identity", 20)
    await audit.publish("identity", rows[5:9])
    await audit.publish("branches", LaneRows(lane="branches").write(1))
    await audit.wait_for("branches", 1)

    assert len(await audit.leaves("identity")) == 20
    assert await audit.incidents("identity") == []


async def test_what_comes_out_of_order_is_put_in_order(audit: Audit) -> None:
    lane = LaneRows(lane="identity")
    rows = lane.write(60)
    parts = [rows[at : at + 4] for at in range(0, 60, 4)]
    random.Random(7).shuffle(parts)
    for part in parts:
        await audit.publish("identity", part)
    await audit.wait_for("identity", 60)

    assert faults_in(await audit.leaves()) == []
    assert await audit.incidents("identity") == []


async def test_rows_that_are_missing_are_asked_for_and_hold_up_no_other_lane(audit: Audit) -> None:
    lane, other = LaneRows(lane="identity"), LaneRows(lane="branches")
    rows = lane.write(10)
    await audit.publish("identity", [*rows[:3], *rows[6:]], per_message=1)
    await audit.publish("branches", other.write(5))
    await audit.wait_for("branches", 5)
    await audit.wait_for("identity", 3)

    async def asked() -> bool:
        return 4 in await audit.wanted("identity")

    await wait_until(asked)
    await audit.publish("identity", rows[3:])
    await audit.wait_for("identity", 10)
    assert faults_in(await audit.leaves()) == []
    assert (await audit.lane("identity"))["stopped_at"] is None


async def test_a_gap_becomes_an_incident_and_ends_by_itself_when_the_rows_come(audit: Audit) -> None:
    rows = LaneRows(lane="identity").write(10)
    await audit.publish("identity", [*rows[:3], *rows[6:]])
    incident = await audit.wait_for_incident("identity", kind="gap", state="open")
    assert (incident["from_sequence"], incident["to_sequence"]) == (4, 6)
    assert (await audit.lane("identity"))["incident_id"] == incident["incident_id"]

    await audit.publish("identity", rows[3:6])
    await audit.wait_for("identity", 10)
    await audit.wait_for_incident("identity", incident_id=incident["incident_id"], state="fed")
    assert len(await audit.leaves()) == 10


async def test_a_gap_that_two_officers_put_on_record_lets_the_lane_go_on(audit: Audit) -> None:
    lane = LaneRows(lane="identity")
    rows = lane.write(10)
    await audit.publish("identity", [*rows[:3], *rows[6:]])
    incident = await audit.wait_for_incident("identity", kind="gap")

    assert (await audit.sign(incident, FIRST)).state == "signed"
    with pytest.raises(ServiceError, match="INCIDENT_SECOND_SIGNER"):
        await audit.sign(incident, FIRST)
    closed = await audit.sign(incident, SECOND, statement="")
    assert (closed.state, closed.statement, closed.entry_index) == ("closed", "数据库已丢失。", 3)
    await audit.wait_for("identity", 10)

    leaves = await audit.leaves()
    assert faults_in(leaves) == []
    record = read_leaf(leaves[3])
    assert (record["from_sequence"], record["to_sequence"], record["chain"]) == (4, 6, "")
    assert record["next_chain"] == rows[6].chain_hash.hex() == read_leaf(leaves[4])["chain"]
    assert (record["first_signed_by"], record["second_signed_by"]) == (FIRST.member_id, SECOND.member_id)
    with pytest.raises(ServiceError, match="INCIDENT_NOT_OPEN"):
        await audit.sign(incident, SECOND)
    # What was put on record as lost comes too late.
    await audit.publish("identity", rows[3:6])
    await audit.publish("identity", lane.write(1))
    await audit.wait_for("identity", 11)
    assert len(await audit.leaves()) == 9


async def test_a_row_whose_chain_does_not_fit_stops_its_lane_at_once(audit: Audit) -> None:
    lane = LaneRows(lane="identity")
    rows = lane.write(5)
    forged = make_row("identity", 4, b"x" * 32)
    await audit.publish("identity", [*rows[:3], forged])
    incident = await audit.wait_for_incident("identity", kind="conflict", state="open")
    assert (incident["from_sequence"], incident["to_sequence"]) == (4, 3)
    assert await audit.sequence("identity") == 3

    await audit.publish("identity", rows[3:])
    await audit.wait_for("identity", 5)
    await audit.wait_for_incident("identity", state="fed")
    assert faults_in(await audit.leaves()) == []


async def test_a_row_that_was_changed_after_it_was_logged_stops_its_lane(audit: Audit) -> None:
    lane = LaneRows(lane="identity")
    rows = lane.write(5)
    await audit.publish("identity", rows)
    await audit.wait_for("identity", 5)
    changed = make_row("identity", 2, b"", account_id="account-2")
    changed.chain_hash = rows[1].chain_hash
    await audit.publish("identity", [changed])
    incident = await audit.wait_for_incident("identity", kind="conflict", state="open")
    assert (incident["from_sequence"], incident["to_sequence"]) == (2, 5)

    await audit.publish("identity", lane.write(2))
    await audit.sign(incident, FIRST)
    await audit.sign(incident, SECOND)
    await audit.publish("identity", lane.rows[5:])
    await audit.wait_for("identity", 7)
    leaves = await audit.leaves()
    assert faults_in(leaves) == []
    assert read_leaf(leaves[5])["kind"] == "incident"


async def test_a_service_that_was_restored_goes_on_from_the_last_row_that_both_know(audit: Audit) -> None:
    lane = LaneRows(lane="identity")
    await audit.publish("identity", lane.write(8))
    await audit.wait_for("identity", 8)
    restored = lane.back_to(5)
    await audit.publish("identity", restored.write(2))
    incident = await audit.wait_for_incident("identity", kind="conflict", state="open")
    assert (incident["from_sequence"], incident["to_sequence"]) == (6, 5)

    await audit.sign(incident, FIRST)
    await audit.sign(incident, SECOND)
    # As the service does when it is asked.
    await audit.publish("identity", [*restored.rows[5:], *restored.write(3)])
    await audit.wait_for("identity", 10)
    leaves = await audit.leaves()
    assert faults_in(leaves) == []
    assert len(leaves) == 8 + 1 + 5
    assert read_leaf(leaves[8])["chain"] == lane.rows[4].chain_hash.hex()


async def test_a_signature_is_taken_back_when_more_is_found_to_be_missing(audit: Audit) -> None:
    rows = LaneRows(lane="identity").write(10)
    await audit.publish("identity", [*rows[:3], *rows[7:]])
    incident = await audit.wait_for_incident("identity", kind="gap", to_sequence=7)
    await audit.sign(incident, FIRST)
    await audit.publish("identity", rows[5:7])
    changed = await audit.wait_for_incident("identity", kind="gap", to_sequence=5)
    assert (changed["state"], changed["first_signed_by"]) == ("open", "")
    assert changed["incident_id"] == incident["incident_id"]


async def test_the_parts_of_a_row_about_many_come_together(audit: Audit) -> None:
    lane = LaneRows(lane="identity")
    (row,) = lane.write(1, subjects=[MEMBER, OTHER, "p" * 26])
    parts = [type(row)(sequence=1, row=row.row, chain_hash=row.chain_hash, subjects=[one]) for one in row.subjects]
    await audit.publish("identity", parts[:2])
    await audit.publish("identity", [parts[2], parts[0]])

    async def openings() -> int:
        return await audit.number("select count(*) from entry_subject where salt is not null")

    await wait_until(lambda: _equals(openings, 3))
    assert len(await audit.leaves()) == 1


async def test_an_erasure_empties_openings_for_good(audit: Audit) -> None:
    lane = LaneRows(lane="identity")
    await audit.publish("identity", lane.write(1, subjects=[MEMBER, OTHER]))
    await audit.wait_for("identity", 1)
    event = PersonErased(member_id=MEMBER, county_code="370724", version=3)
    headers = {
        "ce-id": "e" * 26,
        "ce-type": "zhibu.identity.v1.PersonErased",
        "ce-time": "2026-11-30T12:00:00+00:00",
        "zhibu-key": MEMBER,
        "zhibu-version": "3",
        "zhibu-county": "370724",
    }
    await audit.bus.publish("zhibu.identity.v1.person_erased", event.SerializeToString(), headers)

    async def named() -> list[str]:
        rows = await audit.everything.fetch(
            "select subject_id from entry_subject where subject_id is not null order by 1"
        )
        return [row["subject_id"] for row in rows]

    await wait_until(lambda: _equals(named, [OTHER]))
    # The row comes again, as it was published before the erasure, and a new one names the same member.
    await audit.publish("identity", [*lane.rows, *lane.write(1, subjects=[MEMBER])])
    await audit.wait_for("identity", 2)
    assert await named() == [OTHER]
    assert await audit.everything.fetchval("select count(*) from entry_subject") == 3


async def test_the_running_service_sees_the_counties_of_its_call_and_changes_nothing(audit: Audit) -> None:
    lane = LaneRows(lane="identity")
    await audit.publish(
        "identity", [*lane.write(1), *lane.write(1, county_code="370781"), *lane.write(1, county_code="")]
    )
    await audit.wait_for("identity", 3)
    app = await asyncpg.connect(audit.database.app_url)
    try:
        assert await app.fetchval("select count(*) from entry") == 0
        for counties, seen in (("370724", 1), ("370724,370781", 2), ("", 0)):
            async with app.transaction():
                await app.execute("select set_config('zhibu.counties', $1, true)", counties)
                assert await app.fetchval("select count(*) from entry") == seen
        for statement in ("update entry set leaf = ''", "delete from entry", "insert into log_head (size) values (1)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()


async def _equals(look: Callable[[], Awaitable[object]], wanted: object) -> bool:
    return await look() == wanted
