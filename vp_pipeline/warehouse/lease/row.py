"""Production's lease: one row in Snowflake, which expires unless its holder renews it.

    raw._lease   `holder`: whose it is (empty: nobody's). `heartbeat`: when it was renewed, by Snowflake's clock.
                 `document`: who that is, as `Holder` writes it.

Why one `update` is a compare-and-set. There is one row: `create table if not exists ... as select` makes the table and
the row in one step, and only the first of two such statements does anything. To take the lease is a single UPDATE,
committed by itself, whose condition is that nobody holds the row or that it has expired. Snowflake runs the UPDATEs of
a table one after the other: each holds the table's lock until it is committed, and sees what was committed before. So
of two that try, the second finds the first one's name and changes nothing. No transaction is left open between two
statements: a process that dies within one would keep the lock for hours.

Whose row it is, is then read by another statement, and not taken from the number of rows that the connector reports. A
renewal has the holder's name in its condition, so a holder that was replaced for whatever reason notices with its next
heartbeat, and stops (`lease.py`). Times are of Snowflake's clock: the clocks of machines are not compared.

Not here: waiting, and the thread of the heartbeat (`lease.py`).
"""

import uuid
from dataclasses import dataclass, field, replace

from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.lease.holder import Holder
from vp_pipeline.warehouse.lease.lease import GRACE_SECONDS
from vp_pipeline.warehouse.snowflake import SnowflakeWarehouse

# Each heartbeat wakes the warehouse, which stops after a minute without work (infra/snowflake): with two minutes
# between them it is off half of the time that a run waits for Airbyte, and a killed run holds nothing for long.
HEARTBEAT_SECONDS = 120.0
# How long to wait before the next try, to take it or to renew it.
RETRY_SECONDS = 10.0
# The longest that a request may take: a holder that waits for a response must notice in time that it lost the lease.
REQUEST_SECONDS = 15
# What a heartbeat takes at most: signing in, and two statements.
_REQUESTS = 3
# After GRACE_SECONDS a holder stops at the next try that fails. That is over before another process begins.
EXPIRY_SECONDS = round(HEARTBEAT_SECONDS + GRACE_SECONDS + RETRY_SECONDS + (_REQUESTS + 1) * REQUEST_SECONDS)
_TABLE = (
    "create table if not exists raw._lease as select cast('' as varchar) as holder, cast('' as varchar) as document, "
    "cast('1970-01-01' as timestamp_ntz) as heartbeat"
)
_FREE = f"(holder = '' or heartbeat < dateadd(second, -{EXPIRY_SECONDS}, sysdate()))"


@dataclass(frozen=True)
class LeaseRow:
    """The lease on a Snowflake database; see `Store`."""

    database: SnowflakeWarehouse
    retry_seconds: float = RETRY_SECONDS
    heartbeat_seconds: float | None = HEARTBEAT_SECONDS
    # The name of this process in the row: a process id may be used again, and is of one machine.
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def address(self) -> str:
        return f"{self.database.account}/{self.database.database}"

    @property
    def warehouse(self) -> SnowflakeWarehouse:
        """The warehouse, with requests that are cut short."""
        return replace(self.database, timeout_seconds=min(REQUEST_SECONDS, self.database.timeout_seconds))

    # The lease is taken before anything else is written, so also before the project's tables are migrated.
    def take(self, holder: Holder) -> bool:
        with self.warehouse.session(_tag(holder)) as connection:
            connection.execute(_TABLE)
            return self._update(connection, holder, _FREE)

    def renew(self, holder: Holder) -> bool:
        with self.warehouse.session(_tag(holder)) as connection:
            return self._update(connection, holder, f"holder = '{self.token}'")

    def release(self, holder: Holder) -> None:
        with self.warehouse.session(_tag(holder)) as connection:
            connection.execute(f"update raw._lease set holder = '', document = '' where holder = '{self.token}'")

    def current(self) -> Holder | None:
        with self.warehouse.session() as connection:
            connection.execute(_TABLE)
            found = connection.execute(f"select document from raw._lease where not {_FREE}").fetchone()
        return Holder.from_json(found[0]) if found else None

    def _update(self, connection: Connection, holder: Holder, condition: str) -> bool:
        """Writes the holder if the condition is true of the row; returns whether the row is this process's."""
        connection.execute(
            f"update raw._lease set holder = '{self.token}', document = ?, heartbeat = sysdate() where {condition}",
            [holder.as_json()],
        )
        found = connection.execute(f"select 1 from raw._lease where holder = '{self.token}'").fetchone()
        return bool(found)


def _tag(holder: Holder) -> dict[str, str]:
    return {"run": holder.run_id, "asset": "lease"}
