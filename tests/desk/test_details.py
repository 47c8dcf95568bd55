"""Codes of the review list, and their words in both languages."""

from __future__ import annotations

import pytest

from lumbung import registry
from lumbung.desk import details
from lumbung.desk.pages import texts


@pytest.mark.parametrize(
    ("check", "code", "indonesian", "english"),
    [
        ("word_unknown", "issue: ~ab", "Tema: ~ab", "Theme: ~ab"),
        ("word_unknown", "role", "Peran terlapor", "Role of the accused"),
        ("place_unresolved", "unresolved", "Tidak dikenali", "Not recognised"),
        ("date_unreadable", "occurred_date", "Tanggal kejadian", "Date of the event"),
        ("count_unreadable", "participants", "Jumlah peserta", "Number of participants"),
        ("value_too_long", "status", "Status", "Status"),
        ("date_missing", "not_counted", "belum dihitung", "not counted yet"),
        ("status_change_illegal", "diterima_to_x", "Diterima → x", "Received → x"),
        ("possible_test_row", "score 3", "tanda uji coba: 3", "sign of a test: 3"),
        ("plan_repeated", "records 1, 2", "catatan nomor 1, 2", "records number 1, 2"),
        ("delivery_quarantined", "key_repeated", "Nomor yang sama dengan isi lain", None),
        (
            "block_oversized",
            "district unknown, 2024-11-05, PU",
            "kecamatan tidak diketahui, 2024-11-05, PU",
            "district not known, 2024-11-05, PU",
        ),
        # what has no words, and what somebody wrote
        ("value_too_long", "of_the_office", "of_the_office", "of_the_office"),
        ("rows_in_two_channels", "wa_aduan", "wa_aduan", "wa_aduan"),
        ("word_unknown", "<b>: {{ 7 }}", "<b>: {{ 7 }}", "<b>: {{ 7 }}"),
    ],
)
def test_a_detail_is_in_words(check: str, code: str, indonesian: str, english: str | None) -> None:
    assert details.detail(check, code, "id") == indonesian
    if english:
        assert details.detail(check, code, "en") == english


def test_evidence_is_in_words() -> None:
    assert details.evidence("day: same +2.2", "id") == "Hari: sama (+2,2)"
    assert details.evidence("venue: other -1.3", "en") == "Venue in the narrative: different (−1.3)"
    assert details.evidence("<b>: x +1.0", "id") == "<b>: x +1.0"
    levels = [row for row in registry.seed("link_weight") if row["level"]]
    assert len(levels) > 20
    for row in levels:
        assert {f"evidence_{row['field']}", f"level_{row['level']}"} <= texts("id").keys()
