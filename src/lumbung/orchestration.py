"""What the DAG files share: task defaults, assets, connections and failure callbacks.

Every process that parses a DAG imports this module, so it imports nothing heavy.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, get_args
from urllib.parse import quote, urlencode

import pendulum
from airflow.sdk import Asset, Connection
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException
from airflow.timetables.trigger import CronTriggerTimetable

from lumbung.errors import CheckpointError, ConfigurationError, PublicationError, ServiceError
from lumbung.intake.connectors.base import SourceConnection
from lumbung.settings import JAKARTA, Settings

if TYPE_CHECKING:
    from lumbung.intake.run import IntakeCounts
    from lumbung.publication.delivery.notices import Notifier
    from lumbung.publication.delivery.recipients import Event
    from lumbung.publication.delivery.smtp import MailServer

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

START_DATE = pendulum.datetime(2024, 9, 1, tz=JAKARTA)
"""Before the first campaign week, so that runs of past weeks can be backfilled."""

MARTS = Asset(name="marts", uri="lumbung://marts")
"""Updated when a build of the marts has succeeded."""


def raw_asset(channel: str) -> Asset:
    """Return the asset that is updated when the channel landed something new."""
    return Asset(name=f"raw_{channel}", uri=f"lumbung://raw/{channel}")


def pull_summary(
    channel: str, run_key: str, counts: IntakeCounts, *, database_url: str
) -> dict[str, Any]:
    """Print the counts and quarantine reasons of a pull, and return them for the asset event.

    Args:
        channel: the channel's name.
        run_key: identifies the pull in `raw.batch`.
        counts: the result of the pull.
        database_url: the warehouse.

    """
    from lumbung import database

    with database.connect(database_url, application="lumbung intake") as connection:
        reasons: dict[str, int] = dict(
            connection.execute(
                "select reason_code, count(*) from quarantine.record inner join raw.batch"
                " using (batch_id) where batch.channel = %s and batch.run_key = %s"
                " group by reason_code order by reason_code",
                (channel, run_key),
            ).fetchall()
        )
    print(counts)
    for reason, count in reasons.items():
        print(f"quarantined {count} x {reason}; see 'lumbung quarantine list {channel}'")
    for note in counts.notes():
        print(note)
    if not counts.landed + counts.tombstones:
        known = f"all {counts.read} deliveries are known duplicates or in quarantine"
        print(f"NOTHING NEW was landed: {known if counts.read else 'the source gave nothing'}")
    return {**asdict(counts), "quarantine_reasons": reasons}


def cron_timetable(cron: str, timezone: str = "Asia/Jakarta") -> CronTriggerTimetable | None:
    """Return the timetable of a cron schedule; None in a demo's home, whose records end in 2024."""
    if Settings.load().demo_claim.exists():
        return None
    return CronTriggerTimetable(cron, timezone=timezone)


def fail_without_retry(work: Callable[P, T]) -> Callable[P, T]:
    """Fail the task without retry on errors that a retry would repeat.

    These are errors of configuration, of a checkpoint and of publication. The error's message is
    kept: what, where and what to do next. An error of PostgreSQL is logged and mailed without its
    text, which may quote a row.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except (ConfigurationError, CheckpointError, PublicationError) as error:
            raise AirflowFailException(str(error)) from error
        except Exception as error:
            import psycopg

            if not isinstance(error, psycopg.Error):
                raise
            # One without a code was not sent by the server: it says why there is no connection.
            is_lost = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
            raise ServiceError(
                f"PostgreSQL: {type(error).__name__} {error if is_lost else error.sqlstate}",
                where="the warehouse",
                remediation="look up the class or code in PostgreSQL's documentation, correct the"
                " cause, then clear the task",
            ) from None

    return run


class ModelStates:
    """Shows the models of a build in its task's tab "Storage", while it runs.

    Each write of an entry is a request to the API server and a commit, which takes longer than a
    small model. So all models share one entry, which is written at most once a second.

    Args:
        write: sets an entry of the tab (`TaskStateStore.set`).

    """

    def __init__(self, write: Callable[[str, Any], None]) -> None:
        self._write = write
        self._states: dict[str, dict[str, Any]] = {}
        self._written_at = -math.inf

    def __call__(self, name: str, state: dict[str, Any]) -> None:
        """Note how a model, or a test that found rows, has ended."""
        self._states[name] = state
        if time.monotonic() - self._written_at >= 1:
            self.write()

    def write(self) -> None:
        """Write what was noted."""
        self._write("models", self._states)
        self._written_at = time.monotonic()


def log_failure(context: dict[str, Any]) -> None:
    """Log in one line which task failed and why; Airflow calls this after the last attempt."""
    task = context["task_instance"]
    log.error(
        "FAILED %s.%s run %s: %s", task.dag_id, task.task_id, task.run_id, context.get("exception")
    )


APPROVE, REJECT = "Approve", "Reject"
"""The options of the task that waits for the decision on an edition."""

WAREHOUSE_CONNECTION = "lumbung_warehouse"
"""The Airflow Connection of the warehouse; 'lumbung up' sets it as an environment variable."""


def warehouse_address() -> str:
    """Return the warehouse's URL from the Airflow Connection `lumbung_warehouse`.

    Airflow searches a secrets backend first, then the environment, then its metadata database. What
    'lumbung up' sets names no account.

    Raises:
        ConfigurationError: when neither this connection nor `LUMBUNG_DATABASE_URL` exists.

    """
    try:
        found = Connection.get(WAREHOUSE_CONNECTION)
    except AirflowNotFoundException:
        return Settings.load().require_database_url()
    account = quote(found.login or "", safe="")
    if found.password:
        account += f":{quote(found.password, safe='')}"
    # The Connection holds the folder of a socket and an address of IPv6 as they are. Its host may
    # also be a list, or have brackets already.
    host = quote(found.host or "", safe=",:[]")
    if ":" in host and not {*host} & {*",["}:
        host = f"[{host}]"
    if found.port:
        host += f":{found.port}"
    # libpq does not accept `+` for a space
    options = urlencode(found.extra_dejson, quote_via=quote)
    address = f"postgresql://{account}@{host}" if account else f"postgresql://{host}"
    return f"{address}/{found.schema or ''}" + f"?{options}" * bool(options)


def warehouse_url(role: str) -> str:
    """Return the warehouse's URL for a session that logs in as `role`: `roles.role_url`.

    Raises:
        ConfigurationError: as `warehouse_address`, or when there is no login of that role.

    """
    from lumbung.warehouse.roles import role_url

    return role_url(warehouse_address(), role)


def desk_url() -> str:
    """Return the address of the desk, by Airflow's setting `[api] base_url`; empty without one."""
    from airflow.configuration import conf

    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/lumbung" if base else ""


def mail_server() -> MailServer | None:
    """Return the mail server of the Airflow Connection `smtp_publication`, None without one.

    The connection's extra may set `{"security": "starttls" | "tls" | "none"}`; the default is
    `starttls`.

    Raises:
        ConfigurationError: when the connection has no host or an unknown security.

    """
    from lumbung.publication.delivery.smtp import CONNECTION, MailServer, Security

    try:
        found = Connection.get(CONNECTION)
    except AirflowNotFoundException:
        return None
    security = found.extra_dejson.get("security", "starttls")
    if not found.host or security not in get_args(Security):
        raise ConfigurationError(
            f"the mail server has no host or the security '{security}'",
            where=f"Airflow Connection {CONNECTION}",
            remediation=f"give it a host, and one of {', '.join(get_args(Security))}",
        )
    port = found.port or (465 if security == "tls" else 587)
    return MailServer(found.host, port, found.login or "", found.password or "", security)


def service_address(connection_id: str) -> str:
    """Return the address of a service, as apprise writes it: the password of a Connection.

    Raises:
        ConfigurationError: when there is no such Connection, or it has no password.

    """
    try:
        found = Connection.get(connection_id)
    except AirflowNotFoundException:
        found = None
    if found is None or not found.password:
        raise ConfigurationError(
            "there is no address of the service",
            where=f"Airflow Connection {connection_id}",
            remediation="create the Connection with the service's address as its password, or "
            "take it out of 'services' in config/people.yaml",
        )
    return str(found.password)


def notifier(office: str = "") -> Notifier:
    """Return what sends notices to an office's people: by mail and the services of this Airflow."""
    from lumbung.publication.delivery.notices import Notifier

    return Notifier(
        Settings.load().at_office(office),
        lambda: warehouse_url("publisher"),
        mail_server,
        service_address,
        desk_url(),
    )


EVENTS: dict[str, Event] = {
    "pull": "intake",
    "raw_checkpoint": "raw_checkpoint",
    "build": "build",
    "checkpoint": "publication_checkpoint",
    "mail": "mail",
}
"""What people are notified of when a task of this name fails; others are `task`."""


def report_failure(
    name: str = "", *also: str, office: str = "", province: str | None = None
) -> Callable[[dict[str, Any]], None]:
    """Return a callback that logs a failure as `log_failure` does, and notifies the owners.

    Args:
        name: what failed, as its owner knows it; empty: the task's id.
        also: further addresses that are notified.
        office: the office whose owners are notified; empty: the installation's own.
        province: that of a channel; the owners of its office are notified, too.

    """

    def report(context: dict[str, Any]) -> None:
        from lumbung.publication.delivery import notify
        from lumbung.publication.delivery.recipients import owners_of_province

        log_failure(context)
        task = context["task_instance"]
        _, kind, channel = task.dag_id.rpartition("intake__")
        notify.notify_of_failure(
            EVENTS.get(task.task_id, "task"),
            name or f"{task.dag_id}.{task.task_id}",
            f"{task.dag_id}.{task.task_id}, {task.run_id}",
            str(context.get("exception")),
            notifier=notifier(office),
            also=[*also, *owners_of_province(province, Settings.load())],
            page=f"/kanal/{channel}" if kind else "/",
        )

    return report


DEFAULT_ARGS: dict[str, Any] = {
    "owner": "lumbung",
    "retries": 2,
    # The delay before the first retry is Airflow's setting default_task_retry_delay.
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": report_failure(),
}


def source_connection(connection_id: str | None) -> SourceConnection | None:
    """Return a channel's Airflow Connection in the form connectors take; None without an id.

    Raises:
        ConfigurationError: when Airflow has no such connection.
    """
    if connection_id is None:
        return None
    try:
        found = Connection.get(connection_id)
    except AirflowNotFoundException as error:
        variable = f"AIRFLOW_CONN_{connection_id.upper()}"
        raise ConfigurationError(
            f"there is no Airflow Connection {connection_id!r}",
            where="Airflow",
            remediation=f"add it on Airflow's page (Admin, Connections) or set {variable}",
        ) from error
    return SourceConnection(
        host=found.host or "",
        port=found.port,
        schema=found.schema,
        login=found.login,
        password=found.password,
        extra=found.extra_dejson,
        conn_type=found.conn_type,
    )
