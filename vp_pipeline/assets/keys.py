"""The names of the assets and of their own checks, layer by layer in flow order, and their specs.

Here: keys, groups, owners, check specs. Not here: what any of them does.
"""

from collections.abc import Iterable

import dagster as dg

from vp_pipeline.failures import remedies
from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.source import Intake, Stream

# In flow order.
INTAKES: tuple[Intake, ...] = ("airbyte", "topic")
DBT_LAYERS = ("stg", "core", "mart", "monitoring")
LAYERS = (*INTAKES, "bronze", "silver", "raw", *DBT_LAYERS, "published", "delivery")
# The group of each layer. The UI draws a box per group, in flow order: ten would be too small to read.
GROUPS = {
    **dict.fromkeys((*INTAKES, "bronze", "silver"), "lake"),
    **dict.fromkeys(("raw", "stg", "core"), "warehouse"),
    **dict.fromkeys(("mart", "monitoring"), "marts"),
    **dict.fromkeys(("published", "delivery"), "published"),
}
OWNER = "team:data-platform"
PUBLISHED = dg.AssetKey(["published", "marts"])
POWER_BI = dg.AssetKey(["delivery", "power_bi"])
EXPORT = dg.AssetKey(["delivery", "export"])
POSTGRES = dg.AssetKey(["delivery", "postgres"])

# Each layer's blocking checks of ours. The first is about whether the day could be made at all, so it is the one that
# fails when that was not possible; the others are not evaluated then.
CHECKS: dict[str, dict[str, str]] = {
    **{intake: {"synced": "A sync of the day has finished."} for intake in INTAKES},
    "bronze": {
        "arrival": "Every landed object exists, complete and readable to its end.",
        "conservation": "The objects hold as many records as the sync reported.",
        "completeness": "Every product that was requested was received (a warning, by name), or most of them (blocks).",
        "timeliness": "Every response is of the day (a warning, by name), or most of them are not (blocks).",
        "volume": "About as many records arrived as on earlier days with the same request.",
        "unaltered": "Airbyte nulled no field of any record (a warning), or of many records (blocks).",
        "known_fields": "The responses have no unknown fields (a warning).",
    },
    "silver": {
        "decoded": "The landed objects could be read and decoded: all tables of the stream, or none.",
        "conservation": "Records in = rows + duplicates + quarantined.",
        "contract": "Every row satisfies the table's contract, and no natural key occurs twice.",
        "quarantine": "No record violates the contract (a warning), or too many do (blocks).",
        "duplicates": "Few records arrived twice (a warning).",
        "volume": "About as many rows were decoded as on the days before.",
    },
    "raw": {
        "loaded": "The day was loaded: all tables of the stream in one transaction, or none.",
        "conservation": "The table has exactly the rows of the silver manifest for the day.",
    },
    "delivery": {"delivered": "The publication was delivered, or the delivery is off and reports so."},
    "published": {
        "whole": "Consumers read one whole green build, and it includes the day.",
        "keeps_all": "No day or product that consumers have is taken away, unless the day is excluded.",
    },
}


def intake_key(stream: Stream) -> dg.AssetKey:
    return dg.AssetKey([stream.intake, stream.source, stream.name])


def bronze_key(stream: Stream) -> dg.AssetKey:
    return dg.AssetKey(["bronze", stream.source, stream.name])


def silver_key(table: Table) -> dg.AssetKey:
    return dg.AssetKey(["silver", table.source, table.name])


def raw_key(table: Table) -> dg.AssetKey:
    return dg.AssetKey(["raw", table.raw_name])


def of_layers(*layers: str) -> dg.AssetSelection:
    """All assets of these layers."""
    return dg.AssetSelection.key_prefixes(*([layer] for layer in layers))


def checks_of(*keys: dg.AssetKey) -> list[dg.AssetCheckKey]:
    """Our blocking checks of assets, by the layer that their key begins with."""
    return [dg.AssetCheckKey(key, name) for key in keys for name in CHECKS[key.path[0]]]


def check_specs(keys: Iterable[dg.AssetKey], partitions: dg.PartitionsDefinition) -> list[dg.AssetCheckSpec]:
    """The specs of `checks_of`: blocking, and evaluated day by day."""
    return [
        dg.AssetCheckSpec(
            name,
            asset=key,
            description=f"{description} {remedies.runbook(name)}",
            blocking=True,
            partitions_def=partitions,
        )
        for key in keys
        for name, description in CHECKS[key.path[0]].items()
    ]


def asset_spec(
    key: dg.AssetKey,
    *,
    deps: Iterable[dg.AssetKey],
    description: str,
    kinds: set[str],
    partitions: dg.PartitionsDefinition,
    source: str | None = None,
    metadata: dict[str, object] | None = None,
) -> dg.AssetSpec:
    """The spec of an asset; its key begins with its layer. `source`: where it is of one alone."""
    return dg.AssetSpec(
        key,
        deps=list(deps),
        description=description,
        kinds=kinds,
        group_name=GROUPS[key.path[0]],
        owners=[OWNER],
        partitions_def=partitions,
        tags={"source": source} if source else {},
        metadata=metadata or {},
    )
