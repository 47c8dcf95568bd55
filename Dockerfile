# One image for every service of docker-compose.yml. Packages come from the committed lock alone.
FROM python:3.13.9-slim-trixie AS build
WORKDIR /build
COPY requirements.lock docker/lock_of.py ./
# uv and hatchling, which only build the image, and then what Lumbung runs on: no package of tests.
RUN python lock_of.py uv > tools.lock && python lock_of.py hatchling >> tools.lock \
    && python lock_of.py > runtime.lock \
    && pip install --no-cache-dir --no-deps --require-hashes --requirement tools.lock \
    && uv venv --no-cache /opt/venv \
    && uv pip sync --no-cache --python /opt/venv --require-hashes --compile-bytecode runtime.lock
COPY . source
WORKDIR /build/source
RUN python -m hatchling build --target wheel --directory /build \
    && uv pip install --no-cache --python /opt/venv --no-deps /build/*.whl \
    && /opt/venv/bin/lumbung init /opt/lumbung && chmod --recursive go+rX /opt/lumbung

FROM python:3.13.9-slim-trixie
RUN useradd --uid 10001 lumbung \
    && install --directory --owner lumbung --mode 0700 /var/lib/lumbung /var/lib/lumbung/airflow \
    && install --directory --owner lumbung /var/lib/lumbung/portals
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/lumbung /opt/lumbung
USER 10001
WORKDIR /opt/lumbung
ENV LUMBUNG_HOME=/var/lib/lumbung LUMBUNG_PROJECT=/opt/lumbung PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 PATH=/opt/venv/bin:$PATH
# The services of docker-compose.yml differ in how they are known to be healthy: each has its own check.
HEALTHCHECK NONE
ENTRYPOINT ["lumbung"]
