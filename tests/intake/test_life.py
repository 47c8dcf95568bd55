"""A channel is renamed, retired, removed and restored."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from lumbung import cli
from lumbung.errors import ConfigurationError, LumbungError
from lumbung.intake import life, run
from lumbung.intake.channel.load import load_channel, read_channels
from lumbung.intake.channel.sync import sync
from lumbung.intake.landing import IntakeCounts, text_features
from lumbung.intake.vault import Keyring, Vault, associate
from lumbung.settings import Settings
from tests.support.channel_samples import CHAT, HEADER, REGISTER, header_merges, workbook

OLD, NEW = "register_contoh", "buku_baru"
STORED = (
    "select record_id, channel, source_id, encode(content_hash, 'hex'), payload::text,"
    " encode(evidence_sha256, 'hex'), locator from raw.record order by 1"
)


def register(*keys: str) -> bytes:
    rows = [
        [n, key, "06/11/2024", "", "Warga A", "0812", "Bangka", f"Pembagian {key}"]
        for n, key in enumerate(keys, 1)
    ]
    return workbook({"S": [*HEADER, *rows]}, merges={"S": header_merges(0)})


class Office:
    """An office with one register, of which something was pulled."""

    def __init__(self, settings: Settings, url: str, inbox: Path) -> None:
        self.settings = settings
        self.url = url
        self.inbox = inbox
        self.deliver("1/LP", "2/LP")
        self.pull(OLD)

    def deliver(self, *keys: str) -> None:
        (self.inbox / "a.xlsx").write_bytes(register(*keys))

    def pull(self, name: str) -> IntakeCounts:
        return run.pull(name, settings=self.settings, database_url=self.url, run_key="uji")

    def files(self) -> list[str]:
        return sorted(each.name for each in self.settings.channels.iterdir())

    def rename(self, old: str = OLD, new: str = NEW) -> Path:
        return life.rename(old, new, settings=self.settings, database_url=self.url)

    def end(self, state: life.State, name: str = OLD) -> None:
        life.end(
            name,
            state,
            by="Rekan Rekaan",
            reason="salah pasang",
            settings=self.settings,
            database_url=self.url,
        )

    def command(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
        """The command line, whose errors are raised."""
        monkeypatch.setenv("LUMBUNG_HOME", str(self.settings.home))
        monkeypatch.setenv("LUMBUNG_PROJECT", str(self.settings.project))
        monkeypatch.setenv("LUMBUNG_DATABASE_URL", self.url)
        monkeypatch.setenv("COLUMNS", "300")
        self.settings.demo_claim.touch()  # nobody is asked for a code

        def lumbung(*arguments: str) -> str:
            result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
            assert result.exit_code == 0, result.output
            return result.output

        return lumbung

    def restore(self, name: str = OLD) -> Path:
        return life.restore(
            name,
            by="Rekan Rekaan",
            reason="ternyata benar",
            settings=self.settings,
            database_url=self.url,
        )

    def sync(self) -> list[str]:
        with psycopg.connect(self.url) as connection:
            return sync(connection, *read_channels(self.settings.channels))


@pytest.fixture
def office(settings: Settings, database_url: str, add_channel: Callable[..., Path]) -> Office:
    return Office(settings, database_url, add_channel(REGISTER))


# -- another name ---------------------------------------------------------------------------------


def test_a_renamed_channel_keeps_its_records_and_lands_nothing_twice(
    office: Office, db: psycopg.Connection
) -> None:
    before = db.execute(STORED).fetchall()
    cursor = db.execute("select channel, cursor::text from ops.channel_cursor").fetchall()
    assert office.rename() == office.settings.channels / f"{NEW}.yaml"
    assert office.files() == [f"{NEW}.yaml"]
    again = office.pull(NEW)
    assert (again.landed, again.quarantined, again.tombstones) == (0, 0, 0)
    assert db.execute(STORED).fetchall() == before
    assert db.execute("select channel, cursor::text from ops.channel_cursor").fetchall() == cursor

    office.deliver("1/LP", "2/LP", "3/LP")
    more = office.pull(NEW)
    assert (more.landed, more.duplicate, more.tombstones) == (1, 2, 0)
    assert db.execute("select distinct channel from raw.record").fetchall() == [(OLD,)]
    keys = Keyring(db, Vault.load(office.settings.home))
    for source_id, sealed in db.execute(
        "select source_id, ciphertext from vault.identity inner join raw.record using (record_id)"
    ):
        assert b"Warga A" in keys.open(sealed, associate(OLD, source_id))
    text_features.derive_missing(db, read_channels(office.settings.channels)[0], office.settings)
    assert db.execute("select channel from ops.text_feature").fetchall() == [(OLD,)]
    assert office.sync() == []
    assert db.execute("select channel, file_name, state from reference.channel").fetchall() == [
        (OLD, NEW, "active")
    ]


def test_what_messages_call_a_renamed_channel_still_names_it(office: Office) -> None:
    office.rename()
    assert office.pull(OLD).landed == 0
    office.rename(OLD, "buku_lagi")
    assert office.files() == ["buku_lagi.yaml"]
    assert load_channel(office.settings.channels, "buku_lagi").name == OLD
    office.rename("buku_lagi", OLD)
    assert office.files() == [f"{OLD}.yaml"]
    assert office.pull(OLD).landed == 0


def test_no_name_is_given_twice(
    office: Office, add_channel: Callable[..., Path], db: psycopg.Connection
) -> None:
    add_channel(CHAT)
    with pytest.raises(ConfigurationError, match="there is a channel 'chat_contoh'"):
        office.rename(OLD, "chat_contoh")
    office.rename()
    with pytest.raises(ConfigurationError, match="records are kept"):
        office.rename("chat_contoh", OLD)
    with pytest.raises(ConfigurationError, match="cannot be a channel's name"):
        office.rename(NEW, "Buku Baru")
    with pytest.raises(ConfigurationError, match="there is no channel 'entah'"):
        office.rename("entah", "lain")
    assert office.files() == [f"{NEW}.yaml", "chat_contoh.yaml"]


@pytest.mark.parametrize("state", ["retired", "removed"])
def test_no_channel_is_added_under_the_name_of_one_that_was_ended(
    office: Office, state: life.State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records are kept under both names, that of its file and the first one."""
    office.rename()
    office.end(state, NEW)
    (tmp_path / "contoh.csv").write_text("Nomor,Uraian\n1,a\n2,b\n")
    lumbung = office.command(monkeypatch)
    for name in (OLD, NEW):
        with pytest.raises(ConfigurationError, match=f"{name}.*is {state}.*restore {NEW}'"):
            lumbung("channel", "add", "register", name, "--sample", str(tmp_path / "contoh.csv"))
    assert office.files() == []
    office.restore(NEW)
    office.rename(NEW, OLD)
    lumbung("channel", "add", "register", NEW, "--sample", str(tmp_path / "contoh.csv"))
    assert office.files() == [f"{NEW}.yaml", f"{OLD}.yaml"]


def test_two_files_with_the_records_of_one_channel_are_a_mistake(office: Office) -> None:
    text = (office.settings.channels / f"{OLD}.yaml").read_text()
    office.rename()
    (office.settings.channels / f"{OLD}.yaml").write_text(text)
    channels, mistakes = read_channels(office.settings.channels)
    assert [*channels] == [OLD]
    (reported,) = mistakes[NEW]
    assert re.search(
        r"buku_baru.yaml:1: id: register_contoh.yaml keeps its records under", reported
    )


# -- the end of a channel -------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["retired", "removed"])
def test_an_ended_channel_needs_no_file_and_comes_back_as_it_was(
    office: Office, db: psycopg.Connection, state: life.State
) -> None:
    file = office.settings.channels / f"{OLD}.yaml"
    text = file.read_text()
    fields = "select f::text from reference.channel_field as f order by 1"
    office.end(state)
    assert office.files() == []
    assert office.sync() == [], "it is not missing"
    known = "select channel, state, expected_every from reference.channel"
    assert db.execute(known).fetchall() == [(OLD, state, None)]
    maps = db.execute(fields).fetchall()
    assert maps
    with pytest.raises(ConfigurationError, match=f"is {state} already"):
        office.end(state)

    file.write_text(text)  # somebody puts it back by hand
    with pytest.raises(ConfigurationError, match=rf"is {state}.*lumbung channel restore"):
        office.pull(OLD)
    assert office.sync() == []
    assert db.execute(known).fetchall() == [(OLD, state, None)]
    file.unlink()

    assert office.restore() == file
    assert file.read_text() == text
    office.deliver("1/LP", "2/LP", "3/LP")
    assert office.pull(OLD).landed == 1
    assert office.sync() == []
    assert db.execute("select channel, state from reference.channel").fetchall() == [
        (OLD, "active")
    ]
    assert db.execute(fields).fetchall() == maps
    with pytest.raises(ConfigurationError, match="neither retired nor removed"):
        office.restore()
    assert db.execute(
        "select decision_code, decided_by, reason from ops.channel_decision order by decision_id"
    ).fetchall() == [
        (state, "Rekan Rekaan", "salah pasang"),
        ("restored", "Rekan Rekaan", "ternyata benar"),
    ]


def test_a_renamed_channel_ends_and_comes_back_by_either_name(office: Office) -> None:
    office.rename()
    text = (office.settings.channels / f"{NEW}.yaml").read_text()
    office.end("retired", NEW)
    office.end("removed", OLD)
    assert office.files() == []
    assert office.restore(NEW).read_text() == text
    assert office.pull(NEW).landed == 0


def test_a_channel_whose_file_is_wrong_or_lost_can_be_ended(
    office: Office, db: psycopg.Connection
) -> None:
    office.sync()
    file = office.settings.channels / f"{OLD}.yaml"
    file.write_bytes(b"title: [\0\xff")
    office.end("removed")
    assert office.files() == []
    assert office.sync() == []
    file.write_text("title: x")
    with pytest.raises(ConfigurationError, match="another file of that name"):
        office.restore()
    file.unlink()
    office.restore()
    file.unlink()
    assert office.sync() == [OLD]
    office.end("retired")
    assert office.sync() == []
    assert db.execute("select state from reference.channel").fetchall() == [("retired",)]


def test_a_decision_has_an_author_and_a_reason(office: Office) -> None:
    given: dict[str, Any] = {"settings": office.settings, "database_url": office.url}
    for by, reason in (("", "x"), ("x", " ")):
        with pytest.raises(ConfigurationError, match="without an author or a reason"):
            life.end(OLD, "removed", by=by, reason=reason, **given)
    with pytest.raises(ConfigurationError, match="there is no channel 'entah'"):
        life.end("entah", "removed", by="x", reason="x", **given)
    assert office.files() == [f"{OLD}.yaml"]


# -- killed half-way, and two at once -------------------------------------------------------------


@pytest.mark.parametrize("method", ["replace", "rename", "unlink"])
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("what", ["rename", "retire", "restore"])
def test_what_was_killed_half_way_is_completed_by_the_same_command(
    office: Office,
    db: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    method: str,
    is_done: bool,
) -> None:
    acts: dict[str, Callable[[], object]] = {
        "rename": office.rename,
        "retire": lambda: office.end("retired"),
        "restore": office.restore,
    }
    act = acts[what]
    if what == "restore":
        office.end("retired")
    real = getattr(Path, method)

    def dies(self: Path, *arguments: Any, **options: Any) -> None:
        if is_done:
            real(self, *arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, method, dies)
        with suppress(KeyboardInterrupt):
            act()
    # nothing is pulled twice, and no row is withdrawn, whatever is there now
    for name in (OLD, NEW):
        try:
            counts = office.pull(name)
        except ConfigurationError:
            continue
        assert (counts.landed, counts.tombstones) == (0, 0)
    office.sync()
    with suppress(ConfigurationError):  # it was complete
        act()
    expected = {"rename": [f"{NEW}.yaml"], "retire": [], "restore": [f"{OLD}.yaml"]}
    assert [each for each in office.files() if each[0] != "."] == expected[what]
    assert office.sync() == []
    state = "retired" if what == "retire" else "active"
    assert db.execute("select channel, state from reference.channel").fetchall() == [(OLD, state)]
    if what != "retire":
        assert office.pull(NEW if what == "rename" else OLD).landed == 0


def test_of_two_at_once_one_comes_first(office: Office, db: psycopg.Connection) -> None:
    for turn in range(4):
        reported: list[str] = []

        def rename(new: str, reported: list[str] = reported) -> None:
            try:
                office.rename(OLD, new)
            except LumbungError as error:
                reported.append(str(error))

        def retire(reported: list[str] = reported) -> None:
            try:
                office.end("retired")
            except LumbungError as error:
                reported.append(str(error))

        threads = [
            threading.Thread(target=rename, args=(f"buku_{turn}",)),
            threading.Thread(target=rename, args=(f"buku_{turn}",)),
            threading.Thread(target=retire),
            threading.Thread(target=retire),
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert office.files() == []
        assert run.ended(db, OLD) == "retired"
        assert any("is retired already" in each for each in reported)
        restored = office.restore()
        assert office.files() == [restored.name]
        assert office.pull(restored.stem).landed == 0


# -- the commands ---------------------------------------------------------------------------------


def test_the_commands_show_and_change_the_state(
    office: Office,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_channel(CHAT)
    (office.settings.channels / "satu.yaml").write_text("title: x\n")
    lumbung = office.command(monkeypatch)

    def hold() -> None:
        db.execute(
            "insert into ops.channel_hold"
            " (channel, check_name, after_batch_id, judged_batch_id, reason, reason_en)"
            " values (%s, 'x', 1, 1, 'sebab', 'reason')",
            (OLD,),
        )

    def states() -> dict[str, str]:
        lines = lumbung("channel", "list").splitlines()
        found = [line.split() for line in lines[1 : lines.index("")]]
        return {name: state for name, state, *_ in found}

    assert states() == {"chat_contoh": "active", OLD: "active", "satu": "mistaken"}
    assert f"{NEW}.yaml" in lumbung("channel", "rename", OLD, NEW)
    assert f"inbox/{OLD}" in lumbung("channel", "list")
    office.deliver("1/LP", "2/LP", "")
    lumbung("intake", NEW)
    assert "required_field_missing" in lumbung("quarantine", "list", NEW)
    assert "open" in lumbung("quarantine", "retry", NEW)
    hold()
    assert states()[NEW] == "held"
    assert "1 holds" in lumbung("channel", "release", NEW, "--reason", "benar")
    lumbung("channel", "retire", NEW, "--reason", "aplikasinya ditutup")
    assert states() == {"chat_contoh": "active", "satu": "mistaken", NEW: "retired"}
    hold()
    assert "are held back" in lumbung("channel", "list")
    assert "required_field_missing" in lumbung("quarantine", "list")
    lumbung("channel", "remove", NEW, "--by", "Rekan Rekaan", "--reason", "salah pasang")
    reported = lumbung("channel", "list")
    assert "are held back" not in reported
    assert "required_field_missing" not in lumbung("quarantine", "list")
    assert "(removed)" in lumbung("quarantine", "list", "--resolved")
    assert re.search(
        rf"{NEW} was removed on \d{{4}}-\d\d-\d\d by Rekan Rekaan: salah pasang", reported
    )
    assert f"{NEW}.yaml" in lumbung("channel", "restore", NEW, "--reason", "ternyata benar")
    assert states() == {"chat_contoh": "active", NEW: "held", "satu": "mistaken"}
    assert "required_field_missing" in lumbung("quarantine", "list")


# -- an entry of a matrix -------------------------------------------------------------------------


def test_an_entry_of_a_matrix_is_ended_once_it_is_deleted_and_restored_once_it_is_back(
    office: Office,
) -> None:
    path = office.settings.channels / "buku.yaml"
    entries = (
        f"{(office.settings.channels / f'{OLD}.yaml').read_text()}matrix:\n"
        "  bangka: {title: Bangka}\n"
    )
    path.write_text(f"{entries}  basel: {{title: Bangka Selatan}}\n")
    (office.settings.inbox / "buku_basel").mkdir()
    (office.settings.inbox / "buku_basel" / "b.xlsx").write_bytes(register("7/LP"))
    assert office.pull("buku_basel").landed == 1
    office.sync()
    for refused in (
        lambda: office.rename("buku_basel", "toboali"),
        lambda: office.end("retired", "buku_basel"),
    ):
        with pytest.raises(ConfigurationError, match="is an entry of a matrix"):
            refused()
    path.write_text(entries)
    office.end("retired", "buku_basel")
    with pytest.raises(ConfigurationError, match="had no file"):
        office.restore("buku_basel")
    path.write_text(f"{entries}  basel: {{title: Bangka Selatan}}\n")
    with pytest.raises(ConfigurationError, match="is retired"):
        office.pull("buku_basel")
    office.restore("buku_basel")
    assert office.pull("buku_basel").duplicate == 1
