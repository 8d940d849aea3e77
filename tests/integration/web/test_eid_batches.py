"""The pages of e-IDs for many in front of a gateway: what is said before the start, how far it is, the sheets."""

from __future__ import annotations

from integration.web.conftest import Browser
from integration.web.gateway import StubGateway
from integration.web.test_desks import COUNTY, OTHER, clerk, gateway, gateway_url

__all__ = ["clerk", "gateway", "gateway_url"]

BATCH = "01j0000000000000000000000b"
BRANCH = "370724-b01jd0000000000000000000001"
BASE = f"/v1/organisations/{COUNTY}/eid-batches"
SHEETS = f"/v1/organisations/{COUNTY}/activation-sheets"
OFFICE = {
    "name": "clerk",
    "displayName": "干事",
    "permissions": ["identity.eids.issue", "identity.eids.activate", "identity.people.read"],
}


def prepare(gateway: StubGateway, **preview: object) -> None:
    gateway.prepare("GET /v1/offices", {"offices": [OFFICE]})
    gateway.prepare(f"GET {BASE}:preview", {"preview": preview})
    gateway.prepare(f"GET {BASE}", {"eidBatches": []})


async def test_how_many_get_one_is_said_before_it_begins_and_nothing_begins_unconfirmed(
    clerk: Browser, gateway: StubGateway
) -> None:
    prepare(gateway, entitledCount=24000, holderCount=3, statusUnknownCount=2)
    gateway.prepare(f"POST {BASE}", {"eidBatch": {"eidBatchId": BATCH, "totalCount": 24000}})
    page = await clerk.get(f"/desk/{COUNTY}/eid-batches")
    assert "24000 人发电子身份证" in page.text
    assert "状态未登记的人暂不发证" in page.text
    path = f"/desk/{COUNTY}/eid-batches"
    refused = await clerk.post(path, page=path)
    assert refused.status_code == 422
    assert gateway.asked(f"POST {BASE}") == []
    answer = await clerk.post(path, page=path, confirm="yes")
    assert answer.headers["location"] == f"/desk/{COUNTY}/eid-batches/{BATCH}"


async def test_while_a_batch_runs_its_page_is_offered_and_no_other_start(clerk: Browser, gateway: StubGateway) -> None:
    prepare(gateway, entitledCount=5, runningEidBatchId=BATCH)
    page = await clerk.get(f"/desk/{COUNTY}/eid-batches")
    assert f'href="/desk/{COUNTY}/eid-batches/{BATCH}"' in page.text
    assert 'name="confirm"' not in page.text


async def test_whoever_got_none_is_named_with_what_to_do(clerk: Browser, gateway: StubGateway) -> None:
    prepare(gateway)
    gateway.prepare(
        f"GET {BASE}/{BATCH}",
        {"eidBatch": {"eidBatchId": BATCH, "totalCount": 3, "issuedCount": 2, "failedCount": 1, "done": True}},
    )
    gateway.prepare(
        f"GET {BASE}/{BATCH}/failures",
        {"failures": [{"memberId": OTHER, "reason": "PERSON_INCOMPLETE", "message": "请补全手机号码"}]},
    )
    page = await clerk.get(f"/desk/{COUNTY}/eid-batches/{BATCH}")
    assert "李强" in page.text
    assert "请补全手机号码" in page.text
    assert "hx-get" not in page.text


async def test_a_sheet_is_passed_on_and_a_refusal_is_told(clerk: Browser, gateway: StubGateway) -> None:
    prepare(gateway)
    branch = {
        "organisationId": BRANCH,
        "name": "第一党支部",
        "level": "ORGANISATION_LEVEL_BRANCH",
        "countyCode": COUNTY,
        "ancestorIds": [COUNTY],
    }
    gateway.prepare(f"GET /v1/organisations/{BRANCH}", {"organisation": branch})
    gateway.prepare(
        f"GET {SHEETS}",
        {"activationSheets": [{"organisationId": BRANCH, "organisationName": "第一党支部", "waitingCount": 12}]},
    )
    page = await clerk.get(f"/desk/{COUNTY}/activation-sheets")
    assert "第一党支部" in page.text
    printing = f"POST /v1/organisations/{BRANCH}/activation-sheets:print"
    gateway.prepare(printing, {})
    sheet = await clerk.post(f"/desk/{COUNTY}/activation-sheets/{BRANCH}", page=f"/desk/{COUNTY}/activation-sheets")
    assert sheet.headers["content-disposition"].startswith("attachment")
    # The gateway refuses a key where there is no request id.
    assert [one.headers.get("idempotency-key") for one in gateway.asked(printing)] == [None]
    gateway.refuse(f"POST {SHEETS}:print", 409, "SHEET_TOO_LARGE", "请按党支部分别打印")
    answer = await clerk.post(f"/desk/{COUNTY}/activation-sheets/{COUNTY}", page=f"/desk/{COUNTY}/activation-sheets")
    assert answer.headers["location"] == f"/desk/{COUNTY}/activation-sheets"
    assert "请按党支部分别打印" in (await clerk.get(f"/desk/{COUNTY}/activation-sheets")).text
