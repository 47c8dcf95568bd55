"""The DAGs as Airflow sees them: a test here cannot pass on an empty bag."""

from __future__ import annotations

import inspect
import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
from hypothesis import example, given
from hypothesis import settings as options
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from pydantic import TypeAdapter, ValidationError

from lumbung.intake.channel.models import Channel
from lumbung.local.airflow import POOLS, QUEUES
from lumbung.orchestration import source_connection, warehouse_address
from lumbung.publication.delivery import notify
from lumbung.publication.editions import publishing, review
from lumbung.publication.editions.schedule import week_before
from lumbung.publication.model import store
from lumbung.publication.model.edition import Decision

ROOT = Path(__file__).parents[2]
DAG_FILES = sorted((ROOT / "dags").glob("*.py"))
INTAKE = runpy.run_path(str(ROOT / "dags" / "intake.py"))

HOUR = timedelta(hours=1)
Limits = dict[str, tuple[int, timedelta | None]]
PULL: Limits = {"pull": (2, HOUR)}
EXPECTED: dict[str, Limits] = {
    "intake__form_pencegahan": PULL,
    "intake__kobo_pemantau": PULL,
    "intake__register_laporan": PULL,
    "intake__rekap_pengawasan": PULL,
    "intake__rencana_pencegahan": PULL,
    "intake__wa_aduan": PULL,
    "warehouse": {"raw_checkpoint": (2, HOUR), "build": (1, HOUR)},
    "publication": {
        "freeze": (6, HOUR),
        "render": (2, HOUR),
        "checkpoint": (2, HOUR),
        "approve": (2, None),
        "publish": (2, HOUR),
        "portal": (2, HOUR),
        "mail": (5, HOUR),
    },
    "publication_reminder": {
        "deadlines": (2, HOUR),
        "remind": (2, HOUR),
        "unpublished": (2, HOUR),
    },
    "housekeeping": {"clean": (2, HOUR)},
    "stewardship": {"notify": (2, HOUR), "anchor": (2, HOUR)},
}
"""Every DAG, every task, its retries and its time limit. A new DAG is added here on purpose."""


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(dag_folder=str(ROOT / "dags"), load_op_links=False)


def test_exactly_these_dags_tasks_retries_and_limits(bag: DagBag) -> None:
    assert bag.import_errors == {}
    found = {
        dag_id: {task.task_id: (task.retries, task.execution_timeout) for task in dag.tasks}
        for dag_id, dag in bag.dags.items()
    }
    assert found == EXPECTED


def test_every_task_is_in_a_queue_that_a_worker_serves_by_default(bag: DagBag) -> None:
    found = {dag_id: {task.queue for task in dag.tasks} for dag_id, dag in bag.dags.items()}
    assert set.union(*found.values()) == set(QUEUES)
    assert found["intake__kobo_pemantau"] == {"intake"}
    assert found["warehouse"] == {"build"}
    assert found["publication"] == {"publication"}


def test_backups_are_a_dag_where_a_folder_for_them_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBUNG_BACKUP", "/cadangan")
    dag = DagBag(dag_folder=str(ROOT / "dags" / "backup.py"), load_op_links=False).dags["backup"]
    assert {task.task_id: (task.retries, task.execution_timeout) for task in dag.tasks} == {
        "take": (1, 4 * HOUR), "drill": (1, 4 * HOUR), "copy": (1, 4 * HOUR),
    }  # fmt: skip
    assert "When it fails" in (dag.doc_md or "")
    assert dag.max_active_runs == 1


def test_there_is_a_dag_for_every_channel_file(bag: DagBag) -> None:
    files = {f"intake__{path.stem}" for path in (ROOT / "channels").glob("*.yaml")}
    assert files == {dag_id for dag_id in EXPECTED if dag_id.startswith("intake__")}


def test_every_dag_explains_itself_and_runs_once_at_a_time(bag: DagBag) -> None:
    for dag in bag.dags.values():
        assert "When it fails" in (dag.doc_md or ""), dag.dag_id
        assert dag.max_active_runs == 1, dag.dag_id
        assert dag.catchup == (dag.dag_id == "publication"), dag.dag_id
        for task in dag.tasks:
            assert task.on_failure_callback, f"{dag.dag_id}.{task.task_id} fails in silence"


def test_a_channels_dag_leads_to_its_owner_and_can_accept_withdrawals(bag: DagBag) -> None:
    dag = bag.dags["intake__kobo_pemantau"]
    channel = yaml.safe_load((ROOT / "channels" / "kobo_pemantau.yaml").read_text())
    owner = channel["owner"]
    assert dag.tags == {"intake", "kobo"}
    assert dag.owner_links == {owner["name"]: f"mailto:{owner['email']}"}
    assert [task.owner for task in dag.tasks] == [owner["name"]]
    assert f"{owner['name']} <{owner['email']}>" in (dag.doc_md or "")
    assert dag.params["accept_withdrawals"] is False


def only_kobo_is_missing() -> str:
    """The one import error, of the file that makes the intake DAGs; it has all but that of Kobo."""
    bag = DagBag(dag_folder=str(ROOT / "dags"), load_op_links=False)
    expected = {each for each in EXPECTED if each.startswith("intake")}
    assert {each for each in bag.dags if each.startswith("intake")} == (
        expected - {"intake__kobo_pemantau"}
    )
    ((file, reported),) = bag.import_errors.items()
    assert Path(file).name == "channels.py"
    return str(reported)


def test_a_mistake_in_one_channel_file_is_an_import_error_and_the_others_are_pulled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "channels").mkdir()
    for file in (ROOT / "channels").glob("*.yaml"):
        (tmp_path / "channels" / file.name).write_text(file.read_text())
    for name in ("config", "dbt_project", "expectations"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "channels" / "kobo_pemantau.yaml").write_text("title: x\nschedule: tiap pagi\n")
    monkeypatch.setenv("LUMBUNG_PROJECT", str(tmp_path))
    reported = only_kobo_is_missing()
    assert "kobo_pemantau.yaml:2: schedule" in reported


def test_a_channel_of_which_no_dag_can_be_made_is_an_import_error_and_takes_no_other_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(cron: str, timezone: str = "") -> None:
        if cron == "45 * * * *":  # that of kobo_pemantau
            raise IndexError("boom")

    monkeypatch.setattr("lumbung.orchestration.cron_timetable", fail)
    reported = only_kobo_is_missing()
    assert "kobo_pemantau: IndexError: boom" in reported


def offices(project: Path, people: str, provinces: Sequence[str] = ("19",)) -> DagBag:
    """The DAGs of a project that also has an office for 76, with this `people.yaml`."""
    (project / "expectations").symlink_to(ROOT / "expectations")
    (project / "dbt_project" / "seeds").mkdir(parents=True)
    shutil.copy(ROOT / "dbt_project" / "dbt_project.yml", project / "dbt_project")
    shutil.copytree(ROOT / "channels", project / "channels")
    for file in (ROOT / "channels").glob("*.yaml"):
        given = yaml.safe_load(file.read_text())
        (project / "channels" / file.name).write_text(yaml.safe_dump({**given, "province": "19"}))
    seed = project / "dbt_project" / "seeds" / "regency.csv"
    seed.write_text("regency_code\n" + "\n".join(f"{code}.01" for code in provinces) + "\n")
    for folder in ("config", "config/76"):
        (project / folder).mkdir(parents=True, exist_ok=True)
        for file in (ROOT / "config").glob("*.yaml"):
            (project / folder / file.name).write_text(file.read_text())
    edition = project / "config/edition.yaml"
    edition.write_text(edition.read_text() + "area_code: '19'\n")
    (project / "config/76/people.yaml").write_text(people)
    return DagBag(dag_folder=str(ROOT / "dags"), load_op_links=False)


def test_each_office_has_a_publication_with_its_own_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMBUNG_PROJECT", str(tmp_path))
    people = yaml.safe_load((ROOT / "config" / "people.yaml").read_text())
    people["approval"]["users"] = {"ketua_sulbar": "Ketua (rekaan)"}
    people["publish_from"] = "2024-11-04"
    people |= {"sheet_readers": {}}
    bag = offices(tmp_path, yaml.safe_dump(people), ("19", "76"))
    assert bag.import_errors == {}
    assert {*bag.dags} == {*EXPECTED, "publication__76", "publication_reminder__76"}
    asked = {
        name: [user["id"] for user in bag.dags[name].get_task("approve").assigned_users]
        for name in ("publication", "publication__76")
    }
    assert asked == {"publication": ["pimpinan"], "publication__76": ["ketua_sulbar"]}
    assert bag.dags["publication__76"].start_date == pendulum.datetime(2024, 11, 4, tz=7)
    for dag in bag.dags.values():
        DagSerialization.to_dict(dag)


def test_a_mistake_in_an_offices_file_is_an_import_error_and_the_others_publish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the file cannot be read, the province is not in the seeds, and a folder has no code."""
    monkeypatch.setenv("LUMBUNG_PROJECT", str(tmp_path))
    people = yaml.safe_load((ROOT / "config" / "people.yaml").read_text())
    people |= {"sheet_readers": {}}
    people["approval"]["users"] = {"ketua_sulbar": "Ketua (rekaan)"}
    for content, provinces, mistake in (
        ("sender: [", ("19", "76"), "config/76/people.yaml"),
        (yaml.safe_dump(people), ("19",), "the seeds have no area 76"),
    ):
        project = tmp_path / str(len(content))
        project.mkdir()
        monkeypatch.setenv("LUMBUNG_PROJECT", str(project))
        (project / "config/sulbar").mkdir(parents=True)
        (project / "config/sulbar/people.yaml").touch()
        bag = offices(project, content, provinces)
        assert {*bag.dags} == {*EXPECTED}
        ((file, reported),) = bag.import_errors.items()
        assert Path(file).name == "offices.py"
        assert mistake in str(reported)
        assert "config/sulbar: the name of an office's folder is a code" in str(reported)


def test_a_task_makes_the_dag_of_its_own_channel_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # As Airflow's context manager sets it, which leaves it to later tests.
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "intake__wa_aduan")
    found = runpy.run_path(str(ROOT / "dags" / "intake.py"))
    assert list(found["DAGS"]) == ["intake__wa_aduan"]
    assert found["FAILED"] == {}


def test_a_schedule_that_airflow_cannot_run_is_refused_with_the_file() -> None:
    """It once passed, and its import error took the DAGs of all channels away."""
    document = yaml.safe_load((ROOT / "channels" / "kobo_pemantau.yaml").read_text())
    for schedule in ("99 5 * * *", "0 0 30 2 *", "0 H * * *", "*/0 * * * *", "@daily"):
        with pytest.raises(ValidationError, match="write five cron fields"):
            Channel.model_validate({**document, "name": "x", "schedule": schedule})


FIELD = st.one_of(
    st.sampled_from(["*", "0", "5", "1", "2"]),
    st.sampled_from(
        [
            *("7", "8", "23", "24", "29", "30", "31", "32", "59", "60", "99", "00", "-1", "1e2"),
            *("*/5", "*/0", "*/99", "1-5", "5-1", "1-31/2", "1,2", "1,,2", "mon", "SUN", "jan"),
            *("feb", "mon-fri", "mon#1", "2#6", "L", "L5", "1W", "?", "R", "R(1-3)", "H"),
            *("H(1-2)", "x", "#", ",", "\u0663", "\u00b2"),
        ]
    ),
    st.text("0123456789*/,-#LRHW?abc", min_size=1, max_size=4),
)


@options(max_examples=400, deadline=None)
@given(st.lists(FIELD, min_size=5, max_size=5).map(" ".join))
def test_a_schedule_of_five_fields_is_accepted_exactly_where_airflow_runs_it(cron: str) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(Channel.model_fields["schedule"].rebuild_annotation())
    try:
        timetable = CronTriggerTimetable(cron, timezone="Asia/Jakarta")
        timetable.validate()
        timetable.next_dagrun_info(
            last_automated_data_interval=None,
            restriction=TimeRestriction(pendulum.datetime(2024, 9, 1), None, catchup=False),
        )
    except Exception:
        with pytest.raises(ValidationError):
            adapter.validate_python(cron)
    else:
        assert adapter.validate_python(cron) == cron


@options(max_examples=100, deadline=None)
@given(title=st.text(), owner=st.text(), email=st.text())
@example(title="\ud800", owner="x\0", email="a@b")
@example(title="x", owner="a, b", email="a@[::")
@example(title="x" * 5_000, owner="x", email="a@b")
def test_a_dag_can_be_made_of_whatever_names_a_channel_file_may_hold(
    title: str, owner: str, email: str
) -> None:
    document = yaml.safe_load((ROOT / "channels" / "kobo_pemantau.yaml").read_text())
    document |= {"name": "x", "title": title, "owner": {"name": owner, "email": email}}
    try:
        channel = Channel.model_validate(document)
    except ValidationError:
        return
    made, failed = INTAKE["intake_dags"]({"x": channel})
    assert (list(made), failed) == (["intake__x"], {})
    DagSerialization.to_dict(made["intake__x"])


def test_a_renamed_channel_has_the_dag_of_its_new_name() -> None:
    document = yaml.safe_load((ROOT / "channels" / "kobo_pemantau.yaml").read_text())
    channel = Channel.model_validate({**document, "id": "lama"})
    made, failed = INTAKE["intake_dags"]({"baru": channel})
    assert (list(made), failed) == (["intake__baru"], {})
    outlets = [str(each) for task in made["intake__baru"].tasks for each in task.outlets]
    assert outlets
    assert not [each for each in outlets if "lama" in each]


def test_schedules_of_the_dags(bag: DagBag) -> None:
    assert {dag_id: dag.timetable.summary for dag_id, dag in bag.dags.items()} == {
        "intake__form_pencegahan": "20 5 * * *",
        "intake__kobo_pemantau": "45 * * * *",
        "intake__register_laporan": "0 5 * * *",
        "intake__rekap_pengawasan": "15 5 * * *",
        "intake__rencana_pencegahan": "25 5 * * *",
        "intake__wa_aduan": "30 5 * * *",
        "warehouse": "Asset or 45 5 * * *",
        "publication": "0 6 * * 1",
        "publication_reminder": "0 8 * * *",
        "housekeeping": "30 3 * * *",
        "stewardship": "30 7 * * *",
    }
    assert {dag.timezone.name for dag in bag.dags.values()} == {"Asia/Jakarta"}


def test_order_of_tasks_puts_every_checkpoint_before_what_it_guards(bag: DagBag) -> None:
    warehouse, publication = bag.dags["warehouse"], bag.dags["publication"]
    assert warehouse.get_task("build").upstream_task_ids == {"raw_checkpoint"}
    assert publication.get_task("approve").upstream_task_ids == {"checkpoint"}
    assert publication.get_task("checkpoint").upstream_task_ids >= {"render"}
    assert publication.get_task("publish").upstream_task_ids == {"freeze", "approve"}
    assert publication.get_task("portal").upstream_task_ids == {"publish"}
    assert publication.get_task("mail").upstream_task_ids == {"freeze", "publish"}
    for last in ("portal", "mail"):  # they finish what a killed run left, and nothing that failed
        assert publication.get_task(last).trigger_rule == "none_failed"


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (
            "approved",
            [("Edisi 2024-W47-r1 disetujui", "Rara menyetujui edisi 2024-W47-r1."), "published"],
        ),
        (
            "rejected",
            [
                ("Edisi 2024-W47-r1 ditolak", "Rara menolak edisi 2024-W47-r1: periksa"),
                ("Edisi 2024-W47-r1 ditolak", "Rara menolak edisi 2024-W47-r1: periksa"),
            ],
        ),
    ],
)
def test_people_are_notified_of_a_decision_before_it_is_carried_out(
    bag: DagBag, monkeypatch: pytest.MonkeyPatch, decision: str, expected: list[object]
) -> None:
    happened: list[object] = []
    made = SimpleNamespace(
        state=decision, decision=Decision(decision, "person", "Rara", pendulum.now(), ())
    )
    for place in (store, notify):
        monkeypatch.setattr(place, "load", lambda *_, **__: made)
    monkeypatch.setattr(review, "rejection", lambda *_, **__: ("Rara", "periksa"))
    monkeypatch.setattr(publishing, "publish", lambda *_, **__: happened.append("published"))
    publish = inspect.unwrap(bag.dags["publication"].get_task("publish").python_callable)
    monkeypatch.setitem(publish.__globals__, "warehouse_url", str)
    monkeypatch.setitem(
        publish.__globals__,
        "notifier",
        lambda _: SimpleNamespace(
            send=lambda notice, _: happened.append((notice.subject, notice.text))
        ),
    )
    with suppress(AirflowSkipException):
        publish("2024-W47-r1")
    assert [
        (each[0], each[1].partition(" Edisi diterbitkan")[0]) if isinstance(each, tuple) else each
        for each in happened
    ] == expected


def test_missed_mondays_are_made_good_each_with_its_own_week(bag: DagBag) -> None:
    """After a run three weeks ago come those of the Mondays since, in order; then the next one."""
    dag = bag.dags["publication"]
    mondays = [
        pendulum.now("Asia/Jakarta").start_of("week").add(weeks=weeks, hours=6)
        for weeks in range(-3, 1)
    ]
    assert runs_after(dag, mondays[0], 3) == mondays[1:]
    weeks = [week_before(monday) for monday in mondays]
    assert weeks == [m.subtract(weeks=1).strftime("%G-W%V") for m in mondays]


def test_start_dates_stay_the_same_from_one_parse_to_the_next(bag: DagBag) -> None:
    starts = {dag_id: dag.start_date for dag_id, dag in bag.dags.items()}
    expected = dict.fromkeys(EXPECTED, pendulum.datetime(2024, 9, 1, tz="Asia/Jakarta"))
    expected["publication"] = pendulum.datetime(2024, 9, 30, tz="Asia/Jakarta")
    assert starts == expected


def test_a_new_office_does_not_begin_with_years_of_mondays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "channels").mkdir()
    (tmp_path / "config").mkdir()
    (tmp_path / "dbt_project").symlink_to(ROOT / "dbt_project")
    shutil.copy(ROOT / "config" / "edition.yaml", tmp_path / "config")
    people = (ROOT / "config" / "people.yaml").read_text()
    (tmp_path / "config" / "people.yaml").write_text(
        people.replace("publish_from: 2024-09-30", "publish_from: 2026-11-18")
    )
    monkeypatch.setenv("LUMBUNG_PROJECT", str(tmp_path))
    dag = DagBag(dag_folder=str(ROOT / "dags"), load_op_links=False).dags["publication"]
    monday = pendulum.datetime(2026, 11, 23, 6, tz="Asia/Jakarta")
    assert runs_after(dag, None, 2) == [monday, monday.add(weeks=1)]


def runs_after(dag: Any, last: datetime | None, count: int) -> list[datetime]:
    """When the clock runs a DAG next, whatever the time is now."""
    found = []
    for _ in range(count):
        run = dag.timetable.next_dagrun_info(
            last_automated_data_interval=None if last is None else DataInterval(last, last),
            restriction=TimeRestriction(dag.start_date, None, catchup=dag.catchup),
        )
        assert run is not None
        found.append(last := run.run_after)
    return found


def test_only_the_named_people_approve(bag: DagBag) -> None:
    approve = bag.dags["publication"].get_task("approve")
    assert approve.assigned_users == [{"id": "pimpinan", "name": "pimpinan"}]
    assert approve.response_timeout == timedelta(days=3)
    assert approve.defaults is None
    with pytest.raises(AirflowFailException, match="nobody answered"):
        approve.process_trigger_event_error({"error": "Too late.", "error_type": "timeout"})


def test_parsing_imports_nothing_heavy_and_reads_channels_provinces_and_people_alone() -> None:
    """Of the second parse: the first one imports, and imports read what they like."""
    assert len(DAG_FILES) == 8
    program = """
import os, runpy, sys
seen = set()
def note(event, args):
    if event == "open" and isinstance(args[0], str) and args[1] is not None:
        path = os.path.relpath(args[0], sys.argv[1])
        if "w" in args[1] or not path.startswith(("..", ".venv")) and ".py" not in path:
            seen.add(path)
    elif event.split(".")[0] in {"socket", "subprocess", "sqlite3", "shutil"} or event in {
        "os.exec", "os.fork", "os.mkdir", "os.posix_spawn", "os.remove", "os.rename", "os.system"
    }:
        seen.add(event)
for parse in range(2):
    if parse == 1:
        sys.addaudithook(note)
    for file in sys.argv[2:]:
        runpy.run_path(file)
print(sorted({"great_expectations", "pandas", "dbt", "typst"} & set(sys.modules)))
print(sorted(seen))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(ROOT), *map(str, DAG_FILES)],
        capture_output=True,
        text=True,
        check=True,
    )
    channels = sorted(f"channels/{path.name}" for path in (ROOT / "channels").glob("*.yaml"))
    heavy, read = done.stdout.strip().splitlines()[-2:]
    assert heavy == "[]"
    office = ["config/edition.yaml", "config/people.yaml"]
    assert read == str([*channels, *office, "dbt_project/seeds/regency.csv"])


def test_a_connection_comes_with_its_type_and_database(monkeypatch: pytest.MonkeyPatch) -> None:
    given = '{"conn_type": "mysql", "host": "basis.example.id", "schema": "laporan"}'
    monkeypatch.setenv("AIRFLOW_CONN_BASIS", given)
    found = source_connection("basis")
    assert found is not None
    assert (found.conn_type, found.host, found.schema) == ("mysql", "basis.example.id", "laporan")


def test_every_pool_is_made_and_what_takes_a_core_is_in_one(bag: DagBag) -> None:
    pools = {
        f"{dag_id}.{task.task_id}": task.pool
        for dag_id, dag in bag.dags.items()
        for task in dag.tasks
    }
    assert set(pools.values()) - {"default_pool"} == set(POOLS)
    assert {name for name, pool in pools.items() if pool == "warehouse"} == {
        "warehouse.raw_checkpoint", "warehouse.build",
        "publication.freeze", "publication.checkpoint",
    }  # fmt: skip
    assert {name for name, pool in pools.items() if pool == "intake"} == {
        f"{dag_id}.pull" for dag_id in bag.dags if dag_id.startswith("intake__")
    }
    assert POOLS["warehouse"][0] == 1


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a:r%40hasia%2F%25@gudang:5433/wh?sslmode=require&options=-c%20role%3Dx",
        "postgresql://a@gudang/wh",
        "postgresql:///wh",
        "postgresql://a@[fd00::1]:5433/wh",
        "postgresql://a@[fd00::1]/wh",
        "postgresql://a@%2Fvar%2Frun%2Fpostgresql/wh",
    ],
)
def test_the_warehouse_is_an_airflow_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LUMBUNG_WAREHOUSE", url)
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", "postgresql://other/one")
    assert conninfo_to_dict(warehouse_address()) == conninfo_to_dict(url)


def test_without_that_connection_it_is_the_one_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_LUMBUNG_WAREHOUSE", raising=False)
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", "postgresql://other/one")
    assert warehouse_address() == "postgresql://other/one"


def test_a_secrets_backend_reaches_the_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend of Airflow's own (a file) wins over what 'lumbung up' sets."""
    secrets = tmp_path / "connections.json"
    secrets.write_text(json.dumps({"lumbung_warehouse": "postgresql://vault:x@gudang/wh"}))
    done = subprocess.run(
        [sys.executable, "-c", "from lumbung.orchestration import *; print(warehouse_address())"],
        env={
            **os.environ,
            "AIRFLOW_CONN_LUMBUNG_WAREHOUSE": "postgresql://up@here/wh",
            "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(secrets)}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["postgresql://vault:x@gudang/wh"], done.stderr
