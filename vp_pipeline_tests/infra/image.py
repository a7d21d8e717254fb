"""The Dockerfile's own steps, followed without an engine: each stage is a folder, and each command sees it as `/srv`
and `/etc` in a mount namespace of its own, with the paths, the user and the variables of the file.

What is not there: the base image. Its Python is that of the tests, at the same place; its Debian that of the machine.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pathspec

from vp_pipeline.settings import PROJECT_ROOT

_FOLDERS = ("srv", "etc")
# The base image finds its libpython without the second one.
_OF_THE_BASE = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin", "LD_LIBRARY_PATH": "/usr/local/lib"}
# How this machine reaches the package registries: an engine's build has such settings too.
_OF_THE_BUILD = re.compile(r"(PIP|UV)_\w+|\w+_(proxy|PROXY)|SSL_CERT_FILE|REQUESTS_CA_BUNDLE")
_ENTER = """
for folder in srv etc; do mount --bind "$1/$folder" /$folder; done
mount --bind "$2" /usr/local
if [ "$5" = read-only ]; then
  mount -o remount,bind,ro /srv
  mount --bind "$1/srv/data" /srv/data
  mount -t tmpfs none /tmp
fi
cd "$3"
user=$4
shift 5
if [ "$user" = 0 ]; then exec "$@"; else exec setpriv --reuid "$user" --regid "$user" --clear-groups "$@"; fi
"""


@dataclass(frozen=True)
class Image:
    """A stage, and how its commands are run."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=lambda: _OF_THE_BASE)
    workdir: str = "/"
    user: str = "0"
    command: Sequence[str] = ()
    health: Sequence[str] = ()

    def start(
        self,
        command: Sequence[str],
        variables: Mapping[str, str] | None = None,
        *,
        read_only: bool = False,
        **options: Any,
    ) -> "Process":
        """A process of the image, with more variables. `read_only`: but for the volume /srv/data, and /tmp."""
        entered = ["unshare", "--mount", "--propagation", "private", "bash", "-euc", _ENTER, "enter"]
        where = [str(self.root), sys.base_prefix, self.workdir, self.user, "read-only" if read_only else "writable"]
        environment = {**self.environment, **(variables or {})}
        return subprocess.Popen([*entered, *where, *command], env=environment, text=True, **options)

    def run(self, command: Sequence[str], variables: Mapping[str, str] | None = None) -> str:
        """What a command prints; it must succeed."""
        started = self.start(command, variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        printed, _ = started.communicate()
        assert started.returncode == 0, f"{shlex.join(command)}\n{printed[-4000:]}"
        return printed


Process = subprocess.Popen[str]


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Each instruction with its argument, continued lines joined."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, argument = line.partition(" ")
            yield name, argument.strip()


def build(dockerfile: Path, folder: Path) -> Image:
    """The last stage, after every step of the file."""
    stages: dict[str, Image] = {}
    name = ""
    for number, (instruction, argument) in enumerate(instructions(dockerfile)):
        if instruction == "FROM":
            base, _, name = argument.partition(" AS ")
            name = name or "last"
            stages[name] = _stage(folder / name, stages.get(base))
        else:
            stages[name] = _STEPS[instruction](stages[name], argument, stages)
        assert name, f"step {number} is in no stage"
    return stages[name]


def _stage(root: Path, base: Image | None) -> Image:
    for each in _FOLDERS:
        source = base.root / each if base else Path("/etc") if each == "etc" else None
        if source is None:
            (root / each).mkdir(parents=True)
        else:
            shutil.copytree(source, root / each, symlinks=True)
    return replace(base, root=root) if base else Image(root)


def _run(image: Image, argument: str, _: Mapping[str, Image]) -> Image:
    command = re.sub(r"^(--mount=\S+\s+)+", "", argument)
    reached = {name: value for name, value in os.environ.items() if _OF_THE_BUILD.fullmatch(name)}
    image.run(["/bin/sh", "-c", command], {"HOME": "/root" if image.user == "0" else "/srv/vp", **reached})
    return image


def _copy(image: Image, argument: str, stages: Mapping[str, Image]) -> Image:
    words = argument.split()
    flags = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
    *sources, target = (word for word in words if not word.startswith("--"))
    place = image.root / (Path(image.workdir) / target).relative_to("/")
    for source in sources:
        if "from" in flags:
            # Links: an engine copies, and nothing changes a stage that is done.
            place.mkdir(parents=True, exist_ok=True)
            of = stages[flags["from"]].root / source.lstrip("/")
            subprocess.run(["cp", "--archive", "--link", f"{of}/.", str(place)], check=True)
            continue
        found = _context(PROJECT_ROOT / source)
        assert found, f"COPY {argument}: there is no {source} in the build's context"
        for below, path in found.items():
            into = place / below if below else place / path.name if target.endswith("/") else place
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, into, follow_symlinks=False)
    if "chown" in flags:
        user = image.run(["id", "--user", flags["chown"].partition(":")[0]]).strip()
        subprocess.run(["chown", "--recursive", "--no-dereference", f"{user}:{user}", str(place)], check=True)
    return image


def _context(path: Path) -> dict[str, Path]:
    """The files of a path, by their names below it, without what .dockerignore leaves out."""
    lines = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()
    ignored = pathspec.PathSpec.from_lines("gitwildmatch", lines)
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    there = (each for each in files if not ignored.match_file(str(each.relative_to(PROJECT_ROOT))))
    return {"" if each == path else str(each.relative_to(path)): each for each in there}


def _env(image: Image, argument: str, _: Mapping[str, Image]) -> Image:
    given = dict(word.split("=", 1) for word in shlex.split(argument))
    set_ = {k: re.sub(r"\$(\w+)", lambda m: image.environment.get(m[1], ""), v) for k, v in given.items()}
    return replace(image, environment={**image.environment, **set_})


def _workdir(image: Image, argument: str, _: Mapping[str, Image]) -> Image:
    (image.root / argument.lstrip("/")).mkdir(parents=True, exist_ok=True)
    return replace(image, workdir=argument)


def _user(image: Image, argument: str, _: Mapping[str, Image]) -> Image:
    return replace(image, user=image.run(["id", "--user", argument]).strip())


def _health(image: Image, argument: str, _: Mapping[str, Image]) -> Image:
    return replace(image, health=json.loads(argument.partition("CMD ")[2]))


_STEPS = {
    "RUN": _run,
    "COPY": _copy,
    "ENV": _env,
    "ARG": _env,
    "WORKDIR": _workdir,
    "USER": _user,
    "EXPOSE": lambda image, _, __: image,
    "HEALTHCHECK": _health,
    "CMD": lambda image, argument, _: replace(image, command=json.loads(argument)),
}
