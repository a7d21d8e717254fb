"""Recorded answers of Amazon, served again as they were, whatever window is requested.

Here: reading the recordings. Not here: generated orders (`orders.py`), pages (`api.py`).

A recording is a file `*.json`: a body of `searchOrders`, `getOrder`, `getOrders` or `getOrderItems`, a list of these,
or `{"cases": [{"response": body}, …]}`, as Amazon publishes its sample pairs. What is none of them is left out, by
name.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vp_pipeline.failures import PermanentError

Json = dict[str, Any]


class Recordings:
    """Every recorded order of a folder: `newest` and `v0` are whole orders, in the order of the files; `items` are
    pages of v0's items by order. `left_out`: what in it cannot be served, each as a sentence with its file.

    Raises:
        PermanentError: the folder has no recorded orders; the message names what was left out.
    """

    def __init__(self, folder: Path) -> None:
        self.newest: list[Json] = []
        self.v0: list[Json] = []
        self.items: dict[str, list[list[Json]]] = {}
        left_out: list[str] = []
        for file in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            found = False
            for place, body in _bodies(file):
                problem = self._add(body)
                found |= problem is None
                if problem is not None:
                    left_out.append(f"{file.name}{place} is not a recorded answer with orders: {problem}.")
            if not found and not left_out:
                left_out.append(f"{file.name} holds no answer.")
        if not (self.newest or self.v0):
            raise PermanentError(
                f"{folder} holds no recorded orders (*.json). {' '.join([*left_out, ''])}Set VP_SP_API_RECORDINGS to a "
                "folder that does, or unset it."
            )
        known = {order.get("AmazonOrderId") for order in self.v0}
        left_out += [f"The items of {order} cannot be served: no recording has the order." for order in self.items
                     if order not in known]  # fmt: skip
        self.left_out = tuple(left_out)

    def _add(self, body: Any) -> str | None:
        """Keeps what a body has; otherwise why it cannot be served."""
        if not isinstance(body, dict):
            return "it is not a JSON object"
        payload = body.get("payload")
        if isinstance(body.get("orders"), list):
            self.newest += body["orders"]
        elif isinstance(body.get("order"), dict):
            self.newest.append(body["order"])
        elif not isinstance(payload, dict):
            return "it has neither `orders`, `order` nor `payload`"
        elif isinstance(payload.get("Orders"), list):
            self.v0 += payload["Orders"]
        elif isinstance(payload.get("OrderItems"), list) and all("QuantityOrdered" in i for i in payload["OrderItems"]):
            self.items.setdefault(str(payload.get("AmazonOrderId")), []).append(payload["OrderItems"])
        elif "OrderStatus" in payload:
            self.v0.append(payload)
        else:
            return "its `payload` has neither orders nor items"
        return None


def _bodies(file: Path) -> Iterator[tuple[str, Any]]:
    """The bodies of a file, each with its place in it. Of a published pair with an error there is nothing to serve."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"), parse_float=str)
    except (OSError, ValueError) as error:
        yield "", str(error)
        return
    if isinstance(content, dict) and isinstance(content.get("cases"), list):
        for number, case in enumerate(content["cases"]):
            if isinstance(case, dict) and str(case.get("status", "200")) == "200":
                yield f", case {number},", case.get("response")
        return
    several = content if isinstance(content, list) else [content]
    for number, body in enumerate(several):
        yield f", item {number}," if len(several) > 1 else "", body
