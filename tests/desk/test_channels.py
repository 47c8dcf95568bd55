"""Owners and stewards see how their channels fare, have them pulled or paused, and upload files."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from lumbung import audit
from lumbung.desk import scope
from tests.desk.conftest import Desk
from tests.desk.test_quarantine import OTHER, OWN, send, token

HERE = f"/kanal/{OWN}"


def test_an_owner_sees_what_came_and_what_is_wrong(pulls: Desk) -> None:
    owner = pulls.client("penangan")
    assert "1 kanal terlambat" in owner.get("/").text
    page = owner.get("/kanal").text
    assert "Buku Register Laporan dan Temuan" in page
    for state in ("Ditahan", "Terlambat"):
        assert state in page
    assert OTHER not in page
    page = owner.get(HERE).text
    assert "setiap 7 hari" in page
    assert "27 November 2024 pukul 05.00\u00a0WIB" in page
    assert "terbanyak 44 kiriman sehari" in page
    # the day's bars, from below: 40 of 44 known before, 4 in quarantine
    assert '<rect class="duplicate" x="404" y="10.9" width="32" height="109.1"/>' in page
    assert '<rect class="quarantined" x="404" y="0.0" width="32" height="10.9"/>' in page
    assert page.count("<rect") == 2 + 3
    assert '<td class="n">44</td><td class="n">0</td><td class="n">40</td><td class="n">4</td>' in (
        page
    )
    assert page.count("<bdi>&lt;script&gt;alert(1)") == 2  # the field, and why it is held
    assert "<script" not in page
    assert "<img" not in page
    assert "style=" not in page
    assert len(page.encode()) < 60_000
    english = owner.get(f"{HERE}?lang=en").text
    assert "Deliveries by day" in english


@pytest.mark.parametrize("account", ["provinsi", "insinyur"])
def test_stewards_of_the_province_and_engineers_see_every_channel(
    pulls: Desk, account: str
) -> None:
    page = pulls.client(account).get("/kanal").text
    assert page.count('<li>\n<span><a href="/kanal/') == 6
    assert "Tepat waktu" in page
    assert "Belum ada kiriman" in page


def test_an_owner_pulls_and_pauses_through_the_desk(pulls: Desk) -> None:
    owner = pulls.client("penangan")
    csrf = token(owner, HERE)
    answer = send(owner, f"{HERE}/tarik", csrf)
    assert pulls.airflow.started == [(f"intake__{OWN}", {})]
    assert "Penarikan telah diminta" in owner.get(answer.headers["location"]).text
    answer = send(owner, f"{HERE}/jeda", csrf, is_paused="true")
    assert pulls.airflow.paused == {f"intake__{OWN}": True}
    page = owner.get(answer.headers["location"]).text
    assert "Penarikan dijeda." in page
    assert "Lanjutkan penarikan" in page
    assert "tidak dijadwalkan" in page
    assert "Dijeda" in owner.get("/kanal").text
    send(owner, f"{HERE}/jeda", csrf, is_paused="false")
    assert pulls.airflow.paused == {f"intake__{OWN}": False}
    pulls.airflow.fails = True
    for path, given in ((f"{HERE}/tarik", {}), (f"{HERE}/jeda", {"is_paused": "true"})):
        assert send(owner, path, csrf, **given).status_code == 503
    # the line is written first, so that Airflow does nothing without one
    asked = [entry.content["request"] for entry in audit.entries(pulls.url)[:5]]
    assert asked == ["pause", "pull", "resume", "pause", "pull"]
    assert "Airflow tidak menjawab" in owner.get(HERE).text
    assert owner.get("/kanal").status_code == 200


def test_an_owner_ends_a_hold_with_a_reason(pulls: Desk) -> None:
    owner = pulls.client("penangan")
    page = owner.get(HERE).text
    assert "Hitung kiriman yang ditahan" in page
    csrf = token(owner, HERE)
    shown = dict(re.findall(r'name="(hold|judged)" value="(\d+)"', page))
    # more is held than the page showed
    pulls.execute("update ops.channel_hold set judged_batch_id = judged_batch_id + 1")
    answer = send(owner, f"{HERE}/lepas", csrf, reason="dicocokkan dengan buku", **shown)
    assert (answer.status_code, "bertambah sejak halaman dibuka" in answer.text) == (422, True)
    page = owner.get(HERE).text
    assert "Hitung kiriman yang ditahan" in page
    shown = dict(re.findall(r'name="(hold|judged)" value="(\d+)"', page))
    answer = send(owner, f"{HERE}/lepas", csrf, reason=" ")
    assert (answer.status_code, "Tuliskan alasannya" in answer.text) == (422, True)
    assert "Ditahan" in owner.get(HERE).text
    answer = send(owner, f"{HERE}/lepas", csrf, reason="dicocokkan dengan buku", **shown)
    page = owner.get(answer.headers["location"]).text
    assert "Penahanan diakhiri" in page
    assert "Hitung kiriman yang ditahan" not in page
    last = audit.entries(pulls.url)[0]
    assert (last.event, last.person) == ("ops.channel_hold", "penangan")
    assert last.content["release_reason"] == "dicocokkan dengan buku"
    # a second click
    answer = send(owner, f"{HERE}/lepas", csrf, reason="dicocokkan dengan buku", **shown)
    assert answer.headers["location"] == f"{HERE}?done=released"
    # another steward, or the checkpoint, was first
    answer = send(owner, f"{HERE}/lepas", csrf, reason="dicocokkan", **shown)
    assert (answer.status_code, "tidak ditahan lagi" in answer.text) == (422, True)


def test_an_owner_accepts_that_the_source_lost_records(pulls: Desk) -> None:
    owner = pulls.client("penangan")
    csrf = token(owner, HERE)
    path = f"{HERE}/penghapusan"
    assert send(owner, path, csrf, count=7).status_code == 422
    assert send(owner, path, csrf, reason="buku baru").status_code == 422
    pulls.airflow.paused[f"intake__{OWN}"] = True
    answer = send(owner, path, csrf, count=7, reason="buku baru")
    assert (answer.status_code, "Kanal ini dijeda, sehingga" in answer.text) == (422, True)
    assert pulls.airflow.started == []
    pulls.airflow.paused.clear()
    send(owner, path, csrf, count=7, reason="buku baru")
    accepted = {"accept_withdrawals": True, "most_withdrawals": 7}
    assert pulls.airflow.started == [(f"intake__{OWN}", accepted)]
    last = audit.entries(pulls.url)[0]
    assert (last.event, last.person) == ("ops.channel_request", "penangan")
    assert last.content == {
        "channel": OWN,
        "request": "accept_withdrawals",
        "reason": "buku baru",
        "count": 7,
    }
    page = pulls.client("pemeriksa").get("/catatan").text
    assert "Permintaan kepada kanal" in page
    assert "buku baru" in page


def test_forms_of_prevention_are_there_for_owners(desk: Desk) -> None:
    owner = desk.client("penangan")
    page = owner.get("/kanal").text
    for name in ("rencana-pencegahan.xlsx", "formulir-pencegahan.xlsx"):
        assert f"/kanal/formulir/{name}" in page
        answer = owner.get(f"/kanal/formulir/{name}")
        assert answer.content.startswith(b"PK")
        assert name in answer.headers["content-disposition"]
        assert desk.client("orang").get(f"/kanal/formulir/{name}").status_code == 404
    assert owner.get("/kanal/formulir/people.yaml").status_code == 422


def test_an_owner_uploads_a_file(pulls: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = pulls.client("penangan")
    csrf = token(owner, HERE)
    path, folder = f"{HERE}/unggah", pulls.settings.inbox / OWN
    answer = owner.post(
        path, data={"why": "test", "csrf": csrf}, files={"file": ("../x.xlsx", b"a" * 200_000)}
    )
    assert answer.headers["location"] == f"{HERE}?done=uploaded"
    assert "Berkas telah diterima" in owner.get(answer.headers["location"]).text
    assert [(each.name, each.stat().st_size) for each in folder.iterdir()] == [("x.xlsx", 200_000)]
    assert audit.entries(pulls.url)[0].event == "ops.upload"
    assert "Pengunggahan berkas" in pulls.client("pemeriksa").get("/catatan").text
    for name, content, said in (
        ("x.exe", b"isi", "nama seperti *.xlsx"),
        ("y.xlsx", b"", "Pilih berkas yang berisi"),
        ("x.xlsx", b"lain", "belum dibaca"),
    ):
        answer = owner.post(
            path, data={"why": "test", "csrf": csrf}, files={"file": (name, content)}
        )
        assert answer.status_code == 422
        assert said in answer.text
    assert owner.post(path, data={"why": "test", "csrf": csrf}).status_code == 422
    two = [("file", ("a.xlsx", b"1")), ("file", ("b.xlsx", b"2"))]
    assert owner.post(path, data={"why": "test", "csrf": csrf}, files=two).status_code == 400
    assert owner.post(path, files={"file": ("a.xlsx", b"1")}).status_code == 403
    length = {"content-length": str(200 << 20)}
    for language, text in (("en", "too large"), ("id", "terlalu besar, sehingga tidak diterima")):
        answer = owner.post(f"{path}?lang={language}", content=b"", headers=length)
        assert (answer.status_code, text in answer.text) == (413, True)
        assert "<h1>" in answer.text
    form = {"csrf": csrf, "file": "a" * 200_000}
    answer = owner.post(path, data=form)
    assert (answer.status_code, "Pilih berkas" in answer.text) == (422, False)
    for other in ("/tinjauan/kata/unggah", "/karantina/x/unggah", "/kanal/x/y/unggah"):
        assert owner.post(other, data=form).status_code == 413
    with monkeypatch.context() as patch:
        full = OSError(errno.ENOSPC, "No space left on device")
        patch.setattr("lumbung.intake.inbox._write", Mock(side_effect=full))
        answer = owner.post(
            path, data={"why": "test", "csrf": csrf}, files={"file": ("z.xlsx", b"isi")}
        )
        assert (answer.status_code, "Penyimpanan server penuh" in answer.text) == (422, True)
        # Starlette could not keep a large file until all of it has come
        patch.setattr("lumbung.desk.channels._receive", Mock(side_effect=full))
        answer = owner.post(
            path, data={"why": "test", "csrf": csrf}, files={"file": ("z.xlsx", b"isi")}
        )
        assert (answer.status_code, "Layanan sedang tidak" in answer.text) == (503, True)
    assert [each.name for each in folder.iterdir()] == ["x.xlsx"]
    assert pulls.client().post(path, files={"file": ("a.xlsx", b"1")}).status_code == 401
    # a channel that reads from a server
    province = pulls.client("provinsi")
    given: Any = {"data": {"csrf": token(province, HERE)}, "files": {"file": ("a.xlsx", b"1")}}
    answer = province.post("/kanal/kobo_pemantau/unggah", **given)
    assert answer.status_code == 403
    assert "Unggah berkas" not in province.get("/kanal/kobo_pemantau").text


@pytest.mark.parametrize("account", ["orang", "ketua", "pemeriksa", "sari", "penangan"])
def test_nobody_else_sees_or_changes_a_channel(stewarded: Desk, account: str) -> None:
    client = stewarded.client(account)
    csrf = token(stewarded.client("penangan"), HERE)
    if account == "penangan":
        csrf = token(client, HERE)
    else:
        assert "Kanal" not in client.get("/").text
        assert client.get("/kanal").status_code == 404
    for path in (f"/kanal/{OTHER}", "/kanal/x", "/kanal/..%2f"):
        assert client.get(path).status_code in (404, 422)
    for action, given in (
        *(("tarik", {}), ("jeda", {"is_paused": "true"})),
        *(("lepas", {"reason": "x"}), ("penghapusan", {"count": 7, "reason": "x"})),
    ):
        path = f"/kanal/{OTHER}/{action}"
        assert send(client, path, "", **given).status_code == 403
        assert send(client, path, csrf, **given).status_code in (403, 404)
    file = {"file": ("a.txt", b"1")}
    answer: Any = client.post(
        f"/kanal/{OTHER}/unggah", data={"why": "test", "csrf": csrf}, files=file
    )
    assert answer.status_code == 404
    assert stewarded.airflow.started == []
    assert stewarded.airflow.paused == {}
    assert not (stewarded.settings.inbox / OTHER).exists()


def test_a_link_with_the_name_of_the_records_leads_to_the_channel(
    pulls: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = scope.channel_files

    def renamed(folder: Path) -> Any:
        channels, mistaken = read(folder)
        channel = channels[OWN].model_copy(update={"name": "nama_lama"})
        return {**channels, OWN: channel}, mistaken

    monkeypatch.setattr(scope, "channel_files", renamed)
    answer = pulls.client("penangan").get("/kanal/nama_lama")
    assert (answer.status_code, answer.headers.get("location")) == (303, HERE)
    assert pulls.client("penangan").get("/kanal/lain").status_code == 404
