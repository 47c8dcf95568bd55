"""A check is waived at the desk by an approver, with a reason, a last day and a one-time code."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from lumbung import audit, database
from lumbung.publication.editions import freezing
from lumbung.settings import JAKARTA
from tests.desk.conftest import CHAIR, CHECK, DRAFT, NEVER, PUBLISHED, Desk
from tests.desk.test_editions import decide, form
from tests.support.edition_sample import WEEK, pass_checkpoint

TODAY = datetime.now(JAKARTA).date()


def waive(client: Any, code: str, **changes: object) -> Any:
    given = {"check": CHECK, "reason": "rekap dihitung ulang", "until": f"{TODAY}", "code": code}
    token = form(client, f"/edisi/{DRAFT}")["csrf"]
    return client.post(f"/edisi/{DRAFT}/pengecualian", data={**given, "csrf": token, **changes})


def waivers(desk: Desk) -> list[tuple[Any, ...]]:
    with database.connect(desk.url) as connection:
        return connection.execute(
            "select check_name, waived_by, reason, until_date, seal is not null from"
            " published.waiver"
        ).fetchall()


def test_a_waiver_is_recorded_with_its_proof(stopped: Desk) -> None:
    phone, chair = stopped.enrol(), stopped.client("ketua")
    page = chair.get(f"/edisi/{DRAFT}").text
    assert f'value="{CHECK}"' in page
    assert f'value="{NEVER}"' not in page
    assert "<script" not in page
    code = phone.now()
    assert waive(chair, code).status_code == 303
    assert waivers(stopped) == [(CHECK, CHAIR, "rekap dihitung ulang", TODAY, True)]
    entry = audit.entries(stopped.url)[0]
    assert stopped.airflow.started == [("publication", {"week_id": WEEK})]
    assert (entry.event, entry.person, entry.is_proved) == ("published.waiver", CHAIR, True)
    page = chair.get(f"/edisi/{DRAFT}").text
    assert "Pengecualian sudah tercatat" in page
    assert 'name="check"' not in page
    # the code was used: it decides nothing more
    pass_checkpoint(stopped.url, DRAFT)
    assert "Kode tidak diterima" in decide(chair, code).text
    assert stopped.state() == "draft"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"code": "000000"}, "Kode tidak diterima"),
        ({"code": ""}, "Kode tidak diterima"),
        ({"reason": " "}, "Tuliskan alasan pengecualian"),
        ({"reason": "hubungi 0812-3456-7890"}, "Alasan memuat nomor telepon"),
        ({"until": ""}, "Pilih hari terakhir"),
        ({"until": "besok"}, "Pilih hari terakhir"),
        ({"until": f"{TODAY - timedelta(days=1)}"}, "Pilih hari terakhir"),
        ({"until": f"{TODAY + timedelta(days=32)}"}, "Pilih hari terakhir"),
        ({"check": NEVER}, "Pengecualian tidak tercatat"),
        ({"check": "x' or 1=1"}, "Pengecualian tidak tercatat"),
    ],
)
def test_without_reason_day_and_code_nothing_is_waived(
    stopped: Desk, changes: dict[str, str], problem: str
) -> None:
    phone, chair = stopped.enrol(), stopped.client("ketua")
    code = changes.get("code", phone.now())
    answer = waive(chair, code, **{key: changes[key] for key in changes.keys() - {"code"}})
    assert answer.status_code == 422
    assert problem in answer.text
    # what was typed and chosen is still there
    given = {"check": CHECK, "reason": "rekap dihitung ulang", "until": f"{TODAY}", **changes}
    (sent,) = re.findall(r"<details open>.*?</details>", answer.text, re.S)
    assert f">{given['reason']}</textarea>" in sent
    assert f'value="{given["until"]}"' in sent
    assert (f'value="{CHECK}" required checked>' in sent) == (given["check"] == CHECK)
    assert waive(chair, phone.now(), csrf="x").status_code == 403
    assert waivers(stopped) == []
    assert stopped.airflow.started == []


@pytest.mark.parametrize(("account", "status"), [("sekretaris", 403), ("orang", 404)])
def test_nobody_else_waives(stopped: Desk, account: str, status: int) -> None:
    phone = stopped.enrol()
    client = stopped.client(account)
    page = client.get("/")
    assert "pengecualian" not in client.get(f"/edisi/{DRAFT}").text
    from lumbung.desk.guard import SESSION, Tokens

    token = Tokens("s" * 32)._serializer.dumps([page.cookies[SESSION], account])
    given = {"check": CHECK, "reason": "x", "until": f"{TODAY}", "code": phone.now(), "csrf": token}
    answer = client.post(f"/edisi/{DRAFT}/pengecualian", data=given)
    assert answer.status_code == status
    assert waivers(stopped) == []


def test_a_draft_whose_waiver_has_ended_can_be_waived_again(stopped: Desk) -> None:
    stopped.execute(
        "insert into published.checkpoint_pass (edition_id, run_id, until_date)"
        " values (%s, '0b8f4b5e-6f0e-4c57-9d0c-0b3c2f6d7e11', %s)",
        *(DRAFT, TODAY - timedelta(days=1)),
    )
    page = stopped.client("ketua").get(f"/edisi/{DRAFT}").text
    assert "Belum lulus pemeriksaan" in page
    assert "Setujui dan terbitkan" not in page
    assert f'value="{CHECK}"' in page


def test_a_draft_with_a_newer_revision_is_not_waived(stopped: Desk) -> None:
    phone, chair = stopped.enrol(), stopped.client("ketua")
    stopped.execute("update reporting.rpt_not_counted set record_count = record_count + 1")
    newer = freezing.freeze(WEEK, settings=stopped.settings, database_url=stopped.url)
    assert newer != DRAFT
    page = chair.get(f"/edisi/{DRAFT}").text
    assert "sudah memiliki revisi yang lebih baru" in page
    assert 'name="check"' not in page
    answer = waive(chair, phone.now())
    assert answer.status_code == 422
    assert "Keputusan belum tercatat" in answer.text
    assert "readonly>rekap dihitung ulang</textarea>" in answer.text
    assert waivers(stopped) == []
    assert stopped.airflow.started == []


def test_a_reason_is_shown_where_the_form_is_gone(desk: Desk) -> None:
    answer = waive(desk.client("ketua"), "000000")
    assert answer.status_code == 422
    assert 'name="check"' not in answer.text
    assert "readonly>rekap dihitung ulang</textarea>" in answer.text


def test_what_stops_another_edition_is_not_offered(stopped: Desk) -> None:
    stopped.execute(
        "insert into ops.check_result (run_id, suite, batch, check_name, severity, is_passed,"
        " checked_count, failing_count, failing, remediation, owner, edition_id) values"
        " ('1b8f4b5e-6f0e-4c57-9d0c-0b3c2f6d7e11', 'publication', 'x', 'every_week_has_metrics',"
        " 'fail', false, 1, 1, '[]', 'x', 'x', %s)",
        PUBLISHED,
    )
    page = stopped.client("ketua").get(f"/edisi/{DRAFT}").text
    assert re.findall(r'type="radio" name="check" value="(\w+)"', page) == [CHECK]
