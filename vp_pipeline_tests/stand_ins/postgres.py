"""A PostgreSQL server of Debian's package on loopback, in a folder of its own."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest

_USER, _PASSWORD = "dagster", "secret-of-the-stand-in/postgres"
# The server refuses to run as root.
_OTHER = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


@dataclass(frozen=True)
class Postgres:
    """Where the server listens."""

    port: int

    def variables(self, database: str) -> dict[str, str]:
        """The variables of `infra/dagster/dagster.yaml` for a database."""
        return {
            "DAGSTER_POSTGRES_HOST": "127.0.0.1",
            "DAGSTER_POSTGRES_PORT": str(self.port),
            "DAGSTER_POSTGRES_USER": _USER,
            "DAGSTER_POSTGRES_PASSWORD": _PASSWORD,
            "DAGSTER_POSTGRES_DB": database,
        }

    def url(self, database: str, user: str = _USER, password: str = _PASSWORD) -> str:
        """The address of a database, with the password in it."""
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> None:
        """Creates an empty database."""
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user=_USER, password=_PASSWORD, dbname="postgres"
        )
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'create database "{name}"')
        connection.close()


def binaries() -> Path | None:
    """The folder of the server's programs; None: it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that ends with the block; where none is installed the test is skipped."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    # Not in pytest's folder: the server's user may not enter that.
    with tempfile.TemporaryDirectory(prefix="postgres") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        root, data = Path(folder), Path(folder) / "data"
        (root / "password").write_text(_PASSWORD)
        if _OTHER:
            for each in (root, root / "password"):
                shutil.chown(each, _OTHER["user"], _OTHER["group"])
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": root, **_OTHER}
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", _USER, "-A", "scram-sha-256", f"--pwfile={root / 'password'}"],
            **quiet,
        )
        free.close()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        control = [programs / "pg_ctl", "-D", data, "-w"]
        subprocess.run([*control, "-l", root / "log", "-o", options, "start"], **quiet)
        try:
            yield Postgres(port)
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
