"""A publication of a warehouse that a test has built."""

import shutil
from pathlib import Path

from vp_pipeline.publishing.duckdb import DuckDBPublications
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse


def publish(built: Path, folder: Path) -> PublishedMarts:
    """What is built in the file `built`, published in `folder` as a green build; the warehouse itself is not there."""
    warehouse = DuckDBWarehouse(folder / "warehouse.duckdb")
    shutil.copy(built, warehouse.path)
    with warehouse.connect() as connection:
        connection.execute("insert into raw._loads (table_name, run_date) values ('keepa_product', current_date)")
        ledger.begin(connection, "build", "run")
        ledger.finish(connection, "build", "green")
    publisher = Publisher(DuckDBPublications(folder / "published.duckdb", warehouse), dict)
    publisher.publish("run")
    warehouse.path.unlink()
    return publisher.marts
