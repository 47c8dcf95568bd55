"""An edition as data: everything that the renderer prints.

`lumbung.publication.model.store` loads it from the schema `published`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from lumbung.errors import PublicationError
from lumbung.publication.edition_id import week_of
from lumbung.publication.office import Office

BEFORE_CAMPAIGN = "BEFORE_CAMPAIGN"
"""A state in references only: open or possibly open deadlines of cases before the campaign."""


@dataclass(frozen=True)
class Regency:
    """A kabupaten or kota.

    Attributes:
        tile_row, tile_col: its place on the tile map (None: none).
        voters, stations: how many voters (DPT) and polling stations (TPS) it has.
        outline: its boundary on the map as rings of points, in pixels of a map `charts.WIDTH`
            wide; empty where the office has given no boundary file.

    """

    code: str
    bps_code: str | None
    name: str
    tile_row: int | None
    tile_col: int | None
    is_unknown: bool
    voters: int
    stations: int
    outline: tuple[tuple[tuple[float, float], ...], ...] = ()


@dataclass(frozen=True)
class MetricValue:
    """One frozen metric: its counts in the week, since the first week, and in the week before."""

    week: int
    to_date: int
    previous: int | None


@dataclass(frozen=True)
class Submission:
    """Whether a district delivered its recap of the edition's week.

    `last_week`: the latest week, up to the edition's, with a recap from the district; None: none.
    """

    district_code: str
    district_name: str
    regency_code: str
    is_submitted: bool
    row_count: int
    last_week: str | None


@dataclass(frozen=True)
class DistrictMetric:
    """Cases by district and group of themes, in the edition's `district_weeks`.

    `district_code` is empty for cases whose district is not known. `count` covers all those weeks;
    None: suppressed.
    """

    regency_code: str
    district_code: str
    district_name: str
    group_code: str
    count: int | None


@dataclass(frozen=True)
class Deadline:
    """How many legal deadlines of one rule are in a state in the province, at the edition's as-of.

    No edition has them by regency: some rules are of reports alone, so the rules of the province
    and the states of a regency would give away how its cases came in (ADR 35).

    `state_code`: a code of the seed `deadline_state`. Editions of earlier releases have
    `UNCERTAIN` in place of `MAYBE_OPEN` and `MAYBE_MISSED`.

    `before_campaign`: how many of these deadlines belong to cases received before the campaign's
    first day; None in editions of earlier releases, which did not store it.
    """

    rule_code: str
    state_code: str
    count: int
    before_campaign: int | None = None


QUOTIENT_PLACES = 2
"""Decimals of a profile's quotient, in every artefact. Shares are whole per cent."""


@dataclass(frozen=True)
class Profile:
    """A theme in a regency against the province, to date (marts.agg_issue_profile).

    `is_marked` and `trend_code` are judged with tips, as the marts judge them. Every number is of
    reports and findings, which editions publish by regency, theme and week: numbers with tips less
    those of the edition before would be the themes of single tips (ADR 35).

    Attributes:
        cases: reports and findings that name the theme.
        base: reports and findings of the regency.
        share, province_share: per cent of the reports and findings; None where there are none.
        quotient: the location quotient, share divided by the province's share.
        is_marked: whether the theme stands out there.
        previous_4: cases of the four weeks before the last four; None before there were such weeks.
        trend_code: `rising`, `falling` or `steady` (no clear change), of the last four weeks;
            `not_enough_weeks` before eight weeks of the campaign have ended.
        prevention, last_4_prevention: prevention activities there, of any theme.

    """

    regency_code: str
    issue_code: str
    cases: int
    base: int
    share: Fraction | None
    province_share: Fraction | None
    quotient: Fraction | None
    is_marked: bool
    last_4: int
    previous_4: int | None
    trend_code: str
    prevention: int
    last_4_prevention: int

    @property
    def is_by_tips(self) -> bool:
        """Whether reports and findings alone do not show why the theme stands out."""
        return self.is_marked and (self.quotient is None or self.quotient <= 1)


@dataclass(frozen=True)
class Need:
    """Prevention against a theme in a regency (marts.agg_prevention_need), the week's.

    Neither participants nor target groups are part of an edition: the differences of overlapping
    windows of four weeks would give small numbers of them away. Nor is a theme of which only tips
    are known, unless it stands out or a rule suggests a step.

    Attributes:
        cases, last_4, previous_4, trend_code, is_marked: as in `Profile`.
        done: activities of the last four weeks that name the theme, by the Formulir Pencegahan.
        planned: activities that plans intend for these weeks.
        gap: planned activities that no activity of their form, theme and target group fulfils.
        rule_code, suggestion, suggestion_en: the rule that suggests a next step, and its texts;
            None where no rule holds that the office has left on.

    """

    regency_code: str
    issue_code: str
    cases: int
    last_4: int
    previous_4: int | None
    trend_code: str
    is_marked: bool
    done: int
    planned: int
    gap: int
    rule_code: str | None
    suggestion: str | None
    suggestion_en: str | None

    @property
    def fulfilled(self) -> int:
        """Planned activities that were done."""
        return self.planned - self.gap


@dataclass(frozen=True)
class Plan:
    """Prevention that offices intend (marts.fct_prevention_plan), alike rows together.

    Attributes:
        start, end: first and last day of the period; it meets the four weeks from the edition's
            Monday on.
        form, form_en: the form of the activities; None: any.
        issue_codes: the themes that they are to prevent; empty: any.
        groups, groups_en: whom they address; empty: anybody.
        activities: how many are intended.

    """

    regency_code: str
    start: date
    end: date
    form: str | None
    form_en: str | None
    issue_codes: tuple[str, ...]
    groups: tuple[str, ...]
    groups_en: tuple[str, ...]
    activities: int


@dataclass(frozen=True)
class Vulnerability:
    """A score of the index of vulnerability (IKP) as it was published.

    No number of an edition is computed from it.

    Attributes:
        region_code: a regency, or the province.
        release_date: None where no source gives it.
        score: from 0 to 100.
        class_name: the class that the publisher gave it; None where none was published.

    """

    region_code: str
    dimension: str
    dimension_en: str
    release: str
    release_date: date | None
    score: Decimal
    class_name: str | None
    source: str


@dataclass(frozen=True)
class Effect:
    """How a theme's cases changed where prevention against it was held, compared with elsewhere.

    docs/explanation/prevention-effect.md explains it, and what it assumes.

    Attributes:
        activities: activities that are compared.
        ratio: the change with an activity divided by that without; 1 is no difference.
        low, high: its 95 % interval.

    """

    issue_code: str
    activities: int
    ratio: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class Restatement:
    """A metric of an earlier edition whose value has changed; the reasons add up to the change.

    `period`: `week` or `to_date` of that edition, or a week without an edition, such as `2024-W43`,
    whose count that edition published. `published_value`: the value that a later edition has
    published as a restatement (None: none); `is_published`: whether it is the value of today.
    """

    of_edition_id: str
    metric_code: str
    category_code: str
    regency_code: str
    period: str
    old: int
    new: int
    late: int
    edited: int
    withdrawn: int
    recoded: int
    is_published: bool
    progressed: int = 0
    published_value: int | None = None
    excluded: int = 0

    @property
    def change(self) -> int:
        """The difference between the value of today and the value published last."""
        return self.new - (self.old if self.published_value is None else self.published_value)


@dataclass(frozen=True)
class Waiver:
    """A failing check that a person has waived until the end of a day (WIB)."""

    check_name: str
    waived_by: str
    reason: str
    granted_at: datetime
    until: date


@dataclass(frozen=True)
class NotCounted:
    """What a channel delivered that no metric counts, by reason."""

    channel: str
    reason_code: str
    channel_title: str
    owner_name: str
    reason: str
    week: int
    to_date: int


@dataclass(frozen=True)
class HeldChannel:
    """A channel whose new rows are in no metric, because a check of the raw checkpoint failed.

    Attributes:
        channel: the channel.
        after_batch_id: its last batch that is in the metrics.
        title: its name for readers.
        count: how many of its deliveries and withdrawals are held back.
        since: the first day (WIB) of the hold.
        reason: why, in Indonesian.
        reason_en: the same in English.

    """

    channel: str
    after_batch_id: int
    title: str
    count: int
    since: date
    reason: str
    reason_en: str


@dataclass(frozen=True)
class Decision:
    """Who decided what, when, how, and the sha256 of each file that was reviewed."""

    decision: str
    how: str
    decided_by: str
    decided_at: datetime
    reviewed: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Edition:
    """One edition, complete for rendering.

    Attributes:
        as_of: the Monday after the week, 06:00 WIB (aware); deadlines are judged on that day.
        data_at: the metrics include what was landed up to this moment (aware): the beginning of
            the build that they were frozen from, or `as_of` when `as_known_at` is `then`.
        as_known_at: `now`: all that was known when frozen; `then`: what had been landed by `as_of`.
        frozen_at: when the metrics were frozen (aware).
        area_code: the code of the province, or of the country, that the edition describes.
        area_bps_code: the same in the scheme of BPS; None where it is not known.
        regencies: of the province, the unknown one last; in the country's edition its provinces.
        metrics: by metric, category and code of a regency or of the area.
        trend: the area's weekly values by metric and category, oldest first.
        names: by language and vocabulary (reporting.rpt_edition_name) the names by code, in order;
            `<vocabulary>_label` has the short ones.
        legal_sources: the legal sources of the deadline rules.
        campaign_start: the campaign's first day, from which the edition counts; None in editions
            of earlier releases, which count from the Monday of that week.
        campaign_end: the campaign's last day; None in editions of earlier releases.
        before_campaign: by kind (`LP`, `TM`, `IA`, `LHP`, `PREV`) how many records of the province
            no metric counts because they were received or done before the campaign's first day;
            None in editions of earlier releases, which did not store it. There are so few that a
            regency's would be single cases with their origin.
        profiles: empty where the warehouse has no profile of the week.
        needs: by regency and theme; empty also in editions of earlier releases.
        plans: by period and regency; empty also in editions of earlier releases.
        details: what details the cases of each regency in `district_weeks`, by metric, category and
            regency, the province included; None where it is not published. `metrics` and
            `restatements` have such metrics (`registry.Metric.is_detail`) of the province alone.
        vulnerability: scores of the IKP, by release, region and dimension.
        effects: themes with enough cases and activities for a comparison of before and after; None
            in editions of earlier releases.
        superseded_needs: the needs of the published revision of the week that this one replaces;
            empty without such a revision.
        prevention_rules: the rules that suggest a step, as rows of marts.dim_prevention_rule in the
            order in which they are tried; empty also in editions of earlier releases.
        tip_outcomes: how many `LP` and `TM` of the province since the campaign began are about an
            event of a tip: by a person's decision on the pair, or a registered TM that its register
            had traced as a tip. None in editions of earlier releases.
        district_unit: the unit of the districts' table, counted once per group of themes: a `case`,
            or in earlier releases each `theme` of a case.
        district_threshold: the lowest count above zero of districts and details that is printed:
            that of the office when the period was published first.
        previous_id, previous: the newest published edition of an earlier week (None: none), and
            its metrics to date by metric, category and regency.
        decision: None while it is a draft.

    """

    edition_id: str
    week_id: str
    revision: int
    language: str
    as_of: datetime
    data_at: datetime
    as_known_at: str
    frozen_at: datetime
    content_hash: str
    state: str
    office: Office
    area_code: str
    area_bps_code: str | None
    regencies: tuple[Regency, ...]
    names: dict[str, dict[str, dict[str, str]]]
    legal_sources: tuple[str, ...]
    campaign_start: date | None
    before_campaign: dict[str, int] | None
    metrics: dict[tuple[str, str, str], MetricValue]
    trend: dict[tuple[str, str], tuple[tuple[str, int], ...]]
    submissions: tuple[Submission, ...]
    district_metrics: tuple[DistrictMetric, ...]
    district_weeks: tuple[str, str] | None
    district_unit: str
    district_threshold: int
    deadlines: tuple[Deadline, ...]
    profiles: tuple[Profile, ...]
    previous_id: str | None
    previous: dict[tuple[str, str, str], int]
    restatements: tuple[Restatement, ...]
    not_counted: tuple[NotCounted, ...]
    held: tuple[HeldChannel, ...]
    waivers: tuple[Waiver, ...]
    decision: Decision | None
    needs: tuple[Need, ...] = ()
    superseded_needs: tuple[Need, ...] = ()
    plans: tuple[Plan, ...] = ()
    tip_outcomes: dict[str, int] | None = None
    details: dict[tuple[str, str, str], int | None] = field(default_factory=dict)
    vulnerability: tuple[Vulnerability, ...] = ()
    campaign_end: date | None = None
    effects: tuple[Effect, ...] | None = None
    prevention_rules: tuple[dict[str, Any], ...] = ()

    def metric(self, code: str, category: str = "ALL", regency: str = "") -> MetricValue:
        """Return a frozen metric; without a regency, the area's.

        Raises:
            PublicationError: when the edition does not have it.

        """
        try:
            return self.metrics[code, category, regency or self.area_code]
        except KeyError:
            raise PublicationError(
                f"metric {code}/{category} of {regency or self.area_code} was not frozen",
                where=f"edition {self.edition_id}",
                remediation="look at reporting.rpt_metric: every metric has a row per category, "
                "regency "
                "and week, zeros included; build again and freeze again",
            ) from None

    def has(self, code: str) -> bool:
        """Return whether the edition has the metric; it may have been added after the freeze."""
        return any(metric == code for metric, _, _ in self.metrics)

    @property
    def is_of_country(self) -> bool:
        """Whether its places are the provinces of the country."""
        return self.area_code.isalpha()

    @property
    def new_restatements(self) -> list[Restatement]:
        """The restatements that no earlier edition has published: every changed week, once.

        Also the sums to date of the newest edition before this week, where the changed weeks do not
        add up to their change. This happens because a week without an edition has values by regency
        only in the edition after it.
        """
        new = [r for r in self.restatements if not r.is_published]
        weeks: dict[tuple[str, str, str], int] = {}
        for r in new:
            if r.period != "to_date":
                key = r.metric_code, r.category_code, r.regency_code
                weeks[key] = weeks.get(key, 0) + r.change
        earlier = [r.of_edition_id for r in new if week_of(r.of_edition_id) < self.week_id]
        newest = max(earlier or [r.of_edition_id for r in new], default="")
        return [
            r
            for r in new
            if r.period != "to_date"
            or (
                r.of_edition_id == newest
                and r.change != weeks.get((r.metric_code, r.category_code, r.regency_code), 0)
            )
        ]

    @property
    def published_restatements(self) -> list[Restatement]:
        """Changed weeks whose restatement an earlier edition has published."""
        return [r for r in self.restatements if r.is_published and r.period != "to_date"]

    @property
    def issues(self) -> dict[str, str]:
        """The names of the themes by code, in the edition's language."""
        return self.names[self.language]["issue"]

    @property
    def monday(self) -> date:
        """The first day of the week."""
        return week_start(self.week_id)

    @property
    def sunday(self) -> date:
        """The last day of the week."""
        return self.monday + timedelta(days=6)

    @property
    def judged_on(self) -> date:
        """The day on which deadlines are judged: the Monday after the week."""
        return self.monday + timedelta(days=7)

    @property
    def next_day(self) -> date:
        """The day on which the edition of the next week is due: the Monday after that week."""
        return self.judged_on + timedelta(days=7)

    @cached_property
    def weeks(self) -> list[str]:
        """The weeks that are counted, the edition's own last."""
        return sorted({week for values in self.trend.values() for week, _ in values})

    @property
    def first_day(self) -> date:
        """The first day that is counted."""
        return self.days_of(min(self.weeks, default=self.week_id))[0]

    def days_of(self, week_id: str) -> tuple[date, date]:
        """Return the first and the last day of a week that are counted.

        These are its Monday and Sunday, except that the campaign's first week begins on the
        campaign's first day. The campaign's last week is counted until its Sunday.
        """
        monday = week_start(week_id)
        sunday = monday + timedelta(days=6)
        start = self.campaign_start
        return (start if start and monday < start <= sunday else monday), sunday


def week_start(week_id: str) -> date:
    """Return the Monday of an ISO week such as `2024-W47`.

    Raises:
        PublicationError: when it is not an ISO week.

    """
    try:
        year, week = week_id.split("-W")
        return date.fromisocalendar(int(year), int(week), 1)
    except ValueError:
        raise PublicationError(
            f"'{week_id}' is not an ISO week", where="week", remediation="write it as 2024-W47"
        ) from None
