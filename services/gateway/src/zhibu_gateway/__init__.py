"""The gateway: derives its routes, its OpenAPI document and its checks from the contract's descriptors."""
