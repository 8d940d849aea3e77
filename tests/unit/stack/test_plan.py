"""The plan of `make run`, without starting anything."""

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings
from zhibu_audit.settings import AuditSettings
from zhibu_branches.settings import BranchesSettings
from zhibu_gateway.settings import GatewaySettings
from zhibu_identity.settings import IdentitySettings
from zhibu_notify.settings import NotifySettings
from zhibu_stack.engines.keycloak_distribution import ARCHIVE_NAME, check_maven
from zhibu_stack.errors import StackError
from zhibu_stack.layout import SERVICES
from zhibu_stack.plan import Plan
from zhibu_web.settings import WebSettings


def test_every_step_needs_steps_that_come_before_it(tmp_path: Path) -> None:
    seen: set[str] = set()
    for step in Plan(tmp_path).steps():
        assert set(step.needs) <= seen, step.name
        seen.add(step.name)


def test_no_two_steps_listen_on_one_port(tmp_path: Path) -> None:
    ports = [port for step in Plan(tmp_path).steps() for port in step.ports]
    assert len(ports) == len(set(ports))


def test_leaving_out_a_step_leaves_out_what_needs_it(tmp_path: Path) -> None:
    names = [step.name for step in Plan(tmp_path).steps(without=["gateway"])]
    assert "web" in names
    assert {"gateway", "demo"} & set(names) == set()


def test_all_ports_move_with_the_base(tmp_path: Path) -> None:
    usual = [port for step in Plan(tmp_path).steps() for port in step.ports]
    moved = [port for step in Plan(tmp_path, port_base=17000).steps() for port in step.ports]
    assert moved == [port + 10000 for port in usual]


def test_a_service_has_its_own_database_account_and_nats_user(tmp_path: Path) -> None:
    environment = Plan(tmp_path).environment
    for service in SERVICES:
        variables = environment.of(service.name)
        assert variables["ZHIBU_DATABASE_URL"].startswith(f"postgresql://{service.name}_app:")
        assert variables["ZHIBU_DATABASE_URL"].endswith(f"/{service.name}")
        assert (variables["ZHIBU_NATS_USER"], variables["ZHIBU_OIDC_CLIENT_ID"]) == (
            service.name,
            f"svc-{service.name}",
        )


def test_settings_for_operators_are_written_for_the_owner_only(tmp_path: Path) -> None:
    Plan(tmp_path).environment.write_files()
    files = list((tmp_path / "env").iterdir())
    assert {path.name for path in files} >= {"identity.env", "branches.env", "notify.env", "gateway.env", "web.env"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_missing_maven_is_named_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="Maven is missing"):
        check_maven(tmp_path)
    (tmp_path / ARCHIVE_NAME).touch()
    check_maven(tmp_path)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("identity", IdentitySettings),
        ("branches", BranchesSettings),
        ("notify", NotifySettings),
        ("audit", AuditSettings),
        ("gateway", GatewaySettings),
        ("web", WebSettings),
    ],
)
def test_a_process_knows_every_setting_that_it_is_given(
    name: str, settings: type[BaseSettings], tmp_path: Path
) -> None:
    environment = Plan(tmp_path).environment
    given = environment.of(name).keys() - environment.of("demo").keys()
    known = {f"ZHIBU_{field.upper()}" for field in settings.model_fields}

    assert given - known == set()
