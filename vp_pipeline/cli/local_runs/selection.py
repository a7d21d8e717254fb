"""Which assets `vp run --select` and `--exclude` name.

An expression is Dagster's if it has one of its attributes (`key:`, `group:`, `kind:`, `owner:`), one of its words
(`and`, `or`, `not`), parentheses, or a whole asset key (`mart/mart_deals+`); it may name any asset. Every other
expression is dbt's, over the models: names with `*`, `+` and `@`, `tag:`, `config.materialized:`, `source:`; a space
unites, a comma intersects. `tag:` alone is the same in both.

Here: from text to assets. Not here: whether their build may be published (`publication.py`).
"""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence

import dagster as dg

from vp_pipeline.cli.terminal import quiet_process
from vp_pipeline.failures import PermanentError

_DAGSTER = re.compile(r"\b(key|group|kind|owner):|\b(and|or|not)\b|[()]", re.IGNORECASE)
_ASSET_KEY = re.compile(r"(\d*\+)?([^\s:+]+/[^\s:+]+)(\+\d*)?")
_DAGSTER_NAME = re.compile(r'\b(?:key|group|kind|owner|tag):(?:"[^"]*"|[^\s()+]+)', re.IGNORECASE)
_DBT_NAME = re.compile(r"[^\s,]+")

Resolve = Callable[[str], set[dg.AssetKey]]


def selected_assets(
    definitions: dg.Definitions, models: dg.AssetsDefinition, select: Sequence[str], exclude: Sequence[str]
) -> set[dg.AssetKey]:
    """The assets of `select`, without those of `exclude`. Nothing selected: all models.

    Raises:
        PermanentError: an expression cannot be read, a name in it is unknown, or nothing is left.
    """

    def assets(expressions: Iterable[str]) -> set[dg.AssetKey]:
        return set().union(*(_resolved(expression, definitions, models) for expression in expressions))

    found = (assets(select) if select else set(models.keys)) - assets(exclude)
    if not found:
        raise PermanentError(f"Nothing is selected by {' '.join(select) or 'all models'} without {' '.join(exclude)}.")
    return found


def _resolved(expression: str, definitions: dg.Definitions, models: dg.AssetsDefinition) -> set[dg.AssetKey]:
    """The assets of one expression, each name of which has to match something."""
    expression = _ASSET_KEY.sub(r'\1key:"\2"\3', expression) if _ASSET_KEY.fullmatch(expression) else expression
    if _DAGSTER.search(expression):
        nodes = [node for node in definitions.resolve_asset_graph().asset_nodes if node.is_materializable]
        known = [f'key:"{node.key.to_user_string()}"' for node in nodes]
        known += [f"group:{node.group_name}" for node in nodes]
        resolve, names = _of_dagster(definitions), _DAGSTER_NAME.findall(expression)
    else:
        known = [key.path[-1] for key in models.keys]
        resolve, names = _of_dbt(definitions, models), _DBT_NAME.findall(expression)
    for name in [*names, expression]:
        found = resolve(name)
        if not found:
            raise PermanentError(_unknown(name, known))
    return found


def _of_dagster(definitions: dg.Definitions) -> Resolve:
    graph = definitions.resolve_asset_graph()

    def resolve(expression: str) -> set[dg.AssetKey]:
        try:
            found = dg.AssetSelection.from_string(expression).resolve(graph)
        except dg.DagsterError:  # it cannot be read, or names a key that there is not
            return set()
        return {key for key in found if key in graph.materializable_asset_keys}

    return resolve


def _of_dbt(definitions: dg.Definitions, models: dg.AssetsDefinition) -> Resolve:
    from dagster_dbt import build_dbt_asset_selection  # deferred import: it takes a second

    graph = definitions.resolve_asset_graph()

    def resolve(expression: str) -> set[dg.AssetKey]:
        with quiet_process():  # dbt prints a warning where nothing matches
            return set(build_dbt_asset_selection([models], dbt_select=expression).resolve(graph))

    return resolve


def _unknown(name: str, known: Iterable[str]) -> str:
    plain = name.strip("+@0123456789")
    near = difflib.get_close_matches(plain, sorted(set(known)), n=3, cutoff=0.6)
    hint = f"Did you mean {' or '.join(near)}?" if near else "docs/names.txt lists all assets."
    return f"Nothing matches {name} (--select, --exclude). {hint}"
