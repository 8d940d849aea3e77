"""Settings of the web client, read from the environment with the prefix ZHIBU_."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# Shorter secrets can be guessed; the key is derived from the secret, so any characters will do.
MIN_SESSION_KEY_LENGTH = 32


class WebSettings(BaseSettings):
    """Where the web client listens, whom it talks to, and how long people stay logged in."""

    model_config = SettingsConfigDict(env_prefix="ZHIBU_", frozen=True, extra="ignore", env_ignore_empty=True)

    profile: Literal["development", "production"] = Field(
        default="development", description="`production` refuses to serve over plain HTTP."
    )
    listen: str = Field(default="127.0.0.1:7000", description="Address and port of the pages.")
    health_listen: str = Field(
        default="", description="Address and port for /healthz, /readyz and /metrics; empty: no second server."
    )
    public_url: str = Field(
        default="http://localhost:7000", description="Address that people open, without a slash at the end."
    )
    gateway_url: str = Field(default="http://127.0.0.1:7080", description="Base address of the gateway's public API.")
    database_url: str = Field(default="", repr=False, description="PostgreSQL database `web`, as the role web_app.")
    database_owner_url: str = Field(default="", repr=False, description="The same as web_owner: migrations only.")
    oidc_issuer: str = Field(default="", description="Issuer of tokens: the address of the Keycloak realm.")
    oidc_discovery_url: str = Field(
        default="", description="Where the discovery document is read from; empty: below the issuer."
    )
    oidc_jwks_url: str = Field(
        default="", description="Where the issuer's keys are; empty: as the issuer's discovery document says."
    )
    oidc_client_id: str = Field(default="zhibu-web", description="Client of the web client in Keycloak.")
    oidc_client_secret: str = Field(default="", repr=False, description="Secret of that client.")
    certificate_login_url: str = Field(
        default="",
        description="Scheme, host and port at which Keycloak asks browsers for the certificate of an officer's key stick;"
        " empty: no such log-in is offered.",
    )
    web_session_key: str = Field(
        default="",
        repr=False,
        description="Secret from which the keys of sessions are derived; several, separated by commas, to change it: "
        "the first one seals, all of them open.",
    )
    session_idle_s: int = Field(
        default=1800, ge=60, le=86_400, description="Seconds without a request after which a log-in ends."
    )
    session_absolute_s: int = Field(default=36_000, ge=300, le=86_400, description="Longest time that a log-in lasts.")
    visitor_idle_s: int = Field(
        default=7200, ge=300, le=86_400, description="Seconds for which a half-filled application is kept."
    )
    help_telephone: str = Field(
        default="12371", description="Help number shown where no county is known or the county has none."
    )
    help_hours: str = Field(default="", description="Opening hours of that help number, in words.")
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses of proxies in front whose X-Forwarded-For is believed, separated by commas.",
    )
    otlp_endpoint: str = Field(default="", description="OTLP collector over HTTP; empty: traces are not exported.")
    trace_sample_ratio: float = Field(default=0.01, ge=0, le=1, description="Share of new traces that are sampled.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severity logged."
    )
    drain_s: int = Field(default=20, ge=1, le=300, description="Seconds that requests have to finish after SIGTERM.")

    @model_validator(mode="after")
    def _check(self) -> WebSettings:
        if any(len(key) < MIN_SESSION_KEY_LENGTH for key in self.session_keys):
            raise ValueError(f"ZHIBU_WEB_SESSION_KEY must have at least {MIN_SESSION_KEY_LENGTH} characters")
        if self.profile == "production" and not self.https:
            raise ValueError("ZHIBU_PUBLIC_URL must begin with https:// in a production profile")
        return self

    @property
    def session_keys(self) -> tuple[str, ...]:
        """The secrets, newest first; none only for the migrations."""
        return tuple(key.strip() for key in self.web_session_key.split(",") if key.strip())

    @property
    def https(self) -> bool:
        """Whether people reach the pages over TLS, so that cookies may be bound to it."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def public_origin(self) -> str:
        """Scheme, host and port of the pages, as browsers send it in Origin."""
        return origin_of(self.public_url)

    @property
    def login_origin(self) -> str:
        """Scheme, host and port of Keycloak's pages."""
        return origin_of(self.oidc_issuer)


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address in the form of the Origin header."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def host_and_port(listen: str) -> tuple[str, int]:
    """Split `127.0.0.1:7000` or `[::1]:7000`."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)
