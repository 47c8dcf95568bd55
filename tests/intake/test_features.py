"""What of a narrative is compared: the same event in other words, and nothing readable."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lumbung.errors import ConfigurationError
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import Delivery
from lumbung.intake.features import TextFeatures, project_vocabulary
from lumbung.intake.landing import Landing
from lumbung.intake.landing.text_features import derive_missing
from lumbung.intake.vault import Vault
from lumbung.settings import Settings

from datetime import UTC, datetime  # isort: skip

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
VAULT = Vault(bytes(range(32)))
CHANNEL: dict[str, Any] = {
    "name": "tip",
    "title": "Aduan rekaan",
    "owner": {"name": "Kantor Rekaan", "email": "rekaan@example.id"},
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {"kind": "kobo", "asset": "aRekaan"},
    "connection": "rekaan",
    "fields": {"narrative": {"from": ["Uraian", "Teks"]}, "accused_role": {"from": "Jabatan"}},
}
RECEIVED = datetime(2024, 11, 6, tzinfo=UTC)


def features(key: bytes = VAULT.feature_key, **changes: Any) -> TextFeatures:
    return TextFeatures(
        Channel.model_validate({**CHANNEL, **changes}), key, project_vocabulary(SEEDS)
    )


READ = features()


def tokens(text: str) -> set[bytes]:
    return set(READ.of_texts([text]).tokens)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("membagikan beras", "beras dibagi-bagi"),
        ("pembagian beras", "bagi2 beras"),
        ("uang", "duit"),  # a synonym
        ("duit", "fulus"),
        ("malam", "malem"),  # Bangka Malay
        ("masjid", "MESJID"),
        ("Rp50.000", "50 ribu"),
        ("50rb", "lima puluh ribu"),
        ("Rp 1.500.000,-", "1500 ribu"),
        ("seratus ribu", "cepek"),
        ("RT 05", "rt 5"),
        ("5 kg", "lima kilo"),
        ("kepala desa", "kades"),
        ("ibu-ibu", "ibu2"),
        ("Soekardi", "Sukardi"),  # a name in another spelling
        ("mengirim", "dikirim"),  # a word that the seed does not have
    ],
)
def test_what_is_the_same_in_other_words_is_one_feature(one: str, other: str) -> None:
    assert tokens(one) == tokens(other) != set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bidan", "guru"),
        ("50 ribu", "500 ribu"),
        ("Sukardi", "Sumardi"),
        ("tanggal 5 November 2024", "6 November 2023"),  # a date: compared as a date
    ],
)
def test_what_differs_shares_no_more_than_its_kind(one: str, other: str) -> None:
    shared = tokens(one) & tokens(other)
    assert tokens(one) == tokens(other) == set() or shared < tokens(one)


def test_a_more_special_word_shares_the_general_one() -> None:
    assert tokens("beras") & tokens("sembako") == tokens("sembako")
    assert tokens("beras") & tokens("minyak goreng") == tokens("sembako")


def test_villages_are_codes_and_an_ordinary_word_is_none() -> None:
    with (SEEDS / "village.csv").open(encoding="utf-8") as file:
        codes = {row["village_name"]: row["village_code"] for row in csv.DictReader(file)}

    def villages(text: str) -> tuple[str, ...]:
        return READ.of_texts([text]).villages

    assert villages("bantuan beras di Kace Timur") == (codes["Kace Timur"],)
    assert villages("pas pembagian BLT di kace") == (codes["Kace"],)
    assert villages("Pos ronda Tua Tunu") == (codes["Tua Tunu Indah"],)
    assert villages("dibuang ke parit") == ()
    assert villages("warga kelurahan Parit") == (codes["Parit"],)
    assert tokens("Kuto Panji") == set()  # a place is compared as a place


def test_a_long_or_hostile_text_is_bounded() -> None:
    assert READ.of_payload({"Uraian": " \u200b"}) is not None
    assert READ.of_texts(["x" * 1_000_000]).tokens
    assert (
        len(READ.of_texts([" ".join(f"kata{chr(97 + n % 26)}{n}" for n in range(10**5))]).tokens)
        <= 200
    )
    assert READ.of_texts(["9" * 4_000 + " \ud800 ٣ ½"])


def test_first_label_that_is_filled_counts() -> None:
    assert READ.of_payload({"Uraian": " ", "Teks": "beras"}) == READ.of_payload({"Uraian": "beras"})
    assert READ.of_payload({"Uraian": None, "Jabatan": "guru"}) is None
    with_role = READ.of_payload({"Uraian": "beras", "Jabatan": "guru"})
    assert with_role is not None
    assert set(with_role.tokens) == tokens("beras") | tokens("guru")


def test_another_map_or_seed_is_another_version_and_another_key_hashes_anew(
    tmp_path: Path,
) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for name in ("narrative_term", "village", "district"):
        (seeds / f"{name}.csv").write_bytes((SEEDS / f"{name}.csv").read_bytes())
    assert TextFeatures(
        Channel.model_validate(CHANNEL), VAULT.feature_key, project_vocabulary(seeds)
    ).version == READ.version  # fmt: skip
    with (seeds / "narrative_term.csv").open("a") as file:
        file.write("baru,object,0.01,,barang baru\n")
    project_vocabulary.cache_clear()
    changed = TextFeatures(
        Channel.model_validate(CHANNEL), VAULT.feature_key, project_vocabulary(seeds)
    )
    other_map = features(fields={"narrative": {"from": "Teks"}})
    assert len({each.version for each in (READ, changed, other_map)}) == 3
    other_key = features(Vault(bytes(32)).feature_key)
    assert not tokens("beras") & set(other_key.of_texts(["beras"]).tokens)


# -- in the warehouse -----------------------------------------------------------------------------

STORED = "select record_id, version, tokens, villages from raw.text_feature order by 1, 2"


@pytest.fixture
def db(database_url: str) -> Any:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("LUMBUNG_VAULT_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    return Settings(home, SEEDS.parents[1], None)


def test_features_land_with_their_record_once(db: psycopg.Connection) -> None:
    landing = Landing(db, Channel.model_validate(CHANNEL), VAULT, "uji")
    items = [
        Delivery("1", RECEIVED, {"Uraian": "Kades Kace bagi beras", "Jabatan": "kades"}),
        Delivery("2", RECEIVED, {"Uraian": None}),
    ]
    assert landing.land(items).landed == 2
    assert landing.land(items).duplicate == 2
    ((record_id, version, stored, villages),) = db.execute(STORED).fetchall()
    assert (record_id,) == db.execute(
        "select record_id from raw.record where source_id = '1'"
    ).fetchone()
    assert version == READ.version
    reported = READ.of_payload(items[0].fields)
    assert reported is not None
    assert stored == [int.from_bytes(token[4:], signed=True) for token in reported.tokens]
    assert villages == list(reported.villages) != []


def test_what_is_missing_is_derived_and_nothing_twice(
    db: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = settings(tmp_path, monkeypatch)
    channel = Channel.model_validate(CHANNEL)
    Landing(db, channel, VAULT, "uji").land([
        Delivery("1", RECEIVED, {"Uraian": "beras"}), Delivery("2", RECEIVED, {"Uraian": "gula"}),
    ])  # fmt: skip
    landed = db.execute(STORED).fetchall()
    db.execute("delete from raw.text_feature where record_id % 2 = 0")
    derive_missing(db, {"tip": channel}, office)
    assert db.execute(STORED).fetchall() == landed
    derive_missing(db, {"tip": channel}, office)
    assert db.execute(STORED).fetchall() == landed

    other = Channel.model_validate({**CHANNEL, "fields": {"narrative": {"from": "Uraian"}}})
    derive_missing(db, {"tip": other}, office)
    assert len(db.execute(STORED).fetchall()) == 4
    state = db.execute("select channel, version from ops.text_feature").fetchall()
    assert state == [("tip", TextFeatures(other, VAULT.feature_key).version)]


def test_another_key_derives_nothing_and_is_needed_for_what_is_missing_alone(
    db: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = settings(tmp_path, monkeypatch)
    channel = Channel.model_validate(CHANNEL)
    Landing(db, channel, Vault(bytes(32)), "uji").land([Delivery("1", RECEIVED, {"Uraian": "x"})])
    derive_missing(db, {"tip": channel}, office)
    db.execute("delete from raw.text_feature")
    db.execute("delete from ops.text_feature")
    with pytest.raises(ConfigurationError, match="another vault key"):
        derive_missing(db, {"tip": channel}, office)
    assert db.execute(STORED).fetchall() == []
