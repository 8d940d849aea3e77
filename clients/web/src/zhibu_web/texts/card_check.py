"""Texts of the page on which cards are checked."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "card_check.title": ("查验身份卡", "Check an e-ID card"),
    "card_check.lead": (
        "扫描卡上的码，或上传卡的图片。查验在您的设备上完成，不上传任何内容。",
        "Scan the code on the card, or choose a picture of it. The check runs on your device; nothing is uploaded.",
    ),
    "card_check.no_script": (
        "查验需要浏览器启用 JavaScript。",
        "The check needs JavaScript; please switch it on in your browser.",
    ),
    "card_check.camera": ("用摄像头扫码", "Scan with the camera"),
    "card_check.stop": ("停止扫码", "Stop scanning"),
    "card_check.picture": ("或选择卡的图片", "Or choose a picture of the card"),
    "card_check.code": ("或粘贴码的文字（以 ZB1: 开头）", "Or paste the code as text (it begins with ZB1:)"),
    "card_check.check": ("查验", "Check"),
    "card_check.offline": (
        "本页已保存到这台设备，没有网络时也能打开使用。",
        "This page is kept on this device and works without a network.",
    ),
    "card_check.good": ("✓ 有效", "✓ Good"),
    "card_check.name": ("姓名", "Name"),
    "card_check.county": ("发放单位", "Issued by"),
    "card_check.number": ("编号末四位", "Last four digits of the number"),
    "card_check.issued": ("制卡日期", "Card made on"),
    "card_check.expires": ("有效期至", "Good until"),
    "card_check.compare": (
        "请核对：姓名和编号末四位与卡面一致，并请持卡人出示有照片的证件。",
        "Compare name and last four digits with the card, and ask the holder for a document with a photograph.",
    ),
    "card_check.as_of": ("公钥和注销名单更新于 {time}。", "Keys and revoked cards as of {time}."),
    "card_check.empty": ("请先扫码、选择图片或粘贴码。", "Scan, choose a picture or paste a code first."),
    "card_check.no_keys": (
        "还没有下载公钥，请联网打开本页一次。",
        "There are no keys on this device yet; open this page once with a network.",
    ),
    "card_check.no_code": (
        "图片中没有找到身份卡的码，请换一张清楚的图片。",
        "No card's code was found in the picture; take a clearer one.",
    ),
    "card_check.no_camera": (
        "不能使用摄像头，请检查浏览器的权限，或改用图片。",
        "The camera cannot be used; check the browser's permission, or choose a picture.",
    ),
    "card_check.reason.MALFORMED": (
        "✗ 不是身份卡的码，或者码已损坏",
        "✗ This is no code of a card, or it is damaged",
    ),
    "card_check.reason.KEY_UNKNOWN": (
        "✗ 签名的密钥不认识：请联网更新后再查；仍然如此则是伪造",
        "✗ Signed with an unknown key: update with a network; if it stays so, the card is forged",
    ),
    "card_check.reason.SIGNATURE_WRONG": (
        "✗ 签名不对：码被改动过，或者是伪造",
        "✗ The signature is wrong: the code was changed or forged",
    ),
    "card_check.reason.NOT_YET_VALID": (
        "✗ 还没有生效：请检查这台设备的时间",
        "✗ Not valid yet: check this device's clock",
    ),
    "card_check.reason.EXPIRED": ("✗ 已过有效期", "✗ Expired"),
    "card_check.reason.REVOKED": ("✗ 已注销", "✗ Revoked"),
}
