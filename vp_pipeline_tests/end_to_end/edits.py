"""Edits of a copy of the project: two fixed ones, and of every kind at random that changes rows, or changes none.

Here: what is edited. Not here: the runs between the edits (`test_code_changes.py`).
"""

import random
import re
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress

from vp_pipeline_tests.project_copy import ProjectCopy

# The product that a filter leaves out: one of those of the test.
FILTERED = "B0SBXJPN10"
_INCLUDED = "where {{ is_included('keepa', 'product', product_key()) }}"
_FILTER = f"{_INCLUDED} and asin <> '{FILTERED}'"
_OF_OTHER_SOURCES = ("open_meteo", "sp_api", "weather", "sales", "sales_vs_market")
FACT, PRICES = "fct_price_history_daily", "core_keepa_price_daily"
Edit = Callable[[ProjectCopy, random.Random], None]


class Edits:
    """The edits of one test, dealt out to its rounds: each kind once, and a column of each incremental model."""

    def __init__(self, project: ProjectCopy, chance: random.Random, rounds: int) -> None:
        self._project, self._chance = project, chance
        models, kinds = incremental_models(project), list(OF_ROWS)
        chance.shuffle(models)
        chance.shuffle(kinds)
        self._rounds = iter([(models[n::rounds], kinds[n::rounds]) for n in range(rounds)])
        self._value = 0
        self.hit: set[str] = set()

    def of_rows(self) -> None:
        """The edits of the next round, some of models that were edited before among them."""
        models, kinds = next(self._rounds)
        again = self._chance.sample(sorted(self.hit), len(self.hit) // 3)
        for kind in kinds:
            OF_ROWS[kind](self._project, self._chance)
        print("edited:", *kinds, *[f"{self._edit_column(model)} of {model}" for model in [*models, *again]], sep="\n  ")
        self.hit |= {*models}

    def of_nothing(self) -> None:
        """An edit that changes no row."""
        kind = self._chance.choice(sorted(OF_NOTHING))
        print("edited:", kind)
        OF_NOTHING[kind](self._project, self._chance)

    def _edit_column(self, model: str) -> str:
        self._value += 1
        text = (self._project.root / self._project.model(model)).read_text(encoding="utf-8")
        if "as edited_by" in text and self._chance.random() < 1 / 3:
            drop_column(self._project, model)
            return "dropped column"
        add_column(self._project, model, self._value)
        return "expression" if "as edited_by" in text else "new column"


def edit_changes(project: ProjectCopy, more: int) -> None:
    """An expression of a mart."""
    project.edit(
        project.model(FACT), lambda sql: sql.replace("daily.changes\n", f"daily.changes + {more} as changes\n")
    )


def edit_prices(project: ProjectCopy, more: int) -> None:
    """Every price of a day, upstream of facts, features and marts."""
    project.edit(project.model(PRICES), lambda sql: re.sub(r"( as \w*price_minor,)", rf" + {more}\1", sql))


def incremental_models(project: ProjectCopy) -> list[str]:
    """Those of the one source that the copy ingests."""
    files = (project.root / "dbt_project" / "models").rglob("*.sql")
    own = (file for file in files if file.parent.name not in _OF_OTHER_SOURCES)
    return sorted(file.stem for file in own if "materialized='incremental'" in file.read_text(encoding="utf-8"))


def add_column(project: ProjectCopy, model: str, value: int) -> None:
    """A column whose value shows which version of the code made a row; a second call gives it another value."""
    path = project.model(model)
    if "as edited_by" in (project.root / path).read_text(encoding="utf-8"):
        project.edit(path, lambda sql: re.sub(r"\d+ as edited_by", f"{value} as edited_by", sql))
    else:
        project.wrap(model, f"select *, {value} as edited_by from (", ") as edited")


def drop_column(project: ProjectCopy, model: str) -> None:
    def change(sql: str) -> str:
        return re.sub(r"select \*, \d+ as edited_by from \(\n(.*)\n\) as edited", r"\1", sql, flags=re.DOTALL)

    project.edit(project.model(model), change)


def _filter(project: ProjectCopy, _: random.Random) -> None:
    """One product is left out everywhere, or comes back."""
    for file in sorted((project.root / "dbt_project/models/staging/keepa").glob("*.sql")):
        path = str(file.relative_to(project.root))
        project.edit(path, lambda sql: sql.replace(*((_FILTER, _INCLUDED) if _FILTER in sql else (_INCLUDED, _FILTER))))


def _drawn(path: str, pattern: str, choices: tuple[str, ...]) -> Edit:
    """Writes one of `choices`, and not the one that is there, in the place of what the group of `pattern` matches."""

    def edit(project: ProjectCopy, chance: random.Random) -> None:
        def change(text: str) -> str:
            found = re.search(pattern, text)
            assert found, path
            start, end = found.span(1)
            return text[:start] + chance.choice([c for c in choices if c != found[1]]) + text[end:]

        project.edit(path, change)

    return edit


def _replaced(path: str, before: str, after: str) -> Edit:
    """Puts `after` before the first `before` of a file, as often as it is called."""
    return lambda project, _: project.edit(path, lambda text: text.replace(before, after, 1))


def _comment(project: ProjectCopy, chance: random.Random) -> None:
    model = project.model(chance.choice(incremental_models(project)))
    project.edit(model, lambda sql: sql.replace("select\n", "select  -- a comment\n\n", 1))


_KEEPA = "vp_pipeline/sources/keepa"
OF_ROWS: Mapping[str, Edit] = {
    "filter": _filter,
    "macro": _drawn("dbt_project/macros/keepa/product_key.sql", r"(?<= )'([-_:])'(?= )", ("-", "_", ":")),
    "var": _drawn("dbt_project/dbt_project.yml", r"deal_below_average_share: ([\d.]+)", ("0.05", "0.15", "0.2")),
    "seed": _drawn("dbt_project/seeds/seed_marketplaces.csv", r"amazon(\d*)\.de", ("1", "2", "3")),
    "contract": _drawn(f"{_KEEPA}/ranges.py", r"_TEXT_MAX = ([\d_]+)", ("32_000", "31_000", "30_000")),
    "decoder": _drawn(
        f"{_KEEPA}/decoding/products.py",
        r'\("title", "title", (.*)\),\n',
        tuple(f'lambda value: (_text(value) or "") + " {n}"' for n in (1, 2, 3)),
    ),
}
OF_NOTHING: Mapping[str, Edit] = {
    "a comment in a model": _comment,
    "blank space in a macro": _replaced("dbt_project/macros/keepa/product_key.sql", "{% macro", "\n\n{% macro"),
    "a comment in a macro": _replaced("dbt_project/macros/to_major_units.sql", "{% macro", "{# a comment #}\n{% macro"),
    "a description": _replaced("dbt_project/models/marts/facts/_facts__models.yml", " landed", " very landed"),
    "a comment in the decoder": _replaced(f"{_KEEPA}/decoding/products.py", "\n_FIELDS:", "\n# a comment\n_FIELDS:"),
    "a docstring of the decoder": _replaced(f"{_KEEPA}/decode.py", '"""', '"""Edited. '),
}


def kill_somewhere(project: ProjectCopy, chance: random.Random, day: str) -> None:
    """Starts the day and kills it a moment after a step has begun."""
    step = chance.choice(("silver_keepa_product", "raw_keepa_product", "dbt", "dbt", "publish"))
    with project.start("run", "--date", day, "--waive", "keeps_all") as command:
        if any(line.strip().startswith(f"{step} …") for line in command.stdout or ()):
            with suppress(subprocess.TimeoutExpired):
                command.wait(chance.uniform(0.1, 6 if step == "dbt" else 1))
        command.kill()
    print("killed in", step)
