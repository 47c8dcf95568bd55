"""Cells, numbers and sentences that the chapters and the portal share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from lumbung import registry
from lumbung.publication.model.document import Cell, Table
from lumbung.publication.model.edition import (
    DistrictMetric,
    Edition,
    MetricValue,
    Profile,
    Regency,
    Submission,
)
from lumbung.publication.model.rounding import Exact, half_up, whole_percent
from lumbung.publication.translations.formatting import Messages, messages_of

SOON = ("DAYS_0", "DAYS_1")
FEW = 20
"""Rates of fewer cases are flagged: their relative standard error is above 22 per cent."""
SHOWN = 100
"""Rows that a growing table prints; the open data has all."""
NAMED = 12
"""Places that a sentence names at most."""
OF_RECAPS = ("campaign_event", "prevention")
"""The metrics that come from recaps only."""
HEADLINE = ("suspected_violation", "ALL")
"""Metric and category of the number that an edition is read for."""
FUNNEL = ("received", "registered", "not_registered", "pending")
PERIODS = ("week", "previous", "difference", "to_date")
TABLES = (
    "need", "glance", "violation", "context_week", "context_to_date", "since_previous", "rate",
    "type_caption", "issue", "matrix_week", "matrix_to_date", "profile", "funnel", "reason",
    "result", "registered_type_caption", "forwarded", "deadline", "deadline_regency", "tip",
    "campaign_election", "campaign_method", "prevention_caption", "complete", "missing",
    "revision", "restatement", "not_counted", "before_campaign", "participation", "vulnerability",
    "effect",
)  # fmt: skip
"""The tables of the province; their place is their number in every edition. New ones come last.

`deadline_regency` is not published any more (ADR 35); its number stays free.
"""
TABLES_OF_REGENCY = {"brief": "a", "metrics": "b", "themes": "c", "districts": "d"}
CHARTS = ("map", "weeks", "issue", "profile")


def name_of(regency: Regency, m: Messages) -> str:
    """Return `Bangka Barat` for `Kabupaten Bangka Barat`; the unknown member has its own name."""
    if regency.is_unknown:
        return m["unknown_place"]
    return regency.name.removeprefix("Kabupaten ").removeprefix("Kota ")


def lower(name: str) -> str:
    """Return a theme's name inside a sentence: `Politik uang` in lower case, `SARA` unchanged."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


class ChapterBuilder:
    """Builds cells and sentences of one edition in its language; numbers its tables and charts."""

    def __init__(self, edition: Edition) -> None:
        self.e = edition
        self.m = messages_of(edition)
        self.names = edition.names[edition.language]
        self.known = [r for r in edition.regencies if not r.is_unknown]
        self.place = {r.code: name_of(r, self.m) for r in edition.regencies}
        self.categories = self.m.category_names(edition)
        self.kinds = self.m.terms("case_kind")
        self.period_heads = [
            self.m[head] for head in ("this_week", "last_week", "difference", "to_date")
        ]
        states = {deadline.state_code for deadline in edition.deadlines}
        self.running_states = [s for s in registry.deadline_states("running") if s in states]
        self.ended_states = [
            s for s in registry.deadline_states("ended", "uncertain") if s in states
        ]
        self.deadlines: dict[str, int] = defaultdict(int)
        for deadline in edition.deadlines:
            self.deadlines[deadline.state_code] += deadline.count
        self.missing: dict[str, list[Submission]] = defaultdict(list)
        for submission in edition.submissions:
            if not submission.is_submitted:
                self.missing[submission.regency_code].append(submission)
        self.district_cells: dict[str, list[DistrictMetric]] = defaultdict(list)
        for district in edition.district_metrics:
            self.district_cells[district.regency_code].append(district)
        self.marked = sorted(
            (p for p in edition.profiles if p.is_marked),
            key=lambda p: (-(p.quotient or 0), p.regency_code, p.issue_code),
        )
        self.profiles_of: dict[str, list[Profile]] = defaultdict(list)
        for p in edition.profiles:
            self.profiles_of[p.regency_code].append(p)
        self.needs = [n for n in edition.needs if not n.regency_code.endswith(".00")]

    def cell(self, code: str, category: str, regency: str, period: str) -> Cell:
        """Return a cell of a frozen metric; `difference` is this week minus the previous week."""
        m = self.m
        metric = self.e.metric(code, category, regency)
        reference = f"{code}/{category}/{regency}/{period}"
        if period == "difference":
            explanation = m(
                "explanation_difference",
                week=m.number(metric.week),
                previous=m.number(metric.previous),
            )
            if not self.is_comparable(code, regency):
                return Cell(m["difference_no_recap"], True, reference)
            value = None if metric.previous is None else metric.week - metric.previous
            return Cell(m.signed(value), True, reference, value, explanation)
        value = getattr(metric, period)
        return Cell(m.number(value), True, reference, value, self.explanation(value, reference))

    def detail(self, code: str, category: str, regency: str) -> Cell:
        """Return a cell of what details a regency's cases in `district_weeks`."""
        value = self.e.details.get((code, category, regency))
        reference = f"{code}/{category}/{regency}/weeks"
        if value is None:
            hidden = self.m["explanation_district"]
            return Cell(self.m["suppressed"], True, reference, None, hidden)
        return self.traced(value, reference)

    def sum_cell(self, code: str, categories: Sequence[str], regency: str, period: str) -> Cell:
        """Return a cell with the sum over categories that exclude each other."""
        if len(categories) == 1:
            return self.cell(code, categories[0], regency, period)
        parts = [self.cell(code, category, regency, period) for category in categories]
        metric = self.total(code, categories, regency)
        references = " ".join(part.metric for part in parts)
        explanation = self.m("explanation_sum", parts=" + ".join(part.text for part in parts))
        if period == "difference":
            if not self.is_comparable(code, regency):
                return Cell(self.m["difference_no_recap"], True, references)
            value = None if metric.previous is None else metric.week - metric.previous
            return Cell(self.m.signed(value), True, references, value, explanation)
        value = getattr(metric, period)
        return Cell(self.m.number(value), True, references, value, explanation)

    def count(self, value: int, reference: str, explanation: str) -> Cell:
        """Return a cell of a frozen count that is not a metric, with an explanation of it."""
        return Cell(self.m.number(value), True, reference, value, explanation)

    def deadline(self, value: int, state: str, rule: str = "ALL") -> Cell:
        """Return a cell of the number of the province's legal deadlines in a state."""
        return self.traced(value, f"deadline/{rule}/{self.e.area_code}/{state}")

    def traced(self, value: int, reference: str) -> Cell:
        """Return a cell of a frozen count that is not a metric but can be traced."""
        return self.count(value, reference, self.explanation(value, reference))

    def compared(self, table: Table) -> Table:
        """Return the table, with a note where it compares weeks of which one has fewer days."""
        periods = {
            reference.rsplit("/", 1)[-1]
            for cells in [*table.rows, table.total]
            for cell in cells
            for reference in cell.metric.split()
        }
        if not periods & {"previous", "difference"}:
            return table
        short = self.m.short_weeks(self.e, self.e.weeks[-2:])
        return replace(table, notes=[*table.notes, *short])

    def recap(self, week: str | None) -> str:
        """Return the week of a recap, `pekan 46`, or that there was none."""
        return self.m("recap_week", week=int(week[-2:])) if week else self.m["never"]

    def measure(
        self, value: Exact | None, reference: str, explanation: str, places: int = 1
    ) -> Cell:
        """Return a cell of a rate or quotient of frozen numbers, with an explanation of it."""
        shown = None if value is None else half_up(value, places)
        return Cell(self.m.decimal(value, places), True, reference, shown, explanation, places)

    def share(self, percent: Exact | None, reference: str, explanation: str) -> Cell:
        """Return a cell of a percentage of frozen numbers; its value is a share from 0 to 1."""
        shown = None if percent is None else whole_percent(percent) / 100
        return Cell(self.m.share(percent), True, f"percent {reference}", shown, explanation)

    def explanation(self, count: int | None, reference: str) -> str:
        """Return how many facts a number counts, and the reference to trace them."""
        if count is None:
            return ""
        reference = f"{reference}@{self.e.edition_id}"
        return self.m("explanation", count=self.m.number(count), reference=reference)

    def by_regency(self, cells: Callable[[str], list[Cell]]) -> tuple[list[list[Cell]], list[Cell]]:
        """Return a row per regency, the unknown one last, and the province as total."""
        rows = [[Cell(self.place[r.code]), *cells(r.code)] for r in self.e.regencies]
        return rows, [Cell(self.m["province"]), *cells(self.e.area_code)]

    def by_category(self, code: str, names: Iterable[tuple[str, str]]) -> list[list[Cell]]:
        """Return a row per category of the province, over the periods."""
        return [
            [Cell(name), *(self.cell(code, category, self.e.area_code, p) for p in PERIODS)]
            for category, name in names
        ]

    def named(self, code: str) -> dict[str, str]:
        """Return a metric's categories in the edition with their names, in the registry's order."""
        order = [*registry.categories(code)]
        found = [category for metric, category in self.categories if metric == code]
        return {
            category: self.categories[code, category] for category in sorted(found, key=order.index)
        }

    def leaders(self, values: Sequence[tuple[str, int]], *, lowest: bool = False) -> str:
        """Name the regencies with the most (or fewest): `A (5)`, `A dan B (masing-masing 5)`.

        Args:
            values: names and counts.
            lowest: name those with the fewest instead.

        """
        m = self.m
        bound = (min if lowest else max)(value for _, value in values)
        names = [name for name, value in values if value == bound]
        value = m.number(bound)
        if len(names) == 1:
            return m("of_each", places=names[0], value=value)
        if len(names) == len(values):
            places = m["all_regencies"]
        elif len(names) > NAMED:
            places = m("many_regencies", count=m.number(len(names)))
        else:
            places = m.listing(names)
        return m("of_each", places=places, value=m("same_each", value=value))

    def places(self, code: str, period: str) -> list[tuple[str, int]]:
        """Return each known regency with its count."""
        return [
            (self.place[r.code], getattr(self.e.metric(code, "ALL", r.code), period))
            for r in self.known
        ]

    def most_of(self, code: str, names: dict[str, str]) -> str:
        """Name the province's most frequent category to date: `; terbanyak politik uang (5)`."""
        counted = [
            (self.e.metric(code, category).to_date, name) for category, name in names.items()
        ]
        value, name = max(counted, key=lambda pair: pair[0])
        if not value or sum(v == value for v, _ in counted) > 1:
            return ""
        return self.m("most_of", name=lower(name), value=self.m.number(value))

    def source(self, key: str, place: str = "") -> str:
        """Return the line below a table or chart: source, as-of and completeness.

        Args:
            key: the key of the message that names the source.
            place: the regency that the table is about; empty: the province.

        """
        m = self.m
        submitted, expected = self.submitted(place)
        recaps = self.of_recaps(
            "source_recaps",
            submitted=m.number(submitted),
            expected=m.number(expected),
            percent=m.percent(submitted, expected),
        )
        return m("source", source=m[key], as_of=m.moment(self.e.data_at), recaps=recaps)

    def recaps(self, place: str) -> Cell:
        """Return a cell of the share of districts that delivered this week's recap."""
        done, of = self.submitted(place)
        both = f"district_submitted/ALL/{place}/week district_expected/ALL/{place}/week"
        explanation = self.of_recaps("explanation_recaps", submitted=done, expected=of)
        return self.share(Fraction(100 * done, of) if of else None, both, explanation)

    def submitted(self, place: str = "") -> tuple[int, int]:
        """Return how many districts delivered this week's recap, and how many should have."""
        done = self.e.metric("district_submitted", "ALL", place).week
        return done, self.e.metric("district_expected", "ALL", place).week

    @property
    def is_due(self) -> bool:
        """Whether the districts must deliver a recap of this week: it is of the campaign."""
        return self.submitted()[1] > 0

    def of_recaps(self, key: str, **values: object) -> str:
        """Return a message on how many recaps were delivered, or that none is due."""
        return self.m(key, **values) if self.is_due else self.m["recaps_not_due"]

    def moved(self, metric: MetricValue) -> str:
        """Describe how a count has changed since the previous week."""
        return self.m.change(metric.week, metric.previous)

    def nothing_restated(self) -> str:
        """Say that no metric has newly changed, or that this is the first edition."""
        if self.e.restatements:
            return self.m["restatement_caption_published"]
        is_first = self.e.previous_id is None and self.e.revision == 1
        return self.m["restatement_first" if is_first else "restatement_none"]

    def changed_needs(self, most: int) -> list[str]:
        """Say in a sentence where prevention differs from the revision that this one replaces.

        Args:
            most: how many pairs of regency and theme are named, those that differ most first.

        """
        m = self.m
        now, before = (
            {(n.regency_code, n.issue_code): n for n in needs}
            for needs in (self.e.needs, self.e.superseded_needs)
        )
        changed: list[tuple[int, str]] = []
        for place, issue in sorted(now.keys() | before.keys()) if before else ():
            pair = before.get((place, issue)), now.get((place, issue))
            values = {
                name: [getattr(need, name) if need else 0 for need in pair]
                for name in ("done", "planned", "gap")
            }
            said = [
                m(f"need_changed_{name}", old=m.number(old), new=m.number(new))
                for name, (old, new) in values.items()
                if old != new
            ]
            if said:
                theme = lower(self.e.issues[issue])
                where = self.place.get(place, place)
                text = m("need_change", issue=theme, place=where, changes=m.listing(said))
                changed.append((max(abs(new - old) for old, new in values.values()), text))
        texts = [text for _, text in sorted(changed, key=lambda pair: -pair[0])]
        needs = m.listing(texts, most=most)
        return [m("need_changes", count=m.number(len(texts)), needs=needs)] if texts else []

    def has_recaps(self, place: str = "") -> bool:
        """Return whether this week's events and prevention are known at least in part."""
        return any(self.is_delivered(code, place, "week") for code in OF_RECAPS)

    def is_delivered(self, code: str, place: str, period: str) -> bool:
        """Return whether a count of recaps is known at least in part.

        Args:
            code: one of `OF_RECAPS`.
            place: the regency's code; empty: the province.
            period: `week` or `previous`.

        """
        submitted, expected, counted = (
            getattr(self.e.metric(each, "ALL", place), period)
            for each in ("district_submitted", "district_expected", code)
        )
        # Where no district is, no recap is missing; outside the campaign none is due of anybody.
        is_due = getattr(self.e.metric("district_expected"), period) != 0
        return bool(submitted or counted or (is_due and not expected))

    def is_comparable(self, code: str, place: str) -> bool:
        """Return whether a metric's last two weeks were delivered, where it counts recaps."""
        whole = registry.metrics()[code].whole or code
        return whole not in OF_RECAPS or all(
            self.is_delivered(whole, place, period) for period in ("week", "previous")
        )

    def zeros_unknown(self, regencies: Sequence[Regency]) -> list[str]:
        """Return a note that names the regencies from which no recap of this week was received."""
        places = [self.place[r.code] for r in regencies if not self.has_recaps(r.code)]
        if places and not self.is_due:
            return [self.m["recaps_not_due"]]
        every = len(places) == len(self.known)
        named = self.m["all_regencies"] if every else self.m.listing(places, most=NAMED)
        return [self.m("zero_unknown", places=named)] * bool(places)

    def moved_by_recaps(self, code: str, place: str = "") -> str:
        """Describe how a count of recaps has changed; weeks without any recap are not compared."""
        metric = self.e.metric(code, "ALL", place)
        if not self.is_delivered(code, place, "week"):
            return self.m["change_no_recap" if self.is_due else "change_not_due"]
        if not self.is_delivered(code, place, "previous"):
            return self.m["change_unknown"]
        return self.moved(metric)

    def number_table(self, name: str, place: str = "") -> tuple[str, str]:
        """Return a table's number and label, the same in every edition: `Tabel 3.`.

        Args:
            name: of `TABLES`, or of `TABLES_OF_REGENCY`; else the code of a metric.
            place: the regency, for a table of its page: `Tabel 19.71b.`.

        """
        if place:
            number = place + TABLES_OF_REGENCY[name]
        elif name in TABLES:
            number = str(1 + TABLES.index(name))
        else:
            number = str(1 + len(TABLES) + [*registry.metrics()].index(name))
        return number, self.m("table", number=number)

    def number_chart(self, name: str) -> tuple[int, str]:
        """Return a chart's number and label, the same in every edition: `Gambar 2.`."""
        number = 1 + CHARTS.index(name)
        return number, self.m("chart", number=number)

    def total(self, code: str, categories: Sequence[str], regency: str = "") -> MetricValue:
        """Return the sum over categories that exclude each other."""
        metrics = [self.e.metric(code, category, regency) for category in categories]
        previous = [metric.previous for metric in metrics if metric.previous is not None]
        return MetricValue(
            sum(metric.week for metric in metrics),
            sum(metric.to_date for metric in metrics),
            sum(previous) if len(previous) == len(metrics) else None,
        )

    def running(self) -> dict[str, str]:
        """Return the counts of running deadlines, and of those that passed or end on two days.

        `counts` and `late` say in words which of them there are, `late` without the two days.
        """
        judged_on = self.e.judged_on
        counts = {
            "open": sum(self.deadlines[state] for state in self.running_states),
            "overdue": self.deadlines["OVERDUE"],
            "maybe": self.deadlines["MAYBE_OVERDUE"],
            "soon": sum(self.deadlines[state] for state in SOON),
        }
        days = self.m.either_day(judged_on, judged_on + timedelta(days=1))
        said = {
            state: self.m(f"running_{state}", count=self.m.number(counts[state]), days=days)
            for state in ("overdue", "maybe", "soon")
            if counts[state]
        }
        return {key: self.m.number(value) for key, value in counts.items()} | {
            "days": days,
            "counts": self.m.listing([*said.values()]) or self.m("running_none", days=days),
            "late": self.m.listing([text for state, text in said.items() if state != "soon"]),
        }

    def deadlines_before(self, states: Sequence[str] | None = None) -> int:
        """Count deadlines of cases from before the campaign, in these states or else running."""
        wanted = self.running_states if states is None else states
        return sum(d.before_campaign or 0 for d in self.e.deadlines if d.state_code in wanted)

    def about_deadlines(self) -> str:
        """Return sentences on deadlines from before the campaign and on uncertain ones, or `""`."""
        before = self.deadlines_before()
        sentences = [
            self.m("deadline_before", count=self.m.number(before)) if before else "",
            self.uncertain(),
        ]
        return " ".join(sentence for sentence in sentences if sentence)

    def uncertain(self) -> str:
        """Return sentences on deadlines that may be open or may have been missed, or `""`."""
        return " ".join(
            self.m(key, count=self.m.number(self.deadlines[state]))
            for state in registry.vocabulary("deadline_state")
            if (key := f"deadline_{state.lower()}") in self.m and self.deadlines[state]
        )

    def ranked_issues(self, period: str) -> list[tuple[str, str, int]]:
        """Return code, name and count of every theme, the most frequent first."""
        counted = [
            (code, name, getattr(self.e.metric("suspected_violation_by_issue", code), period))
            for code, name in self.e.issues.items()
        ]
        return sorted(counted, key=lambda issue: -issue[2])  # ties in the order of the seed

    def top_issues(self, period: str) -> str:
        """Name the two most frequent themes (up to three in a tie) with their counts, or `""`."""
        m = self.m
        ranked = [issue for issue in self.ranked_issues(period) if issue[2]]
        if not ranked:
            return ""
        for lowest in (ranked[:2][-1][2], ranked[0][2]):
            top = [(lower(name), n) for _, name, n in ranked if n >= lowest]
            if len(top) <= 3:
                return m.listing([f"{name} ({m.number(n)})" for name, n in top])
        return m("many_issues", count=m.number(len(top)), value=m.number(lowest))

    def full_name(self, code: str, category: str) -> str:
        """Name a metric with its category: `Dugaan pelanggaran menurut tema: Politik uang`."""
        name = registry.metrics()[code].name[self.m.index]
        part = self.categories.get((code, category))
        return self.m("metric_category", metric=name, category=part) if part else name
