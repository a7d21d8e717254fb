"""A person, planted in what the stand-in of Amazon answers.

Here: where the person is put. Not here: where nobody may be found (`test_personal_data.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from vp_pipeline.sandbox.api import Request, Response
from vp_pipeline.sandbox.sp_api.api import LOGIN, SpApi

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
