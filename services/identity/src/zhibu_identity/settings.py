"""Settings of identity, beyond those that every service has."""

from __future__ import annotations

from pydantic import Field
from zhibu_kit.settings import ServiceSettings


class IdentitySettings(ServiceSettings):
    """Environment variables with the prefix ZHIBU_."""

    key_database_url: str = Field(default="", repr=False, description="The key database, as the role of the service.")
    key_database_owner_url: str = Field(
        default="", repr=False, description="The key database, as its owner: migrations only."
    )
    master_key: str = Field(
        default="",
        repr=False,
        description="Master key of the key database: 32 bytes in base64. After a change: `2:NEW,1:OLD`.",
    )
    keycloak_url: str = Field(
        default="",
        description="Realm's address for the admin API, when it is another than the issuer's (…/realms/zhibu).",
    )
    card_font: str = Field(
        default="",
        description="Font files for the e-ID card, separated by commas; a collection's face follows a `#`."
        " Empty: fonts-noto-cjk where Debian puts it.",
    )

    @property
    def synthetic_allowed(self) -> bool:
        """Whether synthetic people and telephones are accepted."""
        return self.profile == "development"
