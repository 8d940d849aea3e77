"""Which of our two languages a client reads (RFC 9110, 12.5.4)."""

from zhibu_kit.errors import EN, ZH


def language_of(accept_language: str | None) -> str:
    """Gives "en" where English is wanted more than Chinese, and "zh-CN" in every other case."""
    if not accept_language:
        return ZH
    best = {EN: 0.0, ZH: 0.0}
    for piece in accept_language[:200].split(","):
        tag, _, parameter = piece.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        language = {"en": EN, "zh": ZH}.get(primary)
        if language is not None:
            best[language] = max(best[language], _quality(parameter))
    return EN if best[EN] > best[ZH] else ZH


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
