"""Validation: the rules that the contract states about fields, with texts in both languages."""

from __future__ import annotations

import re
from typing import Final

from google.protobuf.message import Message
from protovalidate import Validator, Violation

from zhibu_kit.errors import FieldViolation, field_errors

# One rule after another is told, up to this many; nobody corrects more at a time.
MAX_VIOLATIONS: Final = 20

# By rule: text in Chinese, text in English; {value} is the bound that the contract states.
_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "required": ("此项必填。", "This is required."),
    "string.min_len": ("至少填写 {value} 个字。", "At least {value} characters are needed."),
    "string.max_len": ("最多填写 {value} 个字。", "At most {value} characters are allowed."),
    "string.len": ("应为 {value} 个字。", "Exactly {value} characters are needed."),
    "string.min_bytes": ("内容过短。", "This is too short."),
    "string.max_bytes": ("内容过长。", "This is too long."),
    "string.pattern": ("格式不正确。", "This does not have the right form."),
    "string.prefix": ("应以“{value}”开头。", "This must begin with “{value}”."),
    "string.suffix": ("应以“{value}”结尾。", "This must end with “{value}”."),
    "string.contains": ("应包含“{value}”。", "This must contain “{value}”."),
    "string.not_contains": ("不能包含“{value}”。", "This must not contain “{value}”."),
    "string.email": ("不是有效的电子邮箱地址。", "This is not an e-mail address."),
    "string.uri": ("不是有效的网址。", "This is not a web address."),
    "string.uuid": ("不是有效的编号。", "This is not a valid identifier."),
    "bytes.max_len": ("内容过大。", "This is too large."),
    "bytes.min_len": ("内容过短。", "This is too short."),
    "bytes.len": ("长度不正确。", "This does not have the right length."),
    "enum.defined_only": ("请选择列出的选项。", "Choose one of the listed values."),
    "repeated.min_items": ("至少选择 {value} 项。", "At least {value} entries are needed."),
    "repeated.max_items": ("最多选择 {value} 项。", "At most {value} entries are allowed."),
    "repeated.unique": ("不能有重复的项。", "Entries must not repeat."),
    "map.min_pairs": ("至少填写 {value} 项。", "At least {value} entries are needed."),
    "map.max_pairs": ("最多填写 {value} 项。", "At most {value} entries are allowed."),
    "timestamp.lt_now": ("时间应早于现在。", "This must lie in the past."),
    "timestamp.gt_now": ("时间应晚于现在。", "This must lie in the future."),
    "message.oneof": ("只能填写其中一项。", "Only one of these can be given."),
}
# By the last part of the rule, for numbers and whatever has no text of its own.
_BOUNDS: Final[dict[str, tuple[str, str]]] = {
    "const": ("应为 {value}。", "This must be {value}."),
    "in": ("不在允许的范围内。", "This is not one of the allowed values."),
    "not_in": ("不允许使用这个值。", "This value is not allowed."),
    "gt": ("应大于 {value}。", "This must be greater than {value}."),
    "gte": ("不能小于 {value}。", "This must be at least {value}."),
    "lt": ("应小于 {value}。", "This must be less than {value}."),
    "lte": ("不能大于 {value}。", "This must be at most {value}."),
    "finite": ("应为有限的数。", "This must be a finite number."),
}
_GENERIC: Final = ("填写有误。", "This is not right.")
# A CEL rule of ours has both texts in its message: "年满18周岁方可申请。 | Applicants must be at least 18."
_BOTH_LANGUAGES: Final = re.compile(r"^(?P<zh>.*\S)\s+\|\s+(?P<en>\S.*)$", re.DOTALL)

_validator: Final = Validator()


def validate(request: Message) -> None:
    """Check a request against the contract.

    Raises:
        ServiceError: INVALID_ARGUMENT with every field at fault, its rule and a text in both languages.
    """
    violations = _validator.collect_violations(request)
    if violations:
        raise field_errors(_field_violation(violation) for violation in violations[:MAX_VIOLATIONS])


def _field_violation(violation: Violation) -> FieldViolation:
    rule_id = violation.proto.rule_id or "invalid"
    zh, en = _texts(rule_id, violation)
    return FieldViolation(field=_path(violation), reason=_reason(rule_id), zh=zh, en=en)


def _texts(rule_id: str, violation: Violation) -> tuple[str, str]:
    given = _BOTH_LANGUAGES.match(violation.proto.message or "")
    if given:
        return given["zh"], given["en"]
    kind, _, rule = rule_id.partition(".")
    value = violation.rule_value
    if rule_id == "string.min_len" and value == 1:
        return _TEXTS["required"]
    texts = _TEXTS.get(rule_id) or _BOUNDS.get(rule) or _range_texts(rule, violation.proto.message or "")
    if "{value}" in texts[0] and not isinstance(value, str | int | float):
        return _TEXTS.get(f"{kind}.pattern", _GENERIC)
    return texts[0].replace("{value}", f"{value}"), texts[1].replace("{value}", f"{value}")


def _range_texts(rule: str, message: str) -> tuple[str, str]:
    """Return the texts of a rule with two bounds ("gte_lte"); only protovalidate's own message has both."""
    bounds = re.findall(r"-?\d+(?:\.\d+)?", message)
    if re.match(r"gte?_lte?\b", rule) and len(bounds) == 2:
        return f"应在 {bounds[0]} 到 {bounds[1]} 之间。", f"This must be between {bounds[0]} and {bounds[1]}."
    return _GENERIC


def _reason(rule_id: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", rule_id.upper()).strip("_")


def _path(violation: Violation) -> str:
    """Return the path of the field as the contract spells it: `people[0].name`, `labels["a"]`."""
    path = ""
    field = violation.proto.field
    for element in field.elements if field else ():
        path += f".{element.field_name}" if path else f"{element.field_name}"
        subscript = element.subscript
        if subscript is None:
            continue
        path += f"[{subscript.value}]" if subscript.field == "index" else f'["{subscript.value}"]'
    return path
