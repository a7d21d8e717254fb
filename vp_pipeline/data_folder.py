"""The names in the data folder (`VP_DATA_DIR`), beside those of the lake (`lake/layout.py`).

Here: what is read again, and what is written for people or for the operating system only. Not here: what is in it
(beside the code that writes it). A file that is in neither table is foreign.
"""

LAKE = "lake"
WAREHOUSE = "warehouse.duckdb"
PUBLISHED = "published.duckdb"
PUBLICATIONS = "published"
ROLLED_BACK = "rolled_back.json"
OUTBOX = "outbox"
LEASE = "lease.json"
DBT = "dbt"
RUN_RESULTS = "run_results.json"
PENDING_RECORDS = "monitoring_pending"

# Patterns of the files that are read again.
READ = (
    WAREHOUSE,
    f"{WAREHOUSE}.wal",
    PUBLISHED,
    f"{PUBLICATIONS}/*.duckdb",
    f"{PUBLICATIONS}/{ROLLED_BACK}",
    f"{OUTBOX}/*.jsonl",
    LEASE,
    f"{DBT}/{RUN_RESULTS}",
    f"{DBT}/{PENDING_RECORDS}/*.json",
)
# Locks, and what dbt writes for people.
NOT_READ = ("lease.lock", f"{PUBLICATIONS}/.lock", f"{OUTBOX}/*.lock", f"{OUTBOX}/*.set_aside", f"{DBT}/*")
