"""The asset graph as a diagram and as a list of names, for `docs/`.

Both are compared with the graph in tests, so that a change of it shows in review.
"""

from collections import defaultdict
from html import escape
from pathlib import Path

import dagster as dg

from vp_pipeline.assets.keys import LAYERS
from vp_pipeline.settings import PROJECT_ROOT, load_settings
from vp_pipeline.sources.registry import NAMES

_COLORS = dict(
    zip(
        LAYERS,
        (
            *("#5b5bd6", "#b0568f", "#a8672a", "#7a8ca3", "#2f7fb8", "#2a9d8f"),
            *("#3d8b40", "#c2334d", "#6b6b6b", "#8a5cb8", "#4d7c0f"),
        ),
        strict=True,
    )
)
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 178, 26, 46, 10, 20
_HEADER = 34


def files() -> dict[Path, str]:
    """The files of the whole graph and the text that each should hold."""
    from vp_pipeline.build import build_definitions

    # Every source, whatever the environment has; also one that is off until it is configured.
    defs = build_definitions(load_settings({}, chosen_sources=NAMES))
    docs = PROJECT_ROOT / "docs"
    return {docs / "lineage.svg": svg(defs), docs / "names.txt": names(defs)}


def svg(definitions: dg.Definitions) -> str:
    """Every asset as a box in the column of its layer, and a line for each dependency; one graph, one text."""
    graph = definitions.resolve_asset_graph()
    keys = sorted(graph.materializable_asset_keys)
    columns = defaultdict(list)
    for key in keys:
        columns[key.path[0]].append(key)
    layers = [layer for layer in LAYERS if layer in columns]
    tallest = max(len(column) for column in columns.values())
    height = _HEADER + tallest * (_HEIGHT + _GAP_Y) + 2 * _MARGIN
    width = len(layers) * (_WIDTH + _GAP_X) - _GAP_X + 2 * _MARGIN
    places = {}
    for number, layer in enumerate(layers):
        column = columns[layer]
        top = _MARGIN + _HEADER + (tallest - len(column)) * (_HEIGHT + _GAP_Y) / 2
        for row, key in enumerate(column):
            places[key] = (_MARGIN + number * (_WIDTH + _GAP_X), top + row * (_HEIGHT + _GAP_Y))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for key in keys:
        for parent in sorted(graph.get(key).parent_keys & places.keys()):
            parts.append(_line(places[parent], places[key], _COLORS[parent.path[0]]))
    for number, layer in enumerate(layers):
        x = _MARGIN + number * (_WIDTH + _GAP_X)
        parts.append(f'<text x="{x}" y="{_MARGIN + 14}" font-size="15" fill="{_COLORS[layer]}">{layer}</text>')
    parts += [_box(places[key], key) for key in keys]
    return "\n".join([*parts, "</svg>", ""])


def names(definitions: dg.Definitions) -> str:
    """Every asset, check, job, schedule and sensor, a line each, in order."""
    graph = definitions.resolve_asset_graph()
    jobs = [job.name for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")]
    found = [
        *(f"asset {key.to_user_string()}" for key in graph.materializable_asset_keys),
        *(f"check {key.asset_key.to_user_string()}:{key.name}" for key in graph.asset_check_keys),
        *(f"job {name}" for name in jobs),
        *(f"schedule {schedule.name}" for schedule in definitions.schedules or []),
        *(f"sensor {sensor.name}" for sensor in definitions.sensors or []),
    ]
    return "\n".join(sorted(found)) + "\n"


def _box(place: tuple[float, float], key: dg.AssetKey) -> str:
    x, y = place
    color = _COLORS[key.path[0]]
    name = escape("/".join(key.path[1:]))
    return (
        f'<rect x="{x}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" fill="#fff" stroke="{color}"/>'
        f'<text x="{x + 8}" y="{y + 17:g}" font-size="11.5" fill="#222">{name}</text>'
    )


def _line(start: tuple[float, float], end: tuple[float, float], color: str) -> str:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    x2, y2 = end[0], end[1] + _HEIGHT / 2
    if end[0] <= start[0]:  # within a layer: out to the right and back
        x2 = end[0] + _WIDTH
    bend = (x1 + x2) / 2 if x2 > x1 else x1 + 26
    path = f"M{x1} {y1:g} C{bend:g} {y1:g} {bend:g} {y2:g} {x2} {y2:g}"
    return f'<path d="{path}" fill="none" stroke="{color}" opacity=".5"/>'
