"""What the raw checkpoint and the build read: complete seeds, and `raw` up to a watermark."""

from __future__ import annotations

from typing import NamedTuple

import psycopg
import yaml

from lumbung.errors import BuildError, ConfigurationError
from lumbung.settings import Settings


def require_seeds(settings: Settings) -> None:
    """Require that every seed of `dbt_project/seeds/_seeds.yml` has its file.

    Raises:
        ConfigurationError: with the first file that is missing.

    """
    folder = settings.dbt_project / "seeds"
    listed = folder / "_seeds.yml"
    names = []
    if listed.is_file():
        content = yaml.load(listed.read_text(encoding="utf-8"), yaml.CSafeLoader)
        names = [f"{seed['name']}.csv" for seed in content["seeds"]]
    for name in ["_seeds.yml", *names]:
        if not (folder / name).is_file():
            raise ConfigurationError(
                f"the seed file {name} is missing",
                where=str(folder / name),
                remediation="put it back there from version control or a backup; nothing was built",
            )


class Watermark(NamedTuple):
    """The last ids that a build or the raw checkpoint reads: no smaller id can be committed."""

    max_batch_id: int
    max_decision_id: int
    max_exclusion_id: int


def watermark(connection: psycopg.Connection) -> Watermark:
    """The last batch and the last decisions, once no smaller id can be committed later.

    A writer of a batch or decision holds the same lock, shared, from before it takes an id until it
    commits.

    Raises:
        BuildError: when a landing does not commit within the connection's `lock_timeout`.

    """
    with connection.transaction():
        try:
            connection.execute("select pg_advisory_xact_lock(hashtext('lumbung.watermark'))")
        except psycopg.errors.LockNotAvailable as error:
            raise BuildError(
                "a landing has not committed in time",
                where="raw.batch",
                remediation="wait for it, or end its process, then build again",
            ) from error
        row = connection.execute(
            "select coalesce((select max(batch_id) from raw.batch), 0),"
            " coalesce((select max(decision_id) from ops.link_decision), 0),"
            " coalesce((select max(decision_id) from ops.exclusion_decision), 0)"
        ).fetchone()
    assert row is not None  # noqa: S101 - a select without from gives one row
    return Watermark(*row)
