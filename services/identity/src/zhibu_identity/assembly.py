"""How the service is put together from its parts; `__main__` is what starts it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

from zhibu.identity.v1 import (
    application_service_pb2,
    card_service_pb2,
    certificate_service_pb2,
    county_settings_service_pb2,
    document_service_pb2,
    eid_batch_service_pb2,
    eid_service_pb2,
    erasure_service_pb2,
    grant_service_pb2,
    people_service_pb2,
    recovery_service_pb2,
    revocation_service_pb2,
    roster_service_pb2,
)
from zhibu_kit.app import Assembly, Runtime

from zhibu_identity.answers import AnswerSealer
from zhibu_identity.api.applicants import ApplicantsApi
from zhibu_identity.api.batches import BatchesApi
from zhibu_identity.api.cards import CardApi
from zhibu_identity.api.certificates import CertificateApi
from zhibu_identity.api.clerks import ClerksApi
from zhibu_identity.api.county_settings import CountySettingsApi
from zhibu_identity.api.documents import DocumentApi
from zhibu_identity.api.eid_batches import EidBatchApi
from zhibu_identity.api.eids import EidApi
from zhibu_identity.api.erasures import ErasureApi
from zhibu_identity.api.grants import GrantApi
from zhibu_identity.api.my_certificates import MyCertificateApi
from zhibu_identity.api.my_person import MyPersonApi
from zhibu_identity.api.people import PeopleApi
from zhibu_identity.api.recoveries import RecoveryApi
from zhibu_identity.api.revocations import RevocationApi
from zhibu_identity.api.rosters import RosterApi
from zhibu_identity.cards.drawing import CardPrinter
from zhibu_identity.certificates.revocation_lists import ensure_development_authority
from zhibu_identity.eid_batches.sheet import SheetPrinter
from zhibu_identity.eids.accounts import Accounts, KeycloakAccounts
from zhibu_identity.eids.login_codes import LoginCodeDesk
from zhibu_identity.eids.revocations import list_revocations
from zhibu_identity.erasures.destroying import apply_erasures
from zhibu_identity.following_branches import consumers_of
from zhibu_identity.jobs import jobs_of
from zhibu_identity.keys.index_keys import PROVINCE
from zhibu_identity.keys.master import MasterKeys
from zhibu_identity.keys.vault import Vault, open_vault
from zhibu_identity.parts import Parts
from zhibu_identity.rosters.applied import roster_consumers
from zhibu_identity.settings import IdentitySettings
from zhibu_identity.telephones.sending import NotifyTelephones, Telephones


async def build(runtime: Runtime[IdentitySettings]) -> Assembly:
    """Make the service, with Keycloak and notify."""
    settings = runtime.settings
    accounts = KeycloakAccounts(
        issuer=settings.keycloak_url or settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        list_client=(settings.keycloak_list_client_id, settings.keycloak_list_client_secret)
        if settings.keycloak_list_client_secret
        else None,
        telemetry=runtime.telemetry,
    )
    vault = await open_vault(settings.key_database_url, MasterKeys.parse(settings.master_key))
    vault.observe(runtime.telemetry)
    runtime.background.start("identity's connections", keep_open(accounts.aclose, vault.close))
    parts = await make_parts(runtime, vault=vault, accounts=accounts, telephones=NotifyTelephones(runtime.peers))
    return await assemble(runtime, parts)


async def make_parts(
    runtime: Runtime[IdentitySettings], *, vault: Vault, accounts: Accounts, telephones: Telephones
) -> Parts:
    """Return the parts that the use cases work with."""
    return Parts(
        database=runtime.database,
        vault=vault,
        province=await vault.index_key(PROVINCE),
        clock=runtime.clock,
        organisations=runtime.organisations,
        accounts=accounts,
        telephones=telephones,
        synthetic_allowed=runtime.settings.synthetic_allowed,
    )


async def assemble(runtime: Runtime[IdentitySettings], parts: Parts) -> Assembly:
    """Return servicers and jobs over these parts. Whoever was erased is erased again before the first call."""
    runtime.database.sealer = AnswerSealer(parts.province)
    runtime.deny_list.ask_with(lambda since: list_revocations(parts.database, since))
    await apply_erasures(parts)
    notifications = runtime.database.notifications
    assert notifications is not None, "a running service listens"
    jobs = jobs_of(parts, runtime.bus, notifications)
    login_codes = LoginCodeDesk(parts)
    runtime.background.start("log-in codes", login_codes.run())
    if runtime.settings.profile == "development":
        await ensure_development_authority(parts.vault, runtime.settings.development_authority, now=parts.clock.now())
    printer = CardPrinter(runtime.settings.card_font)
    applications = joined(ApplicantsApi(parts), ClerksApi(parts), BatchesApi(parts, notifications))
    return Assembly(
        servicers={
            application_service_pb2.DESCRIPTOR.services_by_name["ApplicationService"]: applications,
            eid_service_pb2.DESCRIPTOR.services_by_name["EidService"]: EidApi(parts, login_codes, printer.print_card),
            eid_batch_service_pb2.DESCRIPTOR.services_by_name["EidBatchService"]: EidBatchApi(
                parts, notifications, SheetPrinter(runtime.settings.card_font, web_url=runtime.settings.web_url)
            ),
            grant_service_pb2.DESCRIPTOR.services_by_name["GrantService"]: GrantApi(parts),
            people_service_pb2.DESCRIPTOR.services_by_name["PeopleService"]: joined(
                PeopleApi(parts), MyPersonApi(parts)
            ),
            erasure_service_pb2.DESCRIPTOR.services_by_name["ErasureService"]: ErasureApi(parts),
            recovery_service_pb2.DESCRIPTOR.services_by_name["RecoveryService"]: RecoveryApi(parts),
            document_service_pb2.DESCRIPTOR.services_by_name["DocumentService"]: DocumentApi(parts),
            revocation_service_pb2.DESCRIPTOR.services_by_name["RevocationService"]: RevocationApi(parts),
            roster_service_pb2.DESCRIPTOR.services_by_name["RosterService"]: RosterApi(parts, notifications),
            card_service_pb2.DESCRIPTOR.services_by_name["CardService"]: CardApi(parts, printer.print_sheet),
            certificate_service_pb2.DESCRIPTOR.services_by_name["CertificateService"]: joined(
                CertificateApi(parts), MyCertificateApi(parts)
            ),
            county_settings_service_pb2.DESCRIPTOR.services_by_name["CountySettingsService"]: CountySettingsApi(parts),
        },
        consumers=[*consumers_of(parts), *roster_consumers(parts)],
        jobs=jobs,
        checks={"key_database": parts.vault.is_ready},
    )


async def keep_open(*closers: Callable[[], Awaitable[None]]) -> None:
    """Close connections when the background tasks are stopped, which is after the last call."""
    try:
        await asyncio.Event().wait()
    finally:
        for close in closers:
            await close()


def joined(*servicers: object) -> SimpleNamespace:
    """Return one servicer with the handlers of several: a service's RPCs are spread over files by who calls them."""
    handlers: dict[str, object] = {}
    for servicer in servicers:
        for name in vars(type(servicer)):
            if name[0].isupper():
                assert name not in handlers, f"{name} has two handlers"
                handlers[name] = getattr(servicer, name)
    return SimpleNamespace(**handlers)
