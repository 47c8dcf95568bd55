"""One office for every test of the desk: published editions, a draft, people with rights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pyotp
import pytest
import yaml
from fastapi import FastAPI, HTTPException, Request
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from lumbung.desk import app
from lumbung.desk.airflow import Airflow
from lumbung.errors import ServiceError
from lumbung.intake.landing.pseudonyms import term_pseudonym
from lumbung.intake.landing.storable import ascii_json
from lumbung.intake.vault import Vault, associate
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.editions import approver, freezing, publishing, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.settings import Settings
from tests.publication.conftest import copy_of
from tests.support import edition_sample as sample
from tests.support.databases import copy_database, the_row
from tests.support.edition_sample import WEEK, pass_checkpoint

ROOT = Path(__file__).parents[2]
PUBLISHED, DRAFT = "2024-W46-r1", f"{WEEK}-r1"
CHAIR, MEMBER = "Rara Rekaan, Ketua (rekaan)", "Tari Rekaan, Anggota (rekaan)"
HTML = b"<!doctype html><style>p{color:red}</style><p>Buletin<script>document.title='x'</script>"
FILES = {
    "edisi.html": HTML,
    "edisi.pdf": b"%PDF-1.7",
    "edisi.xlsx": b"PK",
    "siaran-pers.txt": b"Ringkasan.\n",
    "data/angka.csv": b"kode,nilai\n",
}
RUN = "manual__2024-11-25T06:00:00+07:00"
QUESTION = "/api/v2/dags/publication/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"


def project(folder: Path) -> Path:
    """The project with people of the tests' own."""
    (folder / "config").mkdir(parents=True)
    for name in ("channels", "dbt_project", "expectations", "plugins"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "config" / "edition.yaml", folder / "config")
    people = yaml.safe_load((ROOT / "config" / "people.yaml").read_text())
    people["approval"]["users"] = {"ketua": CHAIR, "anggota": MEMBER}
    people["leadership"] = ["sekretaris"]
    people["engineers"], people["viewers"] = ["insinyur"], ["orang"]
    people["auditors"] = ["pemeriksa"]
    people["analysts"] = {"analis": "province", "ana": "19.05"}
    people["channel_owners"] = {"penangan": "penanganan@babel.example.id"}
    people["stewards"] = {"provinsi": "province", "sari": "19.05", "tono": "99.01"}
    (folder / "config" / "people.yaml").write_text(yaml.safe_dump(people))
    return folder


@dataclass
class Scheduler:
    """A stand-in of Airflow: one task waits for the decision on the draft."""

    waits: bool = True
    fails: bool = False
    started: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    paused: dict[str, bool] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> ASGIApp:
        api = FastAPI()

        @api.get("/api/v2/dags/publication/dagRuns/~/hitlDetails")
        def details(request: Request, response_received: bool) -> dict[str, Any]:
            assert request.headers["x-account"] or request.headers["cookie"]
            if self.fails:
                raise HTTPException(500)
            state = "success" if response_received else "awaiting_input"
            asked = [("2024-W4-r1", "other", state), (DRAFT, "old", "failed")]
            has_run = bool(self.answers) if response_received else self.waits
            asked += [(DRAFT, RUN, state)] * has_run
            found = [
                {
                    "subject": f"Terbitkan edisi {edition}?",
                    "task_instance": {
                        **{"dag_id": "publication", "dag_run_id": run, "task_id": "approve"},
                        **{"map_index": -1, "state": state},
                    },
                }
                for edition, run, state in asked
            ]
            return {"hitl_details": found}

        @api.patch(QUESTION)
        def answer(run: str, answer: dict[str, Any]) -> dict[str, Any]:
            self.answers.append({"run": run, **answer})
            self.waits = False
            return {}

        @api.get("/api/v2/dags")
        def dags(tags: str, offset: int) -> dict[str, Any]:
            if self.fails:
                raise HTTPException(500)
            assert (tags, offset) == ("intake", 0)
            return {
                "dags": [
                    {
                        "dag_id": f"intake__{name}",
                        "is_paused": self.paused.get(f"intake__{name}", False),
                        "next_dagrun_run_after": "2024-11-26T22:00:00Z",
                    }
                    for name in ("register_laporan", "wa_aduan")
                ]
            }

        return api

    def start_run(self, dag_id: str, conf: dict[str, Any], *, by: str) -> None:
        assert by
        if self.fails:
            raise ServiceError("no answer", where=dag_id, remediation="wait")
        self.started.append((dag_id, conf))

    def set_paused(self, dag_id: str, is_paused: bool) -> None:
        if self.fails:
            raise ServiceError("no answer", where=dag_id, remediation="wait")
        self.paused[dag_id] = is_paused


@dataclass
class Desk:
    """The desk of one test."""

    url: str
    settings: Settings
    app: ASGIApp
    airflow: Scheduler

    def client(self, account: str = "", **options: Any) -> TestClient:
        """A browser; without an account nobody has logged in."""
        headers = {"x-account": account} if account else {}
        return TestClient(self.app, headers=headers, follow_redirects=False, **options)

    def enrol(self, name: str = "ketua") -> pyotp.TOTP:
        address = approver.enrol(name, replace=False, settings=self.settings, database_url=self.url)
        phone = pyotp.parse_uri(address)
        assert isinstance(phone, pyotp.TOTP)
        return phone

    def state(self, edition_id: str = DRAFT) -> str:
        return store.load(edition_id, database_url=self.url).state

    def execute(self, statement: str, *parameters: object) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.encode(), parameters)


def stand_in(request: Request) -> SimpleNamespace:
    """Airflow's user dependency: the account is in a header."""
    account = request.headers.get("x-account")
    if not account:
        raise HTTPException(401)
    return SimpleNamespace(get_name=lambda: account)


@cache
def the_desk() -> ASGIApp:
    """The desk; its routes take longer to make than most tests take."""

    def airflow(request: Request) -> Airflow:
        found = Airflow(request.scope["airflow"], request)
        found._headers["x-account"] = request.headers.get("x-account", "")
        return found

    return app.create(stand_in, secret="s" * 32, airflow=airflow)


def mounted(scheduler: Scheduler) -> ASGIApp:
    """The desk within a stand-in of Airflow."""
    desk, api = the_desk(), scheduler.app()

    async def within(scope: Scope, receive: Receive, send: Send) -> None:
        await desk({**scope, "airflow": api}, receive, send)

    return within


@pytest.fixture(scope="session")
def office(
    server: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, Path]:
    """A database with a published edition and a draft, its home, and the project."""
    name = "template_desk"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        copy_database(connection, template, name)
    url = server.url(name)
    sample.fill(url)
    with psycopg.connect(url) as connection:  # as a build does
        connection.execute("grant select on all tables in schema marts to auditor")
    folder = tmp_path_factory.mktemp("office")
    settings = Settings(folder / "home", project(folder / "project"), None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "render", lambda _: dict(FILES))
        patch.setattr(publishing, "find_personal_data", lambda *_: [])
        settings.home.mkdir()
        settings.demo_claim.touch()
        published = freezing.freeze("2024-W46", settings=settings, database_url=url)
        pass_checkpoint(url, published)
        review.approve(published, by=CHAIR, how="demo", database_url=url)
        publishing.publish(published, settings=settings, database_url=url)
        settings.demo_claim.unlink()
        draft = freezing.freeze(WEEK, settings=settings, database_url=url)
        pass_checkpoint(url, draft)
        # by a worker on another machine than the desk
        worker = replace(settings, home=folder / "worker")
        review.write_draft(draft, settings=worker, database_url=url)
    assert (published, draft) == (PUBLISHED, DRAFT)
    return name, settings.home, settings.project


@pytest.fixture
def desk(
    server: EmbeddedPostgres,
    office: tuple[str, Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    name, home, folder = office
    settings = Settings(tmp_path / "home", folder, None)
    shutil.copytree(home, settings.home)
    monkeypatch.setattr(render, "render", lambda _: dict(FILES))
    monkeypatch.delenv("LUMBUNG_VAULT_KEY", raising=False)
    monkeypatch.setenv("LUMBUNG_HOME", str(settings.home))
    monkeypatch.setenv("LUMBUNG_PROJECT", str(folder))
    with copy_of(server, name) as url:
        monkeypatch.setenv("LUMBUNG_DATABASE_URL", url)
        scheduler = Scheduler()
        for name in ("start_run", "set_paused"):
            monkeypatch.setattr(f"lumbung.desk.airflow.{name}", getattr(scheduler, name))
        yield Desk(url, settings, mounted(scheduler), scheduler)


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> {{ 7 * 7 }} {% raw %} ' \" ` & "
    "\u202egnirts\u2066 " + "a" * 5_000
)
OWN, OTHER = "19.05", "19.01"
PAIRS = {
    OWN: [("a1", "a2"), ("a3", "a4"), ("a5", "a6")],
    OTHER: [("b1", "b2")],
}
SETUP = """
create table if not exists reference.review_check (check_code text, check_name text);
insert into reference.review_check values
    ('pair_undecided', 'Pasangan'), ('place_unresolved', 'Tempat belum terpetakan');
grant select on all tables in schema reference to analyst_regency, analyst_province;
select ops.make_regency_roles(array['19.01', '19.05']);
select ops.open_to_readers(('marts.' || name)::regclass) from unnest(array['fct_report',
    'fct_report_pair', 'fct_review_item', 'bridge_report_issue', 'dim_issue', 'dim_regency',
    'dim_district', 'dim_village', 'dim_status', 'fct_prevention_plan']) as name;
"""


@pytest.fixture
def stewarded(desk: Desk) -> Desk:
    """The desk with pairs of two regencies, the likeliest first, and an item of another check."""
    with psycopg.connect(desk.url) as connection:
        connection.execute(SETUP.encode())
        for regency in PAIRS:
            connection.execute(
                "insert into marts.fct_review_item (check_code, item_id, regency_code, severity,"
                " owner, channel, detail, record_count, since_date, remediation) values"
                " ('place_unresolved', %s, %s, 'review', 'x', 'x', %s, 1, '2024-11-20', 'x')",
                (f"p{regency}", regency, HOSTILE),
            )
    for regency, pairs in PAIRS.items():
        add_pairs(desk, regency, pairs)
    return desk


def add_pairs(desk: Desk, regency: str, pairs: list[tuple[str, str]], place: int = 0) -> None:
    """Put pairs of cases on the review list, from a place on, the likeliest first."""
    with psycopg.connect(desk.url) as connection:
        for at, pair in enumerate(pairs, place):
            for record, case in enumerate(pair):
                connection.execute(
                    "insert into marts.fct_report (report_id, record_id, channel, record_kind,"
                    " regency_code, register_number, received_date) values"
                    " (%s, %s, 'wa_aduan', 'IA', %s, %s, '2024-11-20')",
                    (case, 10 * at + record, regency, HOSTILE),
                )
            connection.execute(
                "insert into marts.fct_report_pair (report_id_a, report_id_b, regency_code,"
                " channel_a, channel_b, weight, evidence, state_code) values (%s, %s, %s, 'x',"
                " 'y', %s, %s, 'candidate')",
                (*pair, regency, 20 - at, [HOSTILE]),
            )
            connection.execute(
                "insert into marts.fct_review_item (check_code, item_id, regency_code,"
                " severity, owner, channel, detail, delivery_id, other_id, record_count,"
                " since_date, remediation) values ('pair_undecided', %s, %s, 'review', 'x',"
                " 'wa_aduan', 'x', %s, %s, 1, '2024-11-20', 'x')",
                ("/".join(pair), regency, *pair),
            )


def quarantine(
    desk: Desk, channel: str, code: str, count: int, given: dict[str, str] | None = None
) -> list[int]:
    """Put deliveries with hostile content, place and reason into quarantine; return their ids."""
    vault = Vault.load(desk.settings.home)
    numbers = []
    with psycopg.connect(desk.url) as connection:
        (batch,) = the_row(
            connection.execute(
                "insert into raw.batch (channel, run_key, started_at, read_count, landed_count,"
                " duplicate_count, quarantined_count) values (%s, 'x', now(), %s, 0, 0, %s)"
                " returning batch_id",
                (channel, count, count),
            )
        )
        for place in range(count):
            content = json.dumps({"isi": HOSTILE, "baris": place, **(given or {})}).encode()
            content_hash = vault.content_hash(channel.encode() + code.encode() + content)
            sealed = vault.seal(
                content + b"\0" + HOSTILE[:200].encode(),
                associate(channel, content_hash.hex()),
            )
            (number,) = the_row(
                connection.execute(
                    "insert into quarantine.record (channel, batch_id, content_hash, reason_code,"
                    " reason, received_at, locator, ciphertext) values"
                    " (%s, %s, %s, %s, %s, '2024-11-20', %s, %s) returning quarantine_id",
                    (channel, batch, content_hash, code, HOSTILE[:200], HOSTILE[:200], sealed),
                )
            )
            numbers.append(number)
    return numbers


def pulled(desk: Desk, channel: str, when: str, *counts: int) -> None:
    """Record a pull: so many deliveries were landed, known and quarantined."""
    desk.execute(
        "insert into raw.batch (channel, run_key, started_at, landed_at, read_count, landed_count,"
        f" duplicate_count, quarantined_count) values (%s, 'x', {when}, {when}, %s, %s, %s, %s)",
        *(channel, sum(counts), *counts),
    )


@pytest.fixture
def pulls(desk: Desk) -> Desk:
    """The desk with a channel that is late and in trouble, and another one that is not."""
    desk.execute("alter table raw.batch disable trigger all")
    desk.execute("delete from quarantine.record")
    desk.execute("delete from raw.batch")
    pulled(desk, "register_laporan", "now() - interval '30 days'", 9, 0, 0)
    pulled(desk, "register_laporan", "now() - interval '15 days 1 hour'", 1, 0, 0)
    pulled(desk, "register_laporan", "now() - interval '3 days'", 0, 40, 2)
    pulled(desk, "register_laporan", "now() - interval '3 days'", 0, 0, 2)
    pulled(desk, "wa_aduan", "now()", 3, 0, 0)
    desk.execute(
        "insert into ops.drift_notice (channel, field, notice, first_batch_id)"
        " values (%s, %s, 'appeared', 1)",
        *("register_laporan", HOSTILE),
    )
    desk.execute(
        "insert into ops.channel_hold (channel, check_name, after_batch_id, judged_batch_id,"
        " reason, reason_en) values (%s, 'x', 0, 0, %s, 'x')",
        *("register_laporan", HOSTILE),
    )
    return desk


SECRET = "Pak Budi Santoso"


@pytest.fixture
def words(stewarded: Desk) -> tuple[Desk, str]:
    """The desk with a word that may be a name in two regencies, and a hostile one."""
    vault = Vault.load(stewarded.settings.home)
    hidden = term_pseudonym(vault, SECRET)
    with psycopg.connect(stewarded.url) as connection:
        connection.execute(
            "insert into reference.review_check values ('word_unknown', 'Kata di luar kosakata')"
        )
        connection.execute(
            "create table if not exists reporting.rpt_not_counted (channel text,"
            " reason_code text, week_id text, reason text, record_count bigint)"
        )
        connection.execute("delete from reporting.rpt_not_counted")
        connection.execute("grant select on reporting.rpt_not_counted to analyst_province")
        connection.execute(
            "insert into raw.record (record_id, channel, source_id, content_hash, batch_id,"
            " received_at, payload) overriding system value values (99999, 'wa_aduan', 's',"
            " '\\x00', (select max(batch_id) from raw.batch), now(), '{\"Isu\": \"~\"}')"
        )
        connection.execute(
            "insert into vault.identity values (99999, %s)",
            (
                vault.seal(
                    ascii_json({"Isu": f"politik uang; {SECRET} ", "Pelapor": "Warga Rahasia"}),
                    associate("wa_aduan", "s"),
                ),
            ),
        )
        for regency, count, detail in (
            (OWN, 2, f"issue: {hidden}"),
            (OTHER, 3, f"issue: {hidden}"),
            (OTHER, 1, f"role: {HOSTILE[:150]}"),
            (OTHER, 1, "non_registration_reason"),  # a word that may not be shown
        ):
            connection.execute(
                "insert into marts.fct_review_item (check_code, item_id, regency_code, severity,"
                " owner, channel, detail, record_id, record_count, since_date, remediation) values"
                " ('word_unknown', %s, %s, 'review', 'x', 'wa_aduan', %s, 99999, %s, '2024-11-20',"
                " 'x')",
                (f"{regency}/{detail}", regency, detail, count),
            )
    return stewarded, hidden


FIRST, SECOND = "19" + "a" * 32, "19" + "b" * 32
TABLES = """
create table intermediate.int_places__resolved (
    place_id text, location_method text, regency_raw text, district_raw text, village_raw text,
    regency_code_raw text, district_code_raw text, village_code_raw text
);
create table intermediate.int_records__typed (
    place_id text, channel text, receipt_date date, landed_date date, exclusion_code text
);
create table intermediate.int_place_readings__found (
    place_id text, regency_code text, district_code text
);
"""


@pytest.fixture
def written(stewarded: Desk) -> Desk:
    """The desk with two places that wait, one of them hostile, and one that was resolved."""
    for table in ("int_places__resolved", "int_records__typed", "int_place_readings__found"):
        stewarded.execute(f"drop table if exists intermediate.{table} cascade")
    stewarded.execute(TABLES)
    for place, method, text, deliveries in (
        (FIRST, "ambiguous", "1903", 3),
        (SECOND, "unresolved", HOSTILE, 1),
        ("19" + "c" * 32, "regency_name", "Bangka Barat", 5),
    ):
        stewarded.execute(
            "insert into intermediate.int_places__resolved (place_id, location_method, regency_raw)"
            " values (%s, %s, %s)",
            *(place, method, text),
        )
        stewarded.execute(
            "insert into intermediate.int_records__typed select %s, 'wa_aduan', '2024-11-20',"
            " '2024-11-21', excluded from (select null as excluded from generate_series(1, %s)"
            " union all select 'test_row') as x",
            *(place, deliveries),
        )
    stewarded.execute(
        "insert into intermediate.int_place_readings__found values (%s, '19.05', null),"
        " (%s, '19.03', '19.03.01'), (%s, null, null)",
        *(FIRST, FIRST, FIRST),
    )
    return stewarded


CHECK, NEVER = "nothing_is_negative", "artefacts_hold_no_personal_data"


@pytest.fixture
def stopped(desk: Desk) -> Desk:
    """The desk with a draft that two checks stop, one of which may never be waived."""
    desk.execute("alter table published.checkpoint_pass disable trigger all")
    desk.execute("delete from published.checkpoint_pass where edition_id = %s", DRAFT)
    for check in (CHECK, NEVER):
        desk.execute(
            "insert into ops.check_result (run_id, suite, batch, check_name, severity, is_passed,"
            " checked_count, failing_count, failing, remediation, owner, edition_id) values"
            " ('0b8f4b5e-6f0e-4c57-9d0c-0b3c2f6d7e11', 'publication', 'x', %s, 'fail', false, 1, 1,"
            " '[]', %s, 'data engineer', %s)",
            *(check, HOSTILE[:200], DRAFT),
        )
    return desk
