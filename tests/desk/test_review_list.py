"""Stewards decide pairs at the desk, each those of the own regency, and undo what they decided."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import Any, cast
from urllib.parse import urlencode

import psycopg
import pytest
from httpx import Response
from starlette.testclient import TestClient

from lumbung import audit
from lumbung.warehouse import links
from tests.desk.conftest import OWN, PAIRS, Desk


def address(one: str, other: str) -> str:
    return f"/tinjauan/pasangan?{urlencode({'one': one, 'other': other})}"


def token(client: TestClient, path: str = "/tinjauan/pasangan?one=a1&other=a2") -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def send(client: TestClient, pair: tuple[str, str], decision: str, **more: str) -> Response:
    given = {"one": pair[0], "other": pair[1], "decision": decision, "csrf": token(client)}
    given |= {"why": "mistaken"} if decision == "undone" else {}
    given |= more
    return cast("Response", client.post("/tinjauan/pasangan", data=given))


def decisions(desk: Desk) -> list[tuple[Any, ...]]:
    with psycopg.connect(desk.url) as connection:
        return connection.execute(
            "select report_id_a, report_id_b, decision_code, decided_by, note"
            " from ops.link_decision order by decision_id"
        ).fetchall()


def test_a_steward_decides_one_after_the_other_and_undoes(stewarded: Desk) -> None:
    sari = stewarded.client("sari")
    page = sari.get("/tinjauan").text
    assert "Wilayah Kabupaten Bangka Barat" in page
    assert "3 pasangan menunggu" in page
    assert "Tempat belum terpetakan" in page
    assert "Place not resolved" in sari.get("/tinjauan?lang=en").text
    sari.get("/tinjauan?lang=id")
    today = sari.get("/").text
    assert "3 pasangan kasus menunggu keputusan" in today
    assert "1 butir lain dalam daftar tinjauan" in today
    answer = send(sari, ("a1", "a2"), "same_event", reason="tempat sama")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(address("a3", "a4") + "&")
    following = sari.get(answer.headers["location"]).text
    assert "Baru saja Anda putuskan: Kejadian yang sama" in following
    assert "2 pasangan menunggu" in following
    assert send(sari, ("a3", "a4"), "later").headers["location"] == address("a5", "a6")
    assert (
        send(sari, ("a5", "a6"), "different")
        .headers["location"]
        .startswith(address("a3", "a4") + "&")
    )
    assert decisions(stewarded) == [
        ("a1", "a2", "same_event", "sari", "tempat sama"),
        ("a5", "a6", "different", "sari", None),
    ]
    page = sari.get("/tinjauan").text
    assert "berlaku sejak pembaruan data berikutnya" in page
    seen = re.findall(r'name="seen" value="(\d+)"', page)[-1]  # the oldest decision
    undone = send(sari, ("a1", "a2"), "undone", seen=seen)
    assert undone.headers["location"] == "/tinjauan"
    assert "2 pasangan menunggu" in sari.get("/tinjauan").text
    assert decisions(stewarded)[-1][2] == "undone"


def test_a_pair_that_somebody_decided_meanwhile_stays_as_it_is(stewarded: Desk) -> None:
    sari, province = stewarded.client("sari"), stewarded.client("provinsi")
    csrf = token(sari)
    send(province, ("a1", "a2"), "different")
    given = {"one": "a1", "other": "a2", "decision": "same_event", "csrf": csrf}
    answer = sari.post("/tinjauan/pasangan", data=given)
    page = sari.get(answer.headers["location"]).text
    assert "sudah diputuskan" in page
    assert "Kejadian berbeda (<bdi>provinsi</bdi>)" in page
    assert [row[2] for row in decisions(stewarded)] == ["different"]


def test_of_two_stewards_who_decide_at_once_the_second_is_not_recorded(
    stewarded: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sari = stewarded.client("sari")
    for pair in PAIRS[OWN][1:]:  # the pair is the last one, so no other page follows
        assert send(sari, pair, "different").status_code == 303
    csrf = token(sari)
    decide = links.decide

    def after_another(url: str, *given: Any, **named: Any) -> Any:
        decide(stewarded.url, "a1", "a2", "same_event", by="provinsi")
        return decide(url, *given, **named)

    monkeypatch.setattr(links, "decide", after_another)
    given = {"one": "a1", "other": "a2", "decision": "different", "csrf": csrf}
    answer = sari.post("/tinjauan/pasangan", data=given)
    page = sari.get(answer.headers["location"]).text
    assert "sudah diputuskan" in page
    assert "Kejadian yang sama (<bdi>provinsi</bdi>)" in page
    assert decisions(stewarded)[-1][:4] == ("a1", "a2", "same_event", "provinsi")


def test_an_undo_withdraws_only_the_decision_that_the_page_showed(stewarded: Desk) -> None:
    sari, pair = stewarded.client("sari"), ("a1", "a2")
    send(sari, pair, "same_event")
    seen = re.findall(r'name="seen" value="(\d+)"', sari.get("/tinjauan").text)
    for decision in ("undone", "different"):
        links.decide(stewarded.url, *pair, decision, by="provinsi")
    answer = send(sari, pair, "undone", seen="".join(seen))
    page = sari.get(answer.headers["location"]).text
    assert "sudah diputuskan" in page
    assert "Kejadian berbeda (<bdi>provinsi</bdi>)" in page
    assert decisions(stewarded)[-1][2:4] == ("different", "provinsi")


def test_a_decided_pair_is_undone_after_a_build(stewarded: Desk) -> None:
    sari, pair = stewarded.client("sari"), ("a1", "a2")
    send(sari, pair, "same_event")
    links.decide(stewarded.url, "b1", "b2", "different", by="provinsi")
    stewarded.execute("delete from marts.fct_review_item where item_id in ('a1/a2', 'b1/b2')")
    page = sari.get("/tinjauan").text
    assert "sudah berlaku" in page
    shown = ['value="a1"' in page, 'value="b1"' in page]
    assert shown == [True, False]  # b1 is of another regency
    seen = re.findall(r'name="seen" value="(\d+)"', page)
    assert len(seen) == 1
    assert send(sari, pair, "undone", seen=seen[0]).status_code == 303
    assert links.decisions(stewarded.url).keys() == {("b1", "b2")}
    assert 'name="seen"' not in sari.get("/tinjauan").text


def test_a_pair_that_has_left_the_list_is_decided_all_the_same(stewarded: Desk) -> None:
    sari, pair = stewarded.client("sari"), ("a1", "a2")
    csrf = token(sari)
    for table in ("fct_report_pair where report_id_a", "fct_review_item where delivery_id"):
        stewarded.execute(f"delete from marts.{table} = 'a1'")
    given = {"one": pair[0], "other": pair[1], "decision": "same_event", "csrf": csrf}
    answer = sari.post("/tinjauan/pasangan", data={**given, "reason": "tempat sama"})
    assert decisions(stewarded) == [(*pair, "same_event", "sari", "tempat sama")]
    page = sari.get(answer.headers["location"]).text
    assert "Baru saja Anda putuskan: Kejadian yang sama" in page
    # why is on the list and in the log
    assert "<bdi>tempat sama</bdi>" in sari.get("/tinjauan").text
    assert audit.entries(stewarded.url)[0].content["note"] == "tempat sama"


def test_a_page_that_is_loaded_again_shows_nobody_elses_decision_as_ones_own(
    stewarded: Desk,
) -> None:
    sari = stewarded.client("sari")
    following = send(sari, ("a1", "a2"), "same_event").headers["location"]
    for decision in ("undone", "different"):
        links.decide(stewarded.url, "a1", "a2", decision, by="provinsi")
    page = sari.get(html.unescape(following)).text
    assert "Baru saja Anda putuskan" not in page
    assert 'name="seen"' not in page
    assert "Keputusan yang berlaku: Kejadian berbeda (<bdi>provinsi</bdi>)" in page
    # a build took the case away: the pair that follows is shown all the same
    stewarded.execute("delete from marts.fct_report where report_id = 'a1'")
    answer = sari.get(following)
    assert (answer.status_code, "Keputusan yang berlaku" in answer.text) == (200, False)


def test_a_reason_is_kept_when_it_is_refused(stewarded: Desk) -> None:
    sari = stewarded.client("sari")
    answer = send(sari, ("a1", "a2"), "different", reason="kata 0812-7777-0001")
    assert answer.status_code == 422
    assert "tidak boleh memuat data pribadi" in answer.text
    assert ">kata 0812-7777-0001</textarea>" in answer.text
    # what no page can send, a form of an old page, and after the session's end: to copy
    for client, given, status in (
        (sari, {"decision": "x"}, 422),
        (sari, {"csrf": "x"}, 403),
        (stewarded.client(), {}, 401),
    ):
        page = client.post("/tinjauan/pasangan", data={
            "one": "a1", "other": "a2", "decision": "different", "csrf": token(sari),
            "reason": "<b>dua tempat", **given,
        })  # fmt: skip
        assert page.status_code == status
        assert "readonly>&lt;b&gt;dua tempat</textarea>" in page.text
    # a browser sends two characters for the end of a line
    lines = "\r\n".join(["a"] * 250)
    assert send(sari, ("a1", "a2"), "different", reason=lines).status_code == 303
    assert decisions(stewarded) == [("a1", "a2", "different", "sari", "\n".join(["a"] * 250))]


def test_a_decision_that_is_sent_twice_is_recorded_once(stewarded: Desk) -> None:
    sari = stewarded.client("sari")
    for _ in range(2):
        answer = send(sari, ("a1", "a2"), "same_event")
        page = sari.get(answer.headers["location"]).text
        assert "Baru saja Anda putuskan: Kejadian yang sama" in page
        assert "sudah diputuskan" not in page
    assert len(decisions(stewarded)) == 1


def test_a_page_keeps_its_pair_in_another_language(stewarded: Desk) -> None:
    sari = stewarded.client("sari")
    page = sari.get(address("a1", "a2")).text
    found = re.search(r'class="language" href="([^"]+)"', page)
    assert found
    english = sari.get(html.unescape(found[1]))
    assert english.status_code == 200
    assert "One event or two?" in english.text


def test_a_list_of_5000_items_is_read_page_by_page(stewarded: Desk) -> None:
    stewarded.execute(
        "insert into marts.fct_review_item (check_code, item_id, regency_code, severity, owner,"
        " channel, detail, record_count, since_date, remediation) select 'place_unresolved',"
        " 'q' || i, '19.05', 'review', 'x', 'x', 'tempat ' || i, 1, '2024-11-21', 'x'"
        " from generate_series(1, 5000) as i"
    )
    sari = stewarded.client("sari")
    assert "5.001 butir lain" in sari.get("/").text
    path = "/tinjauan/butir/place_unresolved"
    page = sari.get(path)
    assert "Butir 1 sampai 40 dari 5.001." in page.text
    assert len(page.content) < 60_000
    (following,) = re.findall(f'href="({path}.after=[^"]+)"', page.text)
    # what is added before the next page, or done before it, moves no row of it
    stewarded.execute(
        "update marts.fct_review_item set since_date = '2024-11-19' where item_id = 'q5000'"
    )
    stewarded.execute("delete from marts.fct_review_item where item_id in ('q1', 'q1032')")
    assert "<bdi>tempat 1032</bdi>" in page.text
    second = sari.get(html.unescape(following)).text
    assert "Butir 40 sampai 79 dari 4.999." in second
    assert "<bdi>tempat 1033</bdi>" in second
    assert "<bdi>tempat 1031</bdi>" not in second
    day = date(2024, 11, 21).toordinal()
    last = sari.get(f"{path}?after={day} q998").text
    assert "Butir 4.999 sampai 4.999 dari 4.999." in last
    assert "after=" not in last.partition("<main")[2]
    # beyond the last one the list begins again
    beyond = sari.get(f"{path}?after={day} q999")
    assert (beyond.status_code, beyond.headers["location"]) == (303, path)
    assert sari.get(f"{path}?after={10**18 - 1} q").status_code == 303


def test_a_regencys_steward_sees_and_decides_nothing_of_another(stewarded: Desk) -> None:
    sari, province = stewarded.client("sari"), stewarded.client("provinsi")
    assert province.get(address("b1", "b2")).status_code == 200
    assert "4 pasangan menunggu" in province.get("/tinjauan").text
    for pair in (("b1", "b2"), ("a1", "b1"), ("a1", "a1"), ("a1", "' or true --")):
        assert sari.get(address(*pair)).status_code == 404
        assert send(sari, pair, "same_event").status_code == 404
        assert send(sari, pair, "undone").status_code == 404
    assert decisions(stewarded) == []


@pytest.mark.parametrize("account", ["orang", "ketua", "sekretaris"])
def test_who_is_no_steward_sees_no_review_list(stewarded: Desk, account: str) -> None:
    client = stewarded.client(account)
    assert "Tinjauan" not in client.get("/").text
    assert client.get("/tinjauan").status_code == 404
    assert client.get(address("a1", "a2")).status_code == 404
    csrf = token(stewarded.client("sari"))
    given = {"one": "a1", "other": "a2", "decision": "same_event", "csrf": csrf}
    assert client.post("/tinjauan/pasangan", data=given).status_code == 403
    assert decisions(stewarded) == []


def test_other_items_are_listed_by_check(stewarded: Desk) -> None:
    sari = stewarded.client("sari")
    page = sari.get("/tinjauan/butir/place_unresolved").text
    assert "Butir 1 sampai 1 dari 1." in page
    assert "Sampaikan kepada pengelola data tempat mana" in page
    assert "2 dari 2" in stewarded.client("provinsi").get("/tinjauan/butir/place_unresolved").text
    for check in ("pair_undecided", "word_unknown", "' or 1=1", "%00"):
        assert sari.get(f"/tinjauan/butir/{check}").status_code == 404
    assert stewarded.client("orang").get("/tinjauan/butir/place_unresolved").status_code == 404


def test_a_forged_form_decides_nothing(stewarded: Desk) -> None:
    sari = stewarded.client("sari")
    assert send(sari, ("a1", "a2"), "same_event", csrf="x").status_code == 403
    assert send(sari, ("a1", "a2"), "anything").status_code == 422
    assert send(sari, ("a1", "a2"), "same_event", reason="x" * 501).status_code == 422
    assert decisions(stewarded) == []


def test_the_character_nul_is_refused(stewarded: Desk) -> None:
    sari = stewarded.client("sari")
    for path in (address("\0", "a1"), "/tinjauan?before_one=%00&before_other=a1"):
        assert sari.get(path).status_code == 422
    assert send(sari, ("\0", "a2"), "later").status_code == 422
    assert send(sari, ("a1", "a2"), "different", reason="a\0b").status_code == 422
    assert decisions(stewarded) == []


def test_hostile_texts_are_inert(stewarded: Desk) -> None:
    sari = stewarded.client("sari")
    for path in ("/tinjauan/butir/place_unresolved", "/tinjauan", address("a1", "a2")):
        page = sari.get(path).text
        assert "<script" not in page
        assert "<img" not in page
    assert page.count("<bdi>&lt;script&gt;alert(1)&lt;/script&gt;") == 3


def test_before_the_first_build_there_is_no_list(desk: Desk) -> None:
    desk.execute("drop table marts.fct_review_item cascade")
    for account in ("provinsi", "tono"):  # no database has a role of his regency
        client = desk.client(account)
        assert "Daftar tinjauan belum ada" in client.get("/tinjauan").text
        assert client.get("/").status_code == 200


def test_the_last_decision_on_a_pair_counts(stewarded: Desk) -> None:
    for decision in ("same_event", "undone", "different"):
        links.decide(stewarded.url, "a2", "a1", decision, by="x")
    ((pair, standing),) = links.decisions(stewarded.url).items()
    assert (pair, standing[:2]) == (("a1", "a2"), ("different", "x"))
