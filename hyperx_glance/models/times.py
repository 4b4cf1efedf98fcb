"""Times as services send them.

>>> from pydantic import TypeAdapter
>>> from hyperx_glance.models.times import Time
>>> TypeAdapter(Time).validate_json('"2026-11-25T16:30:00"').isoformat()
'2026-11-25T16:30:00+00:00'
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class _Utc:
    """A schema that reads a time without a zone as UTC, as services mean it (glance/db/sqlalchemy/api.py, task_get)."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        aware = core_schema.datetime_schema(tz_constraint="aware")
        naive = core_schema.no_info_after_validator_function(_in_utc, core_schema.datetime_schema())
        return core_schema.union_schema([aware, naive], mode="left_to_right")


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC)


Time = Annotated[datetime, _Utc()]
