"""What is reached over the network, in every environment: the vendors' APIs or their stand-ins, Slack, Power BI.

Here: one request each that changes nothing. Not here: Airbyte, S3 and Snowflake (`production.py`).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module

import requests

from vp_pipeline.airbyte.local import LocalAirbyte
from vp_pipeline.cli.doctor.finding import Finding, off, ok, wrong
from vp_pipeline.delivery.power_bi import build_power_bi
from vp_pipeline.failures import PermanentError, PipelineError
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.settings import Settings, all_settings
from vp_pipeline.sources.source import AirbyteSource
from vp_pipeline.sources.topic import TopicSource
from vp_pipeline.topics.kafka import open_topic

_TIMEOUT_SECONDS = 5
_NEEDED_SCOPE, _LOOK_UP_SCOPES = "chat:write", ("channels:history", "groups:history")
_NETWORK = "vp doctor # again, when the network or the service is back"
_WORD = re.compile(r"\b[A-Z][A-Z0-9_]{3,}\b")


def vendor(settings: Settings, source: AirbyteSource, airbyte: LocalAirbyte) -> Iterator[Finding]:
    """The API that a local sync of the source requests: the vendor's own, or a stand-in in this process."""
    own = settings.of(source)
    try:
        airbyte.refuse_mixing(source)
    except PermanentError as error:
        yield wrong(source.name, str(error), "export VP_DATA_DIR=<a folder of its own>")
        return
    if not own.uses_vendor:
        with airbyte.origin(source, newest_finished_day()) as origin:
            requests.get(origin.base_url, timeout=_TIMEOUT_SECONDS)
        kind = "recordings" if origin.recorded else "the sandbox"
        yield ok(source.name, f"{kind} responds, with {len(origin.entities)} to request" if origin.entities else kind)
        return
    yield from account(settings, source)


def account(settings: Settings, source: AirbyteSource) -> Iterator[Finding]:
    """What the vendor says of the account, where a key is set."""
    own = settings.of(source)
    if not own.uses_vendor:
        return
    if source.account is None:
        yield ok(source.name, "a key is set; its vendor has no request that costs nothing, so it was not tried")
        return
    try:
        yield ok(source.name, import_module(source.account).account(own))
    except PipelineError as error:
        yield wrong(source.name, str(error), correction(str(error)) or _NETWORK)


def topic(settings: Settings, source: TopicSource) -> Iterator[Finding]:
    """The brokers respond, and the user may see the topic. Nothing is consumed."""
    try:
        with open_topic(settings, source) as opened:
            partitions = opened.offsets()
    except PipelineError as error:
        yield wrong(source.name, str(error), correction(str(error)) or _NETWORK)
        return
    yield ok(source.name, f"its topic responds, with {len(partitions)} partitions")


def slack(settings: Settings) -> Iterator[Finding]:
    """The token, its scopes, and whether the channel can be seen. Nothing is posted."""
    if settings.slack_token is None:
        yield off("Slack", "messages stay in the log and the outbox; VP_SLACK_TOKEN and VP_SLACK_CHANNEL switch it on")
        return
    try:
        headers = {"Authorization": f"Bearer {settings.slack_token.get_secret_value()}"}
    except PipelineError as error:
        yield wrong("Slack", str(error), correction(str(error)) or _assignment("VP_SLACK_TOKEN"))
        return

    def call(method: str, **query: str) -> requests.Response:
        return requests.post(f"{settings.slack_api_url}{method}", headers=headers, data=query, timeout=_TIMEOUT_SECONDS)

    try:
        response = call("auth.test")
        found = response.json()
        scopes = [scope.strip() for scope in response.headers.get("x-oauth-scopes", "").split(",")]
        if not found.get("ok"):
            yield wrong("Slack", f"it refuses the token: {found.get('error')}", _assignment("VP_SLACK_TOKEN"))
            return
        if _NEEDED_SCOPE not in scopes:
            text = f"the token may not post: it has the scopes {', '.join(scopes)}, and not {_NEEDED_SCOPE}"
            yield wrong("Slack", text, _assignment("VP_SLACK_TOKEN"))
            return
        if not set(_LOOK_UP_SCOPES) & set(scopes):
            text = f"without one of {', '.join(_LOOK_UP_SCOPES)} a message that may have been sent is sent again"
            yield ok("Slack", f"{found.get('team')}, as {found.get('user')}; {text}")
            return
        seen = call("conversations.history", channel=str(settings.slack_channel), limit="1").json()
    except (requests.RequestException, ValueError) as error:
        yield wrong(
            "Slack", f"{settings.slack_api_url} gives no response of Slack's ({type(error).__name__})", _NETWORK
        )
        return
    if not seen.get("ok"):
        text = f"the channel {settings.slack_channel} cannot be read: {seen.get('error')}"
        yield wrong("Slack", text, _assignment("VP_SLACK_CHANNEL"))
    else:
        yield ok("Slack", f"{found.get('team')}, as {found.get('user')}, with {', '.join(scopes)}")


def power_bi(settings: Settings) -> Iterator[Finding]:
    """The service principal signs in and sees the model's refreshes. None is started."""
    service = build_power_bi(settings)
    if not service.is_on:
        yield off("Power BI", "no refresh after a publication; the five VP_POWER_BI_… switch it on")
        return
    try:
        service.started_since(datetime.now(UTC))
    except PipelineError as error:
        yield wrong("Power BI", str(error), correction(str(error)) or _assignment("VP_POWER_BI_DATASET_ID"))
    else:
        yield ok("Power BI", f"the service principal sees the model {settings.power_bi_dataset_id}")


def correction(message: str) -> str | None:
    """A shell command that sets the variables that a message names for correction; None: it names none."""
    named = _WORD.findall(message)
    known = {each.variable: each for each in all_settings()}
    wanted = [known[name].assignment for name in dict.fromkeys(named) if name in known]
    return " && ".join(wanted) or None


def _assignment(variable: str) -> str:
    return next(each.assignment for each in all_settings() if each.variable == variable)
