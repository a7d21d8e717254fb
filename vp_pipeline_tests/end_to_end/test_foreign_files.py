"""Whatever lies at a place that is read, what is wrong is named, or passed over by name; nobody sees a traceback.

The places are those of the tables in `lake/layout.py` and `data_folder.py`: a new one needs a reader in
`foreign_places.py`, or the first test fails.
"""

import logging
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from fnmatch import fnmatch
from pathlib import Path

import pytest

from vp_pipeline import data_folder
from vp_pipeline.failures import PipelineError
from vp_pipeline.lake import bronze, layout, silver
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline_tests.end_to_end.foreign_places import PARTS, TABLE, Folder, lake_path

pytestmark = pytest.mark.integration

# Words of Python, of a database or of a parser that are no message to a person.
BARE = ("Traceback", "JSONDecodeError", "KeyError", "Errno", "orjson", "pydantic", "validation error", "char 0")
FOLDER = "a folder"
CONTENTS = {
    "empty": b"",
    "text": b"buy milk\n",
    "binary": bytes(range(256)),
    "a list": b"[]\n",
    "a number": b"5\n",
    "another object": b'{"state": {}, "version": "x"}\n',
    "half": None,
    FOLDER: None,
}
# Where content may be anything: it is not read, or an empty file is one that was just begun.
FINE = {
    ("SUPERSEDED", "*"),
    ("OUTBOX", "empty"),
    ("OUTBOX_BESIDE", "*"),
    ("EXPORT_STATE", "*"),
    ("ORIGIN", "half"),
    ("QUARANTINE", "empty"),
    ("warehouse.duckdb", "empty"),
    ("warehouse.duckdb.wal", "*"),
    ("outbox/*.jsonl", "empty"),
    ("lease.json", "*"),
    ("published/rolled_back.json", "half"),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    made = Folder(tmp_path_factory.mktemp("whole"))
    made.fill()
    return made


@pytest.fixture
def folder(whole: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(whole.root, tmp_path / "data")
    return Folder(tmp_path / "data")


def test_every_place_is_there_and_has_a_reader(whole: Folder) -> None:
    assert set(whole.lake_readers()) == set(layout.PLACES)
    assert set(whole.readers()) == set(data_folder.READ)
    for name in layout.PLACES:
        assert whole.lake.exists(lake_path(name)), name
    for file, _ in whole.readers().values():
        assert (whole.root / file).is_file(), file
    assert unknown_files(whole.root) == []


def unknown_files(root: Path) -> list[str]:
    """Files of a data folder that are in no table."""
    patterns = (*data_folder.READ, *data_folder.NOT_READ)
    files = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return [
        file
        for file in files
        if not (layout.is_known(file.removeprefix("lake/")) if file.startswith("lake/") else fits(file, patterns))
    ]


def fits(file: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(file, pattern) for pattern in patterns)


def replace(file: Path, kind: str) -> None:
    content = CONTENTS[kind]
    if kind == "half":
        content = file.read_bytes()[: file.stat().st_size // 2]
    if file.exists():
        file.chmod(0o644)
        file.unlink()
    if content is None:
        file.mkdir()
        (file / "x.txt").touch()
    else:
        file.write_bytes(content)


def outcome(read: object, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What a reader reports: the message of its failure, and its warnings."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        try:
            assert callable(read)
            read()
        except PipelineError as error:
            return [str(error)]
    return [record.getMessage() for record in caplog.records]


def is_fine(place: str, kind: str) -> bool:
    return (place, kind) in FINE or ((place, "*") in FINE and kind != FOLDER)


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("place", layout.PLACES)
def test_an_object_of_the_lake_that_is_none_is_named(
    folder: Folder, caplog: pytest.LogCaptureFixture, place: str, kind: str
) -> None:
    file = folder.root / "lake" / lake_path(place)
    replace(file, kind)
    assert_named(outcome(folder.lake_readers()[place], caplog), file, fine=is_fine(place, kind))


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("pattern", data_folder.READ)
def test_a_file_of_the_data_folder_that_is_none_is_named(
    folder: Folder, caplog: pytest.LogCaptureFixture, pattern: str, kind: str
) -> None:
    name, read = folder.readers()[pattern]
    file = folder.root / name
    replace(file, kind)
    assert_named(outcome(read, caplog), file, fine=is_fine(pattern, kind))


def assert_named(messages: list[str], file: Path, *, fine: bool) -> None:
    assert fine or messages
    for message in messages:
        assert file.name in message, message
        assert not [word for word in BARE if word in message], message
        assert message.rstrip().endswith("."), message


def test_other_names_are_passed_over_wherever_a_folder_is_listed(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    lake = folder.lake
    before = known_objects(folder)
    added = []
    for name in layout.PLACES:
        at, _, file = lake_path(name).rpartition("/")
        added += [f"{at}/{file}.bak", f"{at}/notes of {name}.txt", f"{at}/sub/{file}.old"]
    for path in added:
        lake.write(path, b"x")
    messages = outcome(lambda: [read() for read in folder.lake_readers().values()], caplog)
    assert known_objects(folder) == before
    for path in added:
        if path.startswith(("bronze", "quarantine", "change_exports")) or "_manifests" in path:  # others: never listed
            assert any(path in message for message in messages), path
    assert bronze.days(lake, PRODUCT) == silver.days(lake, TABLE) == [PARTS["day"]]


def known_objects(folder: Folder) -> list[str]:
    return [found.path for place in layout.PLACES.values() for found in place.objects(folder.lake)]


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("lake/bronze/keepa/product/_manifests", "BRONZE"),
        ("lake/bronze/keepa/product/_syncs", "SYNC"),
        ("lake/silver/keepa/product/_manifests", "SILVER"),
        ("lake/quarantine", "QUARANTINE"),
        ("lake/change_exports/mart_deals/_manifests", "EXPORT"),
        ("outbox", "outbox/*.jsonl"),
        ("published", "published/*.duckdb"),
        ("dbt", "dbt/run_results.json"),
    ],
)
def test_a_file_in_place_of_a_folder_is_named(
    folder: Folder, caplog: pytest.LogCaptureFixture, where: str, place: str
) -> None:
    read = folder.lake_readers()[place] if place in layout.PLACES else folder.readers()[place][1]
    shutil.rmtree(folder.root / where)
    (folder.root / where).touch()
    assert_named(outcome(read, caplog), folder.root / where, fine=False)


@pytest.mark.slow
def test_the_command_names_what_is_wrong_and_never_shows_a_traceback(
    environment: dict[str, str], tmp_path: Path
) -> None:
    root, day = tmp_path / "data", "2026-03-01"
    environment["COLUMNS"] = "500"  # no path of a folder of tests is broken in two
    if shutil.which("unshare") and subprocess.run([*OWN_MOUNTS, "true"], check=False).returncode == 0:
        (root / "dbt").mkdir(parents=True)
        full = vp(environment, "run", "--date", day, before=f"mount -t tmpfs -o size=200k none {root / 'dbt'} && ")
        assert_one_failure(full, "The disk is full, so dbt could not go on", "Make room")
    else:
        warnings.warn("No file system can be mounted here: the run on a full disk was left out.", stacklevel=1)

    stray = root / "lake" / "silver" / "keepa" / "price" / "_manifests" / "run_date=2026-02-28.json.bak"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.touch()
    (root / "outbox").mkdir(parents=True, exist_ok=True)
    (root / "outbox" / "power_bi.jsonl").write_text("buy milk\n")
    ran = vp(environment, "run", "--date", day)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"! Passed over: {stray} is not a name of this project" in ran.stdout
    assert f"! Set aside: {root / 'outbox' / 'power_bi.jsonl'} has 1 lines" in ran.stdout
    assert unknown_files(root) == ["lake/silver/keepa/price/_manifests/run_date=2026-02-28.json.bak"]

    for name, command in (
        ("published.duckdb", ["published", "list"]),
        ("warehouse.duckdb", ["plan"]),
        (f"lake/bronze/keepa/product/_manifests/run_date={day}.json", ["maintain"]),
        ("lake/quarantine/keepa/price/run_date=2026-02-28.jsonl", ["quarantine", "list"]),
        ("lease.json", ["run", "--date", day, "--resync"]),
    ):
        file = root / name
        kept = file.with_name("kept")
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            file.rename(kept)
        file.mkdir()
        assert_one_failure(vp(environment, *command), file.name)
        file.rmdir()
        if kept.exists():
            kept.rename(file)

    (Path(environment["DAGSTER_HOME"]) / "storage").rename(tmp_path / "storage")
    (Path(environment["DAGSTER_HOME"]) / "storage").touch()
    assert_one_failure(vp(environment, "run", "--date", day), "storage")


OWN_MOUNTS = ("unshare", "--map-root-user", "--mount", "sh", "-c")
VP = Path(sys.executable).with_name("vp")


def vp(environment: dict[str, str], *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    command: list[str] = [str(VP), *arguments]
    if before:
        command = [*OWN_MOUNTS, before + shlex.join(command)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def assert_one_failure(ended: subprocess.CompletedProcess[str], *texts: str) -> None:
    shown = ended.stdout + ended.stderr
    assert ended.returncode == 1, shown
    plain = " ".join(re.sub(r"[│╭╮╰╯─]", " ", shown).split())
    for text in texts:
        assert text in plain, plain
    assert not [word for word in BARE if word in shown], shown
