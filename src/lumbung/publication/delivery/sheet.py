"""The leadership sheet (lembar pimpinan): whom to call and what to decide, with case numbers.

It is private: no file of an edition, not on the portal, not in a mail, and stored nowhere. It is
made when a named person opens it, and each opening is a line of the audit log.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from lumbung import database
from lumbung.errors import ConfigurationError
from lumbung.publication.chapters import bulletin
from lumbung.publication.chapters.builder import ChapterBuilder, lower
from lumbung.publication.delivery import notify
from lumbung.publication.delivery.recipients import load_people
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.settings import Settings

_RUNNING = """
    select
        split_part(c.category_code, '/', 1) as rule_code,
        split_part(c.category_code, '/', 2) as state_code,
        c.regency_code,
        coalesce(f.register_number, left(c.contributor_id, 8)) as number,
        d.latest_due_date,
        d.extended_due_date,
        %(previous)s::text is not null and not exists (
            select from published.metric_contributor as p
            where p.edition_id = %(previous)s and p.metric_code = 'deadline'
                and p.category_code = c.category_code and p.contributor_id = c.contributor_id
        ) as is_new
    from published.metric_contributor as c
    left join marts.fct_report as f on c.contributor_id = f.report_id
    left join marts.fct_deadline as d
        on c.contributor_id = d.report_id and split_part(c.category_code, '/', 1) = d.rule_code
    where c.edition_id = %(edition)s and c.metric_code = 'deadline'
    order by d.extended_due_date, c.regency_code, number, rule_code
"""
_NEW = """
    select c.regency_code, coalesce(f.register_number, left(c.contributor_id, 8)) as number
    from published.metric_contributor as c
    left join marts.fct_report as f on c.contributor_id = f.report_id
    where c.edition_id = %(edition)s and c.metric_code = 'suspected_violation'
        and (%(previous)s::text is not null or c.week_id = %(week)s)
        and not exists (
            select from published.metric_contributor as p
            where p.edition_id = %(previous)s and p.metric_code = c.metric_code
                and p.contributor_id = c.contributor_id
        )
    order by c.regency_code, c.week_id, number
"""
"""Cases that the edition before did not count: the week's, and earlier ones that came late."""
DUE = ("passed", "maybe", "today", "tomorrow", "week")


@dataclass(frozen=True)
class Sheet:
    """The sheet, as a page for a phone and as PDF of one page.

    Attributes:
        content: language, title, subtitle, notice, the parts, each a title and its lines, and what
            the PDF says where it leaves lines out.
        timestamp: when the edition was frozen, in seconds.

    """

    content: dict[str, Any]
    timestamp: int

    @property
    def html(self) -> bytes:
        """The page."""
        return render.page("lembar.html.j2", d=self.content)

    @property
    def pdf(self) -> bytes:
        """The PDF."""
        return render.compiled("lembar.typ", self.content, self.timestamp)


def leadership_sheet(
    edition_id: str, *, reader: str, settings: Settings, database_url: str
) -> Sheet:
    """Return the leadership sheet of an edition, and write down who opened it.

    Which deadlines run is frozen with the edition; numbers and days are those of the marts now.

    Args:
        edition_id: an edition in any state, usually a draft.
        reader: a name of `approval.users`, `leadership` or `sheet_readers` in `config/people.yaml`.
        settings: the installation.
        database_url: the warehouse, as the role `publisher`.

    Raises:
        ConfigurationError: when the sheet is not for this person.
        PublicationError: when there is no such edition.

    """
    people = load_people(settings)
    if not people.may_open_sheet(reader):
        raise ConfigurationError(
            f"the leadership sheet is not for '{reader}'",
            where=str(settings.config / "people.yaml"),
            remediation="add the name to sheet_readers if the person may read case numbers",
        )
    b = ChapterBuilder(store.load(edition_id, database_url=database_url))
    with database.connect(database_url, application="lumbung sheet") as connection:
        connection.execute("select published.open_sheet(%s, %s)", (edition_id, reader))
        connection.commit()  # the opening is written down before anything is read
        wanted = {"edition": edition_id, "previous": b.e.previous_id, "week": b.e.week_id}
        due = _due(b, connection.execute(_RUNNING.encode(), wanted).fetchall())
        fresh: dict[str, list[str]] = defaultdict(list)
        for place, number in connection.execute(_NEW.encode(), wanted):
            fresh[place].append(number)
    _, warned = notify.results(edition_id, database_url=database_url)
    warnings = [found for found, _, _ in warned]
    parts = _parts(b, due, fresh, warnings, people.offices)
    m = b.m
    content = {
        "language": m.language,
        "title": m("sheet_leaders", edition_id=edition_id),
        "subtitle": m.subtitle(b.e),
        "notice": m("sheet_private", reader=reader),
        "parts": parts,
        "more": m["sheet_more"],
    }
    return Sheet(content, int(b.e.frozen_at.timestamp()))


def _parts(
    b: ChapterBuilder,
    due: dict[str, list[tuple[str, str]]],
    fresh: dict[str, list[str]],
    warned: list[str],
    offices: dict[str, str],
) -> list[tuple[str, list[str]]]:
    """Return the sheet's parts, each a title and its lines.

    Args:
        b: the edition's builder.
        due: what `_due` found.
        fresh: the numbers of the cases that are new, by regency.
        warned: the checks that warned.
        offices: whom to call, by regency code.

    """
    m, e = b.m, b.e
    parts = []
    calls: dict[str, list[str]] = defaultdict(list)
    for group in DUE[:4]:
        for place, _ in due[group]:
            calls[place].append(group)
    lines = []
    for regency in sorted(b.known, key=lambda each: [-calls[each.code].count(g) for g in DUE[:4]]):
        reasons = [
            m("sheet_reason", reason=lower(m[f"sheet_due_{group}"]), count=m.number(count))
            for group in DUE[:4]
            if (count := calls[regency.code].count(group))
        ]
        if missing := b.missing[regency.code]:
            named = m.listing([s.district_name for s in missing])
            reasons.append(lower(m("brief_missing", districts=named).rstrip(".")))
        if reasons:
            office = offices.get(regency.code, m["sheet_no_contact"])
            lines.append(
                m("sheet_call", place=b.place[regency.code], office=office, why="; ".join(reasons))
            )
    parts.append((m["sheet_calls"], lines or [m["sheet_none"]]))
    needs = [
        m(
            "sheet_gap" if need.planned else "sheet_unplanned",
            place=b.place[need.regency_code],
            issue=lower(e.issues[need.issue_code]),
            fulfilled=m.number(need.fulfilled),
            planned=m.number(need.planned),
            done=m.number(need.done),
            step=need.suggestion or "–",
        )
        for need in bulletin.pressing(b.needs)[: bulletin.NEEDS]
    ]
    if not e.is_of_country:  # the provinces' editions have the needs
        parts.append((m["need_title"], needs or [m["sheet_none"]]))
    # case numbers, which may be many, come after whom to call and what to do
    parts += [
        (m[f"sheet_due_{group}"], [line for _, line in due[group]]) for group in DUE if due[group]
    ]
    parts.append((m["sheet_checks"], warned or [m["sheet_none"]]))
    parts.append((m["sheet_new"], _new(b, fresh)))
    return parts


def _due(b: ChapterBuilder, rows: list[tuple[Any, ...]]) -> dict[str, list[tuple[str, str]]]:
    """Sort running deadlines into the groups of `DUE`: regency and line."""
    m = b.m
    found: dict[str, list[tuple[str, str]]] = {group: [] for group in DUE}
    rules = b.names["deadline_rule"]
    for rule, state, regency, number, last, first, is_new in rows:
        if state not in b.running_states:
            continue
        # what may not run is not counted among those that end on the first days, as in the edition
        day = last if state == "MAYBE_OPEN" else first
        group = {"OVERDUE": "passed", "MAYBE_OVERDUE": "maybe"}.get(state) or _group(b, day)
        if group:
            said = m(
                "sheet_case",
                number=number,
                place=b.place.get(regency, regency),
                rule=lower(rules[rule]),
                day=m("sheet_between", first=m.day(first), last=m.day(last))
                if first and first < last
                else m.day(first)
                if first
                else m["not_available"],
            )
            if is_new and group == "passed":
                said = m("sheet_since", line=said, edition=b.e.previous_id)
            found[group].append((regency, said))
    return found


def _group(b: ChapterBuilder, day: date | None) -> str | None:
    """Return the group of a deadline by the days left on the edition's Monday; None: later.

    Args:
        b: the edition's builder.
        day: the earliest day that may be its last.

    """
    left = (day - b.e.judged_on).days if day else 7
    if left > 6:
        return None
    return "today" if left <= 0 else "tomorrow" if left == 1 else "week"


def _new(b: ChapterBuilder, fresh: dict[str, list[str]]) -> list[str]:
    """Return what is new against the previous week, the province first, with the cases' numbers."""
    m = b.m
    places = [(b.e.area_code, m["province"]), *((r.code, b.place[r.code]) for r in b.e.regencies)]
    lines = []
    for code, name in places:
        cases = b.e.metric("suspected_violation", "ALL", code)
        numbers = fresh.get(code, [])
        if code == b.e.area_code or numbers or cases.week > (cases.previous or 0):
            value = m.number(cases.week)
            line = m("sheet_violation", place=name, value=value, change=b.moved(cases))
            if numbers:
                line = m("sheet_numbers", line=line, numbers=", ".join(numbers))
            lines.append(line)
    return lines
