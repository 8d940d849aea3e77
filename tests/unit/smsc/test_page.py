"""The demo telephone page is safe and readable."""

import httpx
from zhibu_smsc.server import MessageCentre


async def test_the_page_shows_messages_of_one_number_as_text(centre: MessageCentre, page: httpx.AsyncClient) -> None:
    centre.inbox.put(to="19900000001", sender="10690", text="<script>alert(1)</script> 验证码 482913", segments=1)
    centre.inbox.put(to="19900000002", sender="10690", text="别人的", segments=1)
    html = (await page.get("/", params={"to": "19900000001"})).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; 验证码 482913" in html
    assert "别人的" not in html
    assert '<html lang="zh-CN">' in html
    assert "演示手机" in html


async def test_the_page_has_an_english_side(page: httpx.AsyncClient) -> None:
    html = (await page.get("/", params={"lang": "en"})).text
    assert '<html lang="en">' in html
    assert "Demo telephone" in html


async def test_scripts_and_styles_come_from_the_page_itself_only(page: httpx.AsyncClient) -> None:
    answer = await page.get("/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    for name in ("phone.js", "phone.css"):
        assert (await page.get(f"/static/{name}")).status_code == 200
    assert (await page.get("/static/__init__.py")).status_code == 404


async def test_another_host_name_is_refused(page: httpx.AsyncClient) -> None:
    answer = await page.get("/messages", headers={"host": "evil.example"})
    assert answer.status_code == 400


async def test_a_form_of_another_site_cannot_switch_faults(page: httpx.AsyncClient) -> None:
    answer = await page.patch("/control", content='{"refuse_bind": true}', headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert (await page.get("/control")).json()["refuse_bind"] is False


async def test_unknown_switches_and_values_are_refused(page: httpx.AsyncClient) -> None:
    for wanted in ({"nothing": 1}, {"throttle_submits": -1}, {"receipts": "some"}, {"submit_delay_s": "1"}):
        assert (await page.patch("/control", json=wanted)).status_code == 400
    assert (await page.patch("/control", json=[1])).status_code == 400


async def test_reset_makes_the_message_centre_well_behaved(page: httpx.AsyncClient) -> None:
    before = (await page.get("/control")).json()
    changed = (await page.patch("/control", json={"throttle_submits": 3, "reject_numbers": ["1"]})).json()
    assert changed == {**before, "throttle_submits": 3, "reject_numbers": ["1"]}
    assert (await page.delete("/control")).json() == before
