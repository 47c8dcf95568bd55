"""An edition as sentences, tables and charts: figures become words here, once for every format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from lumbung.publication import charts
from lumbung.publication.content import (
    PROVINCE,
    DistrictFigure,
    Edition,
    Figure,
    Profile,
    Regency,
    Restatement,
    Submission,
    week_start,
)
from lumbung.publication.disclosure import GROUPS
from lumbung.publication.messages import BY_LANGUAGE, INDONESIAN, Messages
from lumbung.publication.pages import Cell, Chart, Document, Section, Table

RUNNING = ("OVERDUE", "MAYBE_OVERDUE", "DAYS_0", "DAYS_1", "DAYS_2", "DAYS_3", "DAYS_6")
ENDED = ("MET", "MISSED", "UNCERTAIN")
SOON = ("DAYS_0", "DAYS_1")
FEW = 20
"""Below so many cases a rate is flagged: its relative standard error is above 22 per cent."""

_FUNNEL = ("received", "registered", "not_registered", "pending")
_KINDS = ("LP", "TM")
_ELECTIONS = ("PILGUB", "PILBUP", "PILWAKO")
_METHODS = ("TATAP_MUKA", "TERBATAS", "RAPAT_UMUM", "LAIN")
_REASONS = ("FORMAL", "MATERIEL", "LATE", "ALREADY_HANDLED", "WITHDRAWN", "UNSTATED")
_RESULTS = ("PROVEN", "NOT_PROVEN", "FORWARDED", "CLOSED", "IN_PROCESS")
_PREVENTIONS = ("IMBAUAN_TERTULIS", "IMBAUAN_LISAN", "SOSIALISASI", "KOORDINASI")
_TYPES = ("ADM", "PID", "ETIK", "HKL", "SKT")
_PERIODS = ("week", "previous", "difference", "to_date")
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
_EVENTS = "campaign_event_by_election"
_SINCE = (
    ("suspected_violation", ("ALL",)),
    ("report_registered", _KINDS),
    ("report_not_registered", _KINDS),
    ("tip", ("ALL",)),
    (_EVENTS, _ELECTIONS),
    ("prevention", ("ALL",)),
)
_SHOWN = 100  # lines of restatements that are printed; the open data has all
_NAMED = 12  # places that a sentence names


def document(edition: Edition) -> Document:
    """The edition's sentences, tables and charts in its language, in the order of the page."""
    return _Writer(edition).document()


def name_of(regency: Regency, m: Messages = INDONESIAN) -> str:
    """`Bangka Barat` of `Kabupaten Bangka Barat`; the unknown member has its own name."""
    if regency.is_unknown:
        return m["unknown_place"]
    return regency.name.removeprefix("Kabupaten ").removeprefix("Kota ")


class _Writer:
    """Writes one edition; numbers its tables and charts as it goes."""

    def __init__(self, edition: Edition) -> None:
        self.e = edition
        self.m = BY_LANGUAGE[edition.language]
        self.names = edition.names[edition.language]
        self.known = [r for r in edition.regencies if not r.is_unknown]
        self.place = {r.code: name_of(r, self.m) for r in edition.regencies}
        self.categories = self.m.category_names(edition)
        self.period_heads = [
            self.m[head] for head in ("this_week", "last_week", "difference", "to_date")
        ]
        self.clocks: dict[tuple[str, str], int] = defaultdict(int)
        for deadline in edition.deadlines:
            for place in (deadline.regency_code, PROVINCE):
                self.clocks[place, deadline.state_code] += deadline.count
        self.missing: dict[str, list[Submission]] = defaultdict(list)
        for submission in edition.submissions:
            if not submission.is_submitted:
                self.missing[submission.regency_code].append(submission)
        self.district_cells: dict[str, list[DistrictFigure]] = defaultdict(list)
        for district in edition.district_figures:
            self.district_cells[district.regency_code].append(district)
        self.marked = sorted(
            (p for p in edition.profiles if p.is_marked),
            key=lambda p: (-(p.quotient or 0), p.regency_code, p.issue_code),
        )
        self.profiles_of: dict[str, list[Profile]] = defaultdict(list)
        for p in edition.profiles:
            self.profiles_of[p.regency_code].append(p)
        self.tables = 0
        self.charts = 0

    def document(self) -> Document:
        e, m = self.e, self.m
        decision = e.decision
        is_final = decision is not None and decision.decision == "approved"
        status = m.status(decision)
        as_of = m("as_of", as_of=m.moment(e.as_of))
        edition = m("edition", edition_id=e.edition_id)
        return Document(
            language=e.language,
            publisher=e.office.name,
            contact=m("contact", name=e.office.contact_name, url=e.office.contact_url),
            title=m["title"],
            subtitle=m("subtitle", week=int(e.week_id[-2:]), range=m.week_range(e.monday)),
            status=status,
            is_final=is_final,
            meta=[edition, as_of, m(f"known_{e.known}", frozen_at=m.moment(e.frozen_at))],
            points_title=m["points"],
            points=self.points(),
            charts=self.front_charts(),
            glance=self.glance(),
            contents_title=m["contents"],
            sections=[
                self.defined(section)
                for section in (
                    self.violations(),
                    self.issues(),
                    self.profile(),
                    self.funnel(),
                    self.deadlines(),
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
            press_title=m["press_title" if is_final else "press_draft"],
            press_note=m["press_note"],
            definitions_title=m["definitions"],
            definitions_how=m["definitions_how"],
            footer=[f"{e.office.name} · {edition}", f"{as_of} · {status}"],
            page=m["page"],
        )

    def defined(self, section: Section) -> Section:
        """The section with the definitions of the figures in it."""
        codes = {
            reference.split("/")[0]
            for table in section.tables
            for cells in [*table.rows, table.total]
            for cell in cells
            for reference in cell.figure.split()
        }
        figures = self.m.figures
        return replace(
            section,
            definitions=[(f.name, f.definition) for code, f in figures.items() if code in codes],
        )

    # -- figures -----------------------------------------------------------------------------

    def cell(self, code: str, category: str, regency: str, period: str) -> Cell:
        """A frozen figure; `difference` is this week less the week before."""
        m = self.m
        figure = self.e.figure(code, category, regency)
        reference = f"{code}/{category}/{regency}/{period}"
        if period == "difference":
            behind = m(
                "behind_difference",
                week=m.number(figure.week),
                previous=m.number(figure.previous),
            )
            value = None if figure.previous is None else figure.week - figure.previous
            return Cell(m.signed(value), True, reference, value, behind)
        value = getattr(figure, period)
        return Cell(m.number(value), True, reference, value, self.behind(value, reference))

    def sum_cell(self, code: str, categories: Sequence[str], regency: str, period: str) -> Cell:
        """The sum over categories that exclude each other."""
        parts = [self.cell(code, category, regency, period) for category in categories]
        figure = self.total(code, categories, regency)
        references = " ".join(part.figure for part in parts)
        behind = self.m("behind_sum", parts=" + ".join(part.text for part in parts))
        if period == "difference":
            value = None if figure.previous is None else figure.week - figure.previous
            return Cell(self.m.signed(value), True, references, value, behind)
        value = getattr(figure, period)
        return Cell(self.m.number(value), True, references, value, behind)

    def count(self, value: int, reference: str) -> Cell:
        """A frozen count that is no figure."""
        return Cell(self.m.number(value), True, reference, value)

    def measure(self, value: float | None, reference: str, places: int = 1) -> Cell:
        """A rate, share or quotient made of frozen numbers."""
        shown = None if value is None else round(value, places)
        return Cell(self.m.decimal(value, places), True, reference, shown, places=places)

    def behind(self, count: int | None, reference: str) -> str:
        """How many facts a number counts, and how to see them."""
        if count is None:
            return ""
        reference = f"{reference}@{self.e.edition_id}"
        return self.m("behind", count=self.m.number(count), reference=reference)

    def by_regency(self, cells: Callable[[str], list[Cell]]) -> tuple[list[list[Cell]], list[Cell]]:
        """A row per regency, the unknown one last, and the province as total."""
        rows = [[Cell(self.place[r.code]), *cells(r.code)] for r in self.e.regencies]
        return rows, [Cell(self.m["province"]), *cells(PROVINCE)]

    def by_category(self, code: str, names: Iterable[tuple[str, str]]) -> list[list[Cell]]:
        """A row per category of the province, over the periods."""
        return [
            [Cell(name), *(self.cell(code, category, PROVINCE, p) for p in _PERIODS)]
            for category, name in names
        ]

    def leaders(self, values: Sequence[tuple[str, int]], *, lowest: bool = False) -> str:
        """Which regencies have the most (or least): `A (5)`, `A dan B (masing-masing 5)`.

        Args:
            values: names and counts.
            lowest: the least instead of the most.

        """
        m = self.m
        bound = (min if lowest else max)(value for _, value in values)
        names = [name for name, value in values if value == bound]
        value = m.number(bound)
        if len(names) == 1:
            return m("of_each", places=names[0], value=value)
        if len(names) == len(values):
            places = m["all_regencies"]
        elif len(names) > _NAMED:
            places = m("many_regencies", count=m.number(len(names)))
        else:
            places = m.listing(names)
        return m("of_each", places=places, value=m("same_each", value=value))

    def places(self, code: str, categories: Sequence[str], period: str) -> list[tuple[str, int]]:
        """Each known regency with its count."""
        return [
            (
                self.place[r.code],
                sum(getattr(self.e.figure(code, c, r.code), period) for c in categories),
            )
            for r in self.known
        ]

    def most_of(self, code: str, names: dict[str, str]) -> str:
        """`; terbanyak politik uang (5)`: the category of the province with the most to date."""
        counted = [
            (self.e.figure(code, category).to_date, name) for category, name in names.items()
        ]
        value, name = max(counted, key=lambda pair: pair[0])
        if not value or sum(v == value for v, _ in counted) > 1:
            return ""
        return self.m("most_of", name=_lower(name), value=self.m.number(value))

    def source(self, key: str, place: str = PROVINCE) -> str:
        """The line beneath a table or chart: source, as-of, completeness of what is in it.

        Args:
            key: the source's key in the catalogue.
            place: the regency that all of it is about.

        """
        m = self.m
        submitted, expected = self.submitted(place)
        return m(
            "source",
            source=m[key],
            as_of=m.moment(self.e.as_of),
            submitted=m.number(submitted),
            expected=m.number(expected),
            percent=m.percent(submitted, expected),
        )

    def recaps(self, place: str) -> Cell:
        """The share of districts that delivered this week's recap."""
        done, of = self.submitted(place)
        both = f"district_submitted/ALL/{place}/week district_expected/ALL/{place}/week"
        share = round(done / of, 4) if of else None
        return Cell(self.m.percent(done, of), True, f"percent {both}", share)

    def submitted(self, place: str = PROVINCE) -> tuple[int, int]:
        """Districts that delivered this week's recap, of those that should have."""
        done = self.e.figure("district_submitted", "ALL", place).week
        return done, self.e.figure("district_expected", "ALL", place).week

    def moved(self, figure: Figure) -> str:
        return self.m.change(figure.week, figure.previous)

    def number_table(self) -> tuple[int, str]:
        self.tables += 1
        return self.tables, self.m("table", number=self.tables)

    def number_chart(self) -> tuple[int, str]:
        self.charts += 1
        return self.charts, self.m("chart", number=self.charts)

    def total(self, code: str, categories: Sequence[str], regency: str = PROVINCE) -> Figure:
        """Categories that exclude each other, added up."""
        figures = [self.e.figure(code, category, regency) for category in categories]
        previous = [figure.previous for figure in figures if figure.previous is not None]
        return Figure(
            sum(figure.week for figure in figures),
            sum(figure.to_date for figure in figures),
            sum(previous) if len(previous) == len(figures) else None,
        )

    def running(self, place: str) -> dict[str, str]:
        """How many clocks run, have passed and end soon, as a sentence needs it."""
        counts = {
            "open": sum(self.clocks[place, state] for state in RUNNING),
            "overdue": self.clocks[place, "OVERDUE"],
            "soon": sum(self.clocks[place, state] for state in SOON),
        }
        return {key: self.m.number(value) for key, value in counts.items()}

    # -- main points -------------------------------------------------------------------------

    def points(self) -> list[tuple[str, str]]:
        e, m = self.e, self.m
        violation = e.figure("suspected_violation")
        kinds = {k: e.figure("suspected_violation_by_kind", k).week for k in _KINDS}
        points = [
            (
                m("point_violation", value=m.number(violation.week)),
                m(
                    "point_violation_more",
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
            nowhere = m("point_place_none", places=m.listing(none)) if none else ""
            points.append(
                (
                    m(
                        "point_place_even" if is_even else "point_place",
                        places=self.leaders(week),
                    ),
                    m(
                        "point_place_more",
                        none=nowhere if len(none) <= _NAMED else "",
                        places=self.leaders(to_date),
                    ),
                )
            )
            issues = self.top_issues("week")
            points.append(
                (m("point_issue", issues=issues), m["point_issue_more"])
                if issues
                else (m["point_issue_zero"], "")
            )
        if e.profiles:
            themes = [
                m(
                    "point_profile_theme",
                    issue=_lower(e.issues[p.issue_code]),
                    place=self.place[p.regency_code],
                    times=m.decimal(p.quotient),
                )
                for p in self.marked
            ]
            points.append(
                (m("point_profile", themes=m.listing(themes, most=3)), "")
                if themes
                else (m["point_profile_none"], "")
            )
        funnel = {k: e.figure(f"report_{k}", "LP").week for k in _FUNNEL}
        points.append(
            (
                m("point_funnel", received=m.number(funnel["received"])),
                m("point_funnel_more", **{k: m.number(v) for k, v in funnel.items()}),
            )
        )
        running = self.running(PROVINCE)
        points.append(
            (m("point_deadline", **running), m("point_deadline_more", **running))
            if any(self.clocks[PROVINCE, state] for state in RUNNING)
            else (m["point_deadline_none"], "")
        )
        events = self.places("campaign_event_by_election", _ELECTIONS, "week")
        total = self.total("campaign_event_by_election", _ELECTIONS)
        points.append(
            (
                m("point_campaign", value=m.number(total.week)),
                m(
                    "point_campaign_spread",
                    change=self.moved(total),
                    most=self.leaders(events),
                    least=self.leaders(events, lowest=True),
                )
                if total.week
                else f"{self.moved(total)}.",
            )
        )
        prevention, tip = e.figure("prevention"), e.figure("tip")
        points.append(
            (
                m("point_other", prevention=m.number(prevention.week), tip=m.number(tip.week)),
                m(
                    "point_other_more",
                    prevention_change=self.moved(prevention),
                    tip_change=self.moved(tip),
                ),
            )
        )
        submitted, expected = self.submitted()
        missing = [s.district_name for s in e.submissions if not s.is_submitted]
        points.append(
            (
                m(
                    "point_complete",
                    submitted=m.number(submitted),
                    expected=m.number(expected),
                    percent=m.percent(submitted, expected),
                ),
                m("point_complete_missing", districts=m.listing(missing, most=_NAMED))
                if missing
                else m["point_complete_all"],
            )
        )
        new = len(self.new_restatements())
        points.append(
            (m("point_restatement", count=m.number(new)), m["point_restatement_more"])
            if new
            else (m["restatement_none" if not e.restatements else "restatement_caption_told"], "")
        )
        if e.waivers:
            count = len({w.check_name for w in e.waivers})
            points.append((m("point_waiver", count=m.number(count)), m["point_waiver_more"]))
        return points

    def ranked_issues(self, period: str) -> list[tuple[str, str, int]]:
        """Code, name and count of every theme, the most frequent first."""
        counted = [
            (code, name, getattr(self.e.figure("suspected_violation_by_issue", code), period))
            for code, name in self.e.issues.items()
        ]
        return sorted(counted, key=lambda issue: -issue[2])  # ties in the order of the seed

    def top_issues(self, period: str) -> str:
        """The two most frequent themes (up to three in a tie) with their counts; or empty."""
        m = self.m
        ranked = [issue for issue in self.ranked_issues(period) if issue[2]]
        if not ranked:
            return ""
        for floor in (ranked[:2][-1][2], ranked[0][2]):
            top = [(_lower(name), n) for _, name, n in ranked if n >= floor]
            if len(top) <= 3:
                return m.listing([f"{name} ({m.number(n)})" for name, n in top])
        return m("many_issues", count=m.number(len(top)), value=m.number(floor))

    def front_charts(self) -> list[Chart]:
        """The two pictures of the first page: where, and since when."""
        e, m = self.e, self.m
        code = "suspected_violation"
        to_date = self.places(code, ["ALL"], "to_date")
        most = max((value for _, value in to_date), default=0)
        values = []
        places = []
        for r, (name, value) in zip(self.known, to_date, strict=True):
            week = m.number(e.figure(code, "ALL", r.code).week)
            said = m("map_value", place=name, to_date=m.number(value), week=week)
            values.append(said)
            places.append(
                charts.Place(
                    *(name, r.tile_row, r.tile_col, r.outline, value / most if most else 0),
                    *(m.number(value), m("map_tile", value=week), said),
                )
            )
        unknown = sum(e.figure(code, "ALL", r.code).to_date for r in e.regencies if r.is_unknown)
        note = m("map_note", unknown=m.number(unknown))
        if not charts.is_outlined(places):
            note = m["map_note_tiles"] + note
        total = e.figure(code)
        weeks = e.trend.get((code, "ALL"), ())[-16:]
        said_weeks = [
            m("trend_value", week=int(week[-2:]), value=m.number(value)) for week, value in weeks
        ]
        return [
            Chart(
                *self.number_chart(),
                m("map_title", places=self.leaders(to_date)) if most else m["map_title_zero"],
                charts.region_map(places),
                m("map_alt", count=m.number(len(places)), values="; ".join(values)),
                self.source("source_register"),
                [note],
            ),
            Chart(
                *self.number_chart(),
                m("trend_title", value=m.number(total.week), change=self.moved(total)),
                charts.columns(
                    [
                        charts.Bar(m.short_day(week_start(week)), value, m.number(value), said)
                        for (week, value), said in zip(weeks, said_weeks, strict=True)
                    ]
                ),
                m("trend_alt", values="; ".join(said_weeks)),
                self.source("source_register"),
                [m["trend_note"]],
            ),
        ]

    def glance(self) -> list[Table]:
        """Every regency on one line of the first page; none where that page has no room for it."""
        m = self.m
        if len(self.known) > 12:
            return []
        labels = self.names["issue_label"]
        themes: dict[str, list[str]] = defaultdict(list)
        for p in self.marked:
            themes[p.regency_code].append(_lower(labels[p.issue_code]))

        def cells(place: str) -> list[Cell]:
            return [
                self.cell("suspected_violation", "ALL", place, "week"),
                self.cell("suspected_violation", "ALL", place, "to_date"),
                self.count(self.clocks[place, "OVERDUE"], f"deadline/ALL/{place}/OVERDUE"),
                self.sum_cell(_EVENTS, _ELECTIONS, place, "week"),
                self.cell("prevention", "ALL", place, "week"),
                self.recaps(place),
                Cell(m.listing(themes[place]) or "–"),
            ]

        rows, last = self.by_regency(cells)
        heads = ("week", "to_date", "overdue", "events", "prevention", "recaps", "themes")
        return [
            Table(
                *self.number_table(),
                m["glance_caption"],
                [m["regency"], *(m[f"glance_{head}"] for head in heads)],
                rows,
                self.source("source_all"),
                total=last,
            )
        ]

    # -- sections ----------------------------------------------------------------------------

    def violations(self) -> Section:
        m = self.m
        code = "suspected_violation"
        rows, last = self.by_regency(
            lambda r: [
                self.cell("suspected_violation_by_kind", "LP", r, "week"),
                self.cell("suspected_violation_by_kind", "TM", r, "week"),
                *(self.cell(code, "ALL", r, p) for p in _PERIODS),
            ]
        )
        table = Table(
            *self.number_table(),
            m("violation_caption", change=self.moved(self.e.figure(code))),
            [m["regency"], m["LP"], m["TM"], m["total"], *self.period_heads[1:]],
            rows,
            self.source("source_register"),
            groups=[("", 1), (m["this_week"], 3), ("", 3)],
            total=last,
            notes=[m["violation_note"]],
        )
        return Section(
            "pelanggaran",
            m["violation_title"],
            [],
            [table, *self.since_previous(), self.rates()],
            [] if self.e.previous_id else [m["delta_none"]],
        )

    def since_previous(self) -> list[Table]:
        """Counts to date against the edition before: earlier + this week + other weeks = now."""
        e, m = self.e, self.m
        if e.previous_id is None:
            return []
        rows = []
        for code, categories in _SINCE:
            now = self.total(code, categories)
            keys = [(code, category, PROVINCE) for category in categories]
            was = sum(e.previous.get(key, 0) for key in keys)
            if any(key not in e.previous for key in keys):
                continue  # the edition before did not have the figure
            before = " ".join(f"{'/'.join(key)}/to_date@{e.previous_id}" for key in keys)
            rows.append(
                [
                    Cell(m.figures[code].name if code != _EVENTS else m["campaign_title"]),
                    self.count(was, f"since/{before}"),
                    self.sum_cell(code, categories, PROVINCE, "week"),
                    Cell(
                        m.signed(now.to_date - was - now.week),
                        True,
                        f"since/other/{before}",
                        now.to_date - was - now.week,
                    ),
                    self.sum_cell(code, categories, PROVINCE, "to_date"),
                ]
            )
        heads = ("delta_previous", "delta_week", "delta_other", "delta_now")
        return [
            Table(
                *self.number_table(),
                m(
                    "delta_caption",
                    previous=rows[0][1].text,
                    now=rows[0][4].text,
                    edition=e.previous_id,
                ),
                [m["figure"], *(m[head] for head in heads)],
                rows,
                self.source("source_all"),
                notes=[m["delta_note"]],
            )
        ]

    def rates(self) -> Table:
        m = self.m
        cases = dict(self.places("suspected_violation", ["ALL"], "to_date"))
        rated = [
            (self.place[r.code], 100_000 * cases[self.place[r.code]] / r.voters)
            for r in self.known
            if r.voters and cases[self.place[r.code]]
        ]
        most = sorted(rated, key=lambda pair: -pair[1])[:2]
        listed = [m("of_each", places=name, value=m.decimal(rate)) for name, rate in most]
        return Table(
            *self.number_table(),
            m("rate_caption", places=m.listing(listed)) if rated else m["rate_caption_zero"],
            [
                m["regency"],
                *(m[head] for head in ("voters", "stations", "to_date")),
                *(m[head] for head in ("per_voters", "per_stations", "rate_mark")),
            ],
            [
                [Cell(self.place[r.code]), *self.rate_cells(r.code, r.voters, r.stations)]
                for r in self.known
            ],
            self.source("source_register"),
            total=[
                Cell(m["province"]),
                *self.rate_cells(
                    PROVINCE,
                    sum(r.voters for r in self.known),
                    sum(r.stations for r in self.known),
                ),
            ],
            notes=[m("rate_note", bound=FEW)],
        )

    def rate_cells(self, place: str, voters: int, stations: int) -> list[Cell]:
        code = "suspected_violation"
        cases = self.e.figure(code, "ALL", place).to_date
        key = f"{code}/ALL/{place}/to_date"
        return [
            self.count(voters, f"reference/voters/{place}"),
            self.count(stations, f"reference/stations/{place}"),
            self.cell(code, "ALL", place, "to_date"),
            self.measure(100_000 * cases / voters if voters else None, f"rate/voters {key}"),
            self.measure(100 * cases / stations if stations else None, f"rate/stations {key}"),
            Cell("†" if cases < FEW else ""),
        ]

    def issues(self) -> Section:
        m = self.m
        code = "suspected_violation_by_issue"
        ranked = self.ranked_issues("to_date")
        # A few words are enough beside a bar; the tables have the name whole.
        labels = self.names["issue_label"]
        shown = [(labels[issue], value) for issue, _, value in ranked if value][:10]
        pictures = []
        if shown:
            floor = shown[min(1, len(shown) - 1)][1]
            said = [f"{name} {m.number(value)}" for name, value in shown]
            pictures.append(
                Chart(
                    *self.number_chart(),
                    m("issue_chart", issues=self.top_issues("to_date")),
                    charts.bars(
                        [
                            charts.Bar(name, value, m.number(value), words)
                            for (name, value), words in zip(shown, said, strict=True)
                        ],
                        accented=sum(value >= floor for _, value in shown),
                    ),
                    m("issue_alt", values="; ".join(said)),
                    self.source("source_register"),
                    [m["issue_note"]],
                )
            )
        week_top = self.top_issues("week")
        tables = [
            self.by_type("suspected_violation_by_type", "type_caption"),
            Table(
                *self.number_table(),
                m("issue_caption", issues=week_top) if week_top else m["issue_caption_zero"],
                [m["theme"], *self.period_heads],
                self.by_category(code, [(issue, name) for issue, name, _ in ranked]),
                self.source("source_register"),
                notes=[m["issue_note"]],
            ),
            *self.matrix("matrix_week", "week"),
            *self.matrix("matrix_to_date", "to_date"),
        ]
        return Section("tema", m["issue_title"], pictures, tables)

    def by_type(self, code: str, caption: str) -> Table:
        m = self.m
        names = {kind: self.e.violation_types[kind] for kind in _TYPES}
        return Table(
            *self.number_table(),
            m(caption, most=self.most_of(code, names)),
            [m["type"], *self.period_heads],
            self.by_category(code, names.items()),
            self.source("source_register"),
            notes=[m["type_note"]],
        )

    def matrix(self, caption: str, period: str) -> list[Table]:
        """Themes by regency; themes that are zero everywhere are left out.

        No table where every theme is zero: the table of themes before it says so.
        """
        m = self.m
        code = "suspected_violation_by_issue"
        ranked = self.ranked_issues(period)
        shown = [issue for issue in ranked if issue[2]]
        if not shown:
            return []
        notes = [m["issue_note"], *([m["matrix_rest"]] if len(shown) < len(ranked) else [])]
        if len(self.known) <= 8:  # themes down, regencies across: names of themes are long
            heads = [m["theme"], *(self.place[r.code] for r in self.known)]
            heads += [m["unknown_head"] for r in self.e.regencies if r.is_unknown]
            rows = [
                [
                    Cell(name),
                    *(self.cell(code, issue, r.code, period) for r in self.e.regencies),
                    self.cell(code, issue, PROVINCE, period),
                ]
                for issue, name, _ in shown
            ]
            return [
                Table(
                    *self.number_table(),
                    m[caption],
                    [*heads, m["province"]],
                    rows,
                    self.source("source_register"),
                    notes=notes,
                )
            ]
        labels = self.names["issue_label"]
        rows, last = self.by_regency(
            lambda r: [self.cell(code, issue, r, period) for issue, _, _ in shown]
        )
        return [
            Table(
                *self.number_table(),
                m[caption],
                [m["regency"], *(labels[issue] for issue, _, _ in shown)],
                rows,
                self.source("source_register"),
                total=last,
                notes=notes,
            )
        ]

    def profile(self) -> Section:
        """What marks each regency, and what was done to prevent it."""
        e, m = self.e, self.m
        section = Section("pencegahan", m["profile_title"], [], [])
        if not e.profiles:
            return replace(section, paragraphs=[m["profile_absent"]])
        labels = self.names["issue_label"]
        first: dict[str, Profile] = {}
        for profile in self.marked:
            first.setdefault(profile.regency_code, profile)
        most = max((p.quotient or 0 for p in self.marked), default=0)
        places, values = [], []
        for r in self.known:
            top = first.get(r.code)
            theme = labels[top.issue_code] if top else ""
            times = m("profile_times", value=m.decimal(top.quotient)) if top else ""
            said = m(
                "profile_value" if top else "profile_value_none",
                place=self.place[r.code],
                theme=f"{_lower(theme)} {times}",
            )
            values.append(said)
            places.append(
                charts.Place(
                    *(self.place[r.code], r.tile_row, r.tile_col, r.outline),
                    (top.quotient or 0) / most if top else 0,
                    *(theme or "–", times, said),
                )
            )
        themes = [
            m(
                "profile_theme_short",
                issue=_lower(labels[p.issue_code]),
                place=self.place[p.regency_code],
            )
            for p in self.marked
        ]
        note = m["profile_map_note"]
        if not charts.is_outlined(places):
            note = m["map_note_tiles"] + note
        chart = Chart(
            *self.number_chart(),
            m("profile_chart", themes=m.listing(themes, most=3))
            if themes
            else m["profile_chart_none"],
            charts.region_map(places),
            m("profile_alt", count=m.number(len(places)), values="; ".join(values)),
            self.source("source_all"),
            [note],
        )
        prevented = {p.regency_code: p.last_4_prevention for p in e.profiles}
        heads = ("theme", "cases", "share", "province", "quotient", "interval", "trend")
        unmarked = [r for r in self.known if r.code not in first]
        table = Table(
            *self.number_table(),
            m["profile_caption"],
            [
                m["regency"],
                *(m["theme" if head == "theme" else f"profile_{head}"] for head in heads),
                m["profile_prevention"],
            ],
            [
                *(self.profile_row(p) for p in self.marked),
                *(
                    [
                        Cell(self.place[r.code]),
                        Cell(m["profile_none"]),
                        *[Cell("–", True, f"profile/none/{r.code}")] * 4,
                        *[Cell("–")] * 2,
                        self.count(prevented.get(r.code, 0), f"profile/prevention/{r.code}"),
                    ]
                    for r in unmarked[:_SHOWN]
                ),
            ],
            self.source("source_all"),
            notes=[m["profile_note"]],
            is_text=True,
        )
        return replace(section, charts=[chart], tables=[table])

    def profile_row(self, p: Profile) -> list[Cell]:
        m = self.m
        key = f"{p.regency_code}/{p.issue_code}"
        return [
            Cell(self.place[p.regency_code]),
            Cell(self.e.issues[p.issue_code]),
            self.count(p.cases, f"profile/cases/{key}"),
            Cell(m.percent(p.cases, p.base), True, f"percent/share/{key}", _share(p.share)),
            Cell(
                m("percent", value=m.decimal(p.province_share, 0)),
                True,
                f"percent/province/{key}",
                _share(p.province_share),
            ),
            self.measure(p.quotient, f"profile/quotient/{key}"),
            Cell(self.interval(p)),
            Cell(
                m(
                    "profile_trend_value",
                    trend=m[p.trend_code],
                    previous=m.number(p.previous_4),
                    last=m.number(p.last_4),
                )
            ),
            self.count(p.last_4_prevention, f"profile/prevention/{key}"),
        ]

    def interval(self, p: Profile) -> str:
        return self.m("interval", lower=self.m.decimal(p.lower), upper=self.m.decimal(p.upper))

    def funnel(self) -> Section:
        m = self.m
        rows = [
            [
                Cell(m[kind]),
                *(
                    self.cell(f"report_{step}", kind, PROVINCE, period)
                    for period in ("week", "to_date")
                    for step in _FUNNEL
                ),
            ]
            for kind in _KINDS
        ]
        to_date = {step: self.total(f"report_{step}", _KINDS).to_date for step in _FUNNEL}
        heads = [m[step] for step in _FUNNEL]
        by_reason, by_result = "report_not_registered_by_reason", "report_registered_by_result"
        reasons = {code: self.categories[by_reason, code] for code in _REASONS}
        results = {code: self.categories[by_result, code] for code in _RESULTS}
        tables = [
            Table(
                *self.number_table(),
                m(
                    "funnel_caption",
                    received=m.number(to_date["received"]),
                    registered=m.number(to_date["registered"]),
                ),
                [m["kind"], *heads, *heads],
                rows,
                self.source("source_register"),
                groups=[("", 1), (m["this_week"], 4), (m["to_date"], 4)],
                notes=[m["funnel_note"]],
            ),
            Table(
                *self.number_table(),
                m(
                    "reason_caption",
                    count=m.number(to_date["not_registered"]),
                    most=self.most_of(by_reason, reasons),
                ),
                [m["reason"], *self.period_heads],
                self.by_category(by_reason, reasons.items()),
                self.source("source_register"),
            ),
            Table(
                *self.number_table(),
                m(
                    "result_caption",
                    **{
                        code.lower(): m.number(self.e.figure(by_result, code).to_date)
                        for code in _RESULTS
                    },
                ),
                [m["result"], *self.period_heads],
                self.by_category(by_result, results.items()),
                self.source("source_register"),
                notes=[m["result_note"]],
            ),
            self.by_type("report_registered_by_type", "registered_type_caption"),
        ]
        return Section("registrasi", m["funnel_title"], [], tables)

    def deadlines(self) -> Section:
        """Legal clocks by rule, and those that run by regency."""
        m = self.m
        rules = self.names["deadline_rule"]
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for d in self.e.deadlines:
            counts[d.rule_code, d.state_code] += d.count

        def row(label: str, values: Callable[[str], int], key: str) -> list[Cell]:
            return [
                Cell(label),
                *(
                    self.count(values(state), f"deadline/{key}/{state}")
                    for state in (*RUNNING, *ENDED)
                ),
            ]

        note = m("deadline_note", sources="; ".join(self.e.legal_sources))
        caption = m("deadline_caption", **self.running(PROVINCE))
        province = self.clocks
        by_rule = Table(
            *self.number_table(),
            caption,
            [m["deadline"], *(m[state] for state in (*RUNNING, *ENDED))],
            [
                row(name, lambda state, rule=rule: counts[rule, state], f"{rule}/{PROVINCE}")  # type: ignore[misc]
                for rule, name in rules.items()
            ],
            self.source("source_register"),
            groups=[
                *[("", 1), (m["deadline_running"], len(RUNNING))],
                (m["deadline_ended"], len(ENDED)),
            ],
            total=row(m["total"], lambda state: province[PROVINCE, state], f"ALL/{PROVINCE}"),
            notes=[note],
        )

        def running(place: str) -> list[Cell]:
            values = [province[place, state] for state in RUNNING]
            cells = [
                self.count(value, f"deadline/ALL/{place}/{state}")
                for state, value in zip(RUNNING, values, strict=True)
            ]
            return [*cells, self.count(sum(values), f"deadline/ALL/{place}/running")]

        rows, last = self.by_regency(running)
        by_regency = Table(
            *self.number_table(),
            m["deadline_regency"],
            [m["regency"], *(m[state] for state in RUNNING), m["total"]],
            rows,
            self.source("source_register"),
            groups=[("", 1), (m["deadline_running"], len(RUNNING)), ("", 1)],
            total=last,
        )
        return Section("tenggat", m["deadline_title"], [], [by_rule, by_regency])

    def tips(self) -> Section:
        m = self.m
        rows, last = self.by_regency(lambda r: [self.cell("tip", "ALL", r, p) for p in _PERIODS])
        table = Table(
            *self.number_table(),
            m("tip_caption", change=self.moved(self.e.figure("tip"))),
            [m["regency"], *self.period_heads],
            rows,
            self.source("source_tip"),
            total=last,
            notes=[m["tip_note"]],
        )
        return Section("tip", m["tip_title"], [], [table])

    def parts(
        self, caption: str, code: str, categories: Sequence[str], notes: Sequence[str] = ()
    ) -> Table:
        """A table of categories that exclude each other by regency, this week and to date."""
        m = self.m
        heads = [*(self.categories[code, category] for category in categories), m["total"]]
        rows, last = self.by_regency(
            lambda r: [
                cell
                for period in ("week", "to_date")
                for cell in [
                    *(self.cell(code, category, r, period) for category in categories),
                    self.sum_cell(code, categories, r, period),
                ]
            ]
        )
        return Table(
            *self.number_table(),
            caption,
            [m["regency"], *heads, *heads],
            rows,
            self.source("source_recap"),
            groups=[("", 1), (m["this_week"], len(heads)), (m["to_date"], len(heads))],
            total=last,
            notes=list(notes),
        )

    def spread(self, caption: str, code: str, categories: Sequence[str]) -> str:
        """How the count moved, and which regencies have most and least to date."""
        values = self.places(code, categories, "to_date")
        return self.m(
            caption,
            change=self.moved(self.total(code, categories)),
            most=self.leaders(values),
            least=self.leaders(values, lowest=True),
        )

    def campaign(self) -> Section:
        m = self.m
        elections, methods = "campaign_event_by_election", "campaign_event_by_method"
        names = {category: self.categories[methods, category] for category in _METHODS}
        tables = [
            self.parts(
                self.spread("campaign_election", elections, _ELECTIONS), elections, _ELECTIONS
            ),
            self.parts(
                m("campaign_method", most=self.most_of(methods, names)),
                *(methods, _METHODS, [m["campaign_note"]]),
            ),
        ]
        return Section("kampanye", m["campaign_title"], [], tables)

    def prevention(self) -> Section:
        code = "prevention_by_type"
        caption = self.spread("prevention_caption", "prevention", ("ALL",))
        table = self.parts(caption, code, _PREVENTIONS, [self.m["prevention_note"]])
        return Section("prevention", self.m["prevention_title"], [], [table])

    def regency(self, regency: Regency) -> Section:
        """A regency's own page: what to know, its main figures, its districts by theme group."""
        m = self.m
        name = self.place[regency.code]
        figures = Table(
            *self.number_table(),
            m("regency_caption", name=name),
            [m["figure"], *self.period_heads],
            [
                [
                    Cell(
                        m.figures[code].name
                        if category == "ALL"
                        else m("figure_category", figure=m.figures[code].name, category=m[category])
                    ),
                    *(self.cell(code, category, regency.code, p) for p in _PERIODS),
                ]
                for code, category in _MAIN
            ]
            + [
                [
                    Cell(m["campaign_title"]),
                    *(self.sum_cell(_EVENTS, _ELECTIONS, regency.code, p) for p in _PERIODS),
                ]
            ],
            self.source("source_all", regency.code),
            sheet="regency",
            subject=name,
        )
        cells = {(d.district_code, d.group_code): d for d in self.district_cells[regency.code]}
        names = {code: cell.district_name for (code, _), cell in cells.items()}
        tables = [figures, *self.themes(regency)]
        if self.e.district_weeks:
            first, last = map(week_start, self.e.district_weeks)
            threshold = self.e.office.small_cell_threshold
            tables.append(
                Table(
                    *self.number_table(),
                    m(
                        "district_caption",
                        name=name,
                        first=m.day(first),
                        last=m.day(last + timedelta(days=6)),
                    ),
                    [m["district"], *(m[f"group_{group}"] for group in GROUPS)],
                    [
                        [
                            Cell(names[code] or m["unknown_place"]),
                            *(self.district_cell(cells[code, group]) for group in GROUPS),
                        ]
                        for code in sorted(names, key=lambda code: (not code, code))
                    ],
                    self.source("source_register", regency.code),
                    notes=[m("district_note", threshold=threshold)],
                    sheet="districts",
                    subject=name,
                )
            )
        title = regency.name
        for kind in ("kabupaten", "kota"):
            if title.lower().startswith(f"{kind} "):
                title = m(kind, name=name)
        return Section(
            f"kab-{regency.code.replace('.', '-')}",
            title,
            *([], tables),
            is_page=True,
            lead=self.narrative(regency),
        )

    def themes(self, regency: Regency) -> list[Table]:
        """What a regency's cases are about, against the province."""
        m = self.m
        profiles = [p for p in self.profiles_of[regency.code] if p.cases]
        if not profiles:
            return []
        heads = ("cases", "share", "province", "quotient", "interval", "trend")
        return [
            Table(
                *self.number_table(),
                m("regency_themes", name=self.place[regency.code]),
                [m["theme"], *(m[f"profile_{head}"] for head in heads)],
                [
                    self.profile_row(p)[1:-1]
                    for p in sorted(profiles, key=lambda p: (-p.cases, p.issue_code))
                ],
                self.source("source_all", regency.code),
                notes=[m["regency_themes_note"]],
                sheet="themes",
                subject=self.place[regency.code],
            )
        ]

    def narrative(self, regency: Regency) -> list[str]:
        """What to know of a regency this week, in sentences made from its figures."""
        m = self.m
        code = regency.code
        cases = self.e.figure("suspected_violation", "ALL", code)
        sentences = [
            m(
                "regency_violation",
                value=m.number(cases.week),
                change=self.moved(cases),
                to_date=m.number(cases.to_date),
            )
        ]
        voters = sum(r.voters for r in self.known)
        if regency.voters:
            province = self.e.figure("suspected_violation").to_date
            rate = m(
                "regency_rate",
                rate=m.decimal(100_000 * cases.to_date / regency.voters),
                province=m.decimal(100_000 * province / voters),
            )
            few = f" {m('regency_few', bound=FEW)}" if cases.to_date < FEW else ""
            sentences.append(rate + few)
        profiles = self.profiles_of[code]
        if profiles:
            themes = [
                m(
                    "regency_theme",
                    issue=_lower(self.e.issues[p.issue_code]),
                    times=m.decimal(p.quotient),
                    interval=self.interval(p),
                    trend=m[p.trend_code],
                )
                for p in self.marked
                if p.regency_code == code
            ]
            sentences.append(
                m(
                    "regency_profile" if themes else "regency_profile_none",
                    themes=m.listing(themes),
                    prevention=m.number(profiles[0].last_4_prevention),
                )
            )
        sentences.append(m("regency_deadline", **self.running(code)))
        missing = [
            m("missing_since", district=s.district_name, day=m.day(s.last_delivery))
            if s.last_delivery
            else m("missing_never", district=s.district_name)
            for s in self.missing[code]
        ]
        sentences.append(
            m("regency_missing", districts=m.listing(missing))
            if missing
            else m["point_complete_all"]
        )
        return sentences

    def district_cell(self, cell: DistrictFigure) -> Cell:
        text = self.m["suppressed"] if cell.count is None else self.m.number(cell.count)
        place = cell.district_code or cell.regency_code
        return Cell(text, True, f"district/{place}/{cell.group_code}/weeks", cell.count)

    def completeness(self) -> Section:
        """How many districts delivered, when the last delivery came, and who has not."""
        e, m = self.e, self.m
        last: dict[str, list[Submission]] = defaultdict(list)
        for submission in e.submissions:
            for place in (submission.regency_code, PROVINCE):
                last[place].append(submission)

        def cells(place: str) -> list[Cell]:
            days = [s.last_delivery for s in last[place] if s.last_delivery]
            return [
                self.cell("district_expected", "ALL", place, "week"),
                self.cell("district_submitted", "ALL", place, "week"),
                self.recaps(place),
                Cell(m.day(max(days)) if days else m["never"]),
            ]

        submitted, expected = self.submitted()
        heads = ("regency", "districts", "submitted", "share", "last_delivery")
        tables = [
            Table(
                *self.number_table(),
                m(
                    "complete_caption",
                    submitted=m.number(submitted),
                    expected=m.number(expected),
                ),
                [m[head] for head in heads],
                [[Cell(self.place[r.code]), *cells(r.code)] for r in self.known],
                self.source("source_recap"),
                total=[Cell(m["province"]), *cells(PROVINCE)],
                notes=[m["complete_note"]],
            )
        ]
        missing = [s for s in e.submissions if not s.is_submitted]
        if not missing:
            return Section("kelengkapan", m["complete_title"], [], tables, [m["missing_none"]])
        tables.append(
            Table(
                *self.number_table(),
                m("missing_caption", count=m.number(len(missing))),
                [m["district"], m["regency"], m["last_delivery"]],
                [
                    [
                        Cell(s.district_name),
                        Cell(self.place.get(s.regency_code, s.regency_code)),
                        Cell(m.day(s.last_delivery) if s.last_delivery else m["never"]),
                    ]
                    for s in missing
                ],
                self.source("source_recap"),
                is_text=True,
            )
        )
        return Section("kelengkapan", m["complete_title"], [], tables)

    def new_restatements(self) -> list[Restatement]:
        """Weekly figures of earlier editions that differ and were not told before."""
        return [r for r in self.e.restatements if r.period == "week" and not r.is_told]

    def restatements(self) -> Section:
        """Each week's figure of an earlier edition that is different now, told once."""
        m = self.m
        section = Section("perubahan", m["restatement_title"], [], [])
        if not self.e.restatements:
            return replace(section, paragraphs=[m["restatement_none"]])
        new = self.new_restatements()
        told = sum(r.period == "week" for r in self.e.restatements) - len(new)
        notes = [m["restatement_note"]]
        if told:
            notes.append(m("restatement_told", count=m.number(told)))
        if len(new) > _SHOWN:
            notes.append(m("restatement_rest", count=m.number(len(new) - _SHOWN)))
        if not new:
            return replace(section, paragraphs=[m["restatement_caption_told"], *notes])
        places = self.place | {PROVINCE: m["province"]}
        # the province first: one line says what the regencies' lines are about
        new.sort(key=lambda r: (r.of_edition_id, r.regency_code != PROVINCE))
        heads = ("edition", "figure", "place", "old", "new", "why")
        table = Table(
            *self.number_table(),
            m("restatement_caption", count=m.number(len(new))),
            [m["figure" if head == "figure" else f"restatement_{head}"] for head in heads],
            [
                [
                    Cell(r.of_edition_id),
                    Cell(self.full_name(r.figure_code, r.category_code)),
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

    def full_name(self, code: str, category: str) -> str:
        name = self.m.figures[code].name
        part = self.categories.get((code, category))
        return self.m("figure_category", figure=name, category=part) if part else name

    def restated(self, restatement: Restatement, at: str) -> Cell:
        r, value = restatement, getattr(restatement, at)
        key = f"{r.figure_code}/{r.category_code}/{r.regency_code}/week@{r.of_edition_id}"
        return self.count(value, f"restatement/{at}/{key}")

    def waivers(self) -> Section:
        """Which checks a person lets fail, and why."""
        m = self.m
        return Section(
            "pengecualian",
            m["waiver_title"],
            [],
            [],
            [
                m(
                    "waiver",
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
        m = self.m
        entries = self.e.not_counted
        section = Section("tidak-dihitung", m["not_counted_title"], [], [])
        if not entries:
            return replace(section, paragraphs=[m["not_counted_none"]])
        table = Table(
            *self.number_table(),
            m(
                "not_counted_caption",
                count=m.number(sum(n.to_date for n in entries)),
                week=m.number(sum(n.week for n in entries)),
            ),
            [m["channel"], m["reason"], m["owner"], m["this_week"], m["to_date"]],
            [
                [
                    Cell(n.channel_title),
                    Cell(self.why_not(n.reason_code, n.reason)),
                    Cell(n.owner_name),
                    *(
                        self.count(value, f"not_counted/{n.channel}/{n.reason_code}/{period}")
                        for period, value in (("week", n.week), ("to_date", n.to_date))
                    ),
                ]
                for n in entries
            ],
            self.source("source_all"),
            notes=[m["not_counted_note"]],
            is_text=True,
        )
        return replace(section, tables=[table])

    def why_not(self, code: str, reason: str) -> str:
        """The frozen reason, which is in Indonesian; in another language the code's own words."""
        if self.m is not INDONESIAN:
            known = self.names["set_apart_reason"].get(code)
            key = f"reason_{code}" if f"reason_{code}" in self.m else "reason_other"
            reason = known or self.m[key]
        return reason[:1].upper() + reason[1:]

    def method(self) -> Section:
        e, m = self.e, self.m
        paragraphs = m.method(e)
        paragraphs.append(m("about_frozen", frozen_at=m.moment(e.frozen_at)))
        paragraphs.append(m("about_hash", content_hash=e.content_hash))
        if e.decision:
            paragraphs.append(m("about_reviewed", count=m.number(len(e.decision.reviewed))))
        return Section("metode", m["method_title"], [], [], paragraphs)


def _share(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 3)


def _lower(name: str) -> str:
    """A theme's name inside a sentence: `Politik uang` begins small, `SARA` stays."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
