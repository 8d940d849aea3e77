"""JSON Schemas of messages and enums, as the converter reads and writes them."""

from collections.abc import Iterable
from itertools import combinations
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from zhibu.policy.v1 import policy_pb2

from zhibu_gateway.openapi.constraints import Schema, apply_rules, apply_scalar, is_required, rules_of
from zhibu_gateway.openapi.descriptions import Descriptions
from zhibu_gateway.openapi.examples import example_of

_INTEGER64: Final = {"type": "string", "pattern": "^-?(0|[1-9][0-9]{0,19})$"}
_TYPES: Final[dict[int, Schema]] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_SINT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_SFIXED32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    FieldDescriptor.TYPE_FIXED32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    FieldDescriptor.TYPE_INT64: {**_INTEGER64, "format": "int64"},
    FieldDescriptor.TYPE_SINT64: {**_INTEGER64, "format": "int64"},
    FieldDescriptor.TYPE_SFIXED64: {**_INTEGER64, "format": "int64"},
    FieldDescriptor.TYPE_UINT64: {**_INTEGER64, "format": "uint64"},
    FieldDescriptor.TYPE_FIXED64: {**_INTEGER64, "format": "uint64"},
}
_WELL_KNOWN: Final[dict[str, Schema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string", "description": "Field names in camelCase, separated by commas."},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "additionalProperties": True,
    },
    "google.protobuf.StringValue": {"type": ["string", "null"]},
    "google.protobuf.BytesValue": {"type": ["string", "null"], "contentEncoding": "base64"},
    "google.protobuf.BoolValue": {"type": ["boolean", "null"]},
    "google.protobuf.Int32Value": {"type": ["integer", "null"]},
    "google.protobuf.UInt32Value": {"type": ["integer", "null"]},
    "google.protobuf.Int64Value": {"type": ["string", "null"]},
    "google.protobuf.UInt64Value": {"type": ["string", "null"]},
    "google.protobuf.DoubleValue": {"type": ["number", "null"]},
    "google.protobuf.FloatValue": {"type": ["number", "null"]},
}


class Schemas:
    """Collects the schemas that the document refers to, each type once."""

    def __init__(self, descriptions: Descriptions) -> None:
        """Starts with none."""
        self._descriptions = descriptions
        self.components: dict[str, Schema] = {}

    def message(self, descriptor: Descriptor) -> Schema:
        """Gives a schema, or a reference to one, for a message."""
        if descriptor.full_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[descriptor.full_name])
        name = component_name(descriptor.full_name)
        if name not in self.components:
            # Claimed first, for types that contain themselves.
            self.components[name] = {}
            self.components[name] = self._object(descriptor, descriptor.fields)
        return {"$ref": f"#/components/schemas/{name}"}

    def body(self, descriptor: Descriptor, bound: frozenset[str]) -> Schema:
        """Gives the schema of a body that is a message without the fields that the path holds."""
        by_header = {"etag", "request_id"} & set(descriptor.fields_by_name)
        if not bound and not by_header:
            return self.message(descriptor)
        name = f"{component_name(descriptor.full_name)}.Body"
        schema = self._object(descriptor, [field for field in descriptor.fields if field.name not in bound])
        # What a header may say as well is not required in the body.
        required = [field for field in schema.pop("required", []) if field not in ("etag", "requestId")]
        self.components[name] = {**schema, "required": required} if required else schema
        return {"$ref": f"#/components/schemas/{name}"}

    def field(self, field: FieldDescriptor) -> Schema:
        """Gives the schema of a field with its limits, comment and example."""
        schema = apply_rules(field, self._value(field))
        text = self._describe(field)
        if text:
            # Beside a $ref, 3.1 allows a description of one's own.
            schema = {**schema, "description": text}
        example = example_of(field)
        if example is not None and "$ref" not in schema:
            schema["examples"] = [example]
        return schema

    def element(self, field: FieldDescriptor) -> Schema:
        """Gives the schema of one element of a field, without its comment."""
        if field.is_repeated:
            return apply_scalar(field, rules_of(field).repeated.items, self._element(field))
        return apply_rules(field, self._element(field))

    def _object(self, descriptor: Descriptor, fields: Iterable[FieldDescriptor]) -> Schema:
        fields = list(fields)
        schema: Schema = {
            "type": "object",
            "properties": {field.json_name: self.field(field) for field in fields},
            "additionalProperties": False,
        }
        text = self._descriptions.of(descriptor.full_name)
        if text:
            schema["description"] = text
        required = [field.json_name for field in fields if is_required(field)]
        if required:
            schema["required"] = required
        exclusive = [
            {"not": {"required": [one.json_name, other.json_name]}}
            for oneof in descriptor.oneofs
            for one, other in combinations([member for member in oneof.fields if member in fields], 2)
        ]
        if exclusive:
            schema["allOf"] = exclusive
        return schema

    def _value(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return {"type": "object", "additionalProperties": self._element(field.message_type.fields_by_name["value"])}
        if field.is_repeated:
            return {"type": "array", "items": self._element(field)}
        return self._element(field)

    def _element(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            return self.message(field.message_type)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        return dict(_TYPES[field.type])

    def _enum(self, enum: EnumDescriptor) -> Schema:
        if enum.full_name == "google.protobuf.NullValue":
            return {"type": "null"}
        name = component_name(enum.full_name)
        if name not in self.components:
            lines = [self._descriptions.of(enum.full_name), ""]
            lines += [
                f"- `{value.name}`: {self._descriptions.of(f'{enum.full_name}.{value.name}')}" for value in enum.values
            ]
            self.components[name] = {
                "type": "string",
                "enum": [value.name for value in enum.values],
                "description": "\n".join(lines).strip(),
            }
        return {"$ref": f"#/components/schemas/{name}"}

    def _describe(self, field: FieldDescriptor) -> str:
        text = self._descriptions.of(field.full_name)
        options = field.GetOptions()
        if options.Extensions[policy_pb2.personal]:
            text += " Personal data: never log or cache it."
        if options.Extensions[policy_pb2.published]:
            text += " Others will read it."
        return text.strip()


def component_name(full_name: str) -> str:
    """Shortens "zhibu.identity.v1.Application" to "identity.Application"."""
    package, _, name = full_name.removeprefix("zhibu.").partition(".v1.")
    return f"{package}.{name}" if name else full_name


def plain(schema: Schema) -> dict[str, Any]:
    """Gives a copy without the description, for places that have their own."""
    return {key: value for key, value in schema.items() if key != "description"}
