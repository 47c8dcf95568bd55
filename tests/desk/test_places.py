"""Stewards of the province choose the region of a place that was not recognised."""

from __future__ import annotations

import pytest

from lumbung import audit
from lumbung.desk import access, places
from lumbung.warehouse import mappings
from lumbung.warehouse.mappings import PLACE
from tests.desk.conftest import FIRST, SECOND, Desk
from tests.desk.test_quarantine import seen, send, token
from tests.desk.test_review_list import address

PLACES = "/tinjauan/tempat"


def test_a_place_is_chosen_from_candidates_and_undone(written: Desk) -> None:
    province = written.client("provinsi")
    page = province.get(PLACES).text
    assert "Butir 1 sampai 2 dari 2." in page
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
    assert page.split("<optgroup")[2].partition("</optgroup")[0].count("<option") == 7 + 47
    csrf, path = token(province, f"{PLACES}/{FIRST}"), f"{PLACES}/{FIRST}"
    assert send(province, path, csrf, code="19.05").headers["location"] == PLACES
    assert mappings.mappings(written.url)[PLACE, FIRST].code == "19.05"
    assert audit.entries(written.url)[0].person == "provinsi"
    page = province.get(PLACES).text
    assert "Butir 1 sampai 1 dari 1." in page
    assert "→ Kabupaten Bangka Barat" in page
    assert "berlaku sejak pembaruan data berikutnya" in page
    # a build has applied it: the choice can still be taken back
    written.execute(
        "update intermediate.int_places__resolved set location_method = 'chosen'"
        " where place_id = %s",
        FIRST,
    )
    page = province.get(PLACES).text
    assert "→ Kabupaten Bangka Barat" in page
    assert "sudah berlaku" in page
    send(province, path, csrf, seen=seen(province, path))
    assert mappings.mappings(written.url) == {}
    page = province.get(PLACES).text  # it waits again, before the next build
    assert "Butir 1 sampai 2 dari 2." in page
    assert "Pilihan dibatalkan" in page
    for place, code in (
        (FIRST, "19.00"),
        (FIRST, "18.01"),
        ("19" + "c" * 32, "19.05"),
        ("x", "19.05"),
    ):
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


def test_a_place_that_somebody_chose_meanwhile_stays_as_it_is(written: Desk) -> None:
    province, path = written.client("provinsi"), f"{PLACES}/{FIRST}"
    csrf = token(province, path)
    mappings.decide(written.url, PLACE, FIRST, "19.05", by="rekan")
    for code in ("19.03", ""):
        answer = send(province, path, csrf, code=code, seen=0)
        assert answer.status_code == 422
        assert "Sementara itu orang lain sudah memutuskan" in answer.text
        assert ('value="19.03" selected' in answer.text) == (code == "19.03")
        assert mappings.mappings(written.url)[PLACE, FIRST].code == "19.05"
    answer = send(province, path, csrf, code="19.03", seen=seen(province, path))
    assert answer.status_code == 303
    assert mappings.mappings(written.url)[PLACE, FIRST].code == "19.03"


def test_places_are_read_without_the_builds_login(
    written: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    url = access.database_url

    def recorded(role: str) -> str:
        asked.append(role)
        return url(role)

    monkeypatch.setattr(places, "database_url", recorded)
    assert written.client("provinsi").get(PLACES).status_code == 200
    assert set(asked) == {"auditor"}
