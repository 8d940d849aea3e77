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
    keycloak_list_client_id: str = Field(
        default="zhibu-revocation-list",
        description="Client of Keycloak that may have the list of revoked certificates fetched anew.",
    )
    keycloak_list_client_secret: str = Field(
        default="", repr=False, description="Its secret; empty: Keycloak keeps its copy of the list for a minute."
    )
    development_authority: str = Field(
        default="",
        description="File with certificate and key (PEM) of the certificate authority, imported at the first start;"
        " for development only. In production: `python -m zhibu_identity authority-import`.",
    )
    web_url: str = Field(
        default="http://localhost:7000",
        description="Address of the web client, printed on sheets of activation codes for members to log in at.",
    )
    card_font: str = Field(
        default="",
        description="Font files for e-ID cards and sheets of activation codes, separated by commas; a collection's face follows a `#`."
        " Empty: fonts-noto-cjk where Debian puts it.",
    )

    @property
    def synthetic_allowed(self) -> bool:
        """Whether synthetic people and telephones are accepted."""
        return self.profile == "development"
