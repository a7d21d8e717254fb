"""Refreshes of the semantic model, against the stand-in over HTTP: one a publication, followed by its own id."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from vp_pipeline.delivery.outbox import Box
from vp_pipeline.delivery.power_bi import PowerBi, Principal, RefreshResult
from vp_pipeline.delivery.power_bi_refresh import refresh_once
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.sandbox.services.server import Services
from vp_pipeline.sandbox.services.service import Fault

KEY = "refresh:build-1"


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as services:
        yield services


def client(services: Services, secret: str = "sandbox", timeout_seconds: float = 5) -> PowerBi:
    from pydantic import SecretStr

    return PowerBi(
        Principal("tenant", "sandbox", SecretStr(secret), "workspace", "dataset"),
        f"{services.url}/power_bi/v1.0/myorg",
        f"{services.url}/login",
        timeout_seconds=timeout_seconds,
        poll_seconds=0.01,
        request_seconds=1,
    )


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "power_bi.jsonl")


def refresh(power_bi: PowerBi, box: Box, key: str = KEY) -> RefreshResult | None:
    return refresh_once(power_bi, box, key, {"build": key}, lambda _: None)


def test_a_refresh_is_started_once_and_followed_to_its_end(services: Services, box: Box) -> None:
    services.power_bi.looks = 3
    result = refresh(client(services), box)
    (started,) = services.power_bi.refreshes
    assert result is not None
    assert result.request_id == started.request_id
    assert result.status == "Completed"
    assert set(result.tables.values()) == {"Completed"}
    assert started.body["type"] == "full"
    assert refresh(client(services), box) == result  # the same publication: it is done
    assert len(services.power_bi.refreshes) == 1
    refresh(client(services), box, "refresh:build-2")
    assert len(services.power_bi.refreshes) == 2


def test_the_very_request_is_followed_though_a_newer_one_is_there(services: Services, box: Box) -> None:
    services.power_bi.looks = 2
    power_bi = client(services)
    ours = power_bi.start()
    power_bi.follow(ours, lambda _: None)
    services.power_bi.table_errors = {"dim_date": "bad"}
    power_bi.start()
    assert power_bi.follow(ours, lambda _: None).status == "Completed"


def test_errors_of_tables_are_reported_and_a_later_run_starts_anew(services: Services, box: Box) -> None:
    services.power_bi.table_errors = {"dim_seller": "column seller_id does not exist"}
    with pytest.raises(PermanentError, match="ended as Failed: dim_seller: column seller_id does not exist") as error:
        refresh(client(services), box)
    assert "materialize delivery/power_bi again" in str(error.value)
    (entry,) = box.entries()
    assert (entry.state, entry.is_open) == ("refused", False)  # trying again by itself would not fix the model
    services.power_bi.table_errors = {}
    assert refresh(client(services), box) is not None
    assert len(services.power_bi.refreshes) == 2


def test_one_that_takes_too_long_is_attached_to_later(services: Services, box: Box) -> None:
    services.power_bi.looks = 1000
    with pytest.raises(PermanentError, match="still InProgress after 0 s"):
        refresh(client(services, timeout_seconds=0.05), box)
    services.power_bi.refreshes[0].looks_left = 1
    result = refresh(client(services), box)
    assert result is not None
    assert result.request_id == services.power_bi.refreshes[0].request_id
    assert len(services.power_bi.refreshes) == 1


def test_an_id_with_404_in_it_is_followed_like_any_other(
    services: Services, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id is in the message of a timeout, and 404 once meant that there is no such refresh."""
    request_id = uuid.UUID("40400000-0000-4000-8000-000000000404")
    monkeypatch.setattr("vp_pipeline.sandbox.services.power_bi.uuid.uuid4", lambda: request_id)
    services.power_bi.looks = 1000
    with pytest.raises(PermanentError, match=f"{request_id} is still InProgress"):
        refresh(client(services, timeout_seconds=0.05), box)
    services.power_bi.refreshes[0].looks_left = 1
    assert refresh(client(services), box) is not None
    assert len(services.power_bi.refreshes) == 1


@pytest.mark.parametrize(
    ("fault", "started"),
    [
        (Fault(429, retry_after=1, only="refreshes"), 1),
        (Fault(500, only="refreshes"), 1),
        (Fault(502, only="refreshes", acts=True), 1),  # it started, and a gateway lost the response
        (Fault(0, only="refreshes", acts=True), 1),
        (Fault(seconds=1.3, only="refreshes"), 1),  # slow: started after we stopped waiting
    ],
)
def test_whatever_becomes_of_the_request_one_refresh_is_started(
    services: Services, box: Box, fault: Fault, started: int
) -> None:
    services.power_bi.looks = 3
    services.faults["power_bi"].plan(fault)
    with pytest.raises(TransientError):
        refresh(client(services), box)
    (entry,) = box.open_entries()
    assert entry.reason
    result = refresh(client(services), box)
    assert result is not None
    assert len(services.power_bi.refreshes) == started


@pytest.mark.parametrize("fault", [Fault(429), Fault(500), Fault(0)])
def test_a_look_that_fails_is_tried_again_at_the_same_refresh(services: Services, box: Box, fault: Fault) -> None:
    power_bi = client(services)
    services.power_bi.looks = 2
    services.faults["power_bi"].plan(Fault(fault.status, only="refreshes/"))
    with pytest.raises(TransientError):
        refresh(power_bi, box)
    assert refresh(power_bi, box) is not None
    assert len(services.power_bi.refreshes) == 1


def test_a_token_that_ran_out_is_renewed(services: Services, box: Box) -> None:
    power_bi = client(services)
    refresh(power_bi, box)
    services.power_bi.forget_tokens()
    assert refresh(power_bi, box, "refresh:build-2") is not None


def test_a_wrong_secret_is_permanent_and_not_shown(services: Services, box: Box) -> None:
    with pytest.raises(PermanentError, match="VP_POWER_BI_CLIENT_SECRET") as error:
        refresh(client(services, secret="very-secret"), box)
    assert "very-secret" not in str(error.value) + Path(box.location).read_text()
    assert services.power_bi.refreshes == []


def test_a_refresh_of_somebody_else_is_waited_for_and_not_taken_as_ours(services: Services, box: Box) -> None:
    services.power_bi.looks = 1000
    power_bi = client(services)
    theirs = power_bi.start()
    with pytest.raises(TransientError, match="Another refresh is running"):
        refresh(power_bi, box)
    services.power_bi.refreshes[0].looks_left = 1
    power_bi.follow(theirs, lambda _: None)
    services.power_bi.looks = 1
    result = refresh(power_bi, box)
    assert result is not None
    assert result.request_id != theirs


def test_down_is_passing_and_certain(box: Box) -> None:
    from pydantic import SecretStr

    principal = Principal("t", "c", SecretStr("s"), "w", "d")
    down = PowerBi(principal, "http://127.0.0.1:9", "http://127.0.0.1:9", request_seconds=1)
    with pytest.raises(TransientError, match="cannot be reached"):
        refresh(down, box)
    (entry,) = box.open_entries()
    assert entry.state == "failed"


def test_where_it_is_off_the_request_stays_in_the_outbox(box: Box) -> None:
    assert refresh(PowerBi(None, "http://127.0.0.1:9", "http://127.0.0.1:9"), box) is None
    (entry,) = box.entries()
    assert (entry.state, entry.content) == ("kept", {"build": KEY})
    assert "not configured" in (entry.reason or "")
