"""Messages, numbers, days and lists in the language of an edition.

Indonesian numbers are written as in official Indonesian texts: `1.084.999`, `95 %`, decimal comma;
English ones `1,084,999` and `95%`. Times are in WIB, zero is printed as 0, unknown as `n/a`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import cached_property

from lumbung import registry
from lumbung.publication.model.edition import Decision, Edition, Restatement
from lumbung.publication.model.rounding import Exact, half_up, whole_percent
from lumbung.publication.translations.load import messages
from lumbung.registry import LANGUAGES
from lumbung.settings import JAKARTA

NBSP = "\u00a0"
MINUS = "\u2212"

_METHOD = (
    "week",
    "before",
    "case",
    "several",
    "unknown",
    "recap",
    "log",
    "zero",
    "frozen",
    "names",
)


@dataclass(frozen=True)
class Definition:
    """Name, unit and definition of a metric in one language; `source` is a message's key."""

    name: str
    unit: str
    source: str
    definition: str


class _Counted(str):
    """A number as printed that chooses a word: `{count} {count:case|cases}`."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        one, bar, more = spec.partition("|")
        if bar:
            return one if self == "1" else more
        return super().__format__(spec)


class Messages:
    """The messages of one language: `m["regency"]`, or `m("point_issue", issues=...)` filled in.

    Attributes:
        language: `id` or `en`.
        is_of_country: whether they are those of the country's edition.
        index: its position in the registry's pairs of texts.

    """

    def __init__(self, language: str, *, is_of_country: bool = False) -> None:
        self.language = language
        self.is_of_country = is_of_country
        self.index = LANGUAGES.index(language)

    @property
    def text(self) -> dict[str, str]:
        """Every message by its key."""
        return messages(self.language, is_of_country=self.is_of_country)

    @cached_property
    def days(self) -> list[str]:
        """The names of the days, Monday first."""
        return self["days"].split()

    @cached_property
    def months(self) -> list[str]:
        """The names of the months."""
        return self["months"].split()

    def __getitem__(self, key: str) -> str:
        return self.text[key]

    def __contains__(self, key: str) -> bool:
        return key in self.text

    def __call__(self, key: str, **values: object) -> str:
        """Return the message with its placeholders filled."""
        return self.text[key].format(
            **{
                name: _Counted(value) if isinstance(value, str) else value
                for name, value in values.items()
            }
        )

    @property
    def metrics(self) -> dict[str, Definition]:
        """Name, unit and definition of every metric, in the order of the registry."""
        return {
            code: Definition(
                metric.name[self.index],
                self[f"unit_{metric.unit}"],
                f"source_{metric.source}",
                metric.definition[self.index],
            )
            for code, metric in registry.metrics().items()
        }

    def names(self, vocabulary: str) -> dict[str, str]:
        """What the codes of a vocabulary are called in full, in their order."""
        found = registry.vocabulary(vocabulary)
        return {code: term.name[self.index] for code, term in found.items()}

    def terms(self, vocabulary: str) -> dict[str, str]:
        """What the codes of a vocabulary are called for short, in their order."""
        found = registry.vocabulary(vocabulary)
        return {code: term.label[self.index] for code, term in found.items()}

    # -- numbers -----------------------------------------------------------------------------

    def number(self, value: int | None) -> str:
        """A count: `1.084.999`; None is `n/a`."""
        if value is None:
            return self["not_available"]
        return (MINUS if value < 0 else "") + f"{abs(value):,}".replace(",", self["thousands"])

    def signed(self, value: int | None) -> str:
        """A difference: `+3`, `−2` (a true minus), `0`; None is `n/a`."""
        return ("+" if value is not None and value > 0 else "") + self.number(value)

    def decimal(self, value: Exact | None, places: int = 1) -> str:
        """A measure, rounded: `1.234,5`; None is `n/a`."""
        if value is None:
            return self["not_available"]
        rounded = half_up(value, places)
        whole, _, rest = f"{abs(rounded):f}".partition(".")
        number = self.number(int(whole)) + (self["decimal_point"] + rest if rest else "")
        return (MINUS if rounded < 0 else "") + number

    def percent(self, part: int, whole: int) -> str:
        """Format a share in whole per cent: `95 %`; 0 % and 100 % only if exact; `n/a` of none."""
        return self.share(Fraction(100 * part, whole) if whole else None)

    def share(self, percent: Exact | None) -> str:
        """Format a number of per cent as `percent` does; None is `n/a`."""
        if percent is None:
            return self["not_available"]
        return self("percent", value=whole_percent(percent))

    # -- days --------------------------------------------------------------------------------

    def day(self, value: date) -> str:
        """Format a day: `11 November 2024`."""
        return f"{value.day} {self.months[value.month - 1]} {value.year}"

    def weekday(self, value: date) -> str:
        """Format a day with its weekday: `Senin, 11 November 2024`."""
        return f"{self.days[value.weekday()]}, {self.day(value)}"

    def short_day(self, value: date) -> str:
        """Format a day for a chart's axis: `11 Nov`."""
        return f"{value.day} {self.months[value.month - 1][:3]}"

    def moment(self, value: datetime) -> str:
        """Format a moment in WIB: `Senin, 11 November 2024 pukul 06.00 WIB`.

        Args:
            value: an aware datetime of any zone.

        """
        local = value.astimezone(JAKARTA)
        day = self.weekday(local.date())
        return self("moment", day=day, hour=f"{local:%H}", minute=f"{local:%M}")

    def week_range(self, first: date, last: date) -> str:
        """Format a range of days: `18–24 November 2024`, `28 Oktober–3 November 2024`."""
        if first.year != last.year:
            return f"{self.day(first)}–{self.day(last)}"
        if first.month != last.month:
            return f"{first.day} {self.months[first.month - 1]}–{self.day(last)}"
        return f"{first.day}–{self.day(last)}"

    def either_day(self, first: date, second: date) -> str:
        """Format two days: `25 atau 26 November 2024`, `30 November atau 1 Desember 2024`."""
        if first.year != second.year:
            start = self.day(first)
        elif first.month != second.month:
            start = self.day(first).removesuffix(f" {first.year}")
        else:
            start = f"{first.day}"
        return f"{start}{self['or']}{self.day(second)}"

    def channel(self, title: str) -> str:
        """Name a channel: `Kanal Aduan WhatsApp`; no title gets that word twice."""
        words = [BY_LANGUAGE[language]["channel"].lower() for language in LANGUAGES]
        is_named = title.lower().split(" ")[0] in words
        return title if is_named else f"{self['channel']} {title}"

    def subtitle(self, edition: Edition) -> str:
        """Return an edition's week with its counted days: `Pekan 47: 18–24 November 2024`."""
        days = self.week_range(*edition.days_of(edition.week_id))
        return self("subtitle", week=int(edition.week_id[-2:]), range=days)

    def short_weeks(self, edition: Edition, weeks: Iterable[str]) -> list[str]:
        """Return a sentence for each of the weeks in which the campaign begins or ends."""
        sentences = []
        for week in weeks:
            first, last = edition.days_of(week)
            days = (last - first).days + 1
            if days < 7:
                values = {
                    "week": int(week[-2:]),
                    "days": days,
                    "range": self.week_range(first, last),
                }
                sentences.append(self("short_week", **values))
            end = edition.campaign_end
            if end and first <= end < last:
                values = {"week": int(week[-2:]), "end": self.weekday(end)}
                sentences.append(self("last_week_of_campaign", **values))
        return sentences

    # -- sentences ---------------------------------------------------------------------------

    def listing(self, items: Sequence[str], *, most: int = 0) -> str:
        """Format a list: `a`, `a dan b`, `a, b, dan c`; with commas in items `a; b, c; dan d`.

        Of two items, the separator depends on the first: `a dan b, c`, but `a, b; c`.

        Args:
            items: in order.
            most: the number of items that are named; the others are only counted. 0: name all.

        """
        if 0 < most < len(items):
            rest = self("others", count=self.number(len(items) - most))
            items = [*items[:most], rest]
        if len(items) < 3:
            return ("; " if items and ", " in items[0] else self["and"]).join(items)
        if any(", " in item for item in items):
            return f";{self['and']}".join(["; ".join(items[:-1]), items[-1]])
        return f"{', '.join(items[:-1])}{self['last_and']}{items[-1]}"

    def change(self, value: int, previous: int | None) -> str:
        """Describe how a count has changed since the previous week."""
        if previous is None:
            return self["change_unknown"]
        if value == previous:
            return self["change_same"]
        return self(
            "change_up" if value > previous else "change_down",
            by=self.number(abs(value - previous)),
            previous=self.number(previous),
        )

    def category_names(self, edition: Edition) -> dict[tuple[str, str], str]:
        """Return the names of the categories, by metric code and category code.

        Names are those frozen with the edition; those it did not freeze are the registry's.
        """
        found = {}
        names = edition.names[self.language]
        for metric, category in dict.fromkeys(key[:2] for key in edition.metrics):
            if category != registry.WHOLE:
                dimension = " ".join(registry.metrics()[metric].dimension)
                # Themes are rows of tables, where a full name has room; others head columns.
                short = {} if dimension == "issue" else names.get(f"{dimension}_label", {})
                frozen = (names.get(dimension, {}) | short).get(category)
                name = frozen or registry.categories(metric)[category][self.index]
                found[metric, category] = name
        return found

    def status(self, decision: Decision | None) -> str:
        """Describe whether and how an edition was approved."""
        if decision is None:
            return self["status_draft"]
        if decision.decision != "approved":
            return self["status_rejected"]
        if decision.how == "demo":
            return self["status_demo"]
        return self("status_person", by=decision.decided_by, at=self.moment(decision.decided_at))

    def method(self, edition: Edition) -> list[str]:
        """Return sentences on how an edition counts, and what readers must know."""
        first = self.weekday(edition.first_day)
        values = {"first": first, "not_counted": self["not_counted_title"]}
        return [
            self(f"method_{part}", **values)
            for part in _METHOD
            if part != "before" or edition.before_campaign is not None
        ] + self.short_weeks(edition, edition.weeks)

    def reasons(self, restatement: Restatement) -> str:
        """Describe why a metric has changed: `masuk terlambat (+2), ditarik sumber (−1)`."""
        counted = {name: getattr(restatement, name) for name in _REASONS}
        reasons = [
            self("restatement_reason", reason=self[name], change=self.signed(count))
            for name, count in counted.items()
            if count
        ]
        if restatement.published_value is not None:
            reasons.append(self("restatement_said", value=self.number(restatement.published_value)))
        return ", ".join(reasons)

    def of_period(self, metric: str, period: str) -> str:
        """Return a restated metric's name, with its period unless that is its edition's week."""
        if period == "week":
            return metric
        if period == "to_date":
            return self("restatement_to_date", metric=metric)
        return self("restatement_week", metric=metric, week=period)


_REASONS = ("late", "progressed", "edited", "withdrawn", "excluded", "recoded")


def iso(value: datetime) -> str:
    """Format a moment as ISO 8601 in WIB: `2024-11-25T06:00:00+07:00`."""
    return value.astimezone(JAKARTA).isoformat(timespec="seconds")


BY_LANGUAGE = {language: Messages(language) for language in LANGUAGES}
"""The messages of every language, as the edition of a province prints them."""
_OF_COUNTRY = {language: Messages(language, is_of_country=True) for language in LANGUAGES}


def messages_of(edition: Edition, language: str = "") -> Messages:
    """Return the messages with which an edition is written; without a language in its own."""
    found = _OF_COUNTRY if edition.is_of_country else BY_LANGUAGE
    return found[language or edition.language]


INDONESIAN = BY_LANGUAGE["id"]
