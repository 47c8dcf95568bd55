"""Airflow as the desk uses it, within the API server.

What waits and what is scheduled is read, and an approval is given, by the REST interface with the
rights of the person who asks. Runs are started and channels paused by the desk itself, after its
own check: Airflow has no right to one channel alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import anyio
import httpx
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.types import ASGIApp

from lumbung.errors import ServiceError
from lumbung.publication.edition_id import office_of, week_of
from lumbung.settings import office_dag

INTAKE = "intake__"
"""Before the name of a channel's file, in the id of its DAG (dags/intake.py)."""
CREDENTIALS = ("cookie", "authorization")
WAITING = ("awaiting_input", "deferred")
"""The states of a task that an answer continues."""


class Dag(NamedTuple):
    """What Airflow does with a channel by itself.

    Attributes:
        is_paused: whether it starts no pull.
        next_run: when the next pull starts; None: there is no schedule.

    """

    is_paused: bool
    next_run: datetime | None


def start_run(dag_id: str, conf: dict[str, Any], *, by: str) -> None:
    """Start a run of a DAG, with the API server's access to Airflow's database.

    Args:
        dag_id: the DAG.
        conf: the run's configuration.
        by: the account that asks, which Airflow shows beside the run.

    Raises:
        ServiceError: when there is no such DAG or Airflow's database fails.

    """
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import AirflowException
    from airflow.utils.types import DagRunTriggeredByType

    kind = DagRunTriggeredByType.REST_API
    try:
        trigger_dag(dag_id, triggered_by=kind, triggering_user_name=by, conf=conf)
    except (AirflowException, SQLAlchemyError, ValueError) as error:
        raise _failed(error, dag_id) from error


def set_paused(dag_id: str, is_paused: bool) -> None:
    """Pause or resume a DAG, with the API server's access to Airflow's database.

    Raises:
        ServiceError: when there is no such DAG or Airflow's database fails.

    """
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    try:
        with create_session() as session:
            dag = session.get(DagModel, dag_id)
            if dag is not None:
                dag.is_paused = is_paused
    except SQLAlchemyError as error:
        raise _failed(error, dag_id) from error
    if dag is None:
        raise _failed("it has no such DAG", dag_id)


def _failed(reason: object, dag_id: str) -> ServiceError:
    return ServiceError(
        f"Airflow failed: {reason}",
        where=f"DAG {dag_id}",
        remediation="look into the log of the API server",
    )


def _publication(edition_id: str) -> str:
    return office_dag("publication", office_of(edition_id))


class Airflow:
    """Airflow as seen by the person who sent a request. Methods are called outside the event loop.

    Args:
        app: the API server's application, which the desk is mounted in.
        request: the person's request; its credentials are passed on.

    """

    def __init__(self, app: ASGIApp, request: Request) -> None:
        self._app = app
        self._headers = {
            name: request.headers[name] for name in CREDENTIALS if name in request.headers
        }

    def question(self, edition_id: str) -> str | None:
        """Return the address of the task that waits for the decision on an edition; None: no task.

        Raises:
            ServiceError: when Airflow refuses or fails.

        """
        for task in self._tasks(edition_id, is_answered=False):
            # a question that nobody answered in time is listed for ever
            if task["state"] in WAITING:
                return (
                    f"/api/v2/dags/{task['dag_id']}/dagRuns/{quote(task['dag_run_id'], safe='')}"
                    f"/taskInstances/{task['task_id']}/{task['map_index']}/hitlDetails"
                )
        return None

    def is_answered(self, edition_id: str) -> bool:
        """Return whether a run has received a decision on an edition and goes on with it.

        Raises:
            ServiceError: when Airflow refuses or fails.

        """
        tasks = self._tasks(edition_id, is_answered=True)
        return any(task["state"] != "failed" for task in tasks)

    def _tasks(self, edition_id: str, *, is_answered: bool) -> list[dict[str, Any]]:
        """Return the tasks that ask for a decision on an edition, the newest first."""
        found = self._call(
            "GET",
            f"/api/v2/dags/{_publication(edition_id)}/dagRuns/~/hitlDetails",
            params={"response_received": is_answered, "order_by": "-created_at", "limit": 100},
        )
        return [
            detail["task_instance"]
            for detail in found["hitl_details"]
            if f" {edition_id}?" in detail["subject"]
        ]

    def answer(self, question: str, option: str, comment: str) -> None:
        """Answer a task that waits.

        Args:
            question: what `question` returned.
            option: `orchestration.APPROVE` or `orchestration.REJECT`.
            comment: the reason of a rejection.

        Raises:
            ServiceError: when Airflow refuses or fails.

        """
        # Both of the form's fields, as Airflow requires. The code is not passed on: the decision
        # is recorded already.
        given = {"code": None, "comment": comment or None}
        self._call("PATCH", question, json={"chosen_options": [option], "params_input": given})

    def channels(self) -> dict[str, Dag]:
        """Return the DAGs of the channels, by the name of the channel's file.

        Raises:
            ServiceError: when Airflow refuses or fails.

        """
        found: dict[str, Dag] = {}
        while True:
            page = self._call(
                "GET", "/api/v2/dags", params={"tags": "intake", "limit": 100, "offset": len(found)}
            )["dags"]
            for dag in page:
                run = dag["next_dagrun_run_after"]
                next_run = None if run is None or dag["is_paused"] else datetime.fromisoformat(run)
                found[dag["dag_id"].removeprefix(INTAKE)] = Dag(dag["is_paused"], next_run)
            if len(page) < 100:
                return found

    def pause(self, name: str, is_paused: bool) -> None:
        """Let Airflow start no further pull of a channel, or start them again.

        Args:
            name: of the channel's file; the caller has checked that the person looks after it.
            is_paused: whether none is started.

        Raises:
            ServiceError: when Airflow fails.

        """
        set_paused(f"{INTAKE}{name}", is_paused)

    def pull(
        self,
        name: str,
        *,
        by: str,
        from_start: bool = False,
        most_withdrawals: int = 0,
    ) -> None:
        """Start a pull of a channel.

        Args:
            name: of the channel's file; the caller has checked that the person looks after it.
            by: the person's account.
            from_start: read the source from its beginning, and resolve what was in quarantine and
                is read now.
            most_withdrawals: withdraw what the source no longer has, even more than half of it, but
                nothing where more is missing than so many; 0: as every other pull does.

        Raises:
            ServiceError: when Airflow fails.

        """
        conf: dict[str, Any] = {"from_start": True} if from_start else {}
        if most_withdrawals:
            conf |= {"accept_withdrawals": True, "most_withdrawals": most_withdrawals}
        start_run(f"{INTAKE}{name}", conf, by=by)

    def draft(self, edition_id: str, *, by: str) -> None:
        """Start a run that makes and checks the draft of an edition's week again.

        Args:
            edition_id: the edition; the caller has checked that the person decides on it.
            by: the person's account.

        Raises:
            ServiceError: when Airflow fails.

        """
        start_run(_publication(edition_id), {"week_id": week_of(edition_id)}, by=by)

    def _call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost", headers=self._headers
            ) as client:
                return await client.request(method, path, **sent)

        answer: httpx.Response = anyio.from_thread.run(call)
        if answer.is_error:
            raise ServiceError(
                f"Airflow answered {answer.status_code}",
                where=f"{method} {path}",
                remediation="look into the log of the API server",
            )
        return dict(answer.json())
