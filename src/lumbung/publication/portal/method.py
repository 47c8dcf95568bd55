"""The page of the method: metrics, rules and data dictionary, as the latest edition has them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from lumbung.publication.model.document import Cell, Table
from lumbung.publication.portal.site import Site
from lumbung.registry import LANGUAGES

DICTIONARY = {"id": "kamus-data.csv", "en": "en/data-dictionary.csv"}
"""The data dictionary by language."""
_CONDITIONS = (
    *("issue_codes", "min_case_count", "trend_code", "is_marked", "max_done_count"),
    *("max_planned_count", "min_gap_count"),
)
"""The columns of marts.dim_prevention_rule that are conditions; null is none."""


def values(site: Site) -> dict[str, Any]:
    """Return the latest edition's method, quoted from its metadata and data dictionary."""
    language, quoted = site.e.language, site.latest.quoted
    meta = json.loads(quoted["metadata.json"])
    suffix = "" if language == LANGUAGES[0] else f"_{language}"
    rows = csv.reader(io.StringIO(quoted[DICTIONARY[language]].decode()))
    return {
        "meta": meta,
        "rules": site.m.method(site.e),
        "metrics": [
            {
                "code": metric["kode"],
                "name": metric[f"nama{suffix}"],
                "definition": metric[f"definisi{suffix}"],
                "unit": site.m.metrics[metric["kode"]].unit,
                "source": site.m[site.m.metrics[metric["kode"]].source],
            }
            for metric in meta["angka"]
        ],
        "dictionary": [*rows][1:],
        "suggestions": _suggestion_rules(site)
        if site.d.needs and site.e.prevention_rules
        else None,
        "threshold": site.e.district_threshold,
    }


def _suggestion_rules(site: Site) -> Table:
    """Return the table of the rules that suggested a step in the latest edition."""
    m, is_english = site.m, site.e.language == "en"

    def condition(column: str, value: Any) -> str:
        if column == "issue_codes":
            value = m.listing([site.e.issues.get(code, code) for code in value])
        elif column == "trend_code":
            value = m[value]
        return m(f"rules_{column}", value=value)

    rows = [
        [
            Cell(rule["rule_code"]),
            Cell("; ".join(condition(c, rule[c]) for c in _CONDITIONS if rule[c] is not None)),
            Cell(rule["suggestion_en" if is_english else "suggestion"]),
        ]
        for rule in site.e.prevention_rules
    ]
    heads = [m[f"rules_{head}"] for head in ("code", "conditions", "step")]
    return Table("", "", m["rules_caption"], heads, rows, "", is_text=True)
