"""The GSM default alphabet (3GPP TS 23.038, section 6.2.1), for texts that arrive with data_coding 0."""

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_ESCAPE = 0x1B


def decode_gsm(octets: bytes) -> str:
    """Text of unpacked septets, one per octet; an unknown escape shows as the replacement character."""
    characters: list[str] = []
    escaped = False
    for octet in octets:
        if escaped:
            characters.append(_EXTENSION.get(octet, "\ufffd"))
            escaped = False
        elif octet == _ESCAPE:
            escaped = True
        else:
            characters.append(_BASIC[octet] if octet < len(_BASIC) else "\ufffd")
    return "".join(characters)
