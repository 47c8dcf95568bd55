"""How long all artefacts of an edition take, and how much memory: `make bench-publication`.

Two editions of invented names and numbers, made in memory: seven regencies and 514, in both
languages, with what makes an edition long: eight districts a regency, fourteen themes with the
prevention done and planned against each, a district in ten that did not deliver, a hundred
restatements. Each is rendered in a process of its own (a
process's memory never shrinks); its memory is that of its whole tree, read while it runs.

Last lines: `edition_7_s`, `edition_514_s` (wall time from a new interpreter to the
bytes of every file) and `rss_mb` (the larger of the two editions).
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from lumbung.publication.model.edition import Edition

PROVINCE = "11"  # what the first regency's code begins with
WEEKS = [f"2024-W{week}" for week in range(39, 48)]


def edition(count: int) -> Edition:
    """An edition of so many regencies; every number is a made-up remainder."""
    # loaded only in the process that is measured
    from lumbung import registry
    from lumbung.publication.model import edition as c
    from lumbung.publication.office import Office
    from lumbung.registry import LANGUAGES

    issues, types, reasons, targets, preventions = (
        [*registry.vocabulary(name)]
        for name in (
            *("issue", "violation_type", "non_registration_reason"),
            *("forwarding_target", "prevention_type"),
        )
    )
    rules = [*registry.vocabulary("deadline_rule")]
    keys = [
        (code, category) for code in registry.metrics() for category in registry.categories(code)
    ]
    regencies = [
        c.Regency(
            code=f"{11 + n // 90}.{n % 90 + 1:02}",
            bps_code=f"{1100 + n}",
            name=f"Kabupaten Contoh {n + 1}",
            tile_row=n // 30,
            tile_col=n % 30,
            is_unknown=False,
            voters=150_000 + 997 * n,
            stations=300 + n,
        )
        for n in range(count)
    ]
    regencies.append(c.Regency("19.00", None, "Lokasi belum diketahui", None, None, True, 0, 0))
    metrics: dict[tuple[str, str, str], c.MetricValue] = {}
    for k, (code, category) in enumerate(keys):
        total = [0, 0, 0]
        for n, regency in enumerate(regencies):
            week, before = (n * 7 + k * 3) % 11, (n * 5 + k) % 9
            values = [week, 20 * week + before, before]
            total = [a + b for a, b in zip(total, values, strict=True)]
            metrics[code, category, regency.code] = c.MetricValue(*values)
        metrics[code, category, PROVINCE] = c.MetricValue(*total)
    districts = [
        (r.code, f"{r.code}.{d:02}", f"Kecamatan {d} {r.code}")
        for r in regencies[:-1]
        for d in range(1, 9)
    ]
    names = {
        "issue": {code: f"Tema contoh {code.lower()}" for code in issues},
        "issue_label": {code: f"Tema {code.lower()}" for code in issues},
        "violation_type": {code: f"Jenis {code.lower()}" for code in types},
        "reason": {code: f"Alasan {code.lower()}" for code in reasons},
        "forwarding_target": {code: f"Tujuan {code.lower()}" for code in targets},
        "prevention_type": {code: f"Bentuk {code[-6:].lower()}" for code in preventions},
        "deadline_rule": {code: f"Tenggat {code.lower()}" for code in rules},
        "exclusion_reason": {},
    }
    return c.Edition(
        edition_id="2024-W47-r1",
        week_id="2024-W47",
        revision=1,
        language="id",
        as_known_at="now",
        as_of=datetime(2024, 11, 24, 23, tzinfo=UTC),
        data_at=datetime(2024, 11, 24, 22, 45, tzinfo=UTC),
        frozen_at=datetime(2024, 11, 25, tzinfo=UTC),
        content_hash="0" * 64,
        state="approved",
        area_code=PROVINCE,
        area_bps_code=PROVINCE,
        office=Office(
            name="Kantor Contoh",
            province="Provinsi Contoh",
            custodian="Bagian Data Contoh",
            contact_name="Layanan contoh",
            contact_url="https://ppid.example.id",
            licence="CC-BY-4.0",
            licence_url="https://example.id/lisensi",
            small_cell_threshold=3,
            languages=("id", "en"),
        ),
        regencies=tuple(regencies),
        names=dict.fromkeys(LANGUAGES, names),
        legal_sources=("Peraturan contoh",),
        campaign_start=date(2024, 9, 25),
        before_campaign=None,
        metrics=metrics,
        trend={
            key: tuple((week, (k + n) % 40) for n, week in enumerate(WEEKS))
            for k, key in enumerate(keys)
        },
        submissions=tuple(
            c.Submission(code, name, regency, n % 10 > 0, 3, "2024-W46")
            for n, (regency, code, name) in enumerate(districts)
        ),
        district_threshold=3,
        district_metrics=tuple(
            c.DistrictMetric(regency, code, name, group, (n % 9) if n % 9 > 2 else None)
            for n, (regency, code, name) in enumerate(districts)
            for group in registry.vocabulary("issue_group")
        ),
        district_weeks=(WEEKS[4], WEEKS[7]),
        district_unit="case",
        deadlines=tuple(
            c.Deadline(rule, state, k + n)
            for k, rule in enumerate(rules)
            for n, state in enumerate(registry.deadline_states("running", "ended"))
        ),
        profiles=tuple(
            c.Profile(
                regency_code=r.code,
                issue_code=issue,
                cases=(n + k) % 9,
                base=40,
                share=Fraction(25, 2),
                province_share=Fraction(10),
                quotient=Fraction(5, 4),
                is_marked=(n + k) % 40 == 0,
                last_4=3,
                previous_4=2,
                trend_code="steady",
                prevention=50,
                last_4_prevention=12,
            )
            for n, r in enumerate(regencies)
            for k, issue in enumerate(issues)
        ),
        previous_id="2024-W46-r1",
        previous={(*key, PROVINCE): 1000 for key in keys},
        restatements=tuple(
            c.Restatement(*("2024-W46-r1", "tip", "ALL", r.code, "week", 3, 4, 1, 0, 0, 0, False))
            for r in regencies[:100]
        ),
        not_counted=(c.NotCounted("contoh", "test_row", "Kanal", "Bagian", "Baris uji", 1, 2),),
        held=(),
        waivers=(),
        decision=None,
        needs=tuple(
            c.Need(
                regency_code=r.code,
                issue_code=issue,
                cases=(n + k) % 9,
                last_4=3,
                previous_4=2,
                trend_code="rising" if (n + k) % 12 == 0 else "steady",
                is_marked=(n + k) % 40 == 0,
                done=(n + k) % 5,
                planned=(n + k) % 7,
                gap=max(0, (n + k) % 7 - (n + k) % 5),
                rule_code="CONTOH" if (n + k) % 3 == 0 else None,
                suggestion="Langkah contoh yang disarankan" if (n + k) % 3 == 0 else None,
                suggestion_en="An invented step that is suggested" if (n + k) % 3 == 0 else None,
            )
            for n, r in enumerate(regencies[:-1])
            for k, issue in enumerate(issues)
        ),
        plans=tuple(
            c.Plan(
                *(r.code, date(2024, 11, 25), date(2024, 12, 8), "Pendidikan", "Education"),
                *((issues[0],), ("Warga",), ("Citizens",), 4),
            )
            for r in regencies[:-1]
        ),
    )


def measured(count: int) -> tuple[float, float, int]:
    """Seconds and MB of rendering an edition of so many regencies, and the bytes it is."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, Path(__file__), str(count)], stdout=subprocess.PIPE, text=True
    ) as process:
        watched = psutil.Process(process.pid)
        most = 0
        while process.poll() is None:
            try:
                tree = [watched, *watched.children(recursive=True)]
                most = max(most, sum(each.memory_info().rss for each in tree))
            except psutil.NoSuchProcess:
                pass
            time.sleep(0.02)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise SystemExit(f"rendering an edition of {count} regencies failed")
        size = int((process.stdout and process.stdout.read()) or 0)
    return seconds, most / 2**20, size


def main() -> None:
    """Render one edition (an argument: of so many regencies) or measure both."""
    if len(sys.argv) == 2:
        from lumbung.publication.formats.render import render

        files = render(edition(int(sys.argv[1])))
        print(sum(map(len, files.values())))
        for name, content in files.items():
            print(f"{len(content):>12,}  {name}", file=sys.stderr)
        return
    results = {count: measured(count) for count in (7, 514)}
    for count, (seconds, mb, size) in results.items():
        print(f"{count} regencies: {seconds:.1f} s, {mb:.0f} MB, {size / 2**20:.1f} MB of files")
    print(f"edition_7_s={results[7][0]:.2f}")
    print(f"edition_514_s={results[514][0]:.2f}")
    print(f"rss_mb={max(mb for _, mb, _ in results.values()):.0f}")


if __name__ == "__main__":
    main()
