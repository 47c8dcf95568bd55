"""The invented prevention: plans of the offices of the world, and entries of their form.

The districts' prevention actions are in the recap (`lumbung.demo.world`). These are those of the
offices above them, so that no activity is in both.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal

from lumbung.demo import stories, vocabulary
from lumbung.demo.facts import COUNTED, DUPLICATE, Plan, Prevention, excluded, quarantined
from lumbung.demo.people import invent
from lumbung.demo.regions import REGENCIES, Place, Regency

ORDINARY: tuple[tuple[str, ...], ...] = (
    (), (), ("DPH",), ("KADES",), ("FAS",), ("ANAK",), ("PENY",), ("PUNGHIT",), ("LOG", "PUNGHIT"),
)  # fmt: skip
"""Themes of the activities that every office holds; none is a theme typical of a regency."""

FOCUSED: dict[str, dict[int, tuple[tuple[str, ...], ...]]] = {
    "19.02": {1: (("SARA",),), 6: (("KH", "SARA"),)},
    "19.04": {2: (("ASN",),), 5: (("ASN",),), 7: (("ASN",),)},
    "19.06": dict.fromkeys(range(1, 9), (("APK",),)),
    "19.71": {3: (("PU",),), 7: (("PU",),)},
}
"""Activities against the typical themes, by regency and week: many in Belitung Timur, few in the
other three."""

TARGETS: dict[str, tuple[str, ...]] = {
    "SARA": ("TOKOH_AGAMA", "LEMBAGA_ADAT"),
    "KH": ("MEDIA", "PEMUDA"),
    "ASN": ("ASN", "PEMDA"),
    "APK": ("TIM_KAMPANYE", "PESERTA"),
    "PU": ("WARGA", "TOKOH_MASYARAKAT"),
    "KADES": ("KADES",),
    "PENY": ("KPU",),
    "DPH": ("WARGA", "KPU"),
}
"""Whom an activity against a theme addresses; every other theme any group."""

VENUES = ("KANTOR", "KANTOR_PENGAWAS", "PENDIDIKAN", "POSKO")
"""Kinds of place of prevention activities."""

UNCOUNTED = ("NASKAH_DINAS", "PUBLIKASI")
"""Forms without participants."""

PLANNED: dict[str, tuple[tuple[tuple[str, ...], str, tuple[str, ...], int], ...]] = {
    "19.02": ((("SARA",), "PARTISIPASI", ("TOKOH_AGAMA",), 6), (("KH",), "PUBLIKASI", (), 5)),
    "19.04": ((("ASN",), "NASKAH_DINAS", ("ASN",), 8),),
    "19.06": ((("APK",), "NASKAH_DINAS", ("TIM_KAMPANYE",), 3),),
    "19.71": (
        (("PU",), "LAINNYA", ("WARGA",), 8),
        (("PU",), "PENDIDIKAN", ("TOKOH_MASYARAKAT",), 4),
    ),
}
"""Themes, form, groups and activities intended against the typical themes, in either period."""


def plans(periods: Sequence[tuple[date, date]]) -> list[Plan]:
    """The plans of every regency, each entered a week before its period begins.

    Beside those against typical themes every regency plans education, of whatever theme.
    """
    return [
        Plan(
            start - timedelta(days=7),
            regency,
            issues,
            form,
            targets,
            start,
            end,
            activities,
            40 * activities,
        )
        for start, end in periods
        for code, regency in REGENCIES.items()
        for issues, form, targets, activities in (
            ((), "PENDIDIKAN", (), 10),
            *PLANNED.get(code, ()),
        )
    ]


def entries(rng: random.Random, mondays: Sequence[date]) -> list[Prevention]:
    """The entries of all weeks, in the order in which they were filled in."""
    found = [
        _entry(rng, "KAB", regency, monday, issues)
        for week, monday in enumerate(mondays)
        for code, regency in REGENCIES.items()
        for issues in (
            *(rng.choice(ORDINARY) for _ in range(rng.choice((1, 2, 2)))),
            *FOCUSED.get(code, {}).get(week, ()),
        )
    ]
    found += [
        _entry(rng, "PROV", rng.choice([*REGENCIES.values()]), monday, rng.choice(ORDINARY))
        for monday in mondays
    ]
    found += _odd(rng, mondays)
    found.sort(key=lambda entry: entry.entered)
    numbered = [
        replace(entry, number=f"FP-2024-{number:04d}") for number, entry in enumerate(found, 1)
    ]
    return _spoiled(rng, numbered)


def _entry(
    rng: random.Random,
    level: Literal["KAB", "PROV"],
    regency: Regency,
    monday: date,
    issues: tuple[str, ...],
) -> Prevention:
    day = monday + timedelta(days=rng.randrange(5))
    district = rng.choice(regency.districts)
    form = rng.choice([*vocabulary.PREVENTION_KINDS])
    groups = [group for issue in issues for group in TARGETS.get(issue, ())]
    targets = set(groups) or set(rng.sample([*vocabulary.TARGET_GROUPS], rng.choice((1, 1, 2))))
    return Prevention(
        entered=day + timedelta(days=rng.choice((0, 0, 1, 2))),
        number="",
        day=day,
        level=level,
        place=Place(regency, district),
        village=rng.choice(district.villages) if rng.random() < 0.6 else None,
        officer=invent(rng),
        form=form,
        kind=rng.choice([*vocabulary.PREVENTION_KINDS[form]]),
        targets=tuple(sorted(targets)),
        issues=issues,
        stage=rng.choice(("KAMPANYE", "KAMPANYE", "PUNGUT", None)),
        participants=None if form in UNCOUNTED else rng.randint(12, 160),
        venue=rng.choice(VENUES),
        note=rng.choice(stories.PREVENTION_NOTES),
    )


def _odd(rng: random.Random, mondays: Sequence[date]) -> list[Prevention]:
    """Unusual entries of every world of the whole campaign, whatever the seed."""

    def odd(week: int, code: str, **changes: Any) -> Prevention:
        entry = _entry(rng, "KAB", REGENCIES[code], mondays[week], ())
        return replace(entry, **changes)

    return [
        odd(0, "19.01", note="tes", fate=excluded("test_row")),
        odd(1, "19.03", written={"Tanggal": "31 September 2024"}, fate=excluded("date_missing")),
        odd(0, "19.05", form="LAINNYA", kind="PATROLI", written={"Bentuk": "-"}),
        odd(1, "19.05", form=None, kind=None, written={"Bentuk": "Doa bersama"}),
        odd(2, "19.06", form="PENDIDIKAN", kind="P2P", participants=None,
            written={"Peserta": "40-50 orang"}),
        odd(2, "19.02", place=Place(), village=None, level="PROV", venue=None),
    ]  # fmt: skip


def _spoiled(rng: random.Random, numbered: list[Prevention]) -> list[Prevention]:
    """Add an entry pasted twice and one without a number; neither is landed."""
    ordinary = [
        index
        for index, entry in enumerate(numbered[:20])
        if entry.fate == COUNTED and not entry.written
    ]
    index = rng.choice(ordinary)
    pasted = replace(numbered[index], fate=DUPLICATE)
    numberless = replace(numbered[index], number="", fate=quarantined("required_field_missing"))
    return [*numbered[: index + 1], pasted, numberless, *numbered[index + 1 :]]
