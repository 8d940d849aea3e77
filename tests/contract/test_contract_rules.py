"""What the contract says of itself: who is audited, what is personal, what is published, who hears of which event."""

import re

from google.protobuf.descriptor import FieldDescriptor
from zhibu_docs.contract import (
    access_of,
    audited_of,
    events,
    http_rule_of,
    is_personal,
    is_published,
    messages,
    methods,
)
from zhibu_docs.events import service_names, subjects_of


def test_every_write_of_people_is_audited_and_every_reading_that_is_audited_is_a_get_or_a_search() -> None:
    silent: list[str] = []
    for method in methods():
        audited = audited_of(method)
        writes = "request_id" in method.input_type.fields_by_name
        if writes and (audited is None or audited.reading):
            silent.append(method.full_name)
    assert silent == []


def test_the_subject_of_an_audit_row_is_a_field_of_the_request_and_never_personal() -> None:
    for method in methods():
        audited = audited_of(method)
        if audited and audited.subject_field:
            message = method.input_type
            field: FieldDescriptor | None = None
            for name in audited.subject_field.split("."):
                assert message is not None, method.full_name
                field = message.fields_by_name[name]
                message = field.message_type
            assert field is not None
            assert not is_personal(field), method.full_name


def test_no_personal_field_can_stand_in_an_address() -> None:
    exposed: list[str] = []
    for method in methods():
        rule = http_rule_of(method)
        if rule is None:
            continue
        path: str = getattr(rule, rule.WhichOneof("pattern") or "get")
        exposed += [
            f"{method.full_name}.{field.name}"
            for field in method.input_type.fields
            if is_personal(field) and (not rule.body or f"{{{field.name}" in path)
        ]
    assert exposed == []


# Names under which personal data or secrets travel; a field called so is marked, or says here why not.
_PERSONAL_NAMES = re.compile(
    r"(^|_)(real_name|resident_number|telephone|birth_date|eid_number|password|proof_token)$|_code$"
)
_NOT_PERSONAL = {
    # Codes of organisations (GB/T 2260), public.
    "county_code",
    # The county's help desk, public.
    "help_telephone",
}


def test_fields_that_sound_personal_are_marked_personal() -> None:
    unmarked = [
        field.full_name
        for message in messages()
        for field in message.fields
        if field.type == FieldDescriptor.TYPE_STRING
        and _PERSONAL_NAMES.search(field.name)
        and field.name not in _NOT_PERSONAL
        and not is_personal(field)
    ]
    assert unmarked == []


def test_no_event_has_a_personal_field_at_any_depth() -> None:
    def personal(message: object, seen: frozenset[str]) -> list[str]:
        found: list[str] = []
        for field in getattr(message, "fields"):  # noqa: B009  descriptors have no common type in the stubs
            if is_personal(field):
                found.append(field.full_name)
            if field.message_type is not None and field.message_type.full_name not in seen:
                found += personal(field.message_type, seen | {field.message_type.full_name})
        return found

    assert [name for event in events() for name in personal(event.descriptor, frozenset())] == []


def test_every_event_names_the_field_that_orders_it_or_goes_without_an_outbox() -> None:
    for event in events():
        fields = event.descriptor.fields_by_name
        assert not event.key_field or event.key_field in fields
        assert bool(event.key_field) == bool(event.version_field)
        if event.version_field:
            assert fields[event.version_field].type == FieldDescriptor.TYPE_INT64


def test_published_fields_are_text_or_files_and_never_personal_at_the_same_time() -> None:
    for message in messages():
        for field in message.fields:
            if is_published(field):
                assert not is_personal(field), field.full_name
                assert field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE), field.full_name


def test_text_that_somebody_writes_for_everybody_is_published() -> None:
    """Coverage of `published`: a public RPC returns no free text that a request of people can set and that is not marked."""
    written = {
        field.name
        for method in methods()
        if "request_id" in method.input_type.fields_by_name
        for field in method.input_type.fields
        if field.type == FieldDescriptor.TYPE_STRING
        and field.name in ("name", "title", "text", "summary", "help_hours")
    }
    unmarked = [
        field.full_name
        for method in methods()
        if access_of(method).WhichOneof("rule") == "public"
        for message in [method.output_type, *(f.message_type for f in method.output_type.fields if f.message_type)]
        for field in message.fields
        if field.name in written and not is_published(field)
    ]
    # The name of an office is an identifier from our own code.
    assert [name for name in unmarked if name != "zhibu.identity.v1.Office.name"] == []


def test_every_service_lists_the_events_that_it_publishes() -> None:
    for event in events():
        assert event.subject in subjects_of(event.service).publishes


def test_every_subject_that_a_readme_lists_is_an_event_of_the_contract() -> None:
    # Rows for the log are no events: every service publishes its own, and audit takes them.
    rows = {f"zhibu.audit_rows.v1.{service}" for service in service_names()}
    known = {event.subject for event in events()} | rows
    for service in service_names():
        listed = subjects_of(service)
        assert {*listed.publishes, *listed.consumes} - known == set(), service


def test_every_event_has_a_consumer_or_is_published_for_later() -> None:
    consumed = {subject for service in service_names() for subject in subjects_of(service).consumes}
    assert {event.subject for event in events()} - consumed == _FOR_LATER


# Published already because their history must be whole when the first consumer comes.
_FOR_LATER: set[str] = {"zhibu.audit.v1.incident_changed"}
