"""Settings of notify, read from the environment."""

from dataclasses import replace
from typing import Self

from pydantic import Field, model_validator
from zhibu_kit.settings import ServiceSettings

from zhibu_notify.smpp.link import LinkSettings

_DEVELOPMENT_KEY = "00" * 32


class NotifySettings(ServiceSettings):
    """What notify needs beyond every service's settings."""

    notify_number_key: str = Field(
        default=_DEVELOPMENT_KEY,
        repr=False,
        pattern=r"^[0-9a-f]{64}$",
        description="Key (32 octets in hexadecimal) of the hashes that stand for telephone numbers.",
    )
    notify_smsc_host: str = Field(default="127.0.0.1", description="Host of the message centre (SMPP 3.4).")
    notify_smsc_port: int = Field(default=7075, ge=1, le=65535, description="Port of the message centre.")
    notify_smsc_system_id: str = Field(default="zhibu", max_length=15, description="What we bind with.")
    notify_smsc_password: str = Field(default="zhibu", max_length=8, repr=False, description="Its password.")
    notify_smsc_source_address: str = Field(
        default="10690000", max_length=20, description="Service number that receivers see as the sender."
    )
    notify_smsc_window: int = Field(default=10, ge=1, le=100, description="Messages that may await their answer.")
    notify_smsc_enquire_interval_s: float = Field(
        default=15.0, gt=0, le=600, description="Silence after which the link is checked."
    )
    notify_submit_timeout_s: float = Field(
        default=5.0, gt=0, le=7, description="Longest time for handing one message over, all waiting included."
    )

    notify_smsc_notices_system_id: str = Field(
        default="",
        max_length=15,
        description="What the session of notices binds with, where the operator wants another; empty for the same.",
    )
    notify_smsc_notices_password: str = Field(
        default="", max_length=8, repr=False, description="Its password; empty for the same."
    )
    notify_smsc_notices_window: int = Field(
        default=10, ge=1, le=100, description="Parts of notices that may await their answer, beside the codes."
    )
    notify_notices_per_s: float = Field(
        default=50.0, gt=0, le=5000, description="Parts of notices per second; agree on it with the operator."
    )

    @model_validator(mode="after")
    def _no_development_key_in_production(self) -> Self:
        if self.profile == "production" and self.notify_number_key == _DEVELOPMENT_KEY:
            raise ValueError("ZHIBU_NOTIFY_NUMBER_KEY must be set in production")
        return self

    @property
    def link(self) -> LinkSettings:
        """The settings of the link to the message centre."""
        return LinkSettings(
            host=self.notify_smsc_host,
            port=self.notify_smsc_port,
            system_id=self.notify_smsc_system_id,
            password=self.notify_smsc_password,
            source_address=self.notify_smsc_source_address,
            window=self.notify_smsc_window,
            enquire_interval_s=self.notify_smsc_enquire_interval_s,
        )

    @property
    def notices_link(self) -> LinkSettings:
        """The settings of the notices' own link: codes never queue behind them."""
        return replace(
            self.link,
            system_id=self.notify_smsc_notices_system_id or self.notify_smsc_system_id,
            password=self.notify_smsc_notices_password or self.notify_smsc_password,
            window=self.notify_smsc_notices_window,
        )
