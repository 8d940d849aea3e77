"""What lies in the two databases, and what is left when a key is gone."""

from __future__ import annotations

import base64
import os

import asyncpg
import pytest
from integration.identity.running_identity import CLERK, LINQU, Applicant, Identity
from integration.identity.setting_up import Databases, Workbench
from integration.identity.working_by_hand import (
    approve_by_hand,
    eids_of,
    file_by_hand,
    load,
    work_to_the_end,
)
from support.rpc import refusal_of
from support.synthetic_people import new_telephone
from zhibu.identity.v1 import application_service_pb2 as pb
from zhibu.identity.v1 import eid_pb2
from zhibu.identity.v1 import eid_service_pb2 as eids_pb
from zhibu_identity.applications.records import open_details
from zhibu_identity.eids.records import open_holder
from zhibu_identity.erasures import destroying as erasure
from zhibu_identity.keys.master import KeyDamagedError, MasterKeyError, MasterKeys
from zhibu_identity.keys.vault import open_vault
from zhibu_identity.rules.search_terms import terms_of_query
from zhibu_identity.telephones.sending import Purpose
from zhibu_kit.ids import new_ulid

# A name and answers that occur nowhere else.
NAME = "尉迟𬭚麟"
QUESTION = "请说明龘字的来历"
ANSWER = "祖父所取靐"


async def dump(connection: asyncpg.Connection) -> bytes:
    """Return every row of every table, as text and as the bytes that stand in columns."""
    tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    parts: list[bytes] = []
    for table in tables:
        for row in await connection.fetch(f'select * from "{table["tablename"]}"'):
            parts.extend(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    return b"\n".join(parts)


async def test_nothing_that_tells_who_somebody_is_stands_readable_in_any_table(
    identity: Identity, databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    applicant = Applicant(real_name=NAME)
    filed = await identity.file(applicant)
    application = await identity.find(filed)
    asked = await identity.applications.AskApplicant(
        pb.AskApplicantRequest(
            organisation_id=LINQU,
            application_id=application.application_id,
            etag=application.etag,
            question=QUESTION,
            request_id=new_ulid(),
        ),
        metadata=identity.officer(CLERK),
    )
    await identity.applications.AnswerQuestion(
        pb.AnswerQuestionRequest(key=filed.key, answer=ANSWER, request_id=new_ulid())
    )
    await identity.approve(await identity.find(filed))
    issued = await identity.issued(filed)
    activation = await identity.eids.IssueActivationCode(
        eids_pb.IssueActivationCodeRequest(organisation_id=LINQU, eid_id=issued.eid_id, request_id=new_ulid()),
        metadata=identity.officer(CLERK),
    )
    await identity.eids.SendLoginCode(eids_pb.SendLoginCodeRequest(eid_number=activation.eid_number))
    login_code = await identity.telephones.wait_for(applicant.telephone, Purpose.LOGIN)
    (account,) = identity.accounts.of_member((await identity.get_eid(issued.eid_id)).member_id)
    secrets = {
        "name": NAME,
        "resident number": applicant.resident_number,
        "telephone": applicant.telephone,
        "question": asked.application.question,
        "answer": ANSWER,
        "case code": filed.case_code,
        "serial number": activation.eid_number,
        "activation code": activation.activation_code,
        "seed": account.totp_seed,
    }
    everything = await dump(databases.owner) + await dump(databases.keys_owner)
    assert application.case_number.encode() in everything
    assert [what for what, text in secrets.items() if text.encode() in everything] == []
    logged = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert [what for what, text in {**secrets, "log-in code": login_code}.items() if text in logged] == []


async def test_whatever_was_sealed_with_an_erased_key_cannot_be_read_again(workbench: Workbench) -> None:
    applicant = Applicant(real_name=NAME)
    application = await approve_by_hand(workbench, await file_by_hand(workbench, applicant))
    await work_to_the_end(workbench)
    (eid,) = await eids_of(workbench, application)
    kept = await workbench.vault.find_member_key(application.member_id, LINQU)
    assert open_holder(eid, kept).real_name == NAME
    parts = workbench.parts
    assert await erasure.erase_person(
        parts.database, workbench.vault, parts.clock, member_id=application.member_id, county_code=LINQU
    )
    assert await workbench.vault.find_member_key(application.member_id, LINQU) is None
    assert open_details(await load(workbench, application), None).real_name == ""
    assert await workbench.vault.search.find_members(LINQU, terms_of_query(NAME)) == []
    left = await dump(workbench.databases.keys_owner)
    assert application.member_id.encode() not in left


async def test_an_erasure_is_applied_again_when_the_key_database_was_restored(workbench: Workbench) -> None:
    application = await file_by_hand(workbench)
    keys = workbench.databases.keys_owner
    backup = await keys.fetchrow("select * from member_key where member_id = $1", application.member_id)
    assert backup is not None
    parts = workbench.parts
    await erasure.erase_person(
        parts.database, workbench.vault, parts.clock, member_id=application.member_id, county_code=LINQU
    )
    await keys.execute("insert into member_key values ($1, $2, $3, $4, $5, $6)", *backup.values())
    assert await erasure.apply_erasures(parts) == 1
    assert await keys.fetchval("select count(*) from member_key") == 0
    assert await erasure.apply_erasures(parts) == 0


async def test_a_sealed_value_that_was_moved_to_another_person_does_not_open(workbench: Workbench) -> None:
    one = await file_by_hand(workbench)
    other = await file_by_hand(workbench)
    await workbench.databases.owner.execute(
        "update application set real_name = $1 where application_id = $2", one.real_name, other.application_id
    )
    key = await workbench.vault.find_member_key(other.member_id, LINQU)
    with pytest.raises(KeyDamagedError):
        open_details(await load(workbench, other), key)


async def test_the_master_key_is_changed_without_touching_personal_data(workbench: Workbench) -> None:
    application = await file_by_hand(workbench, Applicant(real_name=NAME))
    databases = workbench.databases
    new_key = base64.b64encode(os.urandom(32)).decode()
    both = MasterKeys.parse(f"2:{new_key},1:{databases.master_key}")
    vault = await open_vault(databases.keys.app_url, both)
    try:
        while await vault.wrap_anew(most=1):
            pass
    finally:
        await vault.close()
    only_new = await open_vault(databases.keys.app_url, MasterKeys.parse(f"2:{new_key}"))
    try:
        key = await only_new.find_member_key(application.member_id, LINQU)
        assert open_details(await load(workbench, application), key).real_name == NAME
        assert await only_new.search.find_members(LINQU, terms_of_query(NAME)) == [application.member_id]
    finally:
        await only_new.close()
    # The tests that follow use the same database.
    back = MasterKeys.parse(f"3:{databases.master_key},2:{new_key}")
    vault = await open_vault(databases.keys.app_url, back)
    while await vault.wrap_anew(most=10):
        pass
    await databases.keys_owner.execute("update index_key set master_version = 1")
    await databases.keys_owner.execute("delete from master_key_check where master_version <> 1")
    await vault.close()


async def test_a_wrong_master_key_is_noticed_at_once(workbench: Workbench) -> None:
    wrong = MasterKeys.parse(base64.b64encode(os.urandom(32)).decode())
    with pytest.raises(MasterKeyError):
        await open_vault(workbench.databases.keys.app_url, wrong)


async def test_while_the_key_database_is_away_people_are_told_to_come_back(
    identity: Identity, databases: Databases
) -> None:
    filed = await identity.file(Applicant(telephone=new_telephone()))
    application = await identity.find(filed)
    name = databases.keys.name
    await databases.owner.execute(f'alter database "{name}" with allow_connections false')
    try:
        await databases.owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = 'identity_keys_app'",
            name,
        )
        error = await refusal_of(lambda: identity.approve(application))
        assert error.reason == "UNAVAILABLE"
    finally:
        await databases.owner.execute(f'alter database "{name}" with allow_connections true')
    await identity.approve(application)
    eid = await identity.get_eid((await identity.issued(filed)).eid_id)
    assert eid.state == eid_pb2.EID_STATE_ISSUED
