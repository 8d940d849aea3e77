"""CountySettingsService: the switches of a county."""

from __future__ import annotations

from zhibu.identity.v1 import county_settings_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.errors import field_error
from zhibu_kit.etag import etag_of
from zhibu_kit.scope import Scope

from zhibu_identity.api.messages import settings_message
from zhibu_identity.county_settings import CountySettings, find_settings, replace_settings
from zhibu_identity.errors import ORGANISATION_UNKNOWN
from zhibu_identity.organisations import DECIDING_LEVELS, find_organisation
from zhibu_identity.parts import Parts


class CountySettingsApi:
    """The RPCs of CountySettingsService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def GetCountySettings(self, request: pb.GetCountySettingsRequest, call: Call) -> pb.GetCountySettingsResponse:
        """Show the switches of a county."""
        async with self._parts.database.transaction(Scope.of(request.organisation_id)) as transaction:
            organisation = await find_organisation(transaction, request.organisation_id)
            if organisation is None or organisation.level not in DECIDING_LEVELS:
                raise field_error("organisation_id", ORGANISATION_UNKNOWN)
            settings = await find_settings(transaction, request.organisation_id)
        return pb.GetCountySettingsResponse(
            settings=settings_message(request.organisation_id, settings), etag=etag_of(settings.version)
        )

    async def UpdateCountySettings(
        self, request: pb.UpdateCountySettingsRequest, call: Call
    ) -> pb.UpdateCountySettingsResponse:
        """Replace the switches of a county."""
        async with self._parts.database.write(call, request, pb.UpdateCountySettingsResponse) as write:
            if write.replayed is not None:
                return write.replayed
            given = request.settings
            settings = await replace_settings(
                write,
                request.organisation_id,
                CountySettings(
                    applications_open=given.applications_open,
                    activation_by_telephone=given.activation_by_telephone,
                    help_telephone=given.help_telephone.strip(),
                    help_hours=given.help_hours.strip(),
                ),
                etag=request.etag,
            )
            return write.reply(
                pb.UpdateCountySettingsResponse(
                    settings=settings_message(request.organisation_id, settings), etag=etag_of(settings.version)
                )
            )
