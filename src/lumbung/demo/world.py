"""The invented world: the campaign weeks of Pilkada 2024 in the records of an election supervisor.

Incidents happen in the seven regencies. People report them to the office over three channels: to
the desk, which enters them in its register (`Case`), over WhatsApp (`Message` with a `Tip`), and
through the form of observer networks (`Submission`). Every district also recaps its own work
(`Activity`): the campaign events that it supervised, its prevention actions, or that there was
nothing. The offices above the districts record their prevention in a form (`Prevention`).

The facts (`lumbung.demo.facts`) are exact: each row holds its meaning and, in `fate`, the outcome
that is expected of it. `lumbung.demo.writers` adds the spellings of clerks; where a row is written
so badly that its meaning changes, `written` holds the text. `lumbung.demo.reckoning` derives the
truth.

`generate(seed, weeks)` gives the rows written in the first `weeks` weeks; a world of more weeks
begins with the same rows. Days and weeks are those of Asia/Jakarta.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, NamedTuple, TypeVar

from lumbung.demo import prevention, stories, vocabulary
from lumbung.demo.facts import (
    COUNTED,
    DUPLICATE,
    Activity,
    Case,
    Incident,
    Message,
    Plan,
    Prevention,
    Submission,
    Tip,
    excluded,
    quarantined,
    week_of,
)
from lumbung.demo.people import invent
from lumbung.demo.regions import REGENCIES, District, Place, Regency
from lumbung.errors import ConfigurationError
from lumbung.settings import JAKARTA

FIRST_MONDAY = date(2024, 9, 23)
CAMPAIGN = (date(2024, 9, 25), date(2024, 11, 23))
MAX_WEEKS = 9
DAY = timedelta(days=1)
TRACED = "penelusuran"
"""The status of a finding while its office still traces the tip that it began with."""
WEEKS = tuple(f"2024-W{39 + index}" for index in range(MAX_WEEKS))
"""The ISO weeks that the campaign touches."""


# --- profiles of the regencies -----------------------------------------------------------------


class Profile(NamedTuple):
    """The records of a regency in nine weeks.

    Attributes:
        events, preventions: approximate numbers of campaign events and prevention actions.
        cases, tips: numbers of LP and TM, and of tips over both channels, within one or two.
        marks: the themes typical of the regency; its incidents use the entries in turn.
    """

    events: int
    preventions: int
    cases: int
    tips: int
    marks: tuple[tuple[str, ...], ...] = ()


PROFILES: dict[str, Profile] = {
    "19.01": Profile(155, 73, 4, 8),
    "19.02": Profile(190, 78, 8, 14, (("SARA",), ("KH",), ("KH", "SARA"))),
    "19.03": Profile(110, 47, 4, 6),
    "19.04": Profile(190, 63, 8, 12, (("ASN",),)),
    "19.05": Profile(510, 125, 6, 10),
    "19.06": Profile(260, 76, 9, 12, (("APK",),)),
    "19.71": Profile(305, 8, 10, 14, (("PU",),)),
}
MARKED_SHARE = 0.7
ACTIVITY_BY_WEEK = (0.5, 0.8, 0.9, 1.0, 1.0, 1.1, 1.2, 1.3, 1.2)
INCIDENTS_BY_WEEK = (3, 4, 4, 5, 5, 6, 7, 8, 8)
EVENT_VENUES = ("BALAI", "IBADAH", "LAPANGAN", "RUMAH", "WARUNG", "PASAR")
"""Kinds of place of campaign events."""

BAWASLU_OFFICES = {
    "19.01": "Kab/09.01",
    "19.05": "Kab/09.02",
    "19.03": "Kab/09.03",
    "19.04": "Kab/09.04",
    "19.02": "Kab/09.05",
    "19.06": "Kab/09.06",
    "19.71": "Kota/09.07",
}
"""Level and area in register numbers: a code system of the supervisor, here in alphabetical order.

The real numbering is not known (domain.md 1.6), so no case may be located by it.
"""
PROVINCE_OFFICE = "Prov/09.00"
DESK = "Posko Aduan Babel"
DESK_CLERK, CITIZEN, OBSERVER = range(3)
"""Narrators of an incident, for `Incident.narrative`."""
CHATTER = excluded("not_a_report")
DELETED = excluded("deleted_message")


# --- the world ------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """All rows written in the first weeks of the campaign.

    Attributes:
        register, recap, chat, submissions, preventions, plans: the rows in the order in which they
            were written.
    """

    seed: int
    weeks: tuple[str, ...]
    register: tuple[Case, ...]
    recap: tuple[Activity, ...]
    chat: tuple[Message, ...]
    submissions: tuple[Submission, ...]
    preventions: tuple[Prevention, ...]
    plans: tuple[Plan, ...]

    @property
    def ended_at(self) -> datetime:
        """The first moment (WIB) after its last week."""
        return datetime.combine(week_start(len(self.weeks)), time(), JAKARTA)

    @property
    def chat_exports(self) -> tuple[slice, slice]:
        """Two exports of the chat: its first three fifths, and its last three fifths."""
        end, start = (self._minute_after(len(self.chat) * part // 5) for part in (3, 2))
        return slice(0, end), slice(start, len(self.chat))

    def _minute_after(self, index: int) -> int:
        """The first message from `index` on that begins a new minute: no export splits a minute."""
        while 0 < index < len(self.chat) and self.chat[index - 1].at == self.chat[index].at:
            index += 1
        return index


def week_start(index: int) -> date:
    """The Monday of the campaign's week number `index`, from 0."""
    return FIRST_MONDAY + timedelta(weeks=index)


# --- generation ------------------------------------------------------------------------------


def generate(seed: int, weeks: int = MAX_WEEKS) -> World:
    """Make the world of the campaign's first `weeks` weeks (from 2024-W39) from the seed alone.

    Raises:
        ConfigurationError: when `weeks` is not between 1 and 9.
    """
    if not 1 <= weeks <= MAX_WEEKS:
        raise ConfigurationError(
            f"the invented campaign has {MAX_WEEKS} weeks, not {weeks}",
            where="weeks",
            remediation=f"ask for 1 to {MAX_WEEKS} weeks",
        )
    horizon = week_start(weeks)
    handling = _stream(seed, "handling")
    cases = _handled(handling, _register(_stream(seed, "register")))
    register = _traced(_corrected(handling, cases))
    return World(
        seed=seed,
        weeks=WEEKS[:weeks],
        register=_before(horizon, register, lambda case: case.entered),
        recap=_before(horizon, _recap(_stream(seed, "recap")), lambda row: row.entered),
        chat=_before(horizon, _chat(_stream(seed, "chat"), register), lambda each: each.at.date()),
        submissions=_before(
            horizon, _form(_stream(seed, "form"), register), lambda each: each.at.date()
        ),
        preventions=_before(
            horizon,
            prevention.entries(_stream(seed, "prevention"), [*map(week_start, range(MAX_WEEKS))]),
            lambda entry: entry.entered,
        ),
        plans=_before(
            horizon,
            prevention.plans(
                [
                    (week_start(first), week_start(last) - DAY)
                    for first, last in ((0, 5), (5, 9), (9, 11))
                ]
            ),
            lambda plan: plan.entered,
        ),
    )


def _stream(seed: int, purpose: str) -> random.Random:
    """A random stream for each part, so that a change of one part does not change the others."""
    return random.Random(f"{seed}/{purpose}")  # noqa: S311 -- an invented world, not a secret


T = TypeVar("T")


def _before(horizon: date, rows: Iterable[T], written: Callable[[T], date]) -> tuple[T, ...]:
    return tuple(row for row in rows if written(row) < horizon)


def _some(rng: random.Random, expected: float) -> int:
    """A whole number that is `expected` on average."""
    return int(expected) + (rng.random() < expected % 1)


def _day(rng: random.Random, week: int, days: int = 7) -> date:
    """One of the first `days` days of a week."""
    return week_start(week) + timedelta(days=rng.randrange(days))


# --- the districts' recap --------------------------------------------------------------------


def _recap(rng: random.Random) -> list[Activity]:
    """Every district's rows of every week, in the order of delivery: by week, then by district."""
    districts = [(regency, each) for regency in REGENCIES.values() for each in regency.districts]
    activity = {district.code: rng.uniform(0.6, 1.4) for _, district in districts}
    silent = rng.choice(("19.01", "19.03", "19.06")), rng.randrange(3, 8)
    rows: list[Activity] = []
    for week in range(MAX_WEEKS):
        never, next_week = rng.sample(sorted(activity), 2)
        for regency, district in districts:
            block = _district_week(rng, week, regency, district, activity)
            if district.code == never or (regency.code, week) == silent:
                continue
            if district.code == next_week:
                tuesday = week_start(week + 1) + timedelta(days=1)
                block = [replace(row, entered=tuesday) for row in block]
            rows += block
    _spoil_recap(rng, rows)
    return sorted(rows, key=lambda row: (week_of(row.entered), row.district.code, row.entered))


def _district_week(
    rng: random.Random,
    week: int,
    regency: Regency,
    district: District,
    activity: Mapping[str, float],
) -> list[Activity]:
    profile = PROFILES[regency.code]
    of_regency = sum(activity[each.code] for each in regency.districts)
    of_week = ACTIVITY_BY_WEEK[week] / sum(ACTIVITY_BY_WEEK)
    share = of_week * activity[district.code] / of_regency
    officer = invent(rng)
    rows: list[Activity] = []

    def add(
        kind: Literal["LHP", "PREV", "NIHIL"],
        day: date,
        venue: str | None,
        election: str | None = None,
        code: str | None = None,
    ) -> None:
        rows.append(Activity(day, day, regency, district, kind, election, code, officer, venue))

    for _ in range(_some(rng, profile.events * share)):
        day = min(max(_day(rng, week), CAMPAIGN[0]), CAMPAIGN[1])
        local = "PILWAKO" if regency.is_city else "PILBUP"
        election = "PILGUB" if rng.random() < 0.2 else local
        methods = {"TATAP_MUKA": 925, "TERBATAS": 46, "RAPAT_UMUM": 4, "LAIN": 25}
        method = rng.choices(list(methods), list(methods.values()))[0]
        add("LHP", day, rng.choice(EVENT_VENUES), election, method)
    for _ in range(_some(rng, profile.preventions * share)):
        kind = rng.choices(list(vocabulary.PREVENTION_TYPES), (3, 3, 2, 2))[0]
        venue = rng.choice(prevention.VENUES)
        add("PREV", _day(rng, week, 5), venue, code=kind)
    if not rows:
        add("NIHIL", week_start(week) + timedelta(days=6), None)
    return sorted(rows, key=lambda row: row.day)


def _spoil_recap(rng: random.Random, rows: list[Activity]) -> None:
    """Add rows that look like activities but are not; their districts did deliver that week.

    Also remove the kind of some activities: they count, as of unknown kind.
    """
    tests = {0: "TES", 5: "coba"}
    impossible = {0: "31 September 2024", 7: "31 Nopember 2024"}
    for week in sorted({*tests, *impossible}):
        punctual = [
            row
            for row in rows
            if row.kind == "LHP"
            and week_of(row.entered) == week_of(row.day) == WEEKS[week]
            and row.fate == COUNTED
        ]
        if week in tests:
            row = rng.choice(punctual)
            rows.append(replace(row, note=tests[week], fate=excluded("test_row")))
        if week in impossible:
            row = rng.choice(punctual)
            fate = excluded("date_missing")
            rows.append(replace(row, written={"Tanggal": impossible[week]}, fate=fate))
    unstated: tuple[tuple[str, dict[str, Any]], ...] = (
        ("LHP", {"election": None}),
        ("LHP", {"code": None}),
        ("LHP", {"election": None, "code": None, "venue": None}),
        ("LHP", {"code": None, "written": {"Bentuk": "Konser kejutan"}}),
        ("PREV", {"code": None, "venue": None}),
    )
    for week in range(MAX_WEEKS):
        kind, changes = unstated[week % len(unstated)]
        counted = [
            index
            for index, row in enumerate(rows)
            if row.kind == kind and row.fate == COUNTED and week_of(row.entered) == WEEKS[week]
        ]
        index = rng.choice(counted)
        rows[index] = replace(rows[index], **changes)
    # A district first recorded an event as a prevention action, and then corrected it.
    index = next(
        index
        for index, row in enumerate(rows)
        if row.kind == "LHP" and row.fate == COUNTED and row.election and row.code
    )
    slip = replace(rows[index], kind="PREV", election=None, code="SOSIALISASI")
    rows[index] = replace(rows[index], first=slip)


# --- incidents -------------------------------------------------------------------------------


def _incidents(rng: random.Random, regency: Regency, count: int) -> list[Incident]:
    """Incidents of a regency: most have its typical themes, the others ordinary themes."""
    profile = PROFILES[regency.code]
    marked = math.ceil(count * MARKED_SHARE) if profile.marks else 0
    themes = [profile.marks[index % len(profile.marks)] for index in range(marked)]
    ordinary, weights = list(stories.ORDINARY), list(stories.ORDINARY.values())
    for _ in range(count - marked):
        both = rng.choices(ordinary, weights, k=1 + (rng.random() < 0.25))
        themes.append(tuple(sorted(set(both))))
    rng.shuffle(themes)
    return [_incident(rng, regency, issues) for issues in themes]


def _incident(
    rng: random.Random, regency: Regency, issues: tuple[str, ...] | None = None
) -> Incident:
    """One incident, by default with a typical theme of the regency or an ordinary one."""
    if issues is None:
        return _incidents(rng, regency, 1)[0]
    theme = stories.THEMES[rng.choice(issues)]
    place = Place(regency, rng.choice(regency.districts))
    return Incident(place, issues, rng.choice(theme.roles), rng.choice(theme.stories))


def _day_of_report(rng: random.Random) -> date:
    """The day on which an incident is reported, more often towards the end of the campaign."""
    week = rng.choices(range(MAX_WEEKS), INCIDENTS_BY_WEEK)[0]
    return _day(rng, week)


# --- the desk's register ---------------------------------------------------------------------


def _register(rng: random.Random) -> list[Case]:
    """The desk's book, in the order of entry, with the mistakes of clerks."""
    cases = [
        _case(rng, incident, _day_of_report(rng), is_late=rng.random() < 0.04)
        for code, regency in REGENCIES.items()
        for incident in _incidents(rng, regency, PROFILES[code].cases + rng.choice((-1, 0, 1)))
    ]
    cases = _numbered(rng, sorted([*cases, *_odd_cases(rng)], key=lambda case: case.received))
    return sorted(_spoil_register(rng, cases), key=lambda case: case.entered)


def _case(rng: random.Random, incident: Incident, received: date, *, is_late: bool = False) -> Case:
    """A case as a clerk enters it on the day of receipt."""
    kind: Literal["LP", "TM"] = "LP" if is_late or rng.random() < 0.7 else "TM"
    known = received - timedelta(days=rng.randint(9, 14) if is_late else rng.randint(0, 5))
    occurred = known - timedelta(days=rng.randint(0, 2))
    status, reason = _handling(rng, kind, received, is_late)
    types = {stories.THEMES[issue].types[0] for issue in incident.issues}
    if rng.random() < 0.3:
        types |= set(stories.THEMES[incident.issues[0]].types)
    is_typed = vocabulary.OUTCOMES[status] == "registered" or rng.random() < 0.5
    return Case(
        entered=received,
        number="",
        kind=kind,
        incident=incident,
        received=received,
        known=known if is_late or rng.random() < 0.94 else None,
        occurred=occurred if rng.random() < 0.94 else None,
        types=tuple(sorted(types)) if is_typed else (),
        status=status,
        reason=reason,
        reporter=invent(rng),
        accused=invent(rng),
        narrative=incident.narrative(received, DESK_CLERK),
    )


def _handling(
    rng: random.Random, kind: str, received: date, is_late: bool
) -> tuple[str, str | None]:
    """The status and reason of a case: recent cases are often open, findings rarely rejected."""
    if is_late:
        return "tidak_diregistrasi", "LATE"
    if rng.random() < (0.45 if received >= week_start(7) else 0.12):
        return rng.choice(_statuses("pending")), None
    if rng.random() < (0.4 if kind == "LP" else 0.08):
        return "tidak_diregistrasi", rng.choice(("FORMAL", "MATERIEL"))
    return rng.choice(_statuses("registered")), None


def _statuses(outcome: str) -> list[str]:
    return [status for status, means in vocabulary.OUTCOMES.items() if means == outcome]


def _handled(rng: random.Random, cases: Sequence[Case]) -> list[Case]:
    """The cases with the book's last columns: forwarding target, follow-up and context."""
    handled = []
    for case in cases:
        context = rng.choices(("IN_EVENT", "OUTSIDE_EVENT", None), (3, 5, 2))[0]
        issue = case.incident.issues[0]
        result = vocabulary.RESULTS.get(case.status)
        is_forwarded = result in ("FORWARDED", "CLOSED") or (
            result == "PROVEN" and rng.random() < 0.4
        )
        target, written = None, case.written
        if is_forwarded and rng.random() < 0.85:
            target = rng.choice(vocabulary.TARGETS_BY_ISSUE.get(issue, ("GAKKUMDU", "KEPOLISIAN")))
        is_closed = result == "CLOSED" or (bool(target) and rng.random() < 0.4)
        if case.status == "diteruskan" and target in ("BKN", "KPU", "DKPP") and rng.random() < 0.5:
            written = {**written, "Status": f"Diteruskan ke {target}", "Diteruskan Ke": "-"}
        handled.append(
            replace(case, target=target, is_closed=is_closed, context=context, written=written)
        )
    return handled


def _corrected(rng: random.Random, cases: Sequence[Case]) -> list[Case]:
    """The cases, one of which the desk first entered with a wrong place and theme."""
    taken = Counter(case.number for case in cases)
    index, case = next(
        (index, case)
        for index, case in enumerate(cases)
        if case.fate == COUNTED and not case.written and taken[case.number] == 1
    )
    elsewhere = rng.choice([r for r in REGENCIES.values() if r != case.incident.place.regency])
    slip = replace(
        case.incident, place=Place(elsewhere, rng.choice(elsewhere.districts)), issues=("LOG",)
    )
    return [
        *cases[:index],
        replace(case, first=replace(case, incident=slip)),
        *cases[index + 1 :],
    ]


def _traced(cases: Sequence[Case]) -> list[Case]:
    """The cases; registered findings with a plain row were in the book while a tip was traced."""
    taken = Counter(case.number for case in cases)
    return [
        replace(case, first=replace(case, status=TRACED, types=(), target=None, is_closed=False))
        if (case.kind, case.outcome, case.fate) == ("TM", "registered", COUNTED)
        and not (case.first or case.written or "Reg/" in case.number or taken[case.number] > 1)
        else case
        for case in cases
    ]


def _odd_cases(rng: random.Random) -> list[Case]:
    """Unusual cases that every book has, whatever the seed."""

    def case(week: int, code: str, *, is_late: bool = False, **changes: Any) -> Case:
        incident = _incident(rng, REGENCIES[code])
        return replace(_case(rng, incident, _day(rng, week, 5), is_late=is_late), **changes)

    bare_code = case(1, "19.05", written={"Kab/Kota": "1903", "Kecamatan": "-"})
    after_known = case(1, "19.71")
    known = after_known.received - timedelta(days=3)
    forgotten = case(0, "19.02")
    test_row, unreadable = excluded("test_row"), excluded("date_missing")
    return [
        replace(bare_code, incident=replace(bare_code.incident, place=Place())),
        replace(after_known, known=known, occurred=known + timedelta(days=2)),
        replace(forgotten, entered=forgotten.received + timedelta(days=16)),
        case(2, "19.06", is_late=True),
        case(0, "19.01", narrative="Pemeriksaan Tes", fate=test_row),
        case(5, "19.71", narrative="TES", fate=test_row),
        case(0, "19.03", written={"Diterima": "31 September 2024"}, fate=unreadable),
        case(7, "19.03", written={"Diterima": "31 Nopember 2024"}, fate=unreadable),
    ]


def _numbered(rng: random.Random, cases: Sequence[Case]) -> list[Case]:
    """Assign register numbers: a sequence per office, kind and election, nearly chronological."""
    series: dict[str, list[int]] = {}
    for index, case in enumerate(cases):
        regency = case.incident.place.regency
        office = BAWASLU_OFFICES[regency.code] if regency else PROVINCE_OFFICE
        local = "PW" if regency and regency.is_city else "PB"
        election = "PG" if not regency or rng.random() < 0.25 else local
        series.setdefault(f"{case.kind}/{election}/{office}", []).append(index)
    numbered = list(cases)
    for name, indices in series.items():
        order = list(range(1, len(indices) + 1))
        for position in range(len(order) - 1):
            if rng.random() < 0.25:
                order[position : position + 2] = order[position + 1], order[position]
        for index, sequence in zip(indices, order, strict=True):
            case = cases[index]
            reg = "Reg/" if case.outcome == "registered" and rng.random() < 0.5 else ""
            month = {9: "IX", 10: "X", 11: "XI"}[case.received.month]
            number = f"{sequence:03d}/{reg}{name}/{month}/2024"
            numbered[index] = replace(case, number=number)
            if rng.random() < 0.12:
                miscased = {"Nomor Register": rng.choice((number.lower(), number.upper()))}
                numbered[index] = replace(numbered[index], written={**case.written, **miscased})
    return numbered


def _spoil_register(rng: random.Random, cases: Sequence[Case]) -> list[Case]:
    """Add rows that cannot be landed: a repeated number, a missing number, a row pasted twice."""
    ordinary = [case for case in cases if case.fate == COUNTED and not case.written]
    first = min(ordinary, key=lambda case: case.entered)

    def another(day: date, **changes: Any) -> Case:
        return replace(_case(rng, _incident(rng, REGENCIES["19.06"]), day), **changes)

    taken = another(first.entered + timedelta(days=2), number=first.number, kind=first.kind)
    numberless = quarantined("required_field_missing")
    spoiled = [
        *cases,
        replace(taken, fate=quarantined("key_repeated")),
        another(_day(rng, 0, 5), fate=numberless),
        another(_day(rng, 6, 5), fate=numberless, written={"Nomor Register": "-"}),
    ]
    pasted = rng.choice([case for case in ordinary if case.entered < week_start(3)])
    spoiled.insert(spoiled.index(pasted) + 1, replace(pasted, fate=DUPLICATE))
    return spoiled


# --- tips ------------------------------------------------------------------------------------

Hear = Callable[..., None]


def _tips(rng: random.Random, share: float) -> list[tuple[date, Tip]]:
    """The tips of a channel that gets this share of them, each with its day of receipt."""
    tips = []
    for code, regency in REGENCIES.items():
        for incident in _incidents(rng, regency, _some(rng, PROFILES[code].tips * share)):
            day = _day_of_report(rng)
            tips.append((day, _tip(rng, incident, day)))
    return tips


def _tip(rng: random.Random, incident: Incident, day: date) -> Tip:
    """The tip about an incident on `day`, up to two days after it happened."""
    place = incident.place if rng.random() < 0.7 else Place(incident.place.regency)
    narrative = incident.narrative(day, CITIZEN)
    if rng.random() < 0.1:
        narrative += f" Saksi bisa dihubungi di {invent(rng).phone}."
    return Tip(incident, place, day - timedelta(days=rng.randint(0, 2)), narrative)


def _shared(register: Sequence[Case], narrator: int) -> list[tuple[date, Tip]]:
    """Incidents of the register that are also reported over the other two channels, a day later.

    Each is a separate record in other words; records are never merged.
    """
    located = [case for case in register if case.fate == COUNTED and case.incident.place.regency]
    day = timedelta(days=1)
    return [
        (
            case.received + day,
            Tip(
                case.incident,
                case.incident.place,
                case.occurred,
                case.incident.narrative(case.received + day, narrator),
            ),
        )
        for case in located[::9]
    ]


def _chat(rng: random.Random, register: Sequence[Case]) -> list[Message]:
    """The hotline's group: system messages, the pinned template, tips and other messages."""
    people = [invent(rng) for _ in range(40)]
    names = [f"Warga {each.name}" if rng.random() < 0.75 else each.contact for each in people]
    messages = _opening(names[0])

    def hear(at: datetime, tip: Tip, **changes: Any) -> None:
        messages.append(replace(Message(at, rng.choice(names), "", tip=tip), **changes))
        if rng.random() < 0.5:
            reply = at + timedelta(minutes=rng.randint(1, 40))
            messages.append(Message(reply, DESK, "Terima kasih, aduan kami catat.", CHATTER))

    for day, tip in [*_tips(rng, 0.5), *_shared(register, CITIZEN)]:
        hear(_at(rng, day), tip)
    _odd_tips(rng, hear)
    for number in range(7 * MAX_WEEKS):
        for _ in range(rng.randint(0, 3)):
            at = _at(rng, FIRST_MONDAY + timedelta(days=number))
            messages.append(_other_message(rng, at, rng.choice(names)))
    return sorted(messages, key=lambda message: message.at)


def _opening(member: str) -> list[Message]:
    """The start of every chat: two system messages, the template, and three difficult messages."""
    at = datetime.combine(FIRST_MONDAY, time(5, 30), JAKARTA)
    thursday = at + timedelta(days=3)
    return [
        Message(at, None, stories.ENCRYPTED, CHATTER),
        Message(at, None, f"{DESK} membuat grup “{DESK}”", CHATTER),
        Message(at + timedelta(minutes=2), DESK, stories.TEMPLATE, CHATTER),
        Message(
            at + timedelta(minutes=5),
            member,
            "Terima kasih, nanti saya bagikan",
            quarantined("unreadable_date"),
            written={"stamp": "31/02/24 05.35"},
        ),
        *[Message(thursday, member, "Siap", CHATTER)] * 2,
        Message(thursday + timedelta(hours=1), member, stories.DELETED, DELETED),
    ]


def _other_message(rng: random.Random, at: datetime, sender: str) -> Message:
    """A message that is not a tip."""
    kind = rng.choices(("talk", "photo", "omitted", "deleted", "joined"), (16, 2, 2, 1, 1))[0]
    if kind == "joined":
        return Message(at, None, f"{sender} bergabung menggunakan tautan grup ini", CHATTER)
    if kind == "deleted":
        return Message(at, sender, stories.DELETED, DELETED)
    if kind == "talk":
        return Message(at, sender, rng.choice(stories.CHATTER), CHATTER)
    photo = f"\u200eIMG-{at:%Y%m%d}-WA{rng.randint(0, 30):04d}.jpg (file terlampir)"
    return Message(at, sender, photo if kind == "photo" else stories.OMITTED, CHATTER)


def _odd_tips(rng: random.Random, hear: Hear) -> None:
    """Unusual tips that every hotline gets, whatever the seed."""

    def odd(week: int, code: str, **changes: Any) -> tuple[datetime, Tip]:
        day = _day(rng, week)
        return _at(rng, day), replace(_tip(rng, _incident(rng, REGENCIES[code]), day), **changes)

    for week, lokasi in zip((0, 3, 6), stories.UNKNOWN_PLACES, strict=True):
        hear(*odd(week, "19.71", place=Place()), written={"Lokasi": lokasi})
    # Manggar has been in Belitung Timur since 2003; the old way of writing may mean either regency.
    hear(*odd(1, "19.02", place=Place()), written={"Lokasi": "Kec. Manggar, Belitung"})
    hear(*odd(2, "19.04", occurred=None), written={"Tanggal": "kemarin"})
    hear(*odd(0, "19.01", narrative="coba"), fate=excluded("test_row"))

    _, tip = odd(1, "19.06")
    sunday = week_start(1) + timedelta(days=6)
    hear(datetime.combine(sunday, time(23, 58), JAKARTA), replace(tip, occurred=sunday))

    at, tip = odd(1, "19.71", narrative=stories.LONG_STORY)
    sender = f"Warga {invent(rng).name}"
    hear(at, tip, sender=sender)
    hear(at + timedelta(minutes=3), tip, sender=sender)  # two messages, two records


def _form(rng: random.Random, register: Sequence[Case]) -> list[Submission]:
    """The submissions to the observer networks' form, in order."""
    observers = [(invent(rng), rng.choice([*vocabulary.OBSERVER_ORGANISATIONS])) for _ in range(12)]
    submissions: list[Submission] = []

    def submit(at: datetime, tip: Tip, **changes: Any) -> None:
        submissions.append(replace(Submission(at, *rng.choice(observers), tip), **changes))

    def odd(at: datetime, code: str, **changes: Any) -> tuple[datetime, Tip]:
        tip = _tip(rng, _incident(rng, REGENCIES[code]), at.date())
        return at, replace(tip, **changes)

    for day, tip in [*_tips(rng, 0.36), *_shared(register, OBSERVER)]:
        submit(_at(rng, day), tip)
    submit(*odd(_at(rng, _day(rng, 0)), "19.05"), is_edited=True)
    submit(*odd(_at(rng, _day(rng, 1)), "19.03", place=Place()), organisation=None)
    submit(*odd(_at(rng, _day(rng, 0)), "19.02", narrative="tes"), fate=excluded("test_row"))
    # 00:40 on a Monday in WIB is still Sunday, in the previous week, in UTC.
    submit(*odd(datetime.combine(week_start(1), time(0, 40), JAKARTA), "19.05"))
    return sorted(submissions, key=lambda submission: submission.at)


def _at(rng: random.Random, day: date) -> datetime:
    """A minute of the day in WIB, between 06.00 and 22.59."""
    return datetime.combine(day, time(rng.randint(6, 22), rng.randint(0, 59)), JAKARTA)
