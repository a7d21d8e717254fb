"""The published file: whole or as before, whoever reads it and whenever it is killed."""

import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing.duckdb import DuckDBPublications
from vp_pipeline.publishing.publication import KEPT, Contents
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.warehouse import ledger
from vp_pipeline_tests.publishing.marts import FIRST, TABLES, build, published_in, publisher_in, read, warehouse_in

KILLS = int(os.environ.get("KILLS", "24"))  # `make soak` sets hundreds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def publisher(folder: Path) -> Publisher:
    return publisher_in(folder)


def files(folder: Path) -> set[str]:
    return {file.name for file in (folder / "published").iterdir() if file.name != ".lock"}


def child(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "vp_pipeline_tests.publishing.marts", str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_the_record_of_what_was_published_is_in_the_file(folder: Path, publisher: Publisher) -> None:
    build_id = build(folder, 1)
    made = publisher.publish("the-run")
    assert (made.build_id, made.run_id, made.replaces) == (build_id, "the-run", None)
    assert made.rows == dict.fromkeys(TABLES, 100)
    assert [(day - FIRST).days for day in made.days] == [1]
    assert publisher.marts.current() == made
    assert read(folder) == 1


def test_the_same_contents_are_not_published_twice(folder: Path, publisher: Publisher) -> None:
    build(folder, 1)
    first = publisher.publish("one")
    before = published_in(folder).read_bytes()
    with warehouse_in(folder).connect() as connection:  # another build, and not one row of it is another
        ledger.begin(connection, "build-000009", "two")
        ledger.finish(connection, "build-000009", "green")
    assert publisher.publish("two") == first
    assert published_in(folder).read_bytes() == before
    assert len(publisher.kept()) == 1


def test_the_record_of_another_run_is_no_reason_to_publish_and_its_code_is(folder: Path, publisher: Publisher) -> None:
    record = "monitoring.mon_model_run"  # a view over what every run records
    build(folder, 1)
    made = []
    # Another row, another row and other code, the same code with another column.
    for run, code, columns in (("1", "a", "1 as n"), ("2", "a", "2 as n"), ("3", "b", "3 as n"), ("4", "b", "4 as m")):
        with warehouse_in(folder).connect() as connection:
            connection.execute(f"create or replace view {record} as select {columns}")
            connection.execute("delete from raw._models")
            connection.execute("insert into raw._models values ('mon_model_run', ?, ?, null)", [record, code])
            ledger.begin(connection, f"build-00001{run}", run)
            ledger.finish(connection, f"build-00001{run}", "green")
        of_code = Publisher(publisher.engine, lambda code=code: {"mon_model_run": code})  # type: ignore[misc]
        made.append(of_code.publish(run))
    assert [publication.run_id for publication in made] == ["1", "1", "3", "4"]
    assert made[0].rows[record] == 1


@pytest.mark.parametrize(
    ("state", "reason"),
    [("building", "did not finish"), ("red", "is red: see its checks"), ("part", "was of some models only")],
)
def test_only_a_whole_green_build_is_published(
    folder: Path, publisher: Publisher, state: ledger.BuildState, reason: str
) -> None:
    build(folder, 1)
    publisher.publish("one")
    before = published_in(folder).read_bytes()
    build(folder, 2, state)
    with pytest.raises(PermanentError, match=reason) as error:
        publisher.publish("two")
    assert "consumers read the last published marts until then" in str(error.value)
    assert published_in(folder).read_bytes() == before
    assert read(folder) == 1


def test_nothing_is_published_where_nothing_was_built(folder: Path, publisher: Publisher) -> None:
    with pytest.raises(PermanentError, match="never built"):
        publisher.publish("one")
    assert not published_in(folder).exists()


def test_a_copy_that_lost_rows_is_not_published(
    folder: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(folder, 1)
    wrong = Contents(dict.fromkeys(TABLES, (101, "")), frozenset(), "")
    monkeypatch.setattr(DuckDBPublications, "contents", lambda *_: wrong)
    with pytest.raises(PermanentError, match=r"The copy of mart\.deals has 100 rows where the build has 101"):
        publisher.publish("one")
    assert not published_in(folder).exists()
    assert files(folder) == set()


def test_the_last_builds_are_kept_and_can_be_restored(folder: Path, publisher: Publisher) -> None:
    for number in range(1, KEPT + 3):
        build(folder, number)
        publisher.publish(f"run-{number}")
    assert [made.build_id for made in publisher.kept()] == ["build-000005", "build-000004", "build-000003"]
    assert files(folder) == {"build-000005.duckdb", "build-000004.duckdb", "build-000003.duckdb"}

    assert publisher.roll_back().build_id == "build-000004"
    assert read(folder) == 4
    assert publisher.rolled_back_from() == "build-000005"
    assert publisher.roll_back().build_id == "build-000003"
    assert publisher.rolled_back_from() == "build-000005"
    with pytest.raises(
        PermanentError, match=r"before build-000003 is not kept .* There are build-000005, build-000004"
    ):
        publisher.roll_back()


def test_a_file_that_is_no_publication_of_ours_is_left_where_it_is(
    folder: Path, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    build(folder, 1)
    publisher.publish("run-1")
    mine = folder / "published" / "backup.duckdb"
    shutil.copy(folder / "published" / "build-000001.duckdb", mine)
    (folder / "published" / "notes.duckdb").write_text("buy milk")
    for number in range(2, KEPT + 3):
        build(folder, number)
        publisher.publish(f"run-{number}")
    assert files(folder) > {"backup.duckdb", "notes.duckdb"}
    assert len(files(folder)) == KEPT + 2
    assert f"{mine} is not the publication whose name it has" in caplog.text


def test_what_was_rolled_back_is_not_published_again_and_the_next_build_is(folder: Path, publisher: Publisher) -> None:
    for number in (1, 2):
        build(folder, number)
        publisher.publish(f"run-{number}")
    publisher.roll_back()
    with pytest.raises(PermanentError, match="build-000002 was rolled back by hand"):
        publisher.publish("again")
    assert read(folder) == 1
    build(folder, 3)
    publisher.publish("run-3")
    assert read(folder) == 3
    assert publisher.rolled_back_from() is None
    # Before it was the first: rolling back once more does not restore what a person rolled back, unless it is named.
    assert [made.build_id for made in publisher.kept()] == ["build-000003", "build-000002", "build-000001"]
    assert publisher.roll_back().build_id == "build-000001"
    assert publisher.rolled_back_from() == "build-000003"
    assert publisher.roll_back("build-000002").build_id == "build-000002"
    assert (read(folder), publisher.rolled_back_from()) == (2, "build-000003")
    assert publisher.roll_back("build-000003").build_id == "build-000003"
    assert (read(folder), publisher.rolled_back_from()) == (3, None)


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("build-000002", r"Build build-000002 is current .* There are build-000001: `vp published list`"),
        ("build-000009", r"Build build-000009 is not kept"),
    ],
)
def test_a_build_that_cannot_be_restored_is_named(folder: Path, publisher: Publisher, to: str, message: str) -> None:
    for number in (1, 2):
        build(folder, number)
        publisher.publish(f"run-{number}")
    with pytest.raises(PermanentError, match=message):
        publisher.roll_back(to)
    assert read(folder) == 2


def test_a_mart_is_read_with_its_build(folder: Path, publisher: Publisher) -> None:
    with pytest.raises(PermanentError, match="Nothing was published yet"):
        publisher.marts.read("deals")
    build_id = build(folder, 1)
    publisher.publish("one")
    build_read, rows = publisher.marts.read("deals")
    assert (build_read, rows.column_names, rows.num_rows) == (build_id, ["n", "i"], 100)
    with pytest.raises(PermanentError, match=r"No table margins is published .* There are: deals, facts, figures"):
        publisher.marts.read("margins")


def test_the_format_of_the_file_stays(folder: Path, publisher: Publisher) -> None:
    """Consumers read it with tools of their own, and other versions of this code publish and roll back beside it."""
    build(folder, 1)
    publisher.publish("one")
    with duckdb.connect(str(published_in(folder)), read_only=True) as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'publication' "
            "order by table_name, column_index"
        ).fetchall()
    assert columns == [
        ("build", "build_id", "VARCHAR"),
        ("build", "run_id", "VARCHAR"),
        ("build", "published_at", "TIMESTAMP"),
        ("build", "replaces", "VARCHAR"),
        ("build", "content", "VARCHAR"),
        ("build", "changes_since", "TIMESTAMP"),
        ("build", "moments", "VARCHAR"),
        ("build", "version", "INTEGER"),
        ("days", "run_date", "DATE"),
        ("tables", "table_name", "VARCHAR"),
        ("tables", "rows", "BIGINT"),
    ]


def edit_published(folder: Path, *statements: str) -> None:
    path = published_in(folder)
    path.chmod(0o644)
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_publication_of_v0_1_0_is_read_and_can_be_restored(folder: Path, publisher: Publisher) -> None:
    build(folder, 1)
    first = publisher.publish("one")
    edit_published(
        folder,
        "alter table publication.build drop column version",
        "alter table publication.build drop column changes_since",
        "alter table publication.build drop column moments",
        "drop table changes",
    )
    assert publisher.marts.current() == replace(first, changes_since=None, moments=())
    build(folder, 2)
    second = publisher.publish("two")
    assert second.changes_since == first.published_at
    assert publisher.roll_back().build_id == first.build_id
    assert read(folder) == 1


def test_a_publication_of_a_newer_version_is_refused_and_stays(folder: Path, publisher: Publisher) -> None:
    build(folder, 1)
    publisher.publish("one")
    edit_published(folder, "update publication.build set version = 9")
    build(folder, 2)
    for use in (publisher.marts.current, lambda: publisher.publish("two"), publisher.roll_back):
        with pytest.raises(PermanentError, match=r"published.duckdb is of version 9 of the record of a publication"):
            use()
    assert read(folder) == 1


def test_nothing_to_roll_back_is_an_error(folder: Path, publisher: Publisher) -> None:
    with pytest.raises(PermanentError, match=r"nothing was published yet \("):
        publisher.roll_back()


def test_a_consumer_cannot_write_and_one_that_has_it_open_keeps_reading(folder: Path, publisher: Publisher) -> None:
    build(folder, 1)
    publisher.publish("one")
    assert published_in(folder).stat().st_mode & 0o222 == 0
    with duckdb.connect(str(published_in(folder)), read_only=True) as consumer:
        assert consumer.execute("select max(n) from mart.facts").fetchone() == (1,)
        build(folder, 2)
        publisher.publish("two")
        assert consumer.execute("select max(n), count(*) from mart.deals").fetchone() == (1, 100)
    assert read(folder) == 2


@pytest.mark.integration
def test_a_polling_consumer_never_waits_and_never_sees_half(folder: Path, publisher: Publisher) -> None:
    """Hundreds of reads of another process while one build after the other is written and published."""
    build(folder, 1)
    publisher.publish("run-1")
    with child(folder, "read", "400") as consumer:
        assert consumer.stdout is not None
        assert consumer.stdout.readline() == "begun\n"
        number = 1
        while consumer.poll() is None:
            number += 1
            build(folder, number)
            publisher.publish(f"run-{number}")
        builds, in_order = consumer.stdout.read().split()
    assert consumer.returncode == 0
    assert int(builds) >= 5
    assert in_order == "True"


@pytest.mark.integration
def test_killed_at_any_moment_it_is_one_whole_build(folder: Path, publisher: Publisher) -> None:
    build(folder, 1)
    publisher.publish("run-1")
    last = 1
    for kill in range(KILLS):
        with child(folder, "publish", str(1_000 * (kill + 1))) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "begun\n"
            time.sleep(random.Random(kill).uniform(0, 0.4))
            writer.kill()
        now = read(folder)
        assert now >= last
        last = now
    build(folder, 999_999)
    publisher.publish("the end")
    assert read(folder) == 999_999
    # Nothing that a killed one began is left.
    assert files(folder) == {f"{made.build_id}.duckdb" for made in publisher.kept()}
