"""One Power BI refresh for each publication, whatever the number of days, retries and crashes.

Here: the states of a refresh in the outbox. Not here: the REST API (`power_bi.py`), and when a refresh is due
(`assets/delivery.py`).

The id that the POST returns is written to the outbox before the first request for its status, so a retry follows the
refresh that is there instead of starting another one. When the response to the POST was lost, the refreshes that began
since are listed, and one started through the API is taken as ours: Power BI runs one at a time for a model.
"""

from collections.abc import Callable, Mapping
from typing import Any

from vp_pipeline.delivery.outbox import Box, Entry
from vp_pipeline.delivery.power_bi import MayBeStarted, PowerBi, RefreshResult, UnknownRefresh
from vp_pipeline.failures import PermanentError, TransientError


def refresh_once(
    power_bi: PowerBi, box: Box, key: str, content: Mapping[str, Any], log: Callable[[str], None]
) -> RefreshResult | None:
    """Makes the refresh of `key`: starts it, or follows the one that was started before.

    None: Power BI is off; the request stays in the outbox and is not sent later. A refresh that was made is not made
    again; after one that failed another is started.

    Raises:
        TransientError: it could not be started or followed now; the outbox has its state.
        PermanentError: it failed, with its tables' errors; was refused; or did not end in time.
    """
    with box.delivering():
        entry = box.put(key, content)
        if not power_bi.is_on:
            box.note(key, "kept", reason="Power BI is not configured (VP_POWER_BI_…).")
            log("Power BI is off: the request stays in the outbox.")
            return None
        if entry.state == "delivered":
            return RefreshResult(**{**entry.receipt, "errors": tuple(entry.receipt["errors"])})
        request_id = _request_id(power_bi, box, entry, log)
        try:
            result = power_bi.follow(request_id, log)
        except PermanentError as error:
            gone = isinstance(error, UnknownRefresh)
            box.note(
                key, "failed" if gone else "unconfirmed", reason=str(error), receipt=_receipt(request_id, not gone)
            )
            raise
        except TransientError as error:
            box.note(key, "unconfirmed", reason=str(error), receipt=_receipt(request_id, True))
            raise
        if result.status != "Completed":
            errors = "; ".join(result.errors) or "no reason given"
            reason = f"The Power BI refresh {request_id} ended as {result.status}: {errors}."
            box.note(key, "refused", reason=reason, receipt=_receipt(request_id, False))
            raise PermanentError(f"{reason} Fix the model, then materialize delivery/power_bi again.")
        receipt = {
            "request_id": result.request_id,
            "status": result.status,
            "tables": dict(result.tables),
            "errors": list(result.errors),
            "seconds": result.seconds,
        }
        box.note(key, "delivered", receipt=receipt)
        return result


def _request_id(power_bi: PowerBi, box: Box, entry: Entry, log: Callable[[str], None]) -> str:
    """The refresh to follow: the one that was started for this entry, or a new one."""
    if entry.receipt.get("running"):
        log(f"Attaching to refresh {entry.receipt['request_id']}.")
        return str(entry.receipt["request_id"])
    if entry.is_unconfirmed:
        found = power_bi.started_since(entry.changed_at)
        if found is not None:
            log(f"The response to the last request was lost; refresh {found} began since.")
            box.note(entry.key, "unconfirmed", receipt=_receipt(found, True))
            return found
    box.note(entry.key, "sending")
    try:
        request_id = power_bi.start()
    except MayBeStarted as error:
        box.note(entry.key, "unconfirmed", reason=str(error))
        raise
    except PermanentError as error:
        box.note(entry.key, "refused", reason=str(error))
        raise
    except TransientError as error:
        box.note(entry.key, "failed", reason=str(error))
        raise
    box.note(entry.key, "unconfirmed", reason="running", receipt=_receipt(request_id, True))
    log(f"Power BI started refresh {request_id}.")
    return request_id


def _receipt(request_id: str, running: bool) -> dict[str, Any]:
    return {"request_id": request_id, "running": running}
