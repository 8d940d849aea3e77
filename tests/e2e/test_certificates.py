"""A key stick of an officer: its certificate is issued at the desk, opens the web client, and after its revocation nothing."""

import re

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from e2e.browsing import Officers, check_page, watch
from e2e.running_stack import Stack
from playwright.async_api import Browser, BrowserContext, Page, expect

HOLDER = "security officer"
LOG_IN = re.compile("密钥盘登录")


async def test_a_certificate_logs_an_officer_in_until_it_is_revoked_and_then_at_once_no_more(
    stack: Stack, browser: Browser, desk: BrowserContext, officers: Officers
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    admin = await officers.open(desk, "province administrator")
    complaints = watch(admin, stack)
    await admin.goto(f"{stack.web}/desk/37/certificates/new")
    await admin.get_by_label("证书请求（粘贴）").fill("-----BEGIN CERTIFICATE REQUEST-----")
    await admin.get_by_role("button", name="签发").click()
    await expect(admin.get_by_role("alert")).to_contain_text("请粘贴或上传完整的证书请求")
    await check_page(admin)
    await admin.get_by_label("干部", exact=True).select_option(index=2)
    await admin.get_by_label("证书请求（粘贴）").fill(_request(key))
    await admin.get_by_role("button", name="签发").click()
    await expect(admin.get_by_role("heading", level=1)).to_have_text("证书已签发")
    await check_page(admin)
    async with admin.expect_download() as waiting:
        await admin.get_by_role("button", name="下载证书").click()
    certificate = (await (await waiting.value).path()).read_bytes()
    assert certificate.startswith(b"-----BEGIN CERTIFICATE-----")
    stick = await _stick(browser, stack, key, certificate)
    holder = await _log_in_by(stick, stack)
    await expect(holder).to_have_url(f"{stack.web}/me")
    await _revoke(admin, stack)
    officers.forget(HOLDER)
    await holder.goto(f"{stack.web}/me")
    await expect(holder.get_by_role("heading", level=1)).to_have_text("您已退出登录")
    again = await _log_in_by(await _stick(browser, stack, key, certificate), stack)
    await expect(again.get_by_text("证书已吊销、过期，或者不是本平台签发的")).to_be_visible()
    assert complaints == []


def _request(key: ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a key stick")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


async def _stick(browser: Browser, stack: Stack, key: ec.EllipticCurvePrivateKey, certificate: bytes) -> BrowserContext:
    """A browser that has the key and its certificate, as with a stick in the machine."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800},
        locale="zh-CN",
        # The stack's own authority is in no browser.
        ignore_https_errors=True,
        client_certificates=[
            {
                "origin": stack.ports.certificate_url,
                "cert": certificate,
                "key": key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                ),
            }
        ],
    )
    context.set_default_timeout(30_000)
    return context


async def _log_in_by(stick: BrowserContext, stack: Stack) -> Page:
    page = await stick.new_page()
    await page.goto(stack.web)
    await page.get_by_role("link", name=LOG_IN).click()
    return page


async def _revoke(admin: Page, stack: Stack) -> None:
    await admin.goto(f"{stack.web}/desk/37/certificates")
    await admin.get_by_role("link", name=re.compile("吊销")).first.click()
    await check_page(admin)
    late = await admin.context.new_page()
    await late.goto(admin.url)
    await admin.get_by_role("button", name="吊销").click()
    await expect(admin.get_by_role("alert")).to_contain_text("请选择一项")
    for page, outcome in ((admin, "证书已吊销。"), (late, "这张证书已经吊销。")):
        await page.get_by_label("密钥丢失").check()
        await page.get_by_role("button", name="吊销").click()
        await expect(page.get_by_role("alert")).to_contain_text(outcome)
