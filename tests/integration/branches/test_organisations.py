"""The organisation tree: made, found, renamed, each change published once with its version."""

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest
from grpc import StatusCode
from integration.branches.running_branches import LINQU_ADMIN, Branches
from nats.aio.msg import Msg
from support.rpc import outcome_of, refusal_of
from zhibu.branches.v1 import organisation_pb2
from zhibu.branches.v1 import organisation_service_pb2 as pb
from zhibu.branches.v1.branches_events_pb2 import OrganisationChanged
from zhibu_branches.publication import snapshot
from zhibu_kit.db import Database
from zhibu_kit.ids import new_ulid
from zhibu_kit.reconcile import reconcile
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.databases import ServiceDatabase

CITY = organisation_pb2.ORGANISATION_LEVEL_CITY
COUNTY = organisation_pb2.ORGANISATION_LEVEL_COUNTY
TOWNSHIP = organisation_pb2.ORGANISATION_LEVEL_TOWNSHIP
BRANCH = organisation_pb2.ORGANISATION_LEVEL_BRANCH


@pytest.fixture(scope="module")
async def published(nats: NatsServer, branches: Branches) -> AsyncGenerator[list[Msg]]:
    """Everything that the stream holds and gets."""
    admin = await nats.connect("admin")
    messages: list[Msg] = []

    async def keep(message: Msg) -> None:
        messages.append(message)

    await admin.jetstream.subscribe("zhibu.branches.v1.>", cb=keep, ordered_consumer=True)
    yield messages
    await admin.close()


def _events_of(published: list[Msg], organisation_id: str) -> list[OrganisationChanged]:
    events = [OrganisationChanged.FromString(message.data) for message in published]
    return [event for event in events if event.organisation_id == organisation_id]


async def test_the_province_is_there_from_the_first_start(branches: Branches) -> None:
    province = await branches.get("37")
    assert (province.name, province.level, province.parent_id, province.active) == (
        "山东省",
        organisation_pb2.ORGANISATION_LEVEL_PROVINCE,
        "",
        True,
    )
    top = await branches.stub.ListOrganisations(pb.ListOrganisationsRequest())
    assert [organisation.organisation_id for organisation in top.organisations] == ["37"]


async def test_a_township_and_its_branch_can_be_made_one_right_after_the_other(branches: Branches) -> None:
    township = await branches.create("370724", TOWNSHIP, "五井镇", code="370724101", account_id=LINQU_ADMIN)
    branch = await branches.create("370724101", BRANCH, "五井镇𠮷林村党支部", account_id=LINQU_ADMIN)
    assert township.ancestor_ids == ["37", "3707", "370724"]
    assert branch == organisation_pb2.Organisation(
        organisation_id=branch.organisation_id,
        parent_id="370724101",
        level=BRANCH,
        name="五井镇𠮷林村党支部",
        county_code="370724",
        active=True,
        etag="v1",
        ancestor_ids=["37", "3707", "370724", "370724101"],
        start_date=branch.start_date,
        term_years=3,
        child_count=0,
    )
    assert branch.organisation_id.startswith("370724-b")
    assert (await branches.get("370724101")).child_count == 1


async def test_the_same_request_makes_one_organisation_and_one_event(
    branches: Branches, published: list[Msg], owner: asyncpg.Connection
) -> None:
    request_id = new_ulid()
    first = await branches.create("370724", BRANCH, "县直机关第一党支部", request_id=request_id)
    second = await branches.create("370724", BRANCH, "县直机关第一党支部", request_id=request_id)
    assert second == first
    # The outbox has all that will ever be told.
    assert await owner.fetchval("select count(*) from kit_outbox where key = $1", first.organisation_id) == 1
    await wait_until(lambda: _events_of(published, first.organisation_id))
    (event,) = _events_of(published, first.organisation_id)
    assert (event.name, event.version, event.parent_id, event.county_code, event.level, event.active) == (
        "县直机关第一党支部",
        1,
        "370724",
        "370724",
        BRANCH,
        True,
    )


async def test_a_request_id_with_another_body_is_refused(branches: Branches) -> None:
    request_id = new_ulid()
    await branches.create("370724", BRANCH, "第三党支部", request_id=request_id)
    error = await refusal_of(lambda: branches.create("370724", BRANCH, "第四党支部", request_id=request_id))
    assert error.reason == "REQUEST_ID_REUSED"


async def test_a_renaming_raises_the_version_and_publishes_it_once(branches: Branches, published: list[Msg]) -> None:
    made = await branches.create("370724", BRANCH, "旧名党支部")
    renamed = await branches.rename(made.organisation_id, "  新名党支部 ", made.etag)
    assert (renamed.organisation.name, renamed.etag) == ("新名党支部", "v2")
    # The same name once more changes nothing and says nothing.
    again = await branches.rename(made.organisation_id, "新名党支部", renamed.etag)
    assert again.etag == "v2"
    last = await branches.rename(made.organisation_id, "更新名党支部", again.etag)
    assert last.etag == "v3"
    await wait_until(lambda: len(_events_of(published, made.organisation_id)) == 3)
    events = _events_of(published, made.organisation_id)
    assert [(event.version, event.name) for event in events] == [
        (1, "旧名党支部"),
        (2, "新名党支部"),
        (3, "更新名党支部"),
    ]


async def test_a_renaming_from_an_older_version_is_refused(branches: Branches) -> None:
    made = await branches.create("370724", BRANCH, "甲党支部")
    await branches.rename(made.organisation_id, "乙党支部", made.etag)
    error = await refusal_of(lambda: branches.rename(made.organisation_id, "丙党支部", made.etag))
    assert (error.reason, error.code) == ("ETAG_MISMATCH", StatusCode.ABORTED)
    assert (await branches.get(made.organisation_id)).name == "乙党支部"


async def test_two_officers_who_rename_at_once_do_not_overwrite_each_other(branches: Branches) -> None:
    made = await branches.create("370724", BRANCH, "并发党支部")
    outcomes = await asyncio.gather(
        outcome_of(branches.rename(made.organisation_id, "并发甲党支部", made.etag)),
        outcome_of(branches.rename(made.organisation_id, "并发乙党支部", made.etag)),
    )
    assert sorted(outcomes) == ["ETAG_MISMATCH", "OK"]


async def test_two_siblings_cannot_take_the_same_name_at_once(branches: Branches) -> None:
    outcomes = await asyncio.gather(*(outcome_of(branches.create("370724", BRANCH, "同名党支部")) for _ in range(4)))
    assert sorted(outcomes) == ["OK", "ORGANISATION_NAME_TAKEN", "ORGANISATION_NAME_TAKEN", "ORGANISATION_NAME_TAKEN"]


@pytest.mark.parametrize(
    ("parent_id", "level", "code", "name", "reason", "field"),
    [
        ("370724", COUNTY, "370725", "昌乐县", "INVALID_ARGUMENT", "level"),
        ("3707", COUNTY, "", "昌乐县", "INVALID_ARGUMENT", "organisation_id"),
        ("3707", COUNTY, "370811", "任城区", "INVALID_ARGUMENT", "organisation_id"),
        ("370724", BRANCH, "370724199", "党支部", "INVALID_ARGUMENT", "organisation_id"),
        ("370724", BRANCH, "", "党\u200b支部", "INVALID_ARGUMENT", "name"),
        ("3707", COUNTY, "370724", "另一个县", "ORGANISATION_EXISTS", None),
    ],
)
async def test_what_does_not_fit_the_tree_is_refused(  # noqa: PLR0917 - one argument for each column of the table
    branches: Branches, parent_id: str, level: int, code: str, name: str, reason: str, field: str | None
) -> None:
    error = await refusal_of(lambda: branches.create(parent_id, level, name, code=code))
    assert error.reason == reason
    assert [violation.field for violation in error.fields] == ([field] if field else [])


async def test_children_come_in_pages_and_all_of_them_once(branches: Branches) -> None:
    made = [
        (await branches.create("370781", BRANCH, f"青州第{number}党支部")).organisation_id for number in range(1, 8)
    ]
    seen: list[str] = []
    token = ""
    while True:
        page = await branches.stub.ListOrganisations(
            pb.ListOrganisationsRequest(parent_id="370781", page_size=3, page_token=token)
        )
        assert len(page.organisations) <= 3
        seen += [organisation.organisation_id for organisation in page.organisations]
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(made)
    error = await refusal_of(
        lambda: branches.stub.ListOrganisations(pb.ListOrganisationsRequest(parent_id="370724", page_token="AAAA"))
    )
    assert error.reason == "INVALID_ARGUMENT"


async def test_an_organisation_is_found_by_any_part_of_its_name(branches: Branches) -> None:
    await branches.create("370781", BRANCH, "云门山社区ABC党支部")

    async def found(query: str, county_code: str = "", level: int = 0) -> list[str]:
        response = await branches.stub.SearchOrganisations(
            pb.SearchOrganisationsRequest(
                query=query, county_code=county_code, level=organisation_pb2.OrganisationLevel.ValueType(level)
            )
        )
        return [organisation.name for organisation in response.organisations]

    for query in ("云门山", "山社", "ａｂｃ", " 云门山社区abc党支部 ", "区ABC"):
        assert await found(query) == ["云门山社区ABC党支部"]
    assert await found("云门山", county_code="370724") == []
    assert await found("云门山", county_code="3707") == ["云门山社区ABC党支部"]
    assert await found("山门云") == []
    assert await found("%") == []
    assert await found("\u3000 ") == []
    # Higher ones come first, and a level alone can be asked for.
    assert (await found("青州"))[0] == "青州市"
    assert await found("青州", level=COUNTY) == ["青州市"]


async def test_a_search_comes_in_pages(branches: Branches) -> None:
    request = pb.SearchOrganisationsRequest(query="青州第", page_size=4)
    first = await branches.stub.SearchOrganisations(request)
    request.page_token = first.next_page_token
    second = await branches.stub.SearchOrganisations(request)
    names = [organisation.name for page in (first, second) for organisation in page.organisations]
    assert len(names) == len(set(names)) == 7
    assert second.next_page_token == ""
    request.query = "青州"
    assert (await refusal_of(lambda: branches.stub.SearchOrganisations(request))).reason == "INVALID_ARGUMENT"


async def test_what_is_not_there_is_not_found(branches: Branches) -> None:
    for call in (
        lambda: branches.get("370799"),
        lambda: branches.stub.ListOrganisations(pb.ListOrganisationsRequest(parent_id="370799")),
    ):
        error = await refusal_of(call)
        assert (error.reason, error.code) == ("NOT_FOUND", StatusCode.NOT_FOUND)


async def test_reconciling_says_again_how_everything_stands(
    branches: Branches, database: ServiceDatabase, published: list[Msg]
) -> None:
    made = await branches.create("370724", BRANCH, "对账党支部")
    await wait_until(lambda: len(_events_of(published, made.organisation_id)) == 1)
    own = Database(database.app_url, service="branches")
    try:
        count = await reconcile(own, snapshot)
    finally:
        await own.close()
    assert count > 10
    await wait_until(lambda: len(_events_of(published, made.organisation_id)) == 2)
    first, second = _events_of(published, made.organisation_id)
    assert second == first
