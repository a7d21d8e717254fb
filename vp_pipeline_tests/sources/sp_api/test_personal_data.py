"""No personal data of a buyer lands: planted in every field of every answer, it is in no file, message and log line."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from vp_pipeline.failures import PipelineError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sandbox.api import Request, Response
from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.sandbox.sp_api.api import LOGIN, SpApi
from vp_pipeline_tests.sources.sp_api.orders import DAY, VERSIONS, sync, to_silver
from vp_pipeline_tests.sources.sp_api.persons import (
    MARK,
    PERSON,
    Planted,
    Planting,
    as_objects,
    at_the_end,
    everywhere,
    in_place,
)

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]


def texts(folder: Path) -> Iterator[str]:
    """Every file of a folder: its name, and its content, unpacked."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        yield file.name
        yield (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8", "replace")
        if file.suffix == ".parquet":
            import pyarrow.parquet as pq

            yield json.dumps(pq.read_table(file).to_pylist(), default=str)


def assert_nobody(found: Iterator[str]) -> None:
    for text in found:
        assert MARK.lower() not in text.lower(), text[:300]
        assert "555-0100" not in text


@pytest.mark.parametrize("plant", [everywhere, in_place, as_objects, at_the_end])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_planted_person_is_nowhere(
    tmp_path: Path, version: str, plant: Planted, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    api, lake, lines = Planting(SpApi(), plant), Lake(tmp_path / "lake"), list[str]()
    with Sandbox({"sp_api": api}) as sandbox:
        job = sync(lake, sandbox.base_url("sp_api", DAY), api_version=version, log=lines.append)
    assert api.planted >= job.records > 0
    found = to_silver(lake, job)
    if plant is everywhere:
        assert not any(table.quarantined for table in found.values())
        assert found["order"].rows.num_rows == job.records
    else:  # nothing is passed over in silence
        assert found["order"].rows.num_rows == 0
        assert len(found["order"].quarantined) == job.records
        assert "did not let it land" in found["order"].quarantined[0].reason
    assert_nobody(texts(tmp_path))
    out, err = capfd.readouterr()
    assert_nobody(iter([*lines, *job.messages, caplog.text, out, err]))


def test_the_same_search_finds_a_person_that_lands(tmp_path: Path) -> None:
    """Without the allow-list: so that the test above can fail."""
    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as file:
        file.write(json.dumps({"order": everywhere({})}))
    with pytest.raises(AssertionError):
        assert_nobody(texts(tmp_path))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("status", "body"), [(400, {"errors": [{"code": PERSON, "message": PERSON}]}),
                                              (200, {"orders": PERSON}), (500, {"message": PERSON})])  # fmt: skip
def test_an_error_that_names_a_person_does_not_repeat_it(
    tmp_path: Path, version: str, status: int, body: Any, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    class Failing(Planting):
        def respond(self, request: Request) -> Response:
            response = self.api.respond(request)
            return response if request.path == LOGIN else Response(status, orjson.dumps(body))

    lines: list[str] = []
    with Sandbox({"sp_api": Failing(SpApi(), everywhere)}) as sandbox, pytest.raises(PipelineError) as caught:
        sync(Lake(tmp_path / "lake"), sandbox.base_url("sp_api", DAY), api_version=version, log=lines.append,
             max_retries=0)  # fmt: skip
    out, err = capfd.readouterr()
    assert_nobody(iter([*texts(tmp_path), *lines, str(caught.value), caplog.text, out, err]))
