"""Airbyte refuses a manifest whose `version` is above that of its runtime: the least that works is declared.

Here: the connectors' tests on that version, in an environment of its own. What needs 7.38 is `WaitTimeFromResponse`,
which the schema of 7.37 does not have.
"""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from vp_pipeline.settings import PROJECT_ROOT

MANIFESTS = sorted((PROJECT_ROOT / "vp_pipeline" / "sources").glob("*/connector.yaml"))
TESTS = [
    *sorted(str(file) for file in Path(__file__).parent.glob("*/test_*connector.py")),
    *sorted(str(file) for file in Path(__file__).parent.glob("*/test_airbytes_own_runtime.py")),
]


def declared() -> str:
    (found,) = {str(yaml.safe_load(path.read_text(encoding="utf-8"))["version"]) for path in MANIFESTS}
    return found


def test_every_connector_has_tests() -> None:
    assert {Path(file).parent.name for file in TESTS} == {path.parent.name for path in MANIFESTS}


def test_the_declared_version_is_not_above_the_installed_one() -> None:
    found, installed = (tuple(map(int, text.split("."))) for text in (declared(), version("airbyte-cdk")))
    assert found <= installed


@pytest.mark.slow
@pytest.mark.skipif("RUNTIME" not in os.environ, reason="`make runtime` runs it: it installs another environment")
def test_the_connectors_run_on_the_version_that_they_declare(tmp_path: Path) -> None:
    python = tmp_path / "environment" / "bin" / "python"
    (tmp_path / "override.txt").write_text(f"airbyte-cdk=={declared()}\n")
    pins = (PROJECT_ROOT / "constraints.txt").read_text()
    (tmp_path / "constraints.txt").write_text(re.sub(r"(?m)^airbyte-.*\n", "", pins))
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(python.parents[1])], check=True)
    files = ["--constraint", str(tmp_path / "constraints.txt"), "--override", str(tmp_path / "override.txt")]
    install = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        str(python),
        *files,
        "-r",
        "pyproject.toml",
        "--extra",
        "dev",
    ]
    installed = subprocess.run(install, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if installed.returncode != 0 and "error sending request" in installed.stderr:
        pytest.skip("no package index can be reached")
    assert installed.returncode == 0, installed.stderr
    runs = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    ran = subprocess.run(runs, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-4_000:]
    assert re.search(r"\d{2,} passed", ran.stdout)
