"""Who may fetch and send what: every route of the desk has a rule."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode

import psycopg
import pytest
import yaml
from fastapi import FastAPI
from fastapi.routing import APIRoute
from itsdangerous import TimestampSigner
from starlette.testclient import TestClient

from lumbung.desk.guard import SESSION, Guard, Tokens
from lumbung.errors import ConfigurationError
from lumbung.settings import JAKARTA
from lumbung.warehouse import exclusions, links, mappings
from lumbung.warehouse.mappings import PLACE
from tests.desk.conftest import (
    DRAFT,
    FIRST,
    HOSTILE,
    OTHER,
    OWN,
    PUBLISHED,
    Desk,
    quarantine,
    the_desk,
)
from tests.support.databases import the_row

PEOPLE = {
    *("orang", "sekretaris", "ketua", "analis", "ana", "pemeriksa", "penangan", "insinyur"),
    *("sari", "provinsi"),
}
"""One account of each kind; `sari` looks after the regency 19.05 and `orang` is a viewer."""
STEWARDS, PROVINCE = {"sari", "provinsi"}, {"provinsi"}
ALL_CHANNELS = {"insinyur", "provinsi"}
OWNERS = {"penangan", *ALL_CHANNELS}
TRACING = {"analis", "ana", "sari", "provinsi", "pemeriksa"}
READERS = {"ketua", "sekretaris"}
"""Those who read drafts, and the leadership sheet."""

SECRET = "rahasia kabupaten lain"
"""In every row of the regency that `sari` does not look after."""
ROLE = HOSTILE[:150]
WORD = urlencode({"term": ROLE})
SEARCH = "/telusur"
"""A form that changes nothing: what people search for may be a name, so no address holds it."""
Method = Literal["GET", "POST"]


@dataclass(frozen=True)
class Case:
    """A request to a route, and who may send it."""

    address: str
    people: set[str]
    fields: dict[str, Any] = field(default_factory=dict)
    status: int = 200


def cases(own: int, other: int, message: int, hold: int) -> dict[tuple[str, str], list[Case]]:
    """The rules: by method and route, who may send which request.

    Args:
        own: a delivery in quarantine, of the channel that `penangan` looks after.
        other: one of another channel.
        message: a doubtful message of another channel.
        hold: a hold on the channel of `penangan`.

    """
    group = "required_field_missing"
    mine, foreign = "register_laporan", "wa_aduan"
    reason, chosen = {"reason": "bukan catatan"}, {"why": "asked"}
    long_ago, pause = "2024-11-20T00:00:00+00:00", {"is_paused": "true", **chosen}
    closing = {**reason, "which": "all", "last": 2**60}
    week = {"until": f"{datetime.now(JAKARTA).date()}", "reason": "x", "check": "x"}
    pairs = [("a1", "a2", STEWARDS), ("b1", "b2", PROVINCE)]
    get = {
        "/": [Case("/", PEOPLE)],
        "/edisi": [Case("/edisi", PEOPLE)],
        "/edisi/{edition_id}": [
            Case(f"/edisi/{PUBLISHED}", PEOPLE),
            Case(f"/edisi/{DRAFT}", READERS),
        ],
        "/edisi/{edition_id}/berkas/{name:path}": [
            Case(f"/edisi/{PUBLISHED}/berkas/edisi.html", PEOPLE),
            Case(f"/edisi/{DRAFT}/berkas/edisi.html", READERS),
        ],
        "/edisi/{edition_id}/keputusan": [
            Case(f"/edisi/{PUBLISHED}/keputusan", PEOPLE),
            Case(f"/edisi/{DRAFT}/keputusan", READERS, status=303),
        ],
        "/tinjauan": [Case("/tinjauan", STEWARDS)],
        "/tinjauan/butir/{check}": [Case("/tinjauan/butir/place_unresolved", STEWARDS)],
        "/tinjauan/pasangan": [
            Case(f"/tinjauan/pasangan?one={one}&other={two}", who) for one, two, who in pairs
        ],
        "/tinjauan/kata": [Case("/tinjauan/kata", PROVINCE)],
        "/tinjauan/kata/{vocabulary}": [Case(f"/tinjauan/kata/role?{WORD}", PROVINCE)],
        "/tinjauan/tempat": [Case("/tinjauan/tempat", PROVINCE)],
        "/tinjauan/tempat/{place_id}": [Case(f"/tinjauan/tempat/{FIRST}", PROVINCE)],
        "/tinjauan/dikeluarkan": [Case("/tinjauan/dikeluarkan", PROVINCE)],
        "/karantina": [Case("/karantina", OWNERS)],
        "/karantina/{number}": [
            Case(f"/karantina/{own}", OWNERS),
            Case(f"/karantina/{other}", ALL_CHANNELS),
        ],
        "/karantina/{channel}/{code}": [
            Case(f"/karantina/{mine}/{group}", OWNERS),
            Case(f"/karantina/{foreign}/{group}", ALL_CHANNELS),
        ],
        "/kanal": [Case("/kanal", OWNERS)],
        "/kanal/{name}": [
            Case(f"/kanal/{mine}", OWNERS),
            Case(f"/kanal/{foreign}", ALL_CHANNELS),
        ],
        "/kanal/formulir/{name}": [Case("/kanal/formulir/rencana-pencegahan.xlsx", OWNERS)],
        "/lembar": [Case("/lembar", READERS)],
        "/telusur": [Case("/telusur", TRACING)],
        "/data": [Case("/data", TRACING)],
        "/data/berkas/{name:path}": [
            Case("/data/berkas/dbt/index.html", TRACING),
            Case("/data/berkas/checks/raw/index.html", {"analis", "provinsi", "pemeriksa"}),
        ],
        "/catatan": [Case("/catatan", {"pemeriksa"})],
        "/catatan/periksa": [Case("/catatan/periksa", {"pemeriksa"})],
        "/desk.css": [Case("/desk.css", {*PEOPLE, ""})],
        "/desk.svg": [Case("/desk.svg", {*PEOPLE, ""})],
    }
    post = {
        # without a code they are refused, to those who decide by the page of the edition
        "/edisi/{edition_id}/keputusan": [
            Case(f"/edisi/{DRAFT}/keputusan", {"ketua"}, {"decision": "rejected", "root": "x"}, 422)
        ],
        "/edisi/{edition_id}/pengecualian": [
            Case(f"/edisi/{DRAFT}/pengecualian", {"ketua"}, week, 422)
        ],
        "/edisi/{edition_id}/lanjutkan": [
            Case(f"/edisi/{DRAFT}/lanjutkan", {"ketua"}, status=303)
        ],
        SEARCH: [Case(SEARCH, TRACING)],
        "/lembar/{edition_id}": [Case(f"/lembar/{DRAFT}", READERS)],
        "/tinjauan/pasangan": [
            Case(
                "/tinjauan/pasangan",
                who,
                {"one": one, "other": two, "decision": each, **chosen},
                303,
            )
            for one, two, who in pairs
            for each in ("undone", "later", "different")
        ],
        "/tinjauan/kata/{vocabulary}": [
            Case("/tinjauan/kata/role", PROVINCE, {"term": ROLE, "code": "ASN", **chosen}, 303)
        ],
        "/tinjauan/kata/{vocabulary}/isi": [
            Case("/tinjauan/kata/issue/isi", PROVINCE, {"term": "?", **reason})
        ],
        "/tinjauan/tempat/{place_id}": [
            Case(f"/tinjauan/tempat/{FIRST}", PROVINCE, {"code": "19.05", **chosen}, 303)
        ],
        "/tinjauan/dikeluarkan": [
            Case("/tinjauan/dikeluarkan", PROVINCE, {"number": 99999, **reason}, 303)
        ],
        "/tinjauan/dikeluarkan/{number}": [
            Case("/tinjauan/dikeluarkan/99998", PROVINCE, {**reason}, 303)
        ],
        "/karantina/{number}/isi": [
            Case(f"/karantina/{own}/isi", OWNERS, reason),
            Case(f"/karantina/{other}/isi", ALL_CHANNELS, reason),
        ],
        "/karantina/{channel}/{code}/tutup": [
            Case(f"/karantina/{mine}/{group}/tutup", OWNERS, closing, 303),
            Case(f"/karantina/{foreign}/{group}/tutup", ALL_CHANNELS, closing, 303),
        ],
        "/karantina/{channel}/doubtful_message/terima": [
            Case(
                f"/karantina/{foreign}/doubtful_message/terima",
                ALL_CHANNELS,
                {**reason, "number": message},
                303,
            )
        ],
        "/karantina/{channel}/batal": [
            Case(f"/karantina/{name}/batal", who, {"at": long_ago, **chosen}, 303)
            for name, who in ((mine, OWNERS), (foreign, ALL_CHANNELS))
        ],
        "/karantina/{channel}/baca-ulang": [
            Case(f"/karantina/{mine}/baca-ulang", OWNERS, chosen, 303),
            Case(f"/karantina/{foreign}/baca-ulang", ALL_CHANNELS, chosen, 303),
        ],
        **{
            f"/kanal/{{name}}/{action}": [
                Case(f"/kanal/{name}/{action}", who, fields, 303)
                for name, who in places
            ]
            for action, fields, places in (
                ("tarik", chosen, ((mine, OWNERS), (foreign, ALL_CHANNELS))),
                ("penghapusan", {**reason, "count": 7}, ((mine, OWNERS), (foreign, ALL_CHANNELS))),
                ("lepas", {**reason, "hold": hold}, ((mine, OWNERS),)),
                ("jeda", pause, ((mine, OWNERS), (foreign, ALL_CHANNELS))),
                ("unggah", chosen, ((mine, OWNERS), (foreign, ALL_CHANNELS))),
            )
        },
    }  # fmt: skip
    return {("GET", path): found for path, found in get.items()} | {
        ("POST", path): found for path, found in post.items()
    }


def application() -> FastAPI:
    desk = the_desk()
    assert isinstance(desk, Guard)
    assert isinstance(desk.app, FastAPI)
    return desk.app


@dataclass
class Office:
    """The desk with something behind every route."""

    desk: Desk
    rules: dict[tuple[str, str], list[Case]]

    def of(self, method: Method) -> list[Case]:
        return [case for (used, _), found in self.rules.items() if used == method for case in found]

    def send(self, client: TestClient, account: str, case: Case) -> int:
        """Send a form as a page of this account's session would."""
        given = {**case.fields, "csrf": ""}
        if account:
            client.get("/")
            session = [client.cookies[SESSION], account]
            given["csrf"] = Tokens("s" * 32)._serializer.dumps(session)
        name = "a.xlsx" if "register" in case.address else "a.zip"
        files = {"file": (name, b"1")} if case.address.endswith("/unggah") else None
        return client.post(case.address, data=given, files=files).status_code

    def stored(self) -> dict[str, Any]:
        """What is stored, and what Airflow was asked."""
        found: dict[str, Any] = {}
        with psycopg.connect(self.desk.url) as connection:
            for table in connection.execute(
                "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname"
                " in ('ops', 'published', 'quarantine', 'raw', 'vault')"
            ).fetchall():
                found[table[0]] = connection.execute(
                    f"select count(*), md5(string_agg(t::text, '' order by t::text))"
                    f" from {table[0]} as t".encode()
                ).fetchone()
        inbox = self.desk.settings.inbox
        found["files"] = sorted(str(each) for each in inbox.rglob("*"))
        asked = self.desk.airflow
        found["airflow"] = (list(asked.started), dict(asked.paused), list(asked.answers))
        return found


@pytest.fixture
def filled(words: tuple[Desk, str], pulls: Desk, written: Desk) -> Office:
    desk, hidden = words
    own, _ = quarantine(desk, "register_laporan", "required_field_missing", 2)
    (other,) = quarantine(desk, "wa_aduan", "required_field_missing", 1)
    sent = {"a": "2024-11-06T19:33", "text": "06/11/24 19.33 - Warga A: dua"}
    (message,) = quarantine(desk, "wa_aduan", "doubtful_message", 1, sent)
    for name in ("dbt", "checks/raw"):
        folder = desk.settings.docs / name
        folder.mkdir(parents=True)
        (folder / "index.html").touch()
    with psycopg.connect(desk.url) as connection:
        connection.execute(
            "insert into raw.record (record_id, channel, source_id, content_hash, batch_id,"
            " received_at, payload) overriding system value select 99998, channel, 't',"
            " content_hash, batch_id, received_at, payload from raw.record where record_id = 99999"
        )
        ((hold,),) = connection.execute("select hold_id from ops.channel_hold").fetchall()
        connection.execute(
            "update marts.fct_report set register_number = %s where regency_code = %s",
            (SECRET, OTHER),
        )
        connection.execute(
            "update marts.fct_report_pair set evidence = array[%s] where regency_code = %s",
            (SECRET, OTHER),
        )
        connection.execute(
            "update marts.fct_review_item set detail = %s where regency_code = %s"
            " and check_code = 'place_unresolved'",
            (SECRET, OTHER),
        )
    exclusions.decide(desk.url, 99998, "excluded", by="provinsi", reason="x")
    rules = cases(own, other, message, hold)
    (excluded,) = exclusions.excluded(desk.url)
    rules["POST", "/tinjauan/dikeluarkan/{number}"][0].fields["seen"] = excluded.decision_id
    hidden_word = rules["POST", "/tinjauan/kata/{vocabulary}/isi"][0]
    hidden_word.fields["term"] = hidden
    return Office(desk, rules)


def test_every_route_has_a_rule_and_is_for_those_alone_whom_it_names(filled: Office) -> None:
    routes = {
        (method, route.path)
        for route in application().routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert routes == filled.rules.keys()
    for account in ("", *sorted(PEOPLE)):
        client = filled.desk.client(account)
        for case in filled.of("GET"):
            refused = 404 if account else 303
            expected = case.status if account in case.people else refused
            assert client.get(case.address).status_code == expected, (account, case.address)


def test_a_form_changes_nothing_for_whom_no_rule_names(filled: Office) -> None:
    before = filled.stored()
    for account in ("", *sorted(PEOPLE)):
        client = filled.desk.client(account)
        for case in filled.of("POST"):
            if account not in case.people:
                expected = {403, 404} if account else {401}
            elif case.address == SEARCH:
                expected = {200}
            else:
                continue
            status = filled.send(client, account, case)
            assert status in expected, (account, case.address)
    assert filled.stored() == before
    # a viewer is in no rule, an analyst or an auditor in that of the search alone
    readers = {"orang", "analis", "ana", "pemeriksa"}
    found = {case.address for case in filled.of("POST") if case.people & readers}
    assert found == {SEARCH}
    # and each form is taken from whom its rule names
    for case in filled.of("POST"):
        account = min(case.people)
        status = filled.send(filled.desk.client(account), account, case)
        assert status == case.status, (account, case)
    after = filled.stored()
    changed = {name for name, found in after.items() if found != before[name]}
    assert changed >= {
        *("ops.audit_log", "ops.link_decision", "ops.mapping_decision", "ops.exclusion_decision"),
        *("ops.opening", "ops.channel_hold", "quarantine.record", "files", "airflow"),
    }


ELSEWHERE = {"ketua_76", "sekretaris_76", "tono_76", "analis_76", "penangan_76", "orang_76"}
"""One account of each kind in another office of the installation, that of the province 76."""
GENERAL = {
    *("/", "/edisi", "/lembar", "/tinjauan", "/tinjauan/tempat", "/karantina", "/kanal"),
    *("/kanal/formulir/rencana-pencegahan.xlsx", "/telusur", "/data"),
    *("/data/berkas/dbt/index.html", "/desk.css", "/desk.svg"),
}
"""Addresses that name nothing of an office."""


def test_people_of_another_office_find_nothing_of_this_one(filled: Office) -> None:
    """Also who has every right there, and the mail address of the owner of a channel here."""
    own = filled.desk.settings.config
    there = filled.desk.settings.at_office("76").config
    there.mkdir()
    people = yaml.safe_load((own / "people.yaml").read_text())
    people["approval"]["users"] = {"ketua_76": "Ketua (rekaan)"}
    people |= {
        "leadership": ["sekretaris_76"], "viewers": ["orang_76"], "sheet_readers": {},
        "stewards": {"tono_76": "province"}, "analysts": {"analis_76": "province"},
        "channel_owners": {"penangan_76": "penanganan@babel.example.id"},
        "auditors": [], "engineers": [],
    }  # fmt: skip
    (there / "people.yaml").write_text(yaml.safe_dump(people))
    (there / "edition.yaml").write_text((own / "edition.yaml").read_text())
    before = filled.stored()
    named = {PUBLISHED, DRAFT, SECRET, "/karantina/register_laporan", "/kanal/register_laporan"}
    seen: dict[str, set[str]] = {}
    for account in sorted(ELSEWHERE):
        client = filled.desk.client(account)
        for case in filled.of("GET"):
            answer = client.get(case.address)
            if case.address in GENERAL and answer.status_code == 200:
                seen.setdefault(account, set()).add(case.address)
                found = {each for each in named if each in answer.text}
                # the page of the search has an edition as its example
                assert found <= ({DRAFT} if case.address == SEARCH else set()), case.address
            else:
                assert answer.status_code == 404, (account, case.address)
        for case in filled.of("POST"):
            if case.address != SEARCH:
                assert filled.send(client, account, case) in (403, 404), (account, case.address)
    assert filled.stored() == before
    assert set.union(*seen.values()) == GENERAL
    assert "/tinjauan" in seen["tono_76"]
    assert "/kanal" in seen["penangan_76"]


def test_a_regencys_steward_sees_nothing_of_another_at_any_address(filled: Office) -> None:
    desk = filled.desk
    links.decide(desk.url, "b1", "b2", "different", by="provinsi")
    mappings.decide(desk.url, "role", ROLE, "ASN", by=SECRET)
    mappings.decide(desk.url, PLACE, FIRST, "19.05", by=SECRET)
    exclusions.decide(desk.url, 99999, "excluded", by="x", reason=SECRET)
    more = [
        *(f"/tinjauan/butir/{check}" for check in ("word_unknown", "pair_undecided")),
        "/tinjauan?before_one=b1&before_other=b2",
        *(f"/tinjauan/pasangan?one={one}&other=b2" for one in ("a1", "b1", "b2")),
        "/tinjauan/pasangan?one=a1&other=a2&before_one=b1&before_other=b2",
    ]
    addresses = [*(case.address for case in filled.of("GET")), *more]
    seen = {}
    for account in ("sari", "provinsi"):
        client = desk.client(account)
        found = {address: client.get(address).text for address in addresses}
        seen[account] = {
            address
            for address, text in found.items()
            if SECRET in text or ">b1<" in text or "b1 b2" in text
        }
    assert seen["sari"] == set()
    # the province sees it on each page of the review list that names a regency's rows
    assert seen["provinsi"] >= {
        *("/tinjauan", "/tinjauan/butir/place_unresolved", "/tinjauan/kata", "/tinjauan/tempat"),
        *("/tinjauan/dikeluarkan", "/tinjauan/pasangan?one=b1&other=b2"),
    }
    assert OWN != OTHER
    before = filled.stored()
    for case in filled.of("POST"):
        if "sari" not in case.people:
            assert filled.send(desk.client("sari"), "sari", case) in (403, 404), case
    assert filled.stored() == before


def test_no_form_is_taken_that_no_page_of_the_session_made(
    filled: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled.stored()
    posts = [found[0] for (method, _), found in filled.rules.items() if method == "POST"]
    assert len(posts) > 15

    def sent(case: Case, make: Callable[[str, str], str]) -> int:
        account = min(case.people)
        client = filled.desk.client(account)
        client.get("/")
        csrf = make(client.cookies[SESSION], account)
        files = {"file": ("a.xlsx", b"1")} if case.address.endswith("/unggah") else None
        return client.post(
            case.address, data={**case.fields, "csrf": csrf}, files=files
        ).status_code

    def token(session: str, account: str) -> str:
        return Tokens("s" * 32)._serializer.dumps([session, account])

    forged: dict[str, Callable[[str, str], str]] = {
        "none": lambda *_: "",
        "another session": lambda _, account: token("x", account),
        "another account": lambda session, _: token(session, "x"),
        "another key": lambda *given: Tokens("t" * 32)._serializer.dumps([*given]),
    }
    for case in posts:
        for name, make in forged.items():
            assert sent(case, make) == 403, (name, case.address)
    now = TimestampSigner.get_timestamp

    def long_ago(signer: TimestampSigner) -> int:
        return now(signer) - 12 * 60 * 60 - 5

    for case in posts:

        def made_then(session: str, account: str) -> str:
            with monkeypatch.context() as patch:
                patch.setattr(TimestampSigner, "get_timestamp", long_ago)
                return token(session, account)

        assert sent(case, made_then) == 403, case.address
    assert filled.stored() == before


@pytest.mark.parametrize("table", ["link_decision", "mapping_decision", "exclusion_decision"])
def test_of_two_decisions_at_once_the_second_finds_the_first(filled: Office, table: str) -> None:
    """Both have read what is valid before either has written, unless one waits for the other."""
    url = filled.desk.url

    def decide(by: str) -> object:
        try:
            if table == "link_decision":
                return links.decide(url, "a1", "a2", "different", by=by, seen=0)
            if table == "mapping_decision":
                return mappings.decide(url, "role", ROLE, "ASN", by=by, seen=0)
            exclusions.decide(url, 99999, "excluded", by=by, reason=by)
            return None
        except ConfigurationError as error:
            return error

    waiting = (
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(2) as pool, psycopg.connect(url) as holder:
        holder.execute(f"lock table ops.{table} in exclusive mode".encode())
        answers = [pool.submit(decide, by) for by in ("satu", "dua")]
        with psycopg.connect(url, autocommit=True) as watcher:
            until = time.monotonic() + 60
            while the_row(watcher.execute(waiting)) != (2,):
                assert time.monotonic() < until
                time.sleep(0.02)
        holder.commit()
        found = [each.result() for each in answers]
    assert found.count(None) == 1


def test_no_form_keeps_what_names_a_person(filled: Office) -> None:
    """Every form with a reason refuses one with a number of a person, and shows it again."""
    reason = "kata Bu Rina, 0812-7777-0001"
    before = filled.stored()
    refused = 0
    for case in filled.of("POST"):
        takes_text = {"reason", "code"} & case.fields.keys() or "/pasangan" in case.address
        if not takes_text:
            continue
        account = min(case.people)
        client = filled.desk.client(account)
        client.get("/")
        csrf = Tokens("s" * 32)._serializer.dumps([client.cookies[SESSION], account])
        answer = client.post(case.address, data={**case.fields, "csrf": csrf, "reason": reason})
        assert answer.status_code == 422, case.address
        assert "tidak boleh memuat data pribadi" in answer.text, case.address
        assert reason in answer.text.partition("<textarea")[2], case.address
        refused += 1
    assert refused >= 14
    assert filled.stored() == before
