"""Tables of the survey."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, SmallInteger, Table, Text

from zhibu_branches.models import metadata

survey_parameters: Final = Table(
    "survey_parameters",
    metadata,
    Column("county_code", Text, primary_key=True),
    Column("threshold_permille", Integer, nullable=False),
    Column("hysteresis_permille", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

survey_answer: Final = Table(
    "survey_answer",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("has_device", Boolean, nullable=False),
    Column("has_network", Boolean, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("report_id", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("answer_time", DateTime(timezone=True), nullable=False),
    Column("signed_list_number", Text, nullable=False),
)

branch_survey: Final = Table(
    "branch_survey",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("member_count", Integer, nullable=False),
    Column("answered_count", Integer, nullable=False),
    Column("equipped_count", Integer, nullable=False),
    Column("rate_permille", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("online_date", Date),
    Column("version", BigInteger, nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

branch_survey_day: Final = Table(
    "branch_survey_day",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("day", Date, primary_key=True),
    Column("rate_permille", Integer, nullable=False),
    Column("member_count", Integer, nullable=False),
    Column("equipped_count", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False),
)

survey_due: Final = Table(
    "survey_due",
    metadata,
    Column("position", BigInteger, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
)
