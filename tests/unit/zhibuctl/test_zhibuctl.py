"""The operators' command line says in both languages what is wrong, and finds the settings of an installation."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from zhibuctl.__main__ import main
from zhibuctl.client import client_representation, redirect_fault
from zhibuctl.errors import OperatorError
from zhibuctl.installation import Installation, find_installation
from zhibuctl.service_command import last_json, run_service_command


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback",
        "http://127.0.0.1:8400/callback",
        "http://[::1]/callback",
        "http://localhost/callback",
        "cn.gov.linqu.app:/callback",
    ],
)
def test_a_redirect_uri_that_only_the_application_receives_is_taken(uri: str) -> None:
    assert not redirect_fault(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example/callback",
        "https://app.example/*",
        "https://*.example/callback",
        "https://app.example/callback#part",
        "https:///callback",
        "/callback",
        "app:/callback",
        "javascript:alert(1)",
        "http://localhost.evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1@evil.example/callback",
    ],
)
def test_a_redirect_uri_that_somebody_else_may_receive_is_refused(uri: str) -> None:
    assert redirect_fault(uri)


@pytest.mark.parametrize("name", ["svc-identity", "zhibu-web", "Admin", "ab", "account", "realm-management"])
def test_a_client_cannot_take_a_name_of_the_installation(name: str) -> None:
    outcome = CliRunner().invoke(main, ["client", "register", name, "--redirect-uri", "https://app.example/cb"])
    assert outcome.exit_code == 2
    assert "不能用" in outcome.output
    assert "cannot be a name" in outcome.output


def test_a_registered_client_has_the_code_flow_with_pkce_and_nothing_else() -> None:
    client = client_representation("bus-app", ("https://app.example/cb",))
    assert client["publicClient"]
    assert client["standardFlowEnabled"]
    assert client["attributes"] == {"pkce.code.challenge.method": "S256"}
    others = ("implicitFlowEnabled", "directAccessGrantsEnabled", "serviceAccountsEnabled", "fullScopeAllowed")
    assert [client[name] for name in others] == [False] * 4


def test_without_an_installation_there_is_one_clear_sentence_in_each_language(tmp_path: Path) -> None:
    arguments = ["--directory", str(tmp_path), "bootstrap", "--organisation", "37", "--office", "province_admin"]
    outcome = CliRunner().invoke(main, arguments)
    assert outcome.exit_code == 1
    assert "请先运行 make run" in outcome.output
    assert "start make run first" in outcome.output


def test_settings_are_read_from_the_file_that_make_run_wrote(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "identity.env").write_text("# settings\nZHIBU_A=1=2\n\nZHIBU_B=\n", encoding="utf-8")
    installation = Installation(directory=tmp_path, outer={"PATH": "/bin", "ZHIBU_A": "other"})
    assert installation.environment_of("identity") == {"PATH": "/bin", "ZHIBU_A": "1=2", "ZHIBU_B": ""}
    with pytest.raises(OperatorError, match=r"branches\.env"):
        installation.environment_of("branches")


def test_inside_a_pod_the_settings_are_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZHIBU_RUN_DIRECTORY", raising=False)
    monkeypatch.setenv("ZHIBU_DATABASE_URL", "postgresql://identity@db/identity")
    found = find_installation(None)
    assert found.directory is None
    assert found.environment_of("identity")["ZHIBU_DATABASE_URL"] == "postgresql://identity@db/identity"


def test_a_failing_command_of_a_service_is_one_sentence(tmp_path: Path) -> None:
    installation = Installation(directory=None, outer={"PATH": "/usr/bin:/bin"})
    with pytest.raises(OperatorError, match="nothing_of_ours"):
        run_service_command(installation, "nothing_of_ours", "status")


def test_an_answer_that_is_no_json_is_one_sentence() -> None:
    assert last_json('a warning\n{"code": "x"}\n', "identity") == {"code": "x"}
    with pytest.raises(OperatorError):
        last_json("", "identity")


def test_status_says_of_each_process_what_is_wrong_and_fails(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(main, ["--directory", str(tmp_path), "status"])
    assert outcome.exit_code == 1
    assert outcome.output.count("✗") == 7
