"""The files of the root and of .ci and .github: what they name is there, and what they promise can be done."""

import json
import re
import subprocess
import tomllib
from importlib import metadata

import pytest
import yaml

from vp_pipeline.settings import PROJECT_ROOT

WORKFLOWS = sorted((PROJECT_ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (PROJECT_ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
SCRIPTS = {path.name for path in (PROJECT_ROOT / ".ci").iterdir()}


def commands() -> list[tuple[str, str]]:
    """Each `run` of each workflow."""
    found = []
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            found += [(path.name, step["run"]) for step in job.get("steps", []) if "run" in step]
    return found


def test_no_logic_is_in_a_workflow_alone() -> None:
    for where, command in commands():
        assert "\n" not in command.strip(), f"{where}: make it a script of .ci/"
        known = (
            re.search(r"\.ci/(\w+)", command),
            re.match(r"make ([a-z ]+)$", command),
            command.startswith("gh pr comment "),
        )
        script, targets, is_comment = known
        assert script or targets or is_comment, f"{where}: {command}"
        assert not script or script[1] in SCRIPTS
        assert not targets or set(targets[1].split()) <= TARGETS


def test_every_action_is_pinned_and_every_job_has_what_it_needs_alone() -> None:
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {}, path.name
        for name, job in workflow["jobs"].items():
            assert "write-all" not in str(job.get("permissions", "write-all")), f"{path.name}: {name}"
            for step in job.get("steps", []):
                uses = step.get("uses", "")
                assert not uses or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", uses), f"{path.name}: {uses}"


def test_the_version_is_one() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    assert metadata.version("vp-pipeline") == project["version"]
    assert f"\n## {project['version']}\n" in (PROJECT_ROOT / "CHANGELOG.md").read_text()


def test_hooks_run_what_make_runs() -> None:
    hooks = yaml.safe_load((PROJECT_ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    for hook in hooks:
        program, *_ = hook["entry"].split()
        assert program == "make" or f"$(BIN)/{program.removeprefix('.venv/bin/')}" in MAKEFILE


def test_the_development_container_installs_what_ci_installs() -> None:
    container = json.loads((PROJECT_ROOT / ".devcontainer" / "devcontainer.json").read_text())
    script = (PROJECT_ROOT / ".ci" / "run").read_text()
    packages = set(re.findall(r"missing\+=\(([^)]*)\)", script)) - {""}
    assert packages
    for package in " ".join(packages).split():
        assert package in container["postCreateCommand"].split()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nowhere", f"registry.example/vp@sha256:{'0' * 64}"], "There is no "), (["staging", "vp:latest"], "by digest")],
)
def test_a_deployment_of_something_else_is_refused(arguments: list[str], message: str) -> None:
    ended = subprocess.run([PROJECT_ROOT / ".ci" / "deploy", *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert message in ended.stderr
