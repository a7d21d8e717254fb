"""`make generate`: everything in the repository that is written by a program, written again.

Here: which generators there are. A test compares what each would write with what is committed.
"""

from vp_pipeline.generators import (
    asset_graph,
    data_dictionary,
    dbt_edges,
    dbt_sources,
    env_example,
    model_columns,
    session_parameters,
)

# In order: the graph shows what the files before it define.
GENERATORS = (env_example, session_parameters, dbt_sources, dbt_edges, model_columns, data_dictionary, asset_graph)


def main() -> None:
    """Write every generated file."""
    for generator in GENERATORS:
        for path, text in generator.files().items():
            path.parent.mkdir(parents=True, exist_ok=True)  # a new source has no folder of models yet
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
