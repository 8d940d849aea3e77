"""A production profile refuses synthetic people; commands for operators."""

from __future__ import annotations

import json

import pytest
from integration.identity.running_identity import LINQU, Applicant
from integration.identity.setting_up import Databases, Workbench, running
from integration.identity.working_by_hand import file_by_hand
from support.rpc import refusal_of
from support.synthetic_people import new_resident_number, new_telephone
from zhibu.identity.v1 import application_service_pb2 as pb
from zhibu_identity.__main__ import main, migrate_keys
from zhibu_identity.snapshot import snapshot
from zhibu_kit.db import Database
from zhibu_kit.reconcile import reconcile
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer


async def test_a_production_profile_refuses_synthetic_numbers_by_a_name_of_their_own(
    databases: Databases, nats: NatsServer, issuer: TokenIssuer, clock: FixedClock
) -> None:
    async with running(databases, nats, issuer, clock, profile="production") as identity:
        start = pb.StartTelephoneProofRequest(telephone=new_telephone())
        error = await refusal_of(lambda: identity.applications.StartTelephoneProof(start))
        assert [field.reason for field in error.fields] == ["SYNTHETIC_TELEPHONE"]
        real = Applicant(telephone="13800001234")
        token = await identity.prove(real.telephone)
        error = await refusal_of(lambda: identity.applications.SubmitApplication(identity.submission(real, token)))
        assert [field.reason for field in error.fields] == ["SYNTHETIC_RESIDENT_NUMBER"]
        # A well-made number with an assigned area code; whether somebody has it is unknown, and nothing is kept of it.
        allowed = Applicant(telephone=real.telephone, resident_number=new_resident_number(area="370724"))
        await identity.applications.SubmitApplication(identity.submission(allowed, token))


@pytest.fixture
def environment(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DATABASE_URL": databases.main.app_url,
        "DATABASE_OWNER_URL": databases.main.owner_url,
        "KEY_DATABASE_URL": databases.keys.app_url,
        "KEY_DATABASE_OWNER_URL": databases.keys.owner_url,
        "MASTER_KEY": databases.master_key,
    }.items():
        monkeypatch.setenv(f"ZHIBU_{name}", value)


@pytest.mark.usefixtures("environment")
def test_the_operator_makes_a_bootstrap_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bootstrap", "--organisation", "37", "--office", "province_admin"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(answer["code"]) == 28
    assert set(answer) == {"code", "organisation", "office", "expires_at"}
    assert main(["bootstrap", "--organisation", "37", "--office", "emperor"]) == 1
    assert "emperor" in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
async def test_migrating_again_changes_nothing() -> None:
    assert await migrate_keys() == ()


@pytest.mark.usefixtures("environment")
def test_keys_are_wrapped_anew_by_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rewrap"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"rewrapped": 0}
    assert main(["telephones-apart"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"apart": []}


async def test_reconciliation_tells_again_how_every_application_stands(workbench: Workbench) -> None:
    application = await file_by_hand(workbench)
    await workbench.databases.owner.execute("truncate kit_outbox")
    assert isinstance(workbench.parts.database, Database)
    assert await reconcile(workbench.parts.database, snapshot) == 1
    row = await workbench.databases.owner.fetchrow("select key, county_code from kit_outbox")
    assert row is not None
    assert tuple(row) == (application.application_id, LINQU)
