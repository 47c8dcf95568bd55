"""As whom each command logs in to the warehouse, and that few need its owner."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "rights.md").read_text(encoding="utf-8")


def named(functions: dict[str, ast.FunctionDef], name: str) -> set[str]:
    """The logins that a function's code names, through the functions of the same module."""
    found: set[str] = set()
    for node in ast.walk(functions[name]):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "warehouse_url":
            found.add(ast.unparse(node.args[0]).strip("'"))
        elif called == "owner_url" or called.endswith((".start_database", ".migrate")):
            found.add("owner")
        elif called == "warehouse_address" or called.endswith(".address"):
            found.add("roles")
        elif called == "decider":
            found.add("approver")
        elif called in functions:
            found |= named(functions, called)
    return found


def logins() -> dict[str, set[str]]:
    """Command -> the logins that its code names; commands without one are left out."""
    found: dict[str, set[str]] = {}
    for file in sorted((ROOT / "src" / "lumbung" / "cli").glob("*.py")):
        functions = {
            node.name: node
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
        for name, function in functions.items():
            for decorator in function.decorator_list:
                if match := re.match(r"(\w+)\.command\((?:'([\w-]+)')?", ast.unparse(decorator)):
                    group = {"app": "", "channels": "channel "}.get(match[1], f"{match[1]} ")
                    if calls := named(functions, name):
                        found[group + (match[2] or name.replace("_", "-"))] = calls
    return found


def stated() -> dict[str, set[str]]:
    """The table of the page."""
    text = PAGE.split("## Logins of commands")[1].split("\n## ")[0]
    found: dict[str, set[str]] = {}
    for names, who in re.findall(r"^\| (`lumbung.*`) \| (.*) \|$", text, re.MULTILINE):
        for command in re.findall(r"`lumbung ([^`]+)`", names):
            found[command] = set(re.findall(r"`(\w+)`", who))
    return found


def test_each_command_logs_in_as_the_page_says() -> None:
    assert logins() == stated()
