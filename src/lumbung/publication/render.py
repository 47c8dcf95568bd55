"""An edition as files: a pure function, the same edition gives the same bytes on any machine.

`document` turns figures into sentences, tables and charts once; two thin templates print that as
HTML and as PDF. No clock, no random identifier, no system font, no request to anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from lumbung.publication import charts, opendata, workbook
from lumbung.publication import messages as m
from lumbung.publication.content import (
    PROVINCE,
    DistrictFigure,
    Edition,
    Figure,
    Regency,
    Restatement,
    week_start,
)
from lumbung.publication.disclosure import GROUPS
from lumbung.publication.pages import Cell, Chart, Document, Section, Table

TEMPLATES = Path(__file__).parent / "templates"
T = m.TEXT


def render(edition: Edition) -> dict[str, bytes]:
    """The artefacts of an edition by name: pages, workbook, press summary, open data.

    Whether and how it was approved is part of the bytes: a draft says that it is one.
    """
    pages = document(edition)
    content = asdict(pages)
    return {
        "edisi.html": _template("edisi.html.j2", content),
        "edisi.pdf": _pdf(content, int(edition.frozen_at.timestamp())),
        "edisi.xlsx": workbook.workbook(edition, pages),
        "siaran-pers.txt": _template("siaran-pers.txt.j2", content),
        **opendata.files(edition),
    }


def letter(edition: Edition) -> tuple[str, str]:
    """The summary of a published edition for a mail: its subject and its body as HTML."""
    pages = document(edition)
    body = _template("surat.html.j2", asdict(pages) | {"attached": T["letter_attached"]})
    return f"{pages.title}, {pages.subtitle}", body.decode()


def _template(name: str, content: dict[str, Any]) -> bytes:
    text: str = _environment().get_template(name).render(d=content)
    return text.encode("utf-8")


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
    from markupsafe import Markup, escape

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["labelled"] = lambda svg, alt: Markup(  # noqa: S704 - drawn by charts.py
        svg.replace("<svg ", f'<svg aria-label="{escape(alt)}" ', 1)
    )
    return environment


def _pdf(content: dict[str, Any], timestamp: int) -> bytes:
    import typst

    pdf: bytes = typst.compile(
        (TEMPLATES / "edisi.typ").read_bytes(),
        sys_inputs={"document": json.dumps(content, ensure_ascii=False)},
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=timestamp,
    )
    return pdf


def document(edition: Edition) -> Document:
    """The edition's sentences, tables and charts, in the order of the page."""
    return _Writer(edition).document()


def name_of(regency: Regency) -> str:
    """`Bangka Barat` of `Kabupaten Bangka Barat`; the unknown member has its own name."""
    if regency.is_unknown:
        return T["unknown_place"]
    return regency.name.removeprefix("Kabupaten ").removeprefix("Kota ")


class _Writer:
    """Writes one edition; numbers its tables and charts as it goes."""

    def __init__(self, edition: Edition) -> None:
        self.e = edition
        self.known = [r for r in edition.regencies if not r.is_unknown]
        self.tables = 0
        self.charts = 0

    def document(self) -> Document:
        e = self.e
        decision = e.decision
        is_final = decision is not None and decision.decision == "approved"
        status = m.status(decision)
        as_of = T["as_of"].format(as_of=m.moment(e.as_of))
        edition = T["edition"].format(edition_id=e.edition_id)
        return Document(
            language=e.language,
            publisher=e.office.name,
            contact=T["contact"].format(name=e.office.contact_name, url=e.office.contact_url),
            title=T["title"],
            subtitle=T["subtitle"].format(week=int(e.week_id[-2:]), range=m.week_range(e.monday)),
            status=status,
            is_final=is_final,
            meta=[
                edition,
                as_of,
                T[f"known_{e.known}"].format(frozen_at=m.moment(e.frozen_at)),
            ],
            points_title=T["points"],
            points=self.points(),
            sections=[
                _defined(section)
                for section in (
                    self.violations(),
                    self.issues(),
                    self.funnel(),
                    self.tips(),
                    self.campaign(),
                    self.prevention(),
                    self.completeness(),
                    self.restatements(),
                    self.not_counted(),
                    *([self.waivers()] if e.waivers else []),
                    self.method(),
                    *(self.regency(r) for r in self.known),
                )
            ],
            press_title=T["press_title" if is_final else "press_draft"],
            press_note=T["press_note"],
            definitions_title=T["definitions"],
            definitions_how=T["definitions_how"],
            footer=[f"{e.office.name} · {edition}", f"{as_of} · {status}"],
            page=T["page"],
        )

    # -- figures -----------------------------------------------------------------------------

    def cell(self, code: str, category: str, regency: str, period: str) -> Cell:
        """A frozen figure; `difference` is this week less the week before."""
        figure = self.e.figure(code, category, regency)
        reference = f"{code}/{category}/{regency}/{period}"
        if period == "difference":
            behind = T["behind_difference"].format(
                week=m.number(figure.week), previous=m.number(figure.previous)
            )
            return Cell(m.signed(_difference(figure)), True, reference, _difference(figure), behind)
        value = getattr(figure, period)
        return Cell(m.number(value), True, reference, value, self.behind(value, reference))

    def sum_cell(self, code: str, categories: Iterable[str], regency: str, period: str) -> Cell:
        """The sum over categories that exclude each other."""
        parts = [self.cell(code, category, regency, period) for category in categories]
        value = sum(
            getattr(self.e.figure(code, category, regency), period) for category in categories
        )
        references = " ".join(part.figure for part in parts)
        behind = T["behind_sum"].format(parts=" + ".join(part.text for part in parts))
        return Cell(m.number(value), True, references, value, behind)

    def behind(self, count: int | None, reference: str) -> str:
        """How many facts a number counts, and how to see them."""
        if count is None:
            return ""
        return T["behind"].format(
            count=m.number(count), reference=f"{reference}@{self.e.edition_id}"
        )

    def by_regency(self, cells: Callable[[str], list[Cell]]) -> tuple[list[list[Cell]], list[Cell]]:
        """A row per regency, the unknown one last, and the province as total."""
        rows = [[Cell(name_of(r)), *cells(r.code)] for r in self.e.regencies]
        return rows, [Cell(T["province"]), *cells(PROVINCE)]

    def leaders(self, values: Sequence[tuple[str, int]], *, lowest: bool = False) -> str:
        """Which regencies have the most (or least): `A (5)`, `A dan B (masing-masing 5)`.

        Args:
            values: names and counts.
            lowest: the least instead of the most.

        """
        bound = (min if lowest else max)(value for _, value in values)
        names = [name for name, value in values if value == bound]
        value = m.number(bound)
        if len(names) == 1:
            return T["of_each"].format(places=names[0], value=value)
        return T["of_each"].format(
            places=T["all_regencies"] if len(names) == len(values) else m.listing(names),
            value=T["same_each"].format(value=value),
        )

    def places(self, code: str, categories: Sequence[str], period: str) -> list[tuple[str, int]]:
        """Each known regency with its count."""
        return [
            (
                name_of(r),
                sum(getattr(self.e.figure(code, c, r.code), period) for c in categories),
            )
            for r in self.known
        ]

    def source(self, key: str) -> str:
        """The line beneath a table or chart: source, as-of, completeness."""
        submitted, expected = self.submitted()
        return T["source"].format(
            source=T[key],
            as_of=m.moment(self.e.as_of),
            submitted=m.number(submitted),
            expected=m.number(expected),
            percent=m.percent(submitted, expected),
        )

    def submitted(self) -> tuple[int, int]:
        """Districts that delivered this week, of those that should have."""
        return self.e.figure("district_submitted").week, self.e.figure("district_expected").week

    def change(self, text: str, figure: Figure) -> str:
        """`Dugaan pelanggaran pekan ini 14, naik 3 ...`."""
        return T[text].format(value=m.number(figure.week), change=self.moved(figure))

    def moved(self, figure: Figure) -> str:
        return m.change(figure.week, figure.previous)

    def number_table(self) -> tuple[int, str]:
        self.tables += 1
        return self.tables, T["table"].format(number=self.tables)

    def number_chart(self) -> tuple[int, str]:
        self.charts += 1
        return self.charts, T["chart"].format(number=self.charts)

    # -- main points -------------------------------------------------------------------------

    def points(self) -> list[tuple[str, str]]:
        e = self.e
        violation = e.figure("suspected_violation")
        kinds = {k: e.figure("suspected_violation_by_kind", k).week for k in ("LP", "TM")}
        points = [
            (
                T["point_violation"].format(value=m.number(violation.week)),
                T["point_violation_more"].format(
                    lp=m.number(kinds["LP"]),
                    tm=m.number(kinds["TM"]),
                    change=self.moved(violation),
                    to_date=m.number(violation.to_date),
                ),
            )
        ]
        week = self.places("suspected_violation", ["ALL"], "week")
        to_date = self.places("suspected_violation", ["ALL"], "to_date")
        none = [name for name, value in week if value == 0]
        if any(value for _, value in week):
            is_even = len({value for _, value in week if value}) == 1
            points.append(
                (
                    T["point_place_even" if is_even else "point_place"].format(
                        places=self.leaders(week)
                    )
                    + ".",
                    T["point_place_more"].format(
                        none=T["point_place_none"].format(places=m.listing(none)) if none else "",
                        places=self.leaders(to_date),
                    ),
                )
            )
            issues = self.top_issues("week")
            points.append(
                (T["point_issue"].format(issues=issues) + ".", T["point_issue_more"])
                if issues
                else (T["point_issue_zero"] + ".", "")
            )
        funnel = {k: e.figure(f"report_{k}", "LP").week for k in _FUNNEL}
        points.append(
            (
                T["point_funnel"].format(received=m.number(funnel["received"])) + ":",
                T["point_funnel_more"].format(**{k: m.number(v) for k, v in funnel.items()}),
            )
        )
        events = self.places("campaign_event_by_election", _ELECTIONS, "week")
        total = self.total("campaign_event_by_election", _ELECTIONS)
        spread = T["point_campaign_spread"].format(
            most=self.leaders(events), least=self.leaders(events, lowest=True)
        )
        points.append(
            (
                T["point_campaign"].format(value=m.number(total.week)) + ",",
                self.moved(total) + (f"; {spread}." if total.week else "."),
            )
        )
        prevention, tip = e.figure("prevention"), e.figure("tip")
        points.append(
            (
                T["point_other"].format(
                    prevention=m.number(prevention.week), tip=m.number(tip.week)
                )
                + ".",
                T["point_other_more"].format(
                    prevention_change=self.moved(prevention), tip_change=self.moved(tip)
                ),
            )
        )
        submitted, expected = self.submitted()
        missing = [s.district_name for s in e.submissions if not s.is_submitted]
        points.append(
            (
                T["point_complete"].format(
                    submitted=m.number(submitted),
                    expected=m.number(expected),
                    percent=m.percent(submitted, expected),
                )
                + ".",
                T["point_complete_missing"].format(districts=m.listing(missing))
                if missing
                else T["point_complete_all"],
            )
        )
        if e.waivers:
            count = len({w.check_name for w in e.waivers})
            points.append((T["point_waiver"].format(count=m.number(count)), T["point_waiver_more"]))
        return points

    def total(self, code: str, categories: Sequence[str], regency: str = PROVINCE) -> Figure:
        """Categories that exclude each other, added up."""
        figures = [self.e.figure(code, category, regency) for category in categories]
        previous = [figure.previous for figure in figures if figure.previous is not None]
        return Figure(
            sum(figure.week for figure in figures),
            sum(figure.to_date for figure in figures),
            sum(previous) if len(previous) == len(figures) else None,
        )

    def ranked_issues(self, period: str) -> list[tuple[str, str, int]]:
        """Code, name and count of every theme, the most frequent first."""
        counted = [
            (code, name, getattr(self.e.figure("suspected_violation_by_issue", code), period))
            for code, name in self.e.issues.items()
        ]
        return sorted(counted, key=lambda issue: (-issue[2], issue[1]))

    def top_issues(self, period: str) -> str:
        """The two most frequent themes (up to three in a tie) with their counts; or empty."""
        ranked = [issue for issue in self.ranked_issues(period) if issue[2]]
        if not ranked:
            return ""
        for floor in (ranked[:2][-1][2], ranked[0][2]):
            top = [(_lower(name), n) for _, name, n in ranked if n >= floor]
            if len(top) <= 3:
                return m.listing([f"{name} ({m.number(n)})" for name, n in top])
        return T["many_issues"].format(count=len(top), value=m.number(floor))

    # -- sections ----------------------------------------------------------------------------

    def violations(self) -> Section:
        code = "suspected_violation"
        total = self.e.figure(code)
        unknown = [r for r in self.e.regencies if r.is_unknown]
        to_date = self.places(code, ["ALL"], "to_date")
        week = dict(self.places(code, ["ALL"], "week"))
        tiles = [
            (r.tile_row, r.tile_col, name, value, T["map_tile"].format(value=m.number(week[name])))
            for r, (name, value) in zip(self.known, to_date, strict=True)
            if r.tile_row is not None and r.tile_col is not None
        ]
        tile_map = Chart(
            *self.number_chart(),
            T["map_title"].format(places=self.leaders(to_date))
            if any(value for _, value in to_date)
            else T["map_title_zero"],
            charts.tile_map(tiles),
            T["map_alt"].format(
                values="; ".join(
                    T["map_value"].format(
                        place=name, to_date=m.number(value), week=m.number(week[name])
                    )
                    for name, value in to_date
                )
            ),
            self.source("source_register"),
            [
                T["map_note"].format(
                    unknown=m.number(
                        sum(self.e.figure(code, "ALL", r.code).to_date for r in unknown)
                    )
                )
            ],
        )
        weeks = self.e.trend.get((code, "ALL"), ())[-16:]
        trend = Chart(
            *self.number_chart(),
            self.change("trend_title", total),
            charts.columns([(m.short_day(week_start(week)), value) for week, value in weeks]),
            T["trend_alt"].format(
                values="; ".join(
                    T["trend_value"].format(week=int(week[-2:]), value=m.number(value))
                    for week, value in weeks
                )
            ),
            self.source("source_register"),
            [T["trend_note"]],
        )
        rows, last = self.by_regency(
            lambda r: [
                self.cell("suspected_violation_by_kind", "LP", r, "week"),
                self.cell("suspected_violation_by_kind", "TM", r, "week"),
                *(self.cell(code, "ALL", r, p) for p in _PERIODS),
            ]
        )
        table = Table(
            *self.number_table(),
            T["violation_caption"].format(change=self.moved(total)),
            [T["regency"], T["LP"], T["TM"], T["total"], *_PERIOD_HEADS[1:]],
            rows,
            self.source("source_register"),
            groups=[("", 1), (T["this_week"], 3), ("", 3)],
            total=last,
        )
        return Section("pelanggaran", T["violation_title"], [tile_map, trend], [table])

    def issues(self) -> Section:
        code = "suspected_violation_by_issue"
        ranked = self.ranked_issues("to_date")
        # A name's first words are enough beside a bar; the tables have it whole.
        shown = [(name.split(",")[0], value) for _, name, value in ranked if value][:10]
        top = self.top_issues("to_date")
        pictures = []
        if shown:
            floor = shown[min(1, len(shown) - 1)][1]
            pictures.append(
                Chart(
                    *self.number_chart(),
                    T["issue_chart"].format(issues=top),
                    charts.bars(shown, accented=sum(value >= floor for _, value in shown)),
                    T["issue_alt"].format(
                        values="; ".join(f"{name} {m.number(value)}" for name, value in shown)
                    ),
                    self.source("source_register"),
                    [T["issue_note"]],
                )
            )
        week_top = self.top_issues("week")
        tables = [
            Table(
                *self.number_table(),
                T["issue_caption"].format(issues=week_top) if week_top else T["issue_caption_zero"],
                [T["theme"], *_PERIOD_HEADS],
                [
                    [Cell(name), *(self.cell(code, issue, PROVINCE, p) for p in _PERIODS)]
                    for issue, name, _ in ranked
                ],
                self.source("source_register"),
                notes=[T["issue_note"]],
            ),
            *self.matrix("matrix_week", "week"),
            *self.matrix("matrix_to_date", "to_date"),
            Table(
                *self.number_table(),
                T["type_caption"],
                [T["type"], *_PERIOD_HEADS],
                [
                    [
                        Cell(name),
                        *(
                            self.cell("suspected_violation_by_type", kind, PROVINCE, p)
                            for p in _PERIODS
                        ),
                    ]
                    for kind, name in ((k, self.e.violation_types[k]) for k in _TYPES)
                ],
                self.source("source_register"),
                notes=[T["type_note"]],
            ),
        ]
        return Section("tema", T["issue_title"], pictures, tables)

    def matrix(self, caption: str, period: str) -> list[Table]:
        """Themes by regency; themes that are zero everywhere are left out.

        No table where every theme is zero: the table of themes before it says so.
        """
        code = "suspected_violation_by_issue"
        ranked = self.ranked_issues(period)
        shown = [issue for issue in ranked if issue[2]]
        if not shown:
            return []
        table = Table(
            *self.number_table(),
            T[caption],
            [T["theme"], *(name_of(r) for r in self.known)]
            + [T["unknown_head"] for r in self.e.regencies if r.is_unknown]
            + [T["province"]],
            [
                [
                    Cell(name),
                    *(self.cell(code, issue, r.code, period) for r in self.e.regencies),
                    self.cell(code, issue, PROVINCE, period),
                ]
                for issue, name, _ in shown
            ],
            self.source("source_register"),
            notes=[
                T["issue_note"],
                *([T["matrix_rest"]] if len(shown) < len(ranked) else []),
            ],
        )
        return [table]

    def funnel(self) -> Section:
        rows = [
            [
                Cell(T[kind]),
                *(
                    self.cell(f"report_{step}", kind, PROVINCE, period)
                    for period in ("week", "to_date")
                    for step in _FUNNEL
                ),
            ]
            for kind in ("LP", "TM")
        ]
        received, registered = (
            sum(self.e.figure(f"report_{step}", kind).to_date for kind in ("LP", "TM"))
            for step in ("received", "registered")
        )
        heads = [T[step] for step in _FUNNEL]
        table = Table(
            *self.number_table(),
            T["funnel_caption"].format(
                received=m.number(received), registered=m.number(registered)
            ),
            [T["kind"], *heads, *heads],
            rows,
            self.source("source_register"),
            groups=[("", 1), (T["this_week"], 4), (T["to_date"], 4)],
            notes=[T["funnel_note"]],
        )
        return Section("registrasi", T["funnel_title"], [], [table])

    def simple(self, prefix: str, code: str, source: str) -> Section:
        """A section of one table: a count by regency, with the week before."""
        rows, last = self.by_regency(lambda r: [self.cell(code, "ALL", r, p) for p in _PERIODS])
        table = Table(
            *self.number_table(),
            T[f"{prefix}_caption"].format(change=self.moved(self.e.figure(code))),
            [T["regency"], *_PERIOD_HEADS],
            rows,
            self.source(source),
            total=last,
            notes=[T[f"{prefix}_note"]],
        )
        return Section(prefix, T[f"{prefix}_title"], [], [table])

    def tips(self) -> Section:
        return self.simple("tip", "tip", "source_tip")

    def prevention(self) -> Section:
        return self.simple("prevention", "prevention", "source_recap")

    def campaign(self) -> Section:
        tables = []
        for caption, code, categories in (
            ("campaign_election", "campaign_event_by_election", _ELECTIONS),
            ("campaign_method", "campaign_event_by_method", _METHODS),
        ):
            heads = [*(T[category] for category in categories), T["total"]]
            rows, last = self.by_regency(
                lambda r, code=code, categories=categories: [  # type: ignore[misc]
                    cell
                    for period in ("week", "to_date")
                    for cell in [
                        *(self.cell(code, category, r, period) for category in categories),
                        self.sum_cell(code, categories, r, period),
                    ]
                ]
            )
            tables.append(
                Table(
                    *self.number_table(),
                    T[caption].format(change=self.moved(self.total(code, categories))),
                    [T["regency"], *heads, *heads],
                    rows,
                    self.source("source_recap"),
                    groups=[("", 1), (T["this_week"], len(heads)), (T["to_date"], len(heads))],
                    total=last,
                    notes=[T["campaign_note"]] if categories is _METHODS else [],
                )
            )
        return Section("kampanye", T["campaign_title"], [], tables)

    def regency(self, regency: Regency) -> Section:
        """A regency's own page: its main figures, and its districts by group of themes."""
        name = name_of(regency)
        figures = Table(
            *self.number_table(),
            T["regency_caption"].format(name=name),
            [T["figure"], *_PERIOD_HEADS],
            [
                [
                    Cell(
                        m.FIGURES[code].name
                        if category == "ALL"
                        else f"{m.FIGURES[code].name}: {T[category]}"
                    ),
                    *(self.cell(code, category, regency.code, p) for p in _PERIODS),
                ]
                for code, category in _MAIN
            ],
            self.source("source_all"),
        )
        cells = {
            (d.district_code, d.group_code): d
            for d in self.e.district_figures
            if d.regency_code == regency.code
        }
        names = {code: cell.district_name for (code, _), cell in cells.items()}
        tables = [figures]
        if self.e.district_weeks:
            first, last = map(week_start, self.e.district_weeks)
            tables.append(
                Table(
                    *self.number_table(),
                    T["district_caption"].format(
                        name=name, first=m.day(first), last=m.day(last + timedelta(days=6))
                    ),
                    [T["district"], *(T[f"group_{group}"] for group in GROUPS)],
                    [
                        [
                            Cell(names[code] or T["unknown_place"]),
                            *(self.district_cell(cells[code, group]) for group in GROUPS),
                        ]
                        for code in sorted(names, key=lambda code: (not code, code))
                    ],
                    self.source("source_register"),
                    notes=[T["district_note"].format(threshold=self.e.office.small_cell_threshold)],
                )
            )
        return Section(
            f"kab-{regency.code.replace('.', '-')}", regency.name, [], tables, is_page=True
        )

    def district_cell(self, cell: DistrictFigure) -> Cell:
        text = T["suppressed"] if cell.to_date is None else m.number(cell.to_date)
        place = cell.district_code or cell.regency_code
        return Cell(text, True, f"district/{place}/{cell.group_code}/to_date", cell.to_date)

    def completeness(self) -> Section:
        def cells(regency: str) -> list[Cell]:
            done = self.e.figure("district_submitted", "ALL", regency).week
            of = self.e.figure("district_expected", "ALL", regency).week
            both = f"district_submitted/ALL/{regency}/week district_expected/ALL/{regency}/week"
            return [
                self.cell("district_expected", "ALL", regency, "week"),
                self.cell("district_submitted", "ALL", regency, "week"),
                Cell(
                    m.percent(done, of),
                    True,
                    f"percent {both}",
                    round(done / of, 4) if of else None,
                ),
            ]

        rows = []
        for r in self.known:
            missing = [
                s.district_name
                for s in self.e.submissions
                if s.regency_code == r.code and not s.is_submitted
            ]
            rows.append(
                [Cell(name_of(r)), *cells(r.code), Cell(", ".join(missing) or T["none_missing"])]
            )
        submitted, expected = self.submitted()
        table = Table(
            *self.number_table(),
            T["complete_caption"].format(
                submitted=m.number(submitted), expected=m.number(expected)
            ),
            [T["regency"], T["district"], T["submitted"], T["share"], T["missing"]],
            rows,
            self.source("source_recap"),
            total=[Cell(T["province"]), *cells(PROVINCE), Cell("")],
            notes=[T["complete_note"]],
            is_text=True,
        )
        return Section("kelengkapan", T["complete_title"], [], [table])

    def restatements(self) -> Section:
        """Each week's figure of an earlier edition that is different now, told once."""
        section = Section("perubahan", T["restatement_title"], [], [])
        if not self.e.restatements:
            return replace(section, paragraphs=[T["restatement_none"]])
        weekly = [r for r in self.e.restatements if r.period == "week"]
        new = [r for r in weekly if not r.is_told]
        told = len(weekly) - len(new)
        notes = [T["restatement_note"]]
        if told:
            notes.append(T["restatement_told"].format(count=m.number(told)))
        if len(new) > _SHOWN:
            notes.append(T["restatement_rest"].format(count=m.number(len(new) - _SHOWN)))
        if not new:
            return replace(section, paragraphs=[f"{T['restatement_caption_told']}.", *notes])
        names = m.category_names(self.e)
        places = {r.code: name_of(r) for r in self.e.regencies} | {PROVINCE: T["province"]}
        # the province first: one line says what the regencies' lines are about
        new.sort(key=lambda r: (r.of_edition_id, r.regency_code != PROVINCE))
        table = Table(
            *self.number_table(),
            T["restatement_caption"].format(count=m.number(len(new))),
            [
                T["restatement_edition"],
                T["figure"],
                T["restatement_place"],
                T["restatement_old"],
                T["restatement_new"],
                T["restatement_why"],
            ],
            [
                [
                    Cell(r.of_edition_id),
                    Cell(
                        ": ".join(
                            text
                            for text in (
                                m.FIGURES[r.figure_code].name,
                                names.get((r.figure_code, r.category_code)),
                            )
                            if text
                        )
                    ),
                    Cell(places.get(r.regency_code, r.regency_code)),
                    *(self.restated(r, at) for at in ("old", "new")),
                    Cell(m.reasons(r)),
                ]
                for r in new[:_SHOWN]
            ],
            self.source("source_all"),
            notes=notes,
            is_text=True,
        )
        return replace(section, tables=[table])

    def restated(self, restatement: Restatement, at: str) -> Cell:
        r, value = restatement, getattr(restatement, at)
        key = f"{r.figure_code}/{r.category_code}/{r.regency_code}/week@{r.of_edition_id}"
        return Cell(m.number(value), True, f"restatement/{at}/{key}", value)

    def waivers(self) -> Section:
        """Which checks a person lets fail, and why."""
        return Section(
            "pengecualian",
            T["waiver_title"],
            [],
            [],
            [
                T["waiver"].format(
                    check=w.check_name,
                    by=w.waived_by,
                    at=m.moment(w.granted_at),
                    until=m.weekday(w.until),
                    reason=w.reason,
                )
                for w in self.e.waivers
            ],
        )

    def not_counted(self) -> Section:
        entries = self.e.not_counted
        if not entries:
            return Section(
                "tidak-dihitung", T["not_counted_title"], [], [], [T["not_counted_none"]]
            )
        table = Table(
            *self.number_table(),
            T["not_counted_caption"].format(
                count=m.number(sum(n.to_date for n in entries)),
                week=m.number(sum(n.week for n in entries)),
            ),
            [T["channel"], T["reason"], T["owner"], T["this_week"], T["to_date"]],
            [
                [
                    Cell(n.channel_title),
                    Cell(n.reason[:1].upper() + n.reason[1:]),
                    Cell(n.owner_name),
                    *(
                        Cell(
                            m.number(value),
                            True,
                            f"not_counted/{n.channel}/{n.reason_code}/{period}",
                            value,
                        )
                        for period, value in (("week", n.week), ("to_date", n.to_date))
                    ),
                ]
                for n in entries
            ],
            self.source("source_all"),
            notes=[T["not_counted_note"]],
            is_text=True,
        )
        return Section("tidak-dihitung", T["not_counted_title"], [], [table])

    def method(self) -> Section:
        paragraphs = m.method(self.e)
        paragraphs += [
            text.format(frozen_at=m.moment(self.e.frozen_at), content_hash=self.e.content_hash)
            for text in m.ABOUT
        ]
        if self.e.decision:
            paragraphs += [
                T["about_reviewed"].format(name=name, sha256=sha256)
                for name, sha256 in self.e.decision.reviewed
            ]
        return Section("metode", T["method_title"], [], [], paragraphs)


_FUNNEL = ("received", "registered", "not_registered", "pending")
_ELECTIONS = ("PILGUB", "PILBUP", "PILWAKO")
_METHODS = ("TATAP_MUKA", "TERBATAS", "RAPAT_UMUM", "LAIN")
_SHOWN = 100  # lines of restatements that are printed; the open data has all
_MAIN = (
    ("suspected_violation", "ALL"),
    ("suspected_violation_by_kind", "LP"),
    ("suspected_violation_by_kind", "TM"),
    ("report_registered", "LP"),
    ("report_registered", "TM"),
    ("tip", "ALL"),
    ("prevention", "ALL"),
    ("district_submitted", "ALL"),
)
_TYPES = ("ADM", "PID", "ETIK", "HKL", "SKT")
_PERIODS = ("week", "previous", "difference", "to_date")
_PERIOD_HEADS = (T["this_week"], T["last_week"], T["difference"], T["to_date"])


def _difference(figure: Figure) -> int | None:
    return None if figure.previous is None else figure.week - figure.previous


def _defined(section: Section) -> Section:
    """The section with the definitions of the figures in it."""
    codes = {
        reference.split("/")[0]
        for table in section.tables
        for cells in [*table.rows, table.total]
        for cell in cells
        for reference in cell.figure.removeprefix("percent ").split()
    }
    return replace(
        section,
        definitions=[(f.name, f.definition) for code, f in m.FIGURES.items() if code in codes],
    )


def _lower(name: str) -> str:
    """A theme's name inside a sentence: `Politik uang` begins small, `SARA` stays."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
