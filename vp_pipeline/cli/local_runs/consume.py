"""`vp consume`: what the topics have, into bronze."""

from typing import Annotated

import typer

from vp_pipeline.cli.terminal import console
from vp_pipeline.settings import load_settings, variable_of


def consume(
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Go on where messages are lost that a topic does not keep any more."),
    ] = False,
) -> None:
    """Consume what the Kafka topics have now into bronze, and end. `vp run` does it for its day too."""
    from vp_pipeline.cli.local_runs.holding import holding
    from vp_pipeline.environments.environment import build_environment
    from vp_pipeline.sources.registry import SOURCES
    from vp_pipeline.sources.topic import topic_sources
    from vp_pipeline.topics.intake import TopicIntake

    settings = load_settings()
    sources = topic_sources(settings.enabled_sources)
    if not sources:
        variables = ", ".join(variable_of(source, "bootstrap_servers") for source in topic_sources(SOURCES))
        console.print(f"No topic is on. A topic is on when its brokers are set: {variables}.", soft_wrap=True)
        return
    intake = TopicIntake(settings, build_environment(settings).build_lake())
    with holding(settings, "vp consume"):
        for source in sources:
            done = intake.consume(source, accept_loss=accept_loss, log=lambda text: console.print(text, soft_wrap=True))
            days = f" Days to run: {', '.join(map(str, done.days))}." if done.days else ""
            counts = f"{done.messages:,} messages in {len(done.batches)} batches"
            console.print(f"{source.name}: {counts}.{days}", soft_wrap=True)
            done.require_filed()
