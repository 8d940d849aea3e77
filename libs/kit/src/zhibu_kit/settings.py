"""Settings that every service has, read from the environment with the prefix ZHIBU_."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PEER_PREFIX = "ZHIBU_PEER_"


def _peers_from_environment() -> dict[str, str]:
    """Collect ZHIBU_PEER_<SERVICE>=host:port, keyed by the service's name in lower case."""
    return {
        name.removeprefix(PEER_PREFIX).lower(): target
        for name, target in os.environ.items()
        if name.startswith(PEER_PREFIX) and target
    }


class ServiceSettings(BaseSettings):
    """The settings of one service; each service subclasses this and adds its own fields.

    Values which are secret or hold a password are left out of `repr`.
    """

    model_config = SettingsConfigDict(env_prefix="ZHIBU_", frozen=True, extra="ignore", env_ignore_empty=True)

    profile: Literal["development", "production"] = Field(
        default="development", description="`production` refuses synthetic people."
    )
    listen: str = Field(default="127.0.0.1:0", description="Address and port of the gRPC server.")
    health_listen: str = Field(
        default="127.0.0.1:0", description="Address and port of the HTTP server for /healthz, /readyz and /metrics."
    )
    database_url: str = Field(default="", repr=False, description="PostgreSQL, as the role that runs the service.")
    database_owner_url: str = Field(default="", repr=False, description="PostgreSQL, as the owner: migrations only.")
    nats_url: str = Field(default="", description="NATS server or servers, separated by commas.")
    nats_user: str = Field(default="", description="The service's own NATS user.")
    nats_password: str = Field(default="", repr=False, description="Password of the NATS user.")
    oidc_issuer: str = Field(default="", description="Issuer of tokens: the address of the Keycloak realm.")
    oidc_audience: str = Field(default="zhibu-api", description="Audience that a token must carry.")
    oidc_jwks_url: str = Field(
        default="", description="Where the issuer's keys are; empty: as the issuer's discovery document says."
    )
    oidc_token_url: str = Field(
        default="", description="Where service tokens are had; empty: as the issuer's discovery document says."
    )
    oidc_client_id: str = Field(default="", description="The service account's client, for example `svc-identity`.")
    oidc_client_secret: str = Field(default="", repr=False, description="Secret of the service account's client.")
    otlp_endpoint: str = Field(default="", description="OTLP collector over HTTP; empty: traces are not exported.")
    trace_sample_ratio: float = Field(default=0.01, ge=0, le=1, description="Share of new traces that are sampled.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severity logged."
    )
    drain_s: float = Field(
        default=20.0, gt=0, le=300, description="Seconds that calls in flight have to finish after SIGTERM."
    )
    drain_notice_s: float = Field(
        default=0.0,
        ge=0,
        le=60,
        description="Seconds between unreadiness and closing the door, so that load balancers notice first.",
    )
    peers: dict[str, str] = Field(
        default_factory=_peers_from_environment,
        description="gRPC targets of peers by name; from ZHIBU_PEER_<SERVICE>=host:port.",
    )
