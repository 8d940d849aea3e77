"""Who is at the terminal: only an administrator of the county or the province brings a county online."""

from zhibuctl.errors import OperatorError
from zhibuctl.gateway import Gateway

_PROVINCE_ADMIN = "province_admin"
_COUNTY_ADMIN = "county_admin"


def check_officer(gateway: Gateway, county_code: str, *, county_exists: bool) -> None:
    """Refuse at once what would be refused in the middle.

    Raises:
        OperatorError: the officer holds no office from which the county can be brought online.
    """
    held = {(grant["office"], grant["organisationId"]) for grant in gateway.get("/v1/me").get("grants", [])}
    if (_PROVINCE_ADMIN, county_code[:2]) in held:
        return
    if (_COUNTY_ADMIN, county_code) not in held:
        raise OperatorError(
            f"您没有在 {county_code} 办理上线的职务。请由 {county_code[:2]} 的省级管理员或 {county_code} 的县级管理员登录。",
            f"You hold no office to bring {county_code} online: log in as administrator of the province"
            f" {county_code[:2]} or of the county {county_code}. Nothing was changed.",
        )
    if not county_exists:
        raise OperatorError(
            f"组织 {county_code} 尚不存在，只有省级管理员可以建立。",
            f"There is no organisation {county_code} yet; only an administrator of the province makes one.",
        )
