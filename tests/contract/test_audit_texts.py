"""Every act that the contract lets be recorded reads in both languages, and no other."""

from zhibu_audit.texts import ACTIONS, text_of_action, text_of_office
from zhibu_docs.contract import audited_of, methods


def test_every_act_of_the_contract_has_words_in_both_languages() -> None:
    acts = {audited.action for method in methods() if (audited := audited_of(method)) is not None}
    assert set(ACTIONS) == acts
    assert all(zh and en and zh != en for zh, en in ACTIONS.values())


def test_what_this_version_does_not_know_stands_by_its_name() -> None:
    assert text_of_action("dues.payment.recorded", "zh-CN") == "dues.payment.recorded"
    assert text_of_office("treasurer", "en") == "treasurer"
