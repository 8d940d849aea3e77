"""`zhibuctl client register`: registers an application that calls the API with Keycloak."""

import json
import re
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import click
from keycloak import KeycloakAdmin, KeycloakConnectionError, KeycloakError

from zhibuctl.context import Context, pass_context
from zhibuctl.errors import OperatorError
from zhibuctl.installation import Installation
from zhibuctl.texts import both

REALM: Final = "zhibu"
API_SCOPE: Final = "zhibu-api"
# `basic` carries the subject, `acr` how somebody logged in.
_ALWAYS: Final = ("basic", "acr", API_SCOPE)
_NAME: Final = re.compile(r"^[a-z][a-z0-9-]{2,39}$")
# Names that belong to the installation itself.
_RESERVED: Final = re.compile(r"^(svc-|zhibu-|account|admin-cli|broker|realm-management|security-admin)")
_TIMEOUT_S: Final = 20
_ADMIN_CLIENT: Final = "zhibu-admin"


@click.group(short_help=both("客户端应用", "applications that call the API"))
def client() -> None:
    """Register applications that call the API.

    登记调用接口的客户端应用。
    """


@client.command(short_help=both("登记", "register"))
@click.argument("name")
@click.option(
    "--redirect-uri", "redirect_uris", multiple=True, required=True, help=both("回调地址", "where log-ins come back to")
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help=both("另加的范围；zhibu-write 允许写入", "further scopes; without zhibu-write it reads only"),
)
@click.option("--origin", "origins", multiple=True, help=both("浏览器来源", "origins of a browser application"))
@click.option("--confidential", is_flag=True, help=both("带密钥的服务端应用", "a server that can keep a secret"))
@pass_context
def register(
    context: Context,
    *,
    name: str,
    redirect_uris: tuple[str, ...],
    scopes: tuple[str, ...],
    origins: tuple[str, ...],
    confidential: bool,
) -> None:
    """Register NAME for the authorisation code flow with PKCE (S256); nothing else is switched on.

    登记名为 NAME 的应用，使用授权码加 PKCE（S256）登录。
    """
    _check(name, redirect_uris)
    representation = client_representation(
        name, redirect_uris, scopes=scopes, origins=origins, confidential=confidential
    )
    answer = _create(context.installation, representation)
    if context.json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(both(f"已登记客户端 {name}", f"client {name} is registered"))
    if "secret" in answer:
        click.echo(both(f"密钥（只显示这一次）：{answer['secret']}", "its secret, shown only now"))


def client_representation(
    name: str,
    redirect_uris: tuple[str, ...],
    *,
    scopes: tuple[str, ...] = (),
    origins: tuple[str, ...] = (),
    confidential: bool = False,
) -> dict[str, Any]:
    """Return the client as Keycloak's admin API takes it."""
    return {
        "clientId": name,
        "name": name,
        "protocol": "openid-connect",
        "enabled": True,
        "publicClient": not confidential,
        "standardFlowEnabled": True,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        # Members are told, and asked, which application it is that they give access to.
        "consentRequired": True,
        "fullScopeAllowed": False,
        "redirectUris": list(redirect_uris),
        "webOrigins": list(origins),
        "attributes": {"pkce.code.challenge.method": "S256"},
        "defaultClientScopes": [*_ALWAYS, *(scope for scope in scopes if scope not in _ALWAYS)],
        "optionalClientScopes": [],
    }


def _check(name: str, redirect_uris: tuple[str, ...]) -> None:
    if not _NAME.match(name) or _RESERVED.match(name):
        raise click.UsageError(
            both(
                f"名称 {name} 不能用：3 到 40 个小写字母、数字或连字符，不能以 svc- 或 zhibu- 开头。",
                f"{name} cannot be a name: 3 to 40 small letters, digits, hyphens; not beginning with svc- or zhibu-.",
            )
        )
    for uri in redirect_uris:
        if reason := redirect_fault(uri):
            raise click.UsageError(
                both(f"回调地址 {uri} 不能用：{reason[0]}。", f"{uri} cannot be a redirect URI: {reason[1]}.")
            )


def redirect_fault(uri: str) -> tuple[str, str] | Literal[""]:
    """Say what is wrong with a redirect URI, in both languages (RFC 9700, section 2.1; RFC 8252 for native apps)."""
    parts = urlsplit(uri)
    if "*" in uri:
        return "不能含通配符", "no wildcards"
    if parts.fragment or not parts.scheme:
        return "须为不带 # 的完整地址", "it must be a whole address without a fragment"
    if parts.scheme == "https":
        return "" if parts.hostname else ("缺少主机名", "it has no host")
    if parts.scheme == "http":
        # A program on the member's own device listens on the loopback.
        loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
        return "" if loopback else ("除本机外须用 https", "only the loopback may do without https")
    # A scheme of a native application's own is a domain in reverse.
    return "" if "." in parts.scheme else ("应用自有的协议名须含点", "an application's own scheme must contain a dot")


def _create(installation: Installation, representation: dict[str, Any]) -> dict[str, str]:
    name: str = representation["clientId"]
    try:
        admin = _admin(installation)
        known = {str(scope["name"]) for scope in admin.get_client_scopes()}
        if unknown := set(representation["defaultClientScopes"]) - known:
            raise OperatorError(
                f"没有这些范围：{', '.join(sorted(unknown))}。",
                f"There are no such scopes: {', '.join(sorted(unknown))}.",
            )
        if admin.get_client_id(name) is not None:
            raise OperatorError(f"客户端 {name} 已存在。", f"There is a client {name} already.")
        own_id = admin.create_client(representation)
        answer = {"client_id": name}
        if not representation["publicClient"]:
            answer["secret"] = str(admin.get_client_secrets(own_id)["value"])
    except KeycloakConnectionError:
        raise OperatorError("连不上 Keycloak。", "Keycloak cannot be reached.") from None
    except KeycloakError as error:
        # Its body may repeat what was sent; the status is enough.
        raise OperatorError(
            f"Keycloak 没有接受（状态 {error.response_code}）。",
            f"Keycloak did not accept it (status {error.response_code}).",
        ) from None
    return answer


def _admin(installation: Installation) -> KeycloakAdmin:
    environment = installation.environment_of("identity")
    # The admin API may have an address of its own, inside; otherwise it is beside the issuer.
    server, _, _ = (environment.get("ZHIBU_KEYCLOAK_URL") or environment.get("ZHIBU_OIDC_ISSUER", "")).partition(
        "/realms/"
    )
    secret = environment.get("ZHIBU_KEYCLOAK_ADMIN_SECRET") or installation.secret("keycloak-admin")
    if not server or not secret:
        raise OperatorError(
            "请设置 ZHIBU_OIDC_ISSUER 和 ZHIBU_KEYCLOAK_ADMIN_SECRET。",
            "Set ZHIBU_OIDC_ISSUER and ZHIBU_KEYCLOAK_ADMIN_SECRET.",
        )
    return KeycloakAdmin(
        server_url=server,
        client_id=environment.get("ZHIBU_KEYCLOAK_ADMIN_CLIENT", _ADMIN_CLIENT),
        client_secret_key=secret,
        realm_name=REALM,
        user_realm_name="master",
        timeout=_TIMEOUT_S,
        # A repeated POST would register twice.
        max_retries=0,
    )
