"""What `vp doctor` prints, typed in a shell: for the tests of the doctor."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vp_pipeline.cli.doctor.examination import examine
from vp_pipeline.cli.doctor.finding import Finding

_ASKED = re.compile(r"export (?P<variable>\w+)=<[^>]*>")
_OWN = ("VP_", "KEEPA_", "DAGSTER_", "AWS_")


@dataclass
class Shell:
    """A shell in `folder`, whose `.env` the doctor reads; `variables`: of its environment that are the project's."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    variables: dict[str, str] = field(default_factory=dict)

    def examine(self) -> list[Finding]:
        """What the doctor finds here."""
        with self.monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(_OWN)]:
                patch.delenv(name)
            for name, value in self.variables.items():
                patch.setenv(name, value)
            return list(examine(dict(os.environ), self.folder))

    def wrong(self) -> dict[str, Finding]:
        """What is wrong, by subject and text."""
        return {f"{each.subject}: {each.text}": each for each in self.examine() if each.state == "wrong"}

    def type(self, command: str, answers: Mapping[str, str]) -> None:
        """Types a command as it was printed; `answers`: what only a person knows, by variable."""
        asked = {found["variable"] for found in _ASKED.finditer(command)}
        assert asked <= set(answers), command
        command = _ASKED.sub(lambda found: f"export {found['variable']}='{answers[found['variable']]}'", command)
        assert "<" not in command, command
        done = _environment_after(command, self.folder, self.variables)
        self.variables = {name: value for name, value in done.items() if name.startswith(_OWN)}


def _environment_after(command: str, folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    kept = folder / ".environment"
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder), **variables}
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{command}\nenv -0 > {kept}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = kept.read_text().split("\0")
    kept.unlink()
    return dict(line.split("=", 1) for line in lines if line)
