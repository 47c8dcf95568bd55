# One image for every service of docker-compose.yml. Packages come from the committed lock alone.
FROM python:3.13-slim

RUN useradd --create-home --uid 10001 lumbung
WORKDIR /opt/lumbung
COPY requirements.lock pyproject.toml README.md ./
# uv itself comes from the lock, with its hashes. The lock is one for everybody, so what only tests use
# is installed too: `uv pip sync` knows no groups, and a second lock would be a second truth.
RUN sed -n '/^uv==/,/[^\\]$/p' requirements.lock > /tmp/uv.txt \
    && pip install --no-cache-dir --no-deps --require-hashes -r /tmp/uv.txt \
    && uv pip sync --system --no-cache --require-hashes --compile-bytecode requirements.lock
COPY src src
COPY dags dags
COPY plugins plugins
COPY channels channels
COPY dbt_project dbt_project
COPY config config
COPY expectations expectations
RUN uv pip install --system --no-cache --no-deps --no-build-isolation --editable . \
    && install -d -o lumbung -g lumbung /var/lib/lumbung
USER lumbung
ENV LUMBUNG_HOME=/var/lib/lumbung LUMBUNG_PROJECT=/opt/lumbung PYTHONUNBUFFERED=1
ENTRYPOINT ["lumbung"]
