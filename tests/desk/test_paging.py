"""A list is read page by page, also while rows leave it, and long texts make its pages shorter."""

from __future__ import annotations

from lumbung.desk.paging import LONGEST, SHOWN, Page, page


def pages(rows: list[tuple[int, str]]) -> list[Page[tuple[int, str]]]:
    found = [page(rows, lambda row: row, "", lambda row: row[1])]
    while found[-1].following:
        found.append(page(rows, lambda row: row, found[-1].following, lambda row: row[1]))
    return found


def test_the_pages_hold_each_row_once() -> None:
    rows = [(-number // 3, f"kata: {number}") for number in range(100)]
    found = pages(rows)
    assert [len(each.rows) for each in found] == [SHOWN, SHOWN, 20]
    assert sorted(row for each in found for row in each.rows) == sorted(rows)
    assert [(each.first, each.last, each.count) for each in found] == [
        (1, 40, 100), (41, 80, 100), (81, 100, 100),
    ]  # fmt: skip


def test_a_page_goes_on_where_the_row_before_was_although_it_has_left_the_list() -> None:
    rows = [(number, "") for number in range(60)]
    following = page(rows, lambda row: row, "").following
    rows.remove((39, ""))
    assert page(rows, lambda row: row, following).rows[0] == (40, "")


def test_long_texts_make_a_page_shorter_and_never_empty() -> None:
    rows = [(number, "\U0001f4a3" * 200) for number in range(8)]
    found = pages(rows)
    assert [len(each.rows) for each in found] == [LONGEST // 2400] * 4
    assert len(pages([(1, "x" * LONGEST * 2), (2, "")])) == 2


def test_an_empty_list_has_one_page() -> None:
    (found,) = pages([])
    assert (found.rows, found.last, found.count) == ([], 0, 0)
