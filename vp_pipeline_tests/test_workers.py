"""How tests are dealt to workers: those that share a costly set-up stay together; else each worker would make it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

TESTS = """
import pathlib, pytest

@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("number", range(4))
def test_of_a_group(number, worker_id):
    (pathlib.Path(__file__).parent / f"{number}.txt").write_text(worker_id)
"""


def test_a_group_stays_with_one_worker(tmp_path: Path) -> None:
    """Some versions of pytest and pytest-xdist do not do it together, and neither of them reports that."""
    (tmp_path / "test_group.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    workers = [file.read_text() for file in sorted(tmp_path.glob("*.txt"))]
    assert len(workers) == 4
    assert len(set(workers)) == 1, workers
