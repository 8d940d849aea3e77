"""Settings of branches, read from the environment."""

from pydantic import Field
from zhibu_kit.settings import ServiceSettings


class BranchesSettings(ServiceSettings):
    """What branches needs beyond every service's settings."""

    branches_province_code: str = Field(
        default="37", pattern="^[0-9]{2}$", description="Division code of the province that this installation serves."
    )
    branches_province_name: str = Field(
        default="山东省", min_length=2, max_length=120, description="Name of the province, used when it is first made."
    )
