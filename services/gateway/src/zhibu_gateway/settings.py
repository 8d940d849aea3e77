"""What an operator can set about the gateway."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict
from zhibu_kit.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """Settings of the gateway: those of every service, without a database, and its own."""

    model_config = SettingsConfigDict(env_prefix="ZHIBU_", frozen=True, extra="ignore", env_ignore_empty=True)

    listen: str = Field(default="127.0.0.1:7080", description="Address and port of the public HTTP server.")
    health_listen: str = Field(
        default="127.0.0.1:7081", description="Address and port for /healthz, /readyz, /metrics."
    )
    gateway_public_url: str = Field(
        default="http://localhost:7080", description="Address under which clients reach the gateway; stands in OpenAPI."
    )
    test_routes: bool = Field(default=False, description="Mounts the routes of zhibu.testing. For tests only.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Origins of browser applications that may call, separated by commas; no wildcard."
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(),
        description="Networks of our own proxies (ingress, web client), separated by commas: what they write into "
        "X-Forwarded-For is believed.",
    )
    per_account_per_minute: int = Field(
        default=600, ge=1, description="Calls a minute of one account, over all methods."
    )
    per_address_per_minute: int = Field(
        default=1200, ge=1, description="Calls a minute of one network address (IPv6: /64), over all methods."
    )
    limits_factor: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Multiplies every limit. More than 1 in development only, where one machine plays many people.",
    )
    max_request_bytes: int = Field(
        default=1_048_576, ge=1024, description="Largest body where the contract says nothing."
    )
    timeout_ms: int = Field(default=15_000, ge=100, description="Longest call where the contract says nothing.")
    max_streams: int = Field(
        default=2_000, ge=1, description="Event streams and downloads open at once in one process."
    )
    heartbeat_s: float = Field(
        default=15.0, gt=0, le=60, description="Seconds of silence in an event stream after which a comment is sent."
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(network.strip() for network in value.split(",") if network.strip())
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(origin.strip().rstrip("/") for origin in value.split(",") if origin.strip())
        return value

    @field_validator("cors_origins")
    @classmethod
    def _refuse_wildcard(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if "*" in origin or not origin.startswith(("https://", "http://")):
                raise ValueError(f"{origin!r} is no origin: scheme, host and port, no wildcard")
        return value

    @model_validator(mode="after")
    def _keep_limits_in_production(self) -> Self:
        if self.profile == "production" and self.limits_factor > 1:
            raise ValueError("ZHIBU_LIMITS_FACTOR is for development only")
        return self
