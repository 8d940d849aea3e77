"""Registers servicers from the contract's descriptors: no generated base classes, no method left out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import cast

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from zhibu_kit.access import ContractError, compile_access
from zhibu_kit.method import Method, method_of
from zhibu_kit.pipeline import Pipeline, PipelineParts
from zhibu_kit.ports import GrantSource, OrganisationTree


def generic_handlers(
    servicers: Mapping[ServiceDescriptor, object],
    *,
    parts: PipelineParts,
    organisations: OrganisationTree,
    grants: GrantSource,
) -> list[grpc.GenericRpcHandler[Message, Message]]:
    """Compile a pipeline for every RPC of the services and return what a gRPC server registers.

    Raises:
        ContractError: when an RPC has no access rule, or a servicer has no handler for it.
    """

    def compile_one(method: Method, servicer: object) -> grpc.RpcMethodHandler[Message, Message]:
        pipeline = Pipeline(
            method,
            handler=_handler_of(method, servicer),
            rule=compile_access(method, organisations=organisations, grants=grants),
            parts=parts,
        )
        return _rpc_method_handler(method, pipeline)

    return [
        grpc.method_handlers_generic_handler(
            service.full_name,
            {descriptor.name: compile_one(method_of(descriptor), servicer) for descriptor in service.methods},
        )
        for service, servicer in servicers.items()
    ]


def _handler_of(method: Method, servicer: object) -> Callable[..., object]:
    handler = getattr(servicer, method.descriptor.name, None)
    if handler is None:
        raise ContractError(f"{type(servicer).__name__} has no handler for {method.name}")
    fits = inspect.isasyncgenfunction(handler) if method.server_streaming else inspect.iscoroutinefunction(handler)
    if not fits:
        kind = "an async generator" if method.server_streaming else "an async function"
        raise ContractError(f"the handler of {method.name} must be {kind}")
    return handler


def _rpc_method_handler(method: Method, pipeline: Pipeline) -> grpc.RpcMethodHandler[Message, Message]:
    request_type = GetMessageClass(method.descriptor.input_type)
    response_type = GetMessageClass(method.descriptor.output_type)
    match method.client_streaming, method.server_streaming:
        case False, False:
            make, behaviour = grpc.unary_unary_rpc_method_handler, pipeline.unary_unary
        case False, True:
            make, behaviour = grpc.unary_stream_rpc_method_handler, pipeline.unary_stream
        case True, False:
            make, behaviour = grpc.stream_unary_rpc_method_handler, pipeline.stream_unary
        case _:
            raise ContractError(f"{method.name} streams in both directions, which the kit does not do")
    # grpc's types know synchronous behaviours only; its aio server takes asynchronous ones.
    return make(
        cast("Callable[..., Message]", behaviour),
        request_deserializer=request_type.FromString,
        response_serializer=response_type.SerializeToString,
    )
