"""From rows to the messages of the contract."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from zhibu.branches.v1 import branches_events_pb2 as events
from zhibu.branches.v1 import organisation_pb2 as pb
from zhibu_kit.etag import etag_of

from zhibu_branches.queries import Organisation
from zhibu_branches.rules.tree import Level


def organisation_message(organisation: Organisation) -> pb.Organisation:
    """What callers see of an organisation."""
    place = organisation.place
    return pb.Organisation(
        organisation_id=place.organisation_id,
        parent_id=organisation.parent_id or "",
        level=pb.OrganisationLevel.ValueType(place.level),
        name=organisation.name,
        county_code=place.county_code,
        active=organisation.active,
        etag=etag_of(organisation.version),
        ancestor_ids=place.ancestor_ids,
        child_count=organisation.child_count,
        virtual=organisation.virtual,
        start_date=organisation.start_date.isoformat(),
        successor_id=organisation.successor_id or "",
        term_years=organisation.term_years if place.level is Level.BRANCH else 0,
    )


def organisation_changed(organisation: Organisation, *, change_time: datetime) -> events.OrganisationChanged:
    """What other services are told of an organisation."""
    instant = Timestamp()
    instant.FromDatetime(change_time)
    return events.OrganisationChanged(
        organisation_id=organisation.place.organisation_id,
        parent_id=organisation.parent_id or "",
        level=pb.OrganisationLevel.ValueType(organisation.place.level),
        name=organisation.name,
        county_code=organisation.place.county_code,
        active=organisation.active,
        version=organisation.version,
        change_time=instant,
        successor_id=organisation.successor_id or "",
        virtual=organisation.virtual,
    )
