"""The job and the sensor of a topic. Not here: what consuming is (`topics/intake.py`)."""

import dagster as dg

from vp_pipeline.assets.retries import retry
from vp_pipeline.dagster_internals import run_statuses
from vp_pipeline.dagster_internals.errors import StepFailure, recorded_as_sentence
from vp_pipeline.failures import PermanentError, PipelineError, TransientError
from vp_pipeline.sources.topic import TopicSource
from vp_pipeline.topics.intake import TopicIntake


class ConsumeConfig(dg.Config):
    """`accept_loss`: go on where messages are lost that the topic does not keep any more, and record that."""

    accept_loss: bool = False


def consume_job(source: TopicSource, intake: TopicIntake) -> dg.JobDefinition:
    """Consumes what the topic has at the start of the run, and ends. Holds the lease as every run does, so that one
    process consumes at a time."""

    @dg.op(name=f"consume_{source.name}_messages")
    def consume(context: dg.OpExecutionContext, config: ConsumeConfig) -> None:
        try:
            done = intake.consume(source, accept_loss=config.accept_loss, log=context.log.info)
            done.require_filed()
        except PermanentError as error:
            raise StepFailure(str(error)) from error
        except TransientError as error:
            raise retry(context, error) from error
        days = ", ".join(map(str, done.days))
        context.add_output_metadata({"messages": done.messages, "batches": len(done.batches), "days": days or "none"})

    @dg.job(
        name=f"consume_{source.name}",
        description=f"{source.description} Consumes what it has now into bronze; finished days of it are run again by "
        "the sensor landed_syncs.",
        tags={"source": source.name},
    )
    def consume_topic() -> None:
        consume()

    return consume_topic


def topic_sensor(source: TopicSource, intake: TopicIntake) -> dg.SensorDefinition:
    """Launches the job when the topic has messages that bronze has not."""
    name = f"consume_{source.name}"

    @dg.sensor(
        name=f"{source.name}_topic",
        job_name=name,
        minimum_interval_seconds=300,
        description="Consumes the topic when it has messages that bronze has not.",
    )
    @recorded_as_sentence(PipelineError)
    def watch(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        running = dg.RunsFilter(job_name=name, statuses=list(run_statuses.IN_PROGRESS))
        if context.instance.get_runs(running, limit=1):
            return dg.SkipReason("A run consumes the topic already.")
        waiting = intake.waiting(source)
        # The same offsets are consumed once: a run that has failed waits for a person, or for the next message.
        return dg.RunRequest(run_key=waiting) if waiting else dg.SkipReason("The topic has nothing new.")

    return watch
