"""A published DuckDB file, as it is read.

Here: its record, and queries. Not here: how it is made (`duckdb.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vp_pipeline import failures
from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing.publication import FORMAT, Publication, read_moments
from vp_pipeline.warehouse.connection import Connection

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass(frozen=True)
class DuckDBPublishedFile:
    """A published file; see `Store`. Whoever has it open keeps reading the same build while another takes its name."""

    path: Path

    @property
    def address(self) -> str:
        return str(self.path)

    @property
    def schema(self) -> None:
        return None

    def json_text(self, values: Mapping[str, str]) -> str:
        return json_text(values)

    @contextmanager
    def open(self) -> Iterator["_OpenFile | None"]:
        import duckdb

        if not self.path.exists():
            yield None
            return
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(duckdb.connect(str(self.path), read_only=True))
                found = _OpenFile(connection, _read_record(connection, self.address))
            except (duckdb.Error, TypeError) as error:
                reason = str(error).partition("\n")[0]
                if "lock" in reason.lower():
                    raise failures.TransientError(
                        f"{self.path} is held by another process ({reason}). Close it."
                    ) from None
                raise failures.DamagedDataError(
                    f"{self.path} is no publication of this project ({reason}). Move it away: the next green build is "
                    "published again."
                ) from None
            yield found


@dataclass(frozen=True)
class _OpenFile:
    connection: "duckdb.DuckDBPyConnection"
    publication: Publication

    def query(self, sql: str, parameters: Sequence[object] = ()) -> "pa.Table":
        import duckdb

        try:
            rows: pa.Table = self.connection.sql(sql, params=list(parameters)).to_arrow_table()
            return rows
        except duckdb.Error as error:
            raise PermanentError(f"The publication refused the query: {str(error).strip().splitlines()[0]}") from None


def json_text(values: Mapping[str, str]) -> str:
    """SQL of a JSON object's text; `values`: SQL by name."""
    return "cast(to_json({" + ", ".join(f"'{name}': {value}" for name, value in values.items()) + "}) as varchar)"


def _read_record(connection: Connection, where: str) -> Publication:
    found = connection.execute("select * from publication.build")
    names = [column[0] for column in found.description]
    build = FORMAT.read(dict(zip(names, found.fetchone(), strict=True)), where)
    moments = read_moments(build.pop("moments"))
    rows = connection.execute("select table_name, rows from publication.tables order by 1").fetchall()
    days = connection.execute("select run_date from publication.days order by 1").fetchall()
    return Publication(**build, rows=dict(rows), days=tuple(day for (day,) in days), moments=moments)
