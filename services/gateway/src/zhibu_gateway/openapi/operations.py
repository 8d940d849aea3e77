"""One operation of the document for each HTTP form of an RPC."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from zhibu_kit.access import API_SCOPE, WRITE_SCOPE
from zhibu_kit.method import method_of

from zhibu_gateway.contract.methods import Binding, Input, Output, PublicMethod
from zhibu_gateway.contract.request_fields import query_fields
from zhibu_gateway.descriptors import message_of
from zhibu_gateway.openapi.constraints import is_required
from zhibu_gateway.openapi.descriptions import Descriptions
from zhibu_gateway.openapi.responses import header_references
from zhibu_gateway.openapi.schemas import Schemas, plain
from zhibu_gateway.pipelines.header_fields import HeaderFields, etag_of
from zhibu_gateway.settings import GatewaySettings

Part = dict[str, Any]

_IDEMPOTENCY_KEY = "Names this write: the same key gives the same answer, another body with the same key is refused."
_IF_MATCH = "ETag of the version that the change was made from. Another version by now is refused with 412."


class Operations:
    """Makes operations; schemas that they need are collected on the way."""

    def __init__(self, descriptions: Descriptions, schemas: Schemas, settings: GatewaySettings) -> None:
        """Describes with the comments of the contract and the general limits of the settings."""
        self._descriptions = descriptions
        self._schemas = schemas
        self._settings = settings

    def make(self, method: PublicMethod, binding: Binding, index: int) -> Part:
        """Makes the operation of one binding."""
        name = method.descriptor.name
        headers = HeaderFields(method, binding)
        operation: Part = {
            "operationId": f"{method.service.name}_{name}" + (f"_{index}" if index else ""),
            "tags": [method.service.full_name],
            "summary": self._descriptions.summary(method.descriptor.full_name, name),
            "description": self._description(method),
            "parameters": [
                *self._path_parameters(method, binding),
                *self._query_parameters(method, binding),
                *_header_parameters(method, headers),
            ],
            "responses": self._responses(method, binding, headers),
            "security": _security(method),
        }
        body = self._request_body(method, binding)
        if body is not None:
            operation["requestBody"] = body
        if method.deprecated:
            operation["deprecated"] = True
        return operation

    def _description(self, method: PublicMethod) -> str:
        lines = [
            self._descriptions.of(method.descriptor.full_name),
            "",
            f"gRPC: `{method.full_path.removeprefix('/')}`",
        ]
        lines.append("")
        match method.rule:
            case "permission":
                permission = method.access.permission
                lines.append(
                    f"**Access**: permission `{permission.name}` at or above the organisation `{permission.organisation_field}`."
                )
            case "self":
                lines.append("**Access**: whoever is logged in, about themselves only.")
            case "public":
                lines.append("**Access**: everybody; a token, when sent, is checked.")
            case _:
                lines.append(
                    "**Access**: everybody; the body carries its own authorisation, and no token reaches the service."
                )
        limits, settings = method.limits, self._settings
        lines.append("")
        lines.append(
            "**Limits**: "
            f"{limits.per_address_per_minute or settings.per_address_per_minute} calls a minute per address, "
            f"{limits.per_account_per_minute or settings.per_account_per_minute} per account, "
            f"body up to {limits.max_request_bytes or settings.max_request_bytes} bytes."
        )
        lifecycle = method.lifecycle
        if lifecycle is not None:
            lines += ["", f"**Deprecated** on {lifecycle.deprecated_on}; may be gone after {lifecycle.sunset_on}."]
            if lifecycle.successor:
                lines.append(f"Call {lifecycle.successor} instead.")
        return "\n".join(lines).strip()

    def _path_parameters(self, method: PublicMethod, binding: Binding) -> list[Part]:
        return [
            self._parameter(_field_at(method, variable.field_path), variable.field_path, "path", required=True)
            for variable in binding.template.variables
        ]

    def _query_parameters(self, method: PublicMethod, binding: Binding) -> list[Part]:
        parameters: list[Part] = []
        for parents, field in query_fields(method.request, binding):
            if not parents and field.name in ("etag", "request_id") and binding.http_method != "GET":
                # They have headers of their own.
                continue
            name = ".".join(part.json_name for part in (*parents, field))
            parameters.append(self._parameter(field, name, "query", required=not parents and is_required(field)))
        return parameters

    def _parameter(self, field: FieldDescriptor, name: str, place: str, *, required: bool) -> Part:
        schema = self._schemas.field(field)
        parameter: Part = {"name": name, "in": place, "required": required, "schema": plain(schema)}
        if "description" in schema:
            parameter["description"] = schema["description"]
        if place == "path" and "minLength" not in schema:
            parameter["schema"] = (
                {**parameter["schema"], "minLength": 1} if schema.get("type") == "string" else plain(schema)
            )
        return parameter

    def _request_body(self, method: PublicMethod, binding: Binding) -> Part | None:
        match method.input:
            case Input.NONE:
                return None
            case Input.RAW | Input.RAW_STREAM | Input.WEBHOOK:
                text = {
                    Input.WEBHOOK: "The exact bytes that the sender signed; its headers are handed over with them.",
                    Input.RAW_STREAM: "The file; it is passed on while it arrives.",
                }.get(method.input, "The file.")
                return {"required": True, "description": text, "content": {"*/*": {"schema": {}}}}
            case Input.JSON:
                pass
        if binding.body_field is not None:
            assert binding.body_field.message_type is not None
            schema = self._schemas.message(binding.body_field.message_type)
        else:
            bound = frozenset(variable.field_path for variable in binding.template.variables)
            schema = self._schemas.body(method.request, bound)
        return {"required": True, "content": {"application/json": {"schema": schema}}}

    def _responses(self, method: PublicMethod, binding: Binding, headers: HeaderFields) -> Part:
        names = ["RequestId", "RateLimit", "RateLimitPolicy"]
        if etag_of(method.response) is not None and method.output is Output.JSON:
            names.append("ETag")
        if method.lifecycle is not None:
            names += ["Deprecation", "Sunset"]
        text = self._descriptions.of(method.response.full_name) or "The answer."
        responses: Part = {}
        match method.output:
            case Output.JSON:
                field = binding.response_field
                schema = self._schemas.message(method.response) if field is None else self._schemas.field(field)
                content: Part = {"application/json": {"schema": schema}}
            case Output.FILE | Output.FILE_STREAM:
                names.append("ContentDisposition")
                text = "The file, to be saved under the name given."
                content = {"*/*": {"schema": {}}}
            case Output.EVENTS:
                text = (
                    "Server-sent events. Each `update` has the message as its data; `end` says that nothing follows; `problem` "
                    "carries an error in its usual shape. Comments keep the connection open."
                )
                self._schemas.message(method.response)
                content = {
                    "text/event-stream": {
                        "schema": {"type": "string"},
                        "x-event-data": self._schemas.message(method.response),
                        "example": "retry: 2000\n\nid: 1\nevent: update\ndata: {}\n\nevent: end\ndata: {}\n\n",
                    }
                }
        responses["200"] = {"description": text, "headers": header_references(*names), "content": content}
        if "ETag" in names and binding.http_method == "GET":
            responses["304"] = {"description": "The client has this version already (If-None-Match)."}
        for status in _error_statuses(method, headers):
            responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
        return responses


def _error_statuses(method: PublicMethod, headers: HeaderFields) -> list[int]:
    # 403 without a token too: a body that carries its own authorisation can be refused.
    # 409 for a reading too: there may be nothing to read yet, which the code of the problem says.
    statuses = {400, 403, 404, 406, 409, 429, 500, 503, 504}
    if method.reads_token:
        statuses.add(401)
    if method.input is not Input.NONE:
        statuses |= {408, 413, 415}
    if headers.has_etag:
        statuses.add(412)
    if headers.needs_etag:
        statuses.add(428)
    return sorted(statuses)


def _security(method: PublicMethod) -> list[Part]:
    # OpenAPI 3.1 lets every scheme name what it needs: the scopes of OIDC are the scopes of the token.
    scopes = [API_SCOPE] if method_of(method.descriptor).reads else [API_SCOPE, WRITE_SCOPE]
    schemes: list[Part] = [{"oidc": scopes}, {"bearer": scopes}]
    match method.rule:
        case "anonymous":
            return []
        case "public":
            return [{}, *schemes]
        case _:
            return schemes


def _header_parameters(method: PublicMethod, headers: HeaderFields) -> list[Part]:
    parameters: list[Part] = [{"$ref": "#/components/parameters/AcceptLanguage"}]
    if headers.has_request_id:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if headers.has_etag:
        name = "IfMatchRequired" if headers.needs_etag else "IfMatch"
        parameters.append({"$ref": f"#/components/parameters/{name}"})
    if headers.names_file:
        parameters.append({"$ref": "#/components/parameters/ContentDisposition"})
    if method.output is Output.JSON and etag_of(method.response) is not None and method.input is Input.NONE:
        parameters.append({"$ref": "#/components/parameters/IfNoneMatch"})
    return parameters


def shared_parameters() -> dict[str, Part]:
    """Gives the header parameters that operations refer to."""
    tag = {"type": "string", "pattern": '^"[!#-~]{1,64}"$', "examples": ['"v3"']}
    return {
        "AcceptLanguage": {
            "name": "Accept-Language",
            "in": "header",
            "description": "Language of texts for people: Chinese unless English is wanted more.",
            "schema": {"type": "string", "default": "zh-CN", "examples": ["en"]},
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": _IDEMPOTENCY_KEY,
            "schema": {
                "type": "string",
                "pattern": "^[A-Za-z0-9._~-]{1,64}$",
                "examples": ["01kb0f5m4q3z8v7x6w5t4r3s2p"],
            },
        },
        "IfMatch": {"name": "If-Match", "in": "header", "description": _IF_MATCH, "schema": tag},
        "IfMatchRequired": {
            "name": "If-Match",
            "in": "header",
            # The body's `etag` does as well, so the header alone is not required.
            "description": f"{_IF_MATCH} Without it, and without `etag` in the body, the answer is 428.",
            "schema": tag,
        },
        "ContentDisposition": {
            "name": "Content-Disposition",
            "in": "header",
            "description": "Name of the file (RFC 6266). Names outside ASCII are written as `filename*=UTF-8''…`.",
            "schema": {
                "type": "string",
                "pattern": '^attachment; filename="[a-z0-9]{1,40}[.][a-z]{3,4}"$',
                "examples": ["attachment; filename*=UTF-8''%E8%8A%B1%E5%90%8D%E5%86%8C.xlsx"],
            },
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "ETag of the version at hand; the answer is 304 when it is still the present one.",
            "schema": {"type": "string"},
        },
    }


def _field_at(method: PublicMethod, field_path: str) -> FieldDescriptor:
    *parents, name = field_path.split(".")
    message = method.request
    for parent in parents:
        message = message_of(message.fields_by_name[parent])
    return message.fields_by_name[name]
