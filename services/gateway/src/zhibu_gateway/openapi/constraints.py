"""The limits of buf.validate as JSON-Schema keywords."""

import re
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

Schema = dict[str, Any]

_STRING_FORMATS = {
    "email": "email",
    "uri": "uri",
    "uuid": "uuid",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "hostname": "hostname",
}
_QUOTED = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED64,
    }
)


def rules_of(field: FieldDescriptor) -> validate_pb2.FieldRules:
    """Gives the rules that the contract states about a field."""
    return field.GetOptions().Extensions[validate_pb2.field]


def is_required(field: FieldDescriptor) -> bool:
    """Tells whether a request without the field is refused."""
    rules = rules_of(field)
    if rules.required:
        return True
    if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE or field.has_presence:
        return False
    if field.is_repeated:
        return rules.repeated.min_items > 0 or rules.map.min_pairs > 0
    text = rules.string
    if text.min_len or text.len or text.min_bytes or rules.bytes.min_len:
        return True
    return text.HasField("pattern") and re.search(text.pattern, "") is None


def apply_rules(field: FieldDescriptor, schema: Schema) -> Schema:
    """Adds the rules of a field to the schema of its value."""
    rules = rules_of(field)
    if field.is_repeated and schema.get("type") == "array":
        return _apply_list(field, rules, schema)
    if field.is_repeated:
        _put(schema, "minProperties", rules.map.min_pairs)
        _put(schema, "maxProperties", rules.map.max_pairs)
        return schema
    return apply_scalar(field, rules, schema)


def _apply_list(field: FieldDescriptor, rules: validate_pb2.FieldRules, schema: Schema) -> Schema:
    _put(schema, "minItems", rules.repeated.min_items)
    _put(schema, "maxItems", rules.repeated.max_items)
    if rules.repeated.unique:
        schema["uniqueItems"] = True
    schema["items"] = apply_scalar(field, rules.repeated.items, schema["items"])
    return schema


def apply_scalar(field: FieldDescriptor, rules: validate_pb2.FieldRules, schema: Schema) -> Schema:
    """Adds the rules of one value to its schema."""
    constrained = dict(schema)
    match rules.WhichOneof("type"):
        case "string":
            _string(rules.string, constrained)
        case "bytes":
            # base64 has four characters for three bytes.
            if rules.bytes.max_len:
                constrained["maxLength"] = -(-rules.bytes.max_len // 3) * 4
        case "enum":
            if rules.enum.defined_only:
                constrained = {"allOf": [schema]} if "$ref" in schema else constrained
        case None | "repeated" | "map" | "bool" | "timestamp" | "duration" | "any" | "field_mask":
            return schema
        case kind:
            _number(getattr(rules, kind), constrained, quoted=field.type in _QUOTED)
    if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE and constrained != schema:
        zero: object = "" if schema.get("type") == "string" else 0
        return {"anyOf": [{"const": zero}, constrained]}
    return constrained if constrained != {"allOf": [schema]} else schema


def _string(rules: validate_pb2.StringRules, schema: Schema) -> None:
    _put(schema, "minLength", rules.len or rules.min_len)
    _put(schema, "maxLength", rules.len or rules.max_len)
    if rules.HasField("pattern"):
        schema["pattern"] = rules.pattern
    if rules.HasField("prefix"):
        schema["pattern"] = "^" + re.escape(rules.prefix)
    if rules.HasField("const"):
        schema["const"] = rules.const
    if getattr(rules, "in"):
        schema["enum"] = list(getattr(rules, "in"))
    well_known = rules.WhichOneof("well_known")
    if well_known in _STRING_FORMATS:
        schema["format"] = _STRING_FORMATS[well_known]


def _number(rules: Message, schema: Schema, *, quoted: bool) -> None:
    names = {"gt": "exclusiveMinimum", "gte": "minimum", "lt": "exclusiveMaximum", "lte": "maximum", "const": "const"}
    for name, keyword in names.items():
        if rules.HasField(name):
            if quoted:
                # The value travels as text, on which numeric keywords say nothing; people may still read them.
                schema["description"] = f"{schema.get('description', '')} {name} {getattr(rules, name)}".strip()
            else:
                schema[keyword] = getattr(rules, name)
    if getattr(rules, "in", None):
        schema["enum"] = [str(value) if quoted else value for value in getattr(rules, "in")]


def _put(schema: Schema, keyword: str, value: int) -> None:
    if value:
        schema[keyword] = value
