"""A copy of the project in a folder of its own, whose code a test may edit, and the command `vp` of that copy."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.dagster_dev import own_environment

_CODE = ("vp_pipeline", "dbt_project", "dagster.yaml", "workspace.yaml", "pyproject.toml")
_NOT_CODE = ("logs", "__pycache__")
_VP = "from vp_pipeline.cli.main import main; main()"
# The end of a model's configuration: what follows is its query.
_CONFIG = re.compile(r"\{\{-?\s*config\(.*?\)\s*-?\}\}\n", re.DOTALL)


@dataclass(frozen=True)
class ProjectCopy:
    """`root`: the copy. `environment`: of its commands, with a data folder and a Dagster home beside it."""

    root: Path
    environment: dict[str, str]

    @property
    def data(self) -> Path:
        return Path(self.environment["VP_DATA_DIR"])

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `vp` with these arguments."""
        return subprocess.Popen(
            [sys.executable, "-c", _VP, *arguments],
            env=self.environment,
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def vp(self, *arguments: str, code: int = 0) -> str:
        """What `vp` prints; it has to end with the exit code `code`."""
        with self.start(*arguments) as command:
            assert command.stdout is not None
            printed = command.stdout.read()
        assert command.returncode == code, printed
        return printed

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        """Changes a file; a change that changes nothing fails."""
        file = self.root / path
        before = file.read_text(encoding="utf-8")
        after = change(before)
        assert after != before, path
        file.write_text(after, encoding="utf-8")

    def model(self, name: str) -> str:
        """The path of a model's SQL."""
        (found,) = (self.root / "dbt_project" / "models").rglob(f"{name}.sql")
        return str(found.relative_to(self.root))

    def wrap(self, name: str, before: str, after: str) -> None:
        """Puts a query around that of a model: `before` and `after` its text, below its configuration."""

        def change(sql: str) -> str:
            config = _CONFIG.search(sql)
            end = config.end() if config else 0
            return f"{sql[:end]}{before}\n{sql[end:].strip()}\n{after}\n"

        self.edit(self.model(name), change)

    def beside(self, folder: Path) -> "ProjectCopy":
        """A copy of the copy as it is now, with an empty data folder, that parses all of the dbt project by itself."""
        return _copy(self.root, folder, self.environment, left_out=(*_NOT_CODE, "target"))


def project_copy(folder: Path, **variables: str) -> ProjectCopy:
    """A copy of this project in `folder`, with what dbt has parsed. `variables`: of the environment of its commands."""
    return _copy(PROJECT_ROOT, folder, variables, left_out=_NOT_CODE)


def _copy(source: Path, folder: Path, variables: dict[str, str], left_out: tuple[str, ...]) -> ProjectCopy:
    root = folder / "project"
    root.mkdir(parents=True)
    for name in _CODE:
        if (source / name).is_dir():
            shutil.copytree(source / name, root / name, ignore=shutil.ignore_patterns(*left_out))
        else:
            shutil.copy(source / name, root / name)
    kept = {name: value for name, value in variables.items() if name not in ("VP_DATA_DIR", "DAGSTER_HOME")}
    # The copy comes before the installed project on the path of Python.
    environment = {**kept, **own_environment(folder), "PYTHONPATH": f"{root}{os.pathsep}{PROJECT_ROOT}"}
    return ProjectCopy(root, {**environment, **{n: v for n, v in kept.items() if n.startswith("VP_")}})
