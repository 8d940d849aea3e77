"""A key stick of an officer: asked for at the desk, confirmed by its holder alone, and after its revocation good for nothing."""

import contextlib
import hashlib
import re
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from e2e.browsing import Officers, check_page, watch
from e2e.running_stack import Stack
from playwright.async_api import Browser, BrowserContext, Page, expect
from playwright.async_api import Error as BrowserError

HOLDER = "security officer"
LOG_IN = re.compile("密钥盘登录")


async def test_a_certificate_logs_its_holder_in_once_the_holder_has_confirmed_it_and_until_it_is_revoked(
    stack: Stack, browser: Browser, desk: BrowserContext, phone: BrowserContext, officers: Officers
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    telephone = stack.account(HOLDER)["code"].rpartition("to=")[2]
    before = stack.newest_message(telephone)
    admin = await officers.open(desk, "province administrator")
    complaints = watch(admin, stack)
    waiting = await _ask(admin, stack, key)
    assert "有人为您申请密钥盘证书" in stack.wait_for_message(telephone, before)
    await _attack(admin, browser, stack, key, waiting)

    # The confirmation wants a log-in of the last minutes.
    officers.forget(HOLDER)
    holder = await officers.open(phone, HOLDER)
    complaints_of_holder = watch(holder, stack)
    certificate = await _confirm(holder, key)
    stick = await _stick(browser, stack, key, certificate)
    logged_in = await _log_in_by(stick, stack)
    await expect(logged_in).to_have_url(f"{stack.web}/me")
    await _revoke(admin, waiting)
    officers.forget(HOLDER)
    await logged_in.goto(f"{stack.web}/me")
    await expect(logged_in.get_by_role("heading", level=1)).to_have_text("您已退出登录")
    again = await _log_in_by(await _stick(browser, stack, key, certificate), stack)
    await expect(again.get_by_text("证书已吊销、过期，或者不是本平台签发的")).to_be_visible()
    assert complaints + complaints_of_holder == []


async def _ask(admin: Page, stack: Stack, key: ec.EllipticCurvePrivateKey) -> str:
    """Ask for a certificate at the desk; return the address of what waits."""
    await admin.goto(f"{stack.web}/desk/37/certificates/new")
    await admin.get_by_label("证书请求（粘贴）").fill("-----BEGIN CERTIFICATE REQUEST-----")
    await admin.get_by_role("button", name="提交申请").click()
    await expect(admin.get_by_role("alert")).to_contain_text("请粘贴或上传完整的证书请求")
    await check_page(admin)
    await admin.get_by_label("干部", exact=True).select_option(index=2)
    await admin.get_by_label("证书请求（粘贴）").fill(_request(key))
    await admin.get_by_role("button", name="提交申请").click()
    await expect(admin.get_by_role("alert")).to_contain_text("已通知本人，等待确认")
    await expect(admin.locator("[data-test=certificate-state]")).to_have_text("等待本人确认")
    await expect(admin.get_by_role("button", name="下载证书")).to_have_count(0)
    await check_page(admin)
    waiting = admin.url
    await admin.goto(f"{stack.web}/desk/37/certificates")
    await expect(admin.locator("[data-test=certificate-state]").first).to_have_text("等待本人确认")
    await check_page(admin)
    return waiting


async def _attack(admin: Page, browser: Browser, stack: Stack, key: ec.EllipticCurvePrivateKey, waiting: str) -> None:
    """The administrator has the key, but neither a certificate nor a way to confirm one for somebody else."""
    await admin.goto(f"{waiting}/certificate.pem")
    await expect(admin).to_have_url(waiting)
    certificate_id = waiting.rpartition("/")[2]
    mine = await admin.goto(f"{stack.web}/me/certificates/{certificate_id}")
    assert mine is not None
    assert mine.status == 404
    await admin.goto(f"{stack.web}/me/certificates")
    assert certificate_id not in await admin.content()
    stick = await _stick(browser, stack, key, _self_signed(key))
    page = await stick.new_page()
    await page.goto(stack.web)
    # The connection itself may be refused.
    with contextlib.suppress(BrowserError):
        await page.get_by_role("link", name=LOG_IN).click()
    await page.goto(f"{stack.web}/me")
    await expect(page.locator("#username")).to_be_visible()
    await stick.close()


async def _confirm(holder: Page, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Confirm as the holder; return the certificate as it is downloaded."""
    await expect(holder.locator("[data-test=certificate-waits]")).to_be_visible()
    await check_page(holder)
    await holder.get_by_role("link", name="去看看").click()
    await check_page(holder)
    await holder.locator(".z-table a").first.click()
    await expect(holder.get_by_text("只有密钥盘在您自己手中")).to_be_visible()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    digest = hashlib.sha256(key.public_key().public_bytes(serialization.Encoding.DER, form)).hexdigest()
    await expect(holder.locator("[data-test=key-fingerprint]")).to_have_text(" ".join(re.findall("....", digest)))
    await check_page(holder)
    await holder.get_by_role("button", name="确认签发").click()
    await expect(holder.get_by_role("alert")).to_contain_text("请先核对并勾选")
    await check_page(holder)
    await holder.get_by_label("密钥盘在我手中").check()
    await holder.get_by_role("button", name="确认签发").click()
    await expect(holder.get_by_role("alert")).to_contain_text("证书已签发")
    await check_page(holder)
    async with holder.expect_download() as waiting:
        await holder.get_by_role("button", name="下载证书").click()
    certificate = (await (await waiting.value).path()).read_bytes()
    assert certificate.startswith(b"-----BEGIN CERTIFICATE-----")
    return certificate


def _self_signed(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A certificate that says of itself whom it would log in."""
    name = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, "0" * 26)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


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


async def _revoke(admin: Page, address: str) -> None:
    await admin.goto(address)
    await check_page(admin)
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
