"""Puts the OpenAPI document together."""

from typing import Any, Final

from zhibu_gateway.contract.methods import PublicMethod
from zhibu_gateway.openapi.descriptions import Descriptions
from zhibu_gateway.openapi.operations import Operations, shared_parameters
from zhibu_gateway.openapi.responses import HEADERS, PROBLEM, error_responses
from zhibu_gateway.openapi.schemas import Schemas
from zhibu_gateway.settings import GatewaySettings

_ABOUT: Final = """\
支部的公开接口。接口由 `proto/` 中的合约生成，与合约始终一致。

The public API of Zhibu, derived from the contract in `proto/`.

- JSON as in the proto3 mapping: lowerCamelCase names, 64-bit integers as strings, instants in UTC (RFC 3339). Unknown fields
  and parameters are refused. Answers have every field that has no presence of its own, also when it is empty.
- Errors are `application/problem+json` (RFC 9457) with a `code` for programs; texts come in Chinese or English.
- Writes take an `Idempotency-Key`; records that are edited have an `ETag`, and changes to them an `If-Match`.
- Lists take `pageSize` (default 50, at most 200) and `pageToken`, and answer with `nextPageToken`, empty on the last page.
"""


def make_document(methods: list[PublicMethod], *, settings: GatewaySettings) -> dict[str, Any]:
    """Makes the document for these methods."""
    descriptions = Descriptions()
    schemas = Schemas(descriptions)
    operations = Operations(descriptions, schemas, settings)
    paths: dict[str, dict[str, Any]] = {}
    for method in methods:
        for index, binding in enumerate(method.bindings):
            item = paths.setdefault(binding.template.openapi_path, {})
            item[binding.http_method.lower()] = operations.make(method, binding, index)
    services = {method.service.full_name: descriptions.of(method.service.full_name) for method in methods}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "支部 Zhibu",
            "version": "1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": settings.gateway_public_url}],
        "tags": [{"name": name, "description": text} for name, text in services.items()],
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM, **dict(sorted(schemas.components.items()))},
            "responses": error_responses(),
            "parameters": shared_parameters(),
            "headers": HEADERS,
            "securitySchemes": {
                "oidc": {
                    "type": "openIdConnect",
                    "openIdConnectUrl": f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
                    "description": "Authorisation code with PKCE at the realm; the access token is sent as a bearer token.",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token.",
                },
            },
        },
    }
