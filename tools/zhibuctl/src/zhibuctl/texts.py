"""What the operator reads, Chinese first."""


def both(zh: str, en: str) -> str:
    """Put the two languages on one line."""
    return f"{zh} / {en}"
