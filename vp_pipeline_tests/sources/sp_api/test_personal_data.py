"""No personal data of a buyer lands: planted in every field of every answer, it is in no file, message and log line."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]

# In every planted value, and nowhere else.
MARK = "Zyxwanda"
PERSON = f"{MARK} O'Hara"
CONTACT = {
    "name": PERSON, "Name": PERSON, "email": f"{MARK}@mail.example", "phone": f"+1 555 {MARK}", "Phone": "555-0100",
    "addressLine1": f"1 {MARK} Street", "AddressLine1": f"1 {MARK} Street", "city": MARK, "City": MARK,
    "postalCode": f"{MARK}-1", "PostalCode": f"{MARK}-1",
}  # fmt: skip
# What Amazon's documents have of a person, in both versions.
FIELDS: dict[str, Any] = {
    "buyer": {"buyerName": PERSON, "buyerEmail": f"{MARK}@marketplace.example", "buyerCompanyName": MARK,
              "buyerPurchaseOrderNumber": f"PO-{MARK}"},
    "recipient": {"deliveryAddress": CONTACT, "deliveryPreference": {"addressInstruction": f"Ask for {PERSON}"}},
    "tax": {"taxRegistrations": [{"legalName": PERSON, "taxRegistrationNumber": MARK,
                                  "taxRegistrationAddress": CONTACT}]},
    "payment": {"paymentExecutions": [{"acquirerId": MARK, "authorizationCode": MARK}]},
    "packages": [{"shipFromAddress": CONTACT, "trackingNumber": MARK}],
    "orderAliases": [{"aliasId": MARK}],
    "customization": {"customizedUrl": f"https://custom.example/{MARK}"},
    "packing": {"giftOption": {"giftMessage": f"For {PERSON}", "giftWrapLevel": MARK}},
    "cancellationRequest": {"cancelReason": f"{PERSON} changed their mind"},
    "condition": {"conditionNote": f"For {PERSON}"},
    "serialNumbers": [MARK],
    "BuyerInfo": {"BuyerName": PERSON, "BuyerEmail": f"{MARK}@mail.example", "PurchaseOrderNumber": MARK,
                  "BuyerTaxInfo": {"CompanyLegalName": MARK}, "GiftMessageText": f"For {PERSON}",
                  "BuyerCustomizedInfo": {"CustomizedURL": f"https://custom.example/{MARK}"}},
    "ShippingAddress": CONTACT,
    "DefaultShipFromLocationAddress": CONTACT,
    "BuyerTaxInformation": {"BuyerLegalCompanyName": MARK, "BuyerBusinessAddress": MARK},
    "BuyerRequestedCancel": {"BuyerCancelReason": f"{PERSON} changed their mind"},
    f"{MARK} as a name": MARK,
}  # fmt: skip
Planted = Callable[[Any], Any]


def everywhere(found: Any) -> Any:
    """Every object with every field that can describe a person."""
    if isinstance(found, list):
        return [everywhere(each) for each in found]
    if isinstance(found, dict):
        return {**{name: everywhere(each) for name, each in found.items()}, **FIELDS}
    return found


def in_place(found: Any) -> Any:
    """Every value, of whatever type, is a person's."""
    if isinstance(found, list):
        return [in_place(each) for each in found]
    return (
        {name: in_place(each) for name, each in found.items()} if isinstance(found, dict) else f"{PERSON} <a@b.example>"
    )


def as_objects(found: Any) -> Any:
    """Every value is an object with a person in it, and every object a list of one."""
    if isinstance(found, list):
        return [as_objects(each) for each in found]
    if isinstance(found, dict):
        return {name: as_objects(each) for name, each in found.items()}
    return {"amount": PERSON, "currencyCode": PERSON, "asin": PERSON, **FIELDS}


def at_the_end(found: Any) -> Any:
    """Every text goes on with a person on another line."""
    if isinstance(found, list):
        return [at_the_end(each) for each in found]
    if isinstance(found, dict):
        return {name: at_the_end(each) for name, each in found.items()}
    return f"{found}\n{PERSON}" if isinstance(found, str) else found


@dataclass
class Planting:
    """The stand-in of Amazon, with something planted in each order and item that it answers; the number of an order of
    v0 stays, for without it its items cannot be requested."""

    api: SpApi
    plant: Planted
    planted: int = 0

    def respond(self, request: Request) -> Response:
        response = self.api.respond(request)
        if request.path == LOGIN:
            return response
        body = orjson.loads(response.body)
        holder = body.get("payload", body)
        for name in ("orders", "Orders", "OrderItems"):
            for n, each in enumerate(holder.get(name, [])):
                kept = {"AmazonOrderId": each["AmazonOrderId"]} if "AmazonOrderId" in each else {}
                holder[name][n] = {**self.plant(each), **kept}
                self.planted += 1
        return replace(response, body=orjson.dumps({**body, "buyer": PERSON}))

    def refusal(self, status: int, kind: str, message: str) -> Response:
        return self.api.refusal(status, kind, message)

    @property
    def entities(self) -> tuple[str, ...]:
        return self.api.entities

    @property
    def left_out(self) -> tuple[str, ...]:
        return ()

    @property
    def example(self) -> str:
        return self.api.example


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
