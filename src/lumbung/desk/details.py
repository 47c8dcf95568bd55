"""What the review list says in codes, in the words of a page: details of items, evidence of pairs.

A code without words, such as a field that an office has added, is shown as it is.
"""

from __future__ import annotations

import re
from decimal import Decimal

from lumbung import registry
from lumbung.desk.pages import texts
from lumbung.publication.translations.formatting import BY_LANGUAGE
from lumbung.warehouse import mappings

_EVIDENCE = re.compile(r"([a-z_]+): ([a-z]+) ([+-])(\d+\.\d+)")


def evidence(line: str, language: str) -> str:
    """Return a line of a pair's evidence: `day: same +2.2` is `Hari: sama (+2,2)`."""
    words = texts(language)
    found = _EVIDENCE.fullmatch(line)
    if not found or not {f"evidence_{found[1]}", f"level_{found[2]}"} <= words.keys():
        return line
    sign = "+" if found[3] == "+" else "−"
    weight = BY_LANGUAGE[language].decimal(Decimal(found[4]))
    return f"{words[f'evidence_{found[1]}']}: {words[f'level_{found[2]}']} ({sign}{weight})"


def check_names() -> dict[str, registry.Pair]:
    """Return the names of the checks of the review list by code."""
    return {
        row["check_code"]: (row["check_name"], row["check_name_en"])
        for row in registry.seed("review_check")
    }


def detail(check: str, text: str, language: str) -> str:
    """Return the detail of an item of a check (`marts.fct_review_item.detail`)."""
    words, m = texts(language), BY_LANGUAGE[language]
    subject, colon, word = text.partition(": ")
    if check == "word_unknown":
        return f"{words.get(f'vocabulary_{subject}', subject)}{colon}{word}"
    if check == "place_unresolved":
        return words.get(f"place_method_{text}", text)
    if check == "delivery_quarantined":
        return m.text.get(f"reason_{text}", text)
    if check == "status_change_illegal":
        names = mappings.codes("status")
        place = registry.LANGUAGES.index(language)
        steps = text.split("_to_")
        return " → ".join(names[each][place] if each in names else each for each in steps)
    if check == "possible_test_row":
        return words["detail_score"].format(score=text.removeprefix("score "))
    if check == "plan_repeated":
        return words["detail_records"].format(numbers=text.removeprefix("records "))
    if check == "block_oversized":
        for begin, key in (
            ("one legal number", "detail_one_legal_number"),
            ("district unknown", "detail_district_unknown"),
        ):
            if text.startswith(begin):
                return words[key] + text.removeprefix(begin)
        return text
    field = registry.canonical_fields().get(text)
    vocabulary = field.vocabulary if field else "-"
    for key in (f"detail_{text}", f"pair_{text}" if field else "", f"vocabulary_{vocabulary}"):
        if key in words:
            return words[key]
    return text
