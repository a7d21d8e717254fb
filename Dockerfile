# The image of every process of a deployment: code location, web server, daemon, dashboard and command line differ in
# their command only (docker-compose.yml, infra/kubernetes). It has no secret in it.

FROM python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b AS base
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    UV_LINK_MODE=copy
WORKDIR /srv/vp

# What is installed changes less often than the code.
FROM base AS build
COPY pyproject.toml constraints.txt ./
RUN --mount=type=cache,target=/root/.cache \
    python -m venv /srv/venv \
    && pip install --no-cache-dir --constraint constraints.txt uv \
    && uv pip install --python /srv/venv --compile-bytecode --constraint constraints.txt \
        --requirements pyproject.toml --extra deployment
COPY setup.py README.md ./
COPY vp_pipeline vp_pipeline
RUN --mount=type=cache,target=/root/.cache \
    uv pip install --python /srv/venv --no-deps --editable . \
    && uv pip uninstall --python /srv/venv uv pip

FROM base
RUN useradd --uid 10001 --no-create-home --home-dir /srv/vp vp \
    && mkdir -p /srv/dagster /srv/data \
    && chown vp:vp /srv/vp /srv/dagster /srv/data
COPY --from=build /srv/venv /srv/venv
COPY --from=build --chown=vp:vp /srv/vp /srv/vp
COPY --chown=vp:vp dbt_project dbt_project
COPY --chown=vp:vp infra/dagster /srv/dagster
USER 10001
# Those that the deployment ingests: its own choice is parsed here, and not at the start of each process.
ARG VP_SOURCES=keepa,open_meteo,sp_api
RUN python -m vp_pipeline.generators.parse
ENV DAGSTER_HOME=/srv/dagster \
    VP_DATA_DIR=/srv/data
EXPOSE 3000 4000
# Of the code location, which is the default command.
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s \
    CMD ["dagster", "api", "grpc-health-check", "--port", "4000"]
CMD ["dagster", "api", "grpc", "--host", "0.0.0.0", "--port", "4000", "--module-name", "vp_pipeline.definitions"]
