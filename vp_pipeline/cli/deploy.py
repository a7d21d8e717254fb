"""`vp deploy`: what production needs, created from `infra/`."""

import dataclasses
from typing import Annotated

import typer

from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import Command, Group
from vp_pipeline.settings import load_settings, variable_of
from vp_pipeline.sources.source import airbyte_sources

app = typer.Typer(cls=Group, help="Create what production needs, from `infra/`.", no_args_is_help=True)


@app.command("snowflake", cls=Command)
def snowflake(
    aws_role_arn: Annotated[
        str, typer.Option(metavar="ARN", help="The role that Snowflake assumes to read silver (output of infra/aws).")
    ],
    apply_: Annotated[bool, typer.Option("--apply/--dry-run", help="Run the statements, or only show them.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Check that everything exists; create nothing.")] = False,
    role: Annotated[str, typer.Option(help="The role to sign in with.")] = "ACCOUNTADMIN",
) -> None:
    """Create Snowflake's roles, warehouses, schemas, stage and grants, as VP_SNOWFLAKE_USER (an administrator)."""
    from vp_pipeline.environments.production import ProductionEnvironment
    from vp_pipeline.warehouse.deploy import apply, places, steps

    signing_in = ("snowflake_account", "snowflake_user") if apply_ or verify else ()
    settings = load_settings(needed=("lake_url", *signing_in))
    planned = steps(places(settings, aws_role_arn), verify=verify)
    if not apply_ and not verify:
        for step in planned:
            console.print(f"[dim]-- {step.file}[/dim]\n{step.statement};\n", soft_wrap=True, markup=True)
        console.print(f"{len(planned)} statements; nothing was run. --apply runs them.")
        return
    warehouse = dataclasses.replace(ProductionEnvironment(settings).build_warehouse(), role=role)
    changed = 0
    with warehouse.session({"run": "deploy"}) as session:
        for done in apply(session, planned):
            changed += done.changed
            mark = "[green]+[/green]" if done.changed else "[dim]=[/dim]"
            first = done.step.statement.splitlines()[0]
            console.print(f"{mark} {done.step.file}  {first}  [dim]{done.message}[/dim]", soft_wrap=True)
    console.print(f"{len(planned)} statements ran; {changed} of them created something.")


@app.command("airbyte", cls=Command)
def airbyte(
    *,
    aws_role_arn: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="The role that writes bronze (output of infra/aws); without it: access keys."),
    ] = None,
    region: Annotated[str, typer.Option(help="The bucket's region.")],
    apply_: Annotated[bool, typer.Option("--apply/--dry-run", help="Create them, or only show them.")] = False,
) -> None:
    """Create Airbyte's connector, source, destination and connection of each source, or bring them up to date."""
    from vp_pipeline.airbyte.deploy import apply, document, values
    from vp_pipeline.environments.production import ProductionEnvironment
    from vp_pipeline.redaction import Redaction

    signing_in = ("airbyte_client_id", "airbyte_client_secret") if apply_ else ()
    settings = load_settings(needed=("lake_url", "airbyte_workspace_id", *signing_in))
    mask = Redaction(settings.secrets).masked
    wanted = airbyte_sources(settings.wanted_sources)
    of_sources = [(source, values(settings, source, aws_role_arn, region)) for source in wanted]
    if not apply_:
        for _, filled in of_sources:
            for name in ("source", "destination", "connection"):
                shown = document(name, {**filled, "source": "<source>", "destination": "<destination>"})
                console.print_json(data=mask(shown))
        console.print("Nothing was sent. --apply creates them, and prints the ID of each connection.")
        return
    client = ProductionEnvironment(settings).build_airbyte_client()
    for source, filled in of_sources:
        made = None
        for made in apply(client, settings.airbyte_workspace_id or "", source, filled):
            mark = "[green]+[/green] created" if made.new else "[dim]=[/dim] updated"
            console.print(f"{mark}  {made.kind}  {made.name}  {made.object_id}", soft_wrap=True)
        if made is not None:
            console.print(f"Set {variable_of(source, 'airbyte_connection')}={made.object_id}", soft_wrap=True)
