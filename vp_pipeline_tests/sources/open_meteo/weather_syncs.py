"""A sync of Open-Meteo's connector from the sandbox, over HTTP, into a lake in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from vp_pipeline.airbyte.connector_runner import AirbyteConnection, ConnectorRunner, SyncJob
from vp_pipeline.lake import bronze
from vp_pipeline.lake.manifests import BronzeManifest, SyncRecord
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sandbox.open_meteo.api import OpenMeteoApi
from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.sources.open_meteo.settings import OpenMeteoSettings
from vp_pipeline.sources.open_meteo.source import OPEN_METEO, WEATHER, connector_config, request_of
from vp_pipeline.sources.source import Origin, SyncRequest


@dataclass(frozen=True)
class WeatherSandbox:
    """A running sandbox of Open-Meteo, and a lake that its days are synced into."""

    lake: Lake
    api: OpenMeteoApi
    server: Sandbox
    recordings: Path | None

    def sync(self, day: date, **settings: Any) -> tuple[SyncJob, SyncRequest | None]:
        """The day, as it was at its end, and what was requested."""
        origin = Origin(
            self.server.base_url("open_meteo", day), "sandbox", self.api.entities, self.recordings is not None
        )
        config = {**connector_config(OpenMeteoSettings.model_validate(settings), origin), **OPEN_METEO.of_day(day)}
        connection = AirbyteConnection("open_meteo", "weather", OPEN_METEO.manifest, config, ())
        return ConnectorRunner(self.lake).sync(connection), request_of(config)

    def bronze(self, day: date, **settings: Any) -> BronzeManifest:
        """The day in bronze."""
        job, request = self.sync(day, **settings)
        record = SyncRecord(
            source="open_meteo",
            stream="weather",
            run_date=day,
            job_id=job.job_id,
            origin="sandbox",
            fingerprint="f",
            started_at=job.started_at,
            ended_at=job.ended_at,
            records=job.records,
            bytes=job.bytes,
            objects=job.objects,
            request=request,
            refused=job.refused,
            recorded=self.recordings is not None,
        )
        self.lake.write(bronze.sync_path(WEATHER, day), record.to_bytes())
        return bronze.land(self.lake, WEATHER, day)


@contextmanager
def weather_sandbox(folder: Path, recordings: Path | None = None, **options: Any) -> Iterator[WeatherSandbox]:
    api = OpenMeteoApi(recordings, **options)
    with Sandbox({"open_meteo": api}) as server:
        yield WeatherSandbox(Lake(folder), api, server, recordings)
