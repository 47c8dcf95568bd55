"""The prevention map: themes that stand out in a regency, and prevention there."""

from __future__ import annotations

from dataclasses import replace

from lumbung import registry
from lumbung.publication.chapters import charts
from lumbung.publication.chapters.builder import SHOWN, ChapterBuilder, lower
from lumbung.publication.model.document import Cell, Chart, Section, Table
from lumbung.publication.model.edition import QUOTIENT_PLACES, Need, Profile


def profile(b: ChapterBuilder) -> Section:
    """The themes that stand out in each regency, and prevention activities there."""
    e, m = b.e, b.m
    section = Section("pencegahan", m["profile_title"], [], [])
    if not e.profiles:
        return replace(section, tables=vulnerability(b), paragraphs=[m["profile_absent"]])
    labels = b.names["issue_label"]
    first: dict[str, Profile] = {}
    for profile in b.marked:
        first.setdefault(profile.regency_code, profile)
    most = max((p.quotient or 0 for p in b.marked), default=0)
    places, values = [], []
    for r in b.known:
        top = first.get(r.code)
        theme = labels[top.issue_code] if top else ""
        times = ""
        if top and not top.is_by_tips:
            times = m("profile_times", value=m.decimal(top.quotient, QUOTIENT_PLACES))
        description = m(
            "profile_value" if top else "profile_value_none",
            place=b.place[r.code],
            theme=f"{lower(theme)} {times}".rstrip(),
        )
        values.append(description)
        places.append(
            charts.Place(
                *(b.place[r.code], r.tile_row, r.tile_col, r.outline),
                float((top.quotient or 0) / most) if top and most else 0,
                *(theme or "–", times, description),
            )
        )
    themes = [
        m(
            "profile_theme_short",
            issue=lower(labels[p.issue_code]),
            place=b.place[p.regency_code],
        )
        for p in b.marked
    ]
    note = m["profile_map_note"]
    if not charts.is_outlined(places):
        note = m["map_note_tiles"] + note
    chart = Chart(
        *b.number_chart("profile"),
        m("profile_chart", themes=m.listing(themes, most=3)) if themes else m["profile_chart_none"],
        charts.region_map(places),
        m("profile_alt", count=m.number(len(places)), values="; ".join(values)),
        b.source("source_all"),
        [note],
    )
    prevented = {p.regency_code: p.last_4_prevention for p in e.profiles}
    heads = ("theme", "cases", "share", "province", "quotient", "trend")
    unmarked = [r for r in b.known if r.code not in first]
    table = Table(
        *b.number_table("profile"),
        m["profile_caption"],
        [
            m["regency"],
            *(m["theme" if head == "theme" else f"profile_{head}"] for head in heads),
            m["profile_prevention"],
        ],
        [
            *(profile_row(b, p) for p in b.marked),
            *(
                [
                    Cell(b.place[r.code]),
                    Cell(m["profile_none"]),
                    *[Cell("–", True, f"profile/none/{r.code}", None, m["profile_none"])] * 4,
                    Cell("–"),
                    b.traced(prevented.get(r.code, 0), f"profile/prevention/{r.code}"),
                ]
                for r in unmarked[:SHOWN]
            ),
        ],
        b.source("source_all"),
        notes=[m["profile_note"], *trend_weeks(b)],
        is_text=True,
    )
    return replace(section, charts=[chart], tables=[table, *vulnerability(b)])


def vulnerability(b: ChapterBuilder) -> list[Table]:
    """Return the scores of the IKP as they were published; beside the profile, not in it."""
    m = b.m
    if not b.e.vulnerability:
        return []
    heads = ("region", "dimension", "score", "class", "release", "source")
    return [
        Table(
            *b.number_table("vulnerability"),
            m["vulnerability_caption"],
            [m[f"vulnerability_{head}"] for head in heads],
            [
                [
                    Cell(b.place.get(v.region_code, m["province"])),
                    Cell(v.dimension_en if m.language == "en" else v.dimension),
                    Cell(
                        m.decimal(v.score, 2),
                        *(True, f"vulnerability/{v.region_code}", v.score),
                        m["vulnerability_note"],
                        places=2,
                    ),
                    Cell(v.class_name or "–"),
                    Cell(f"{v.release}, {m.day(v.release_date)}" if v.release_date else v.release),
                    Cell(v.source),
                ]
                for v in b.e.vulnerability
            ],
            "",
            notes=[m["vulnerability_note"]],
            is_text=True,
        )
    ]


def trend_weeks(b: ChapterBuilder) -> list[str]:
    """Return notes on those of the eight weeks of a trend that have fewer days."""
    if all(p.previous_4 is None for p in b.e.profiles):
        return []
    return b.m.short_weeks(b.e, b.e.weeks[-8:])


def profile_row(b: ChapterBuilder, p: Profile) -> list[Cell]:
    """Return the row of a theme: cases, shares, quotient, trend, prevention."""
    m = b.m
    key = f"{p.regency_code}/{p.issue_code}"
    return [
        Cell(b.place[p.regency_code]),
        Cell(b.e.issues[p.issue_code]),
        b.cell(registry.BY_THEME, p.issue_code, p.regency_code, "to_date"),
        b.share(
            p.share,
            f"share/{key}",
            m("explanation_share", cases=m.number(p.cases), base=m.number(p.base)),
        ),
        b.share(p.province_share, f"province/{key}", m["explanation_province"]),
        b.measure(
            p.quotient, f"profile/quotient/{key}", m["explanation_quotient"], QUOTIENT_PLACES
        ),
        Cell(trend(b, p)),
        b.traced(p.last_4_prevention, f"profile/prevention/{key}"),
    ]


def trend(b: ChapterBuilder, p: Profile | Need) -> str:
    """Compare four weeks with the four before: `naik (1 ke 11)`; or say there are too few."""
    if p.previous_4 is None:
        return b.m[p.trend_code]
    return b.m(
        "profile_trend_value",
        trend=b.m[p.trend_code],
        previous=b.m.number(p.previous_4),
        last=b.m.number(p.last_4),
    )
