"""NATS users follow the READMEs of the services."""

from pathlib import Path

import pytest
from zhibu_stack.engines.nats import NatsUser, user_entry
from zhibu_stack.errors import StackError
from zhibu_stack.layout import SERVICES
from zhibu_stack.nats_permissions import SERVICES_DIRECTORY, Traffic, nats_users, read_traffic, stream_of, user_of
from zhibu_stack.secret_store import SecretStore

README = """# branches

## Publishes
- `zhibu.branches.v1.organisation_changed` when a name changes

## Consumes
- `zhibu.identity.v1.grant_changed`

## Invariants
- `zhibu.dues.v1.payment_recorded` is not consumed.
"""


def test_the_lists_below_the_two_headings_are_read_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    assert read_traffic(tmp_path / "README.md") == Traffic(
        publishes=["zhibu.branches.v1.organisation_changed"], consumes=["zhibu.identity.v1.grant_changed"], buckets=()
    )


def test_a_service_may_not_list_a_subject_of_another_as_its_own() -> None:
    traffic = Traffic(publishes=["zhibu.identity.v1.eid_issued"], consumes=[], buckets=())
    with pytest.raises(StackError, match="not its own to publish"):
        user_of("branches", traffic, password="x")


def test_a_user_publishes_to_its_own_subjects_and_the_stream_interface_only() -> None:
    traffic = Traffic(publishes=["zhibu.branches.v1.organisation_changed"], consumes=[], buckets=())
    user = user_of("branches", traffic, password="x")
    foreign = [
        subject
        for subject in user.publish
        if not subject.startswith(("$JS.", "zhibu.branches.v1.", "zhibu.dead.branches"))
    ]
    assert foreign == []
    assert not [subject for subject in user.publish if subject.startswith("$JS.API.STREAM.DELETE")]


def test_a_user_without_subjects_is_denied_everything() -> None:
    entry = user_entry(NatsUser(name="x", password="y"))
    assert entry["permissions"] == {"publish": {"deny": [">"]}, "subscribe": {"deny": [">"]}}


def test_a_subject_lies_in_the_stream_of_its_service() -> None:
    assert stream_of("zhibu.identity.v1.eid_issued") == "ZHIBU_IDENTITY"


def test_every_service_of_the_stack_has_lists_that_can_be_read(tmp_path: Path) -> None:
    names = [service.name for service in SERVICES]
    assert [user.name for user in nats_users(names, SecretStore(tmp_path))] == names
    for name in names:
        assert "## Consumes" in (SERVICES_DIRECTORY / name / "README.md").read_text(encoding="utf-8")
