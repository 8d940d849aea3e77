"""What can stop a load, in both languages."""


class DemoError(Exception):
    """The demonstration cannot be loaded; the text says what the person at the keyboard can do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
