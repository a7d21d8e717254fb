"""The one place from which messages go to Slack."""

import dagster as dg

from vp_pipeline.automation.notifications.sensors import DELIVERY
from vp_pipeline.dagster_internals.errors import recorded_as_sentence
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.delivery.slack import Slack, deliver
from vp_pipeline.failures import PipelineError, TransientError


def slack_delivery(slack: Slack, box: Box) -> dg.SensorDefinition:
    """Delivers the outbox. A tick in which a message could not be delivered is red; the next one continues."""

    # A sensor and not a hook or a step: a run is over, red or green, before any request to Slack. Its ticks show by
    # themselves what is not delivered, which is why tick_alerts leaves this sensor out.
    @dg.sensor(
        name=DELIVERY,
        minimum_interval_seconds=30,
        description="Sends the outbox's messages to Slack, once each."
        if slack.is_on
        else "Slack is off (VP_SLACK_TOKEN is not set): messages go to this sensor's log and stay in the outbox.",
    )
    @recorded_as_sentence(PipelineError)
    def send(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        done = deliver(slack, box, context.log.info)
        if done.refused:
            first = done.refused[0]
            raise TransientError(f"Slack refused {len(done.refused)} messages; they stay in {box.location}: {first}")
        waiting = f"{done.waiting} messages wait in {box.location}."
        if done.waiting and done.tried:
            raise TransientError(f"{waiting} {done.problem}")
        if done.waiting:
            return dg.SkipReason(f"{waiting} It is too early to try again: {done.problem}")
        if done.kept:
            return dg.SkipReason(f"Slack is off: {len(done.kept)} messages are in the log and in {box.location}.")
        return dg.SkipReason(f"{len(done.delivered)} messages delivered." if done.delivered else "Nothing to deliver.")

    return send
