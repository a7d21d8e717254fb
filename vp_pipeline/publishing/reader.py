"""The published marts as a consumer reads them: what is published, and the rows of one mart.

Here: reading. Not here: publishing (`publisher.py`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.publishing import snowflake as published_snowflake
from vp_pipeline.publishing.duckdb import read_publication
from vp_pipeline.publishing.publisher import Publication

if TYPE_CHECKING:
    import pyarrow as pa

    from vp_pipeline.warehouse.loading import Warehouse


class PublishedMarts(Protocol):
    """Where consumers read."""

    def current(self) -> Publication | None:
        """What is published; None: nothing was yet."""

    def read(self, mart: str) -> tuple[str, "pa.Table"]:
        """The build that is published, and every row of one of its marts.

        Raises:
            PermanentError: nothing is published, or it has no such mart.
        """


@dataclass(frozen=True)
class DuckDBPublishedMarts:
    """The published marts in a DuckDB file."""

    path: Path

    def current(self) -> Publication | None:
        return read_publication(self.path) if self.path.exists() else None

    def read(self, mart: str) -> tuple[str, "pa.Table"]:
        import duckdb

        if not self.path.exists():
            raise PermanentError(f"Nothing was published yet ({self.path}). Run a day first.")
        # Whoever has the file open goes on reading the same build while another one takes its name.
        with duckdb.connect(str(self.path), read_only=True) as connection:
            found = connection.execute("select build_id from publication.build").fetchone()
            assert found is not None
            there = connection.execute(
                "select count(*) from duckdb_tables() where schema_name = 'mart' and table_name = ?", [mart]
            ).fetchone()
            if there != (1,):
                raise PermanentError(f"No mart {mart} is published ({self.path}). Look at VP_EXPORT_MART.")
            rows = connection.execute(f'select * from mart."{mart}"').to_arrow_table()
            assert rows is not None
            return str(found[0]), rows


@dataclass(frozen=True)
class SnowflakePublishedMarts:
    """The published marts in a schema of Snowflake's."""

    warehouse: "Warehouse"

    def current(self) -> Publication | None:
        with self.warehouse.connect(read_only=True) as connection:
            found = published_snowflake.read_publication(connection, published_snowflake.PUBLISHED)
            return found.publication if found else None

    def read(self, mart: str) -> tuple[str, "pa.Table"]:
        schema = published_snowflake.PUBLISHED
        with self.warehouse.connect(read_only=True) as connection:
            found = published_snowflake.read_publication(connection, schema)
            if found is None:
                raise PermanentError("Nothing was published yet. Run a day first.")
            if f"mart.{mart}" not in found.publication.rows:
                raise PermanentError(f"No mart {mart} is published. Look at VP_EXPORT_MART.")
            rows = connection.execute(f"select * from {schema}.{mart}").fetch_arrow_all(force_return_table=True)
            after = published_snowflake.read_publication(connection, schema)
        if after is None or after.publication.build_id != found.publication.build_id:
            raise TransientError("Another build was published while this one was read. It is read again.")
        # Snowflake tells names that were not quoted in capitals.
        return found.publication.build_id, rows.rename_columns([name.lower() for name in rows.column_names])
