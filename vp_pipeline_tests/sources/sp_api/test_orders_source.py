"""Orders as a source: its settings, and its days through the embedded Airbyte."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from vp_pipeline.airbyte.local import LocalAirbyte
from vp_pipeline.lake import bronze
from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import Settings
from vp_pipeline.sources.source import Origin
from vp_pipeline.sources.sp_api.marketplaces import BY_COUNTRY, MARKETPLACES
from vp_pipeline.sources.sp_api.settings import SpApiSettings
from vp_pipeline.sources.sp_api.source import ORDERS, SP_API, connector_config, request_of
from vp_pipeline_tests.sources.sp_api.orders import DAY, SECRETS, rows

pytestmark = pytest.mark.filterwarnings("ignore:This class is experimental")


def settings(**fields: Any) -> SpApiSettings:
    return SpApiSettings.model_validate(fields)


def test_without_credentials_the_sandbox_is_requested_for_all_that_it_has() -> None:
    own = settings()
    assert not own.uses_vendor
    config = connector_config(own, Origin("http://127.0.0.1:1/sp_api", "sandbox", ("A1VC38T7YXB528",)))
    assert config["marketplaces"] == ["A1VC38T7YXB528"]
    assert config["token_url"] == "http://127.0.0.1:1/sp_api/auth/o2/token"


@pytest.mark.parametrize(
    ("region", "address", "marketplaces"),
    [("na", "https://sellingpartnerapi-na.amazon.com", 4), ("eu", "https://sellingpartnerapi-eu.amazon.com", 16),
     ("fe", "https://sellingpartnerapi-fe.amazon.com", 3)],
)  # fmt: skip
def test_with_credentials_amazon_is_requested_for_its_region(region: str, address: str, marketplaces: int) -> None:
    own = settings(**SECRETS, region=region)
    assert own.uses_vendor
    assert set(own.secrets) == set(SECRETS.values())
    config = connector_config(own, Origin.of_vendor(own))
    assert (config["base_url"], config["token_url"]) == (address, "https://api.amazon.com/auth/o2/token")
    assert len(config["marketplaces"]) == marketplaces  # type: ignore[arg-type]
    assert {MARKETPLACES[each].region for each in config["marketplaces"]} == {region}  # type: ignore[attr-defined]
    assert request_of(config) is not None
    other = settings(**SECRETS, region=region, url="https://sandbox.sellingpartnerapi-na.amazon.com")
    assert connector_config(other, Origin.of_vendor(other))["token_url"] == "https://api.amazon.com/auth/o2/token"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"client_id": "i"}, "only client_id is set"),
        ({"client_id": "i", "refresh_token": "r"}, "only client_id and refresh_token is set"),
        ({"marketplaces": "US"}, "unknown marketplace US"),
        ({**SECRETS, "marketplaces": BY_COUNTRY["JP"].id}, r"\(JP\) is not of the region na, but of fe"),
        ({"api_version": "v1"}, "'2026-01-01' or 'v0'"),
    ],
)
def test_settings_that_cannot_be_requested_are_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        settings(**fields)


@pytest.mark.integration
@pytest.mark.parametrize("version", ["2026-01-01", "v0"])
def test_days_through_the_embedded_airbyte(tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finished sync is used again; a day requested again lands the same; the days share what they requested."""
    own = settings(api_version=version)
    lake = Lake(tmp_path / "lake")
    airbyte = LocalAirbyte(Settings(data_dir=tmp_path, sources={"sp_api": own}), lake)
    first, second = (airbyte.sync(SP_API, ORDERS, day).record for day in (DAY, date(2026, 10, 2)))
    assert first.fingerprint == second.fingerprint
    assert first.records > 10
    again = airbyte.sync(SP_API, ORDERS, DAY)
    assert (again.record, bool(again.reused)) == (first, True)

    def silver() -> dict[str, Any]:
        manifest = bronze.land(lake, ORDERS, DAY)
        tables = ORDERS.decode(bronze.lines_of(lake, manifest), bronze.not_before(ORDERS, manifest.sync))
        found = ORDERS.inspect(bronze.lines_of(lake, manifest))
        assert (found.records, found.altered, found.unexpected) == (manifest.records, 0, {})
        return {name: rows(table) for name, table in tables.items()}

    before = silver()
    assert airbyte.sync(SP_API, ORDERS, DAY, resync=True).record.job_id > first.job_id
    assert silver() == before
