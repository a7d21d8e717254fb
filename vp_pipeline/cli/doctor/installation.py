"""The Python that runs, and its packages against the pins.

Here: what is installed. Not here: settings (`configuration.py`).
"""

import re
import sys
from collections.abc import Callable, Iterator
from importlib import metadata

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from vp_pipeline.cli.doctor.finding import Finding, ok, wrong
from vp_pipeline.variables import PROJECT_ROOT

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>.+))?")
_NAMED = 5
_PACKAGES = "touch constraints.txt && make setup"


def python(supported: str | None = None, running: tuple[int, ...] = tuple(sys.version_info[:3])) -> Iterator[Finding]:
    """`supported`: as `requires-python` writes it; default: that of the installed project."""
    version = ".".join(map(str, running))
    if supported is None:
        supported = str(metadata.metadata("vp-pipeline")["Requires-Python"])
    if version in SpecifierSet(supported):
        yield ok("Python", version)
    else:
        yield wrong(
            "Python",
            f"it is {version}, and the project needs {supported}",
            "rm -rf .venv && make setup PYTHON=python3.11",
        )


def packages(pins: str | None = None, installed: Callable[[str], str] = metadata.version) -> Iterator[Finding]:
    """`pins`: the text of constraints.txt. A package that nothing here installs is not missed."""
    if pins is None:
        pins = (PROJECT_ROOT / "constraints.txt").read_text(encoding="utf-8")
    needed = {_normal(re.split(r"[ \[<>=!~;]", line)[0]) for line in _required()}
    others, missing, count = [], [], 0
    for name, pinned in _pins(pins):
        try:
            there = installed(name)
        except metadata.PackageNotFoundError:
            if name in needed:
                missing.append(name)
            continue
        count += 1
        if there != pinned:
            others.append(f"{name} is {there} instead of {pinned}")
    if others or missing:
        found = [*others, *(f"{name} is missing" for name in missing)]
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        yield wrong("packages", f"{', '.join(found[:_NAMED])}{more}", _PACKAGES)
    else:
        yield ok("packages", f"{count}, each as pinned")


def _pins(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        pin = _PIN.fullmatch(line.strip())
        if pin and (pin["marker"] is None or Marker(pin["marker"]).evaluate()):
            yield _normal(pin["name"]), pin["version"]


def _required() -> list[str]:
    """What the project itself requires, without its extras."""
    return [line for line in metadata.requires("vp-pipeline") or [] if "extra ==" not in line]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
