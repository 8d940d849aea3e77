"""Settings that would make log-ins unsafe stop the start."""

import pytest
from pydantic import ValidationError
from zhibu_web.settings import WebSettings, host_and_port, origin_of


def test_a_short_session_key_is_refused() -> None:
    with pytest.raises(ValidationError):
        WebSettings(web_session_key="short")
    with pytest.raises(ValidationError):
        WebSettings(web_session_key="k" * 40 + ",short")
    assert WebSettings(web_session_key=f"{'k' * 40}, {'j' * 40}").session_keys == ("k" * 40, "j" * 40)


def test_production_is_served_over_tls_only() -> None:
    with pytest.raises(ValidationError):
        WebSettings(profile="production", public_url="http://zhibu.example", web_session_key="k" * 40)


def test_secrets_do_not_appear_when_settings_are_printed() -> None:
    settings = WebSettings(
        web_session_key="k" * 40, oidc_client_secret="hidden-1", database_url="postgresql://u:hidden-2@h/d"
    )
    assert "kkk" not in repr(settings)
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "origin"), [("https://a.example:8443/x?y", "https://a.example:8443"), ("", ""), ("/x", "")]
)
def test_the_origin_of_an_address_is_what_browsers_send(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(("listen", "parts"), [("127.0.0.1:7000", ("127.0.0.1", 7000)), ("[::1]:80", ("::1", 80))])
def test_a_listening_address_is_split(listen: str, parts: tuple[str, int]) -> None:
    assert host_and_port(listen) == parts
