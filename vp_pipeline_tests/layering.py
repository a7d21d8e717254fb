"""Which way imports run, and how large files and folders are: the checks, on any package.

Here: pure functions from a package's folder to the violations in it, one sentence each. Not here: this project's table
of ranks (`test_layering.py`).
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

Ranks = Sequence[Sequence[str]]
MAX_MODULES = 12
MAX_LINES = 300


def imported_names(file: Path) -> Iterator[str]:
    """Every name that a file imports, with its module: at the top, within functions and for type checking alike."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_private(name: str) -> bool:
    """Whether a name is of a private module of Dagster's packages: all but what the packages themselves offer."""
    package, *rest = name.split(".")
    if not package.startswith("dagster"):
        return False
    # dagster-aws offers what it has in a package for each service.
    public = 2 if package == "dagster_aws" else 1
    return package == "dagster_shared" or len(rest) > public or any(part.startswith("_") for part in rest)


def unranked(root: Path, ranks: Ranks) -> list[str]:
    """Folders and files directly below `root` that the table does not name."""
    known = {name for rank in ranks for name in rank}
    found = {_member(path, root) for path in _files(root) if path != root / "__init__.py"}
    return [f"{name} has no rank" for name in sorted(found - known)]


def upward_imports(root: Path, ranks: Ranks) -> list[str]:
    """Imports of something of the same rank or of a higher one; `ranks` begins with the highest."""
    rank_of = {name: number for number, rank in enumerate(ranks) for name in rank}
    violations = []
    for file, imported in _imports_within(root):
        own, other = _member(file, root), _member(root / imported, root)
        if own != other and rank_of.get(other, 0) <= rank_of.get(own, 0):
            violations.append(f"{_shown(file, root)} imports {imported}")
    return sorted(set(violations))


def circles(root: Path) -> list[str]:
    """Modules that import one another, directly or through others; each circle once."""
    graph: dict[str, set[str]] = {}
    for file, imported in _imports_within(root):
        graph.setdefault(_shown(file, root), set()).add(imported)
    found = []
    remaining = set(graph)
    while remaining:
        start = min(remaining)
        circle = {module for module in _reachable(graph, start) if start in _reachable(graph, module)}
        if circle:
            found.append(" <-> ".join(sorted(circle)))
        remaining -= circle | {start}
    return found


def private_imports(root: Path, door: str) -> list[str]:
    """Imports of private modules of Dagster's packages outside of the folder `door`."""
    return sorted(
        {
            f"{_shown(file, root)} imports {name}"
            for file in _files(root)
            if _member(file, root) != door
            for name in imported_names(file)
            if is_private(name)
        }
    )


def too_large(root: Path) -> list[str]:
    """Folders with too many modules, and files with too many lines."""
    files = list(_files(root))
    folders = {file.parent for file in files}
    crowded = [
        f"{_shown(folder, root)} has more than {MAX_MODULES} modules"
        for folder in sorted(folders)
        if sum(file.parent == folder and file.name != "__init__.py" for file in files) > MAX_MODULES
    ]
    long = [
        f"{_shown(file, root)} has more than {MAX_LINES} lines"
        for file in files
        if len(file.read_text().splitlines()) > MAX_LINES
    ]
    return [*crowded, *long]


def _files(root: Path) -> Iterator[Path]:
    return iter(sorted(root.rglob("*.py")))


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _member(path: Path, root: Path) -> str:
    """The folder or file directly below `root` that a path is in, by its name."""
    return path.relative_to(root).parts[0].removesuffix(".py")


def _imports_within(root: Path) -> Iterator[tuple[Path, str]]:
    """Each file with each file of the same package that it imports, by its path below `root`."""
    modules = {_module(file, root): _shown(file, root) for file in _files(root)}
    for file in _files(root):
        for name in imported_names(file):
            imported = _resolve(name, modules)
            if imported is not None and imported != _shown(file, root):
                yield file, imported


def _module(file: Path, root: Path) -> str:
    return ".".join(file.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")


def _resolve(name: str, modules: Mapping[str, str]) -> str | None:
    """The file of a name: a module, or the module that defines it."""
    return modules.get(name) or modules.get(name.rpartition(".")[0])


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """What a module imports, directly or through others."""
    found: set[str] = set()
    waiting = list(graph.get(start, ()))
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += graph.get(module, ())
    return found
