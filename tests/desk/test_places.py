"""Stewards of the province choose the region of a place that was not recognised."""

from __future__ import annotations

import pytest

from lumbung import audit
from lumbung.warehouse import mappings
from lumbung.warehouse.mappings import PLACE
from tests.desk.conftest import HOSTILE, Desk
from tests.desk.test_quarantine import send, token
from tests.desk.test_review_list import address

PLACES = "/tinjauan/tempat"
FIRST, SECOND = "a" * 32, "b" * 32
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
grant select on all tables in schema intermediate to transformer;
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
        ("c" * 32, "regency_name", "Bangka Barat", 5),
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


def test_a_place_is_chosen_from_candidates_and_undone(written: Desk) -> None:
    province = written.client("provinsi")
    page = province.get(PLACES).text
    assert "Ditampilkan 2 dari 2 butir" in page
    assert page.index("1903") < page.index("&lt;script&gt;")
    assert "3 kiriman" in page
    assert "Menunjuk lebih dari satu wilayah" in page
    for path in (PLACES, f"{PLACES}/{SECOND}"):
        shown = province.get(path).text
        assert "<script" not in shown
        assert "<img" not in shown
        assert len(shown.encode()) < 60_000
    page = province.get(f"{PLACES}/{FIRST}").text
    candidates = page.split("<optgroup")[1]
    assert 'value="19.05">Kabupaten Bangka Barat' in candidates
    assert 'value="19.03.01">Basel: Toboali' in candidates
    assert candidates.count("<option") == 2
    assert page.split("<optgroup")[2].count("<option") == 7 + 47
    csrf, path = token(province, f"{PLACES}/{FIRST}"), f"{PLACES}/{FIRST}"
    assert send(province, path, csrf, code="19.05").headers["location"] == PLACES
    assert mappings.mappings(written.url)[PLACE, FIRST].code == "19.05"
    assert audit.entries(written.url)[0].person == "provinsi"
    page = province.get(PLACES).text
    assert "Ditampilkan 1 dari 1 butir" in page
    assert "→ Kabupaten Bangka Barat" in page
    # a build has applied it: the choice can still be taken back
    written.execute(
        "update intermediate.int_places__resolved set location_method = 'chosen'"
        " where place_id = %s",
        FIRST,
    )
    assert "→ Kabupaten Bangka Barat" in province.get(PLACES).text
    send(province, path, csrf)
    assert mappings.mappings(written.url) == {}
    for place, code in ((FIRST, "19.00"), (FIRST, "18.01"), ("c" * 32, "19.05"), ("x", "19.05")):
        answer = send(province, f"{PLACES}/{place}", csrf, code=code)
        assert answer.status_code in (404, 422)
    assert mappings.mappings(written.url) == {}


@pytest.mark.parametrize("account", ["orang", "ketua", "penangan", "sari"])
def test_nobody_else_chooses(written: Desk, account: str) -> None:
    client = written.client(account)
    csrf = token(client, address("a1", "a2")) if account == "sari" else "x"
    assert client.get(PLACES).status_code == 404
    assert client.get(f"{PLACES}/{FIRST}").status_code == 404
    for given in ("", csrf):
        answer = send(client, f"{PLACES}/{FIRST}", given, code="19.05")
        assert answer.status_code in (403, 404)
    assert mappings.mappings(written.url) == {}
