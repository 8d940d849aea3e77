"""The one kind of failure that people at the keyboard see: a sentence in Chinese and the same one in English."""


class StackError(Exception):
    """Something outside stands in the way; the two sentences say what and what to do about it."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh = zh
        self.en = en
