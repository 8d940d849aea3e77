"""Messages and JSON: the proto3 mapping, compiled once per message type, strict about what comes in."""

from zhibu_gateway.json_codec.decoder import DecodeInto, Decoders
from zhibu_gateway.json_codec.encoder import Encode, Encoders
from zhibu_gateway.json_codec.errors import DecodeError, EncodeError, Fault
from zhibu_gateway.json_codec.strict_json import MAX_DEPTH, Json, loads

__all__ = [
    "MAX_DEPTH",
    "DecodeError",
    "DecodeInto",
    "Decoders",
    "Encode",
    "EncodeError",
    "Encoders",
    "Fault",
    "Json",
    "loads",
]
