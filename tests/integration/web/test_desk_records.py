"""The desk's pages about records that need two looks: telephones that stay, erasures that wait."""

from integration.web.conftest import Browser
from integration.web.gateway import StubGateway
from integration.web.test_desks import CASES, CHECKED, CLERK, COUNTY, ME, OTHER, ROSTER, clerk, gateway, gateway_url

__all__ = ["clerk", "gateway", "gateway_url"]


def _base(kind: str) -> str:
    return f"/v1/organisations/{COUNTY}/{kind}"


async def test_telephones_that_a_roster_does_not_change_have_a_list_and_a_file(
    clerk: Browser, gateway: StubGateway
) -> None:
    path, call = f"/desk/{COUNTY}/rosters/{ROSTER}", f"{_base('rosters')}/{ROSTER}"
    gateway.prepare(f"GET {call}", {"roster": {**CHECKED, "noticeCount": 1}})
    notice = {
        "cell": "H2",
        "field": "ROSTER_FIELD_TELEPHONE",
        "reason": "TELEPHONE_OF_EID",
        "message": "尾号 0001 不采用",
    }
    row = {"rowNumber": 2, "memberId": OTHER, "realName": "李强", "notices": [notice]}
    gateway.prepare(f"GET {call}/rows", {"rows": [row]})
    gateway.prepare(f"GET {call}/problems", {})
    shown = await clerk.get(path)
    assert f"{path}/rows?kind=noticed" in shown.text
    listed = await clerk.get(f"{path}/rows?kind=noticed")
    assert "尾号 0001 不采用" in listed.text
    # From the list to the person, where the act is.
    assert f'href="/desk/{COUNTY}/people/{OTHER}"' in listed.text
    (asked,) = gateway.asked(f"GET {call}/rows")
    assert (asked.query["withNotices"], asked.query["difference"]) == ("true", "ROSTER_DIFFERENCE_UNSPECIFIED")
    assert f"{path}/problems?kind=noticed" in listed.text
    await clerk.get(f"{path}/problems?kind=noticed")
    (file,) = gateway.asked(f"GET {call}/problems")
    assert file.query["notices"] == "true"


async def test_a_person_whose_codes_go_elsewhere_is_shown_so_with_the_act_that_mends_it(
    clerk: Browser, gateway: StubGateway
) -> None:
    offices = [{"name": "clerk", "displayName": "干事", "permissions": [*CLERK, "identity.people.correct"]}]
    gateway.prepare("GET /v1/offices", {"offices": offices})
    person = {
        "memberId": OTHER,
        "realName": "李强",
        "telephone": "12000000001",
        "eidTelephone": "12000000002",
        "etag": "v1",
    }
    gateway.prepare(f"GET {_base('people')}/{OTHER}", {"person": person})
    for page in ("", "/telephone"):
        shown = await clerk.get(f"/desk/{COUNTY}/people/{OTHER}{page}")
        assert "登录验证码发到另一个号码：12000000002" in shown.text
    assert f'href="/desk/{COUNTY}/people/{OTHER}/telephone"' in (await clerk.get(f"/desk/{COUNTY}/people/{OTHER}")).text
    gateway.prepare(f"GET {_base('people')}/{OTHER}", {"person": {**person, "eidTelephone": ""}})
    assert "另一个号码" not in (await clerk.get(f"/desk/{COUNTY}/people/{OTHER}")).text


def _may(gateway: StubGateway, *permissions: str) -> None:
    offices = [{"name": "clerk", "displayName": "干事", "permissions": [*CLERK, *permissions]}]
    gateway.prepare("GET /v1/offices", {"offices": offices})


async def test_erasures_wait_in_a_list_for_another_officer_who_ticks_that_it_is_for_ever(
    clerk: Browser, gateway: StubGateway
) -> None:
    _may(gateway, "identity.people.erase")
    path, call = f"/desk/{COUNTY}/erasures", _base("erasures")
    theirs = {"memberId": CASES[0], "realName": "赵六", "reason": "家属申请", "proposedByMemberId": OTHER, "etag": "v3"}
    mine = {"memberId": CASES[1], "realName": "孙七", "reason": "本人申请", "proposedByMemberId": ME, "etag": "v1"}
    gateway.prepare(f"GET {call}", {"erasures": [theirs, mine]})
    gateway.prepare(f"GET {call}:count", {"waitingCount": 2})
    for one in CASES[:2]:
        gateway.prepare(f"POST {call}/{one}:confirm", {})
        gateway.prepare(f"POST {call}/{one}:refuse", {})
    page = await clerk.get(path)
    assert ("家属申请" in page.text, "李强" in page.text, "赵六" in page.text) == (True, True, True)
    # Who asked can take it back and not confirm; nobody is asked to type what stands there already.
    assert f'action="{path}/{CASES[0]}/confirm"' in page.text
    assert f'action="{path}/{CASES[1]}/confirm"' not in page.text
    assert ">撤回" in page.text.replace("\n", "").replace("  ", "")
    unticked = await clerk.post(f"{path}/{CASES[0]}/confirm", page=path, etag="v3")
    assert (unticked.status_code, gateway.asked(f"POST {call}/{CASES[0]}:confirm")) == (422, [])
    box = {f"confirm-{CASES[0]}": "yes"}
    done = await clerk.post(f"{path}/{CASES[0]}/confirm", page=path, etag="v3", **box)
    assert done.headers["location"] == path
    (confirmed,) = gateway.asked(f"POST {call}/{CASES[0]}:confirm")
    assert confirmed.headers["if-match"] == '"v3"'
    await clerk.post(f"{path}/{CASES[1]}/refuse", page=path, etag="v1")
    assert len(gateway.asked(f"POST {call}/{CASES[1]}:refuse")) == 1
    # How many wait stands beside the section's name, wherever the menu is.
    assert f'hx-get="{path}/count"' in (await clerk.get(f"/desk/{COUNTY}")).text
    assert ">2<" in (await clerk.get(f"{path}/count")).text
    gateway.refuse(f"GET {call}:count", 503, "UNAVAILABLE", "暂时不可用")
    assert (await clerk.get(f"{path}/count")).status_code == 204


async def test_an_erasure_that_waits_is_not_asked_for_twice(clerk: Browser, gateway: StubGateway) -> None:
    _may(gateway, "identity.people.erase")
    person = {"memberId": OTHER, "realName": "李强", "etag": "v1"}
    gateway.prepare(f"GET {_base('people')}/{OTHER}", {"person": person})
    gateway.prepare(f"GET {_base('erasures')}", {})
    path = f"/desk/{COUNTY}/people/{OTHER}/erase"
    assert f'action="{path}"' in (await clerk.get(path)).text
    waiting = {"memberId": OTHER, "reason": "家属申请", "proposedByMemberId": OTHER}
    gateway.prepare(f"GET {_base('erasures')}", {"erasures": [waiting]})
    shown = await clerk.get(path)
    assert "李强已提出销毁（原因：家属申请）" in shown.text
    assert f'action="{path}"' not in shown.text
    assert gateway.asked(f"GET {_base('erasures')}")[-1].query["memberId"] == OTHER
