"""Settings from the environment."""

import pytest
from zhibu_kit.settings import ServiceSettings


def test_peers_are_collected_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIBU_PEER_IDENTITY", "127.0.0.1:7101")
    monkeypatch.setenv("ZHIBU_PEER_BRANCHES", "")
    assert ServiceSettings().peers == {"identity": "127.0.0.1:7101"}


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIBU_DATABASE_URL", "postgresql://identity_app:hidden@127.0.0.1/identity")
    monkeypatch.setenv("ZHIBU_OIDC_CLIENT_SECRET", "hidden")
    monkeypatch.setenv("ZHIBU_NATS_PASSWORD", "hidden")
    settings = ServiceSettings()
    assert settings.oidc_client_secret == "hidden"
    assert "hidden" not in repr(settings)


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIBU_TRACE_SAMPLE_RATIO", "")
    assert ServiceSettings().trace_sample_ratio == 0.01
