"""dagster-slack's resource, as the outbox's messages are sent with it.

Here: its client. Not here: which messages, and what Slack's responses mean (`slack.py`). Imported where Slack is on.
"""

from dagster_slack import SlackResource
from pydantic import Field, SecretStr
from slack_sdk import WebClient


def slack_channel(secret: SecretStr, channel: str, api_url: str, timeout_seconds: float) -> SlackResource:
    """The resource of a channel. `secret`, the token, is in none of its fields: Dagster's UI shows those."""

    class SlackChannel(SlackResource):
        """Sends the outbox's messages to Slack (sensor `slack_delivery`). The token is taken from the settings whenever
        a client is made."""

        token: str = Field(
            description="The setting from which the token is taken.",
            json_schema_extra={"dagster__is_secret": True},
        )
        channel: str = Field(description="The channel's id.")
        api_url: str = Field(description="The address of Slack's API.")
        timeout_seconds: float = Field(description="Seconds without a response after which a request is given up.")

        def get_client(self) -> WebClient:
            client = SlackResource(token=secret.get_secret_value()).get_client()
            client.base_url, client.timeout = self.api_url, int(self.timeout_seconds) or 1
            client.retry_handlers = []  # they repeat a request that may have been taken
            return client

    return SlackChannel(token="VP_SLACK_TOKEN", channel=channel, api_url=api_url, timeout_seconds=timeout_seconds)
