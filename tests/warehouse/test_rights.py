"""The rights that docs/reference/rights.md states are those of the database, and no others."""

from __future__ import annotations

import re
from collections import defaultdict

import psycopg
import pytest

from lumbung import database
from lumbung.warehouse.roles import KNOWN, LOGINS, role_url
from tests.warehouse.conftest import PROJECT
from tests.warehouse.test_roles import Demo

COLUMNS = (
    "loader", "transformer", "custodian", "steward", "publisher", "approver", "auditor", "analysts",
)  # fmt: skip
VERBS = ("owns", "select", "insert", "update", "delete", "maintain", "usage", "create")
Rights = dict[str, dict[str, str]]
"""Object -> role -> verbs in the order of `VERBS`."""

PAGE = (PROJECT / "docs" / "reference" / "rights.md").read_text(encoding="utf-8")
OURS = "!~ '^(pg_|information_schema$)'"
GRANTS = f"""
with granted as (
    select nspname::text as object, nspacl as acl, nspowner as owner
    from pg_namespace where nspname {OURS}
    union all
    select nspname || '.' || relname, relacl, relowner
    from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid
    where relkind in ('r', 'p', 'v', 'm', 'f') and nspname {OURS}
)
select object, case grantee when 0 then 'public' else grantee::regrole::text end, privilege_type
from granted left join lateral aclexplode(acl) on grantee <> owner
union all
select object, owner::regrole::text, 'owns' from granted
where owner <> (select datdba from pg_database where datname = current_database())
    and object <> 'public'
"""
COLUMN_GRANTS = f"""
select
    attrelid::regclass::text,
    grantee::regrole::text || case privilege_type when 'SELECT' then '' else ' updates' end,
    attname::text
from pg_attribute inner join pg_class on attrelid = pg_class.oid, aclexplode(attacl)
where relnamespace::regnamespace::text {OURS}
"""


def stated() -> Rights:
    """The lines of the page's tables that name a schema or a table."""
    found = {}
    for line in PAGE.splitlines():
        if match := re.fullmatch(r"\| `([a-z_.*]+)` \|(.*)\|", line):
            cells = [cell.strip() for cell in match[2].split("|")]
            found[match[1]] = {
                role: cell for role, cell in zip(COLUMNS, cells, strict=True) if cell
            }
    return found


def granted(url: str) -> Rights:
    """What the catalogue grants; the two roles of analysts, which must agree, under one name."""
    verbs: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    with psycopg.connect(url) as owner:
        for name, role, verb in owner.execute(GRANTS.encode()):
            roles = verbs[name]
            if role is not None:
                roles[role].add(verb.lower())
    found: Rights = {}
    for name, roles in verbs.items():
        assert roles.get("analyst_province") == roles.pop("analyst_regency", None), name
        if "analyst_province" in roles:
            roles["analysts"] = roles.pop("analyst_province")
        for role, each in roles.items():
            assert each <= set(VERBS), (name, role, each)
        found[name] = {
            role: " ".join(verb for verb in VERBS if verb in each) for role, each in roles.items()
        }
    return found


def test_schemas_and_tables(demo: Demo) -> None:
    lines = stated()
    found = granted(demo[0])
    assert found.pop("public") == {"public": "usage"}, "extensions only"
    differing = {}
    used = set()
    for name, roles in found.items():
        line = name if name in lines else re.sub(r"\..*", ".*", name)
        used.add(line)
        if lines.get(line) != roles:
            differing[name] = (roles, lines.get(line))
    assert differing == {}
    assert set(lines) - used == set()
    assert len(found) > 100


def test_the_vault_and_decisions_are_out_of_reach_of_models(demo: Demo) -> None:
    """Code in a table or view of dbt runs with the rights of who reads it."""
    with psycopg.connect(demo[0]) as owner:
        found = owner.execute(
            "select role, c.oid::regclass::text from pg_class as c,"
            " unnest(array['loader', 'custodian', 'approver']) as role"
            " where relowner = 'transformer'::regrole and relkind in ('r', 'p', 'v', 'm')"
            " and (has_any_column_privilege(role, c.oid, 'select, insert, update')"
            "   or has_table_privilege(role, c.oid, 'delete'))"
        ).fetchall()
    assert found == []


def test_columns(demo: Demo) -> None:
    listed: dict[tuple[str, str], set[str]] = {}
    text = PAGE.split("## Columns")[1]
    for table, role, rest in re.findall(r"^- `([a-z_.]+)`, ([a-z ]+): ([^.]+)\.$", text, re.M):
        listed[table, role] = set(re.findall(r"`(\w+)`", rest))
        if "the same" in rest:
            listed[table, role] |= listed[table, "transformer"]
    assert len(listed) == 15
    found = defaultdict(set)
    with psycopg.connect(demo[0]) as owner:
        for table, role, column in owner.execute(COLUMN_GRANTS.encode()):
            found[table, role].add(column)
    assert found == listed


def test_functions_that_every_login_could_misuse(demo: Demo) -> None:
    """Advisory locks stop builds and pulls; large objects fill the disk."""
    roles = ("loader", "transformer", "publisher", "auditor", "analyst_province", "analyst_19_02")
    with psycopg.connect(demo[0]) as owner:
        rows = owner.execute(
            "select proname::text, role, has_function_privilege(role, oid, 'execute')"
            " from pg_proc, unnest(%s::text[]) as role"
            " where pronamespace = 'pg_catalog'::regnamespace"
            " and (proname ~ 'advisory' or proname ~ '^lo_' or proname in ('loread', 'lowrite'))",
            (list(roles),),
        ).fetchall()
        definers = owner.execute(
            "select proname from pg_proc where prosecdef"
            f" and pronamespace::regnamespace::text {OURS}"
            " and has_function_privilege('public', oid, 'execute')".encode()
        ).fetchall()
    assert len(rows) > 200
    wrong = [
        (name, role)
        for name, role, may in rows
        if may != ("advisory" in name and role in ("loader", "transformer", "publisher"))
    ]
    assert wrong == []
    assert definers == [], "a function with the owner's rights is for the roles that need it"


def test_languages_counters_and_places(demo: Demo) -> None:
    """What would let a regency count the rows of another one (ADR 18)."""
    roles = ("loader", "transformer", "publisher", "auditor", "analyst_province", "analyst_19_02")
    with psycopg.connect(demo[0]) as owner:
        writers = owner.execute(
            "select role, lanname::text from pg_language, unnest(%s::text[]) as role"
            " where lanpltrusted and has_language_privilege(role, oid, 'usage')",
            (list(roles),),
        ).fetchall()
        counting = owner.execute(
            "select distinct role from pg_proc, unnest(%s::text[]) as role"
            " where (proname ~ '^pg_stat_get_(xact_)?tuples_' or proname = 'query_to_xml')"
            " and has_function_privilege(role, oid, 'execute')",
            (list(roles),),
        ).fetchall()
        known = owner.execute(
            "select starelid::regclass::text, attname::text from pg_statistic"
            " inner join pg_attribute on attrelid = starelid and attnum = staattnum"
            " inner join pg_policy on polrelid = starelid and polname = 'own_regency'"
            " where attname in ('regency_code', 'district_code', 'village_code',"
            " 'register_area_code')"
        ).fetchall()
    assert sorted(writers) == [("transformer", "plpgsql"), ("transformer", "sql")]
    assert {role for (role,) in counting} == set(roles) - {"analyst_19_02"}
    assert known == []


@pytest.mark.parametrize(
    "statement",
    [
        "select pg_advisory_lock(hashtext('lumbung.build'))",
        "select pg_try_advisory_xact_lock(1, 2)",
        "select lo_create(0)",
        "select lo_from_bytea(0, '\\x00')",
    ],
)
def test_an_analyst_stops_no_build_and_fills_no_disk(demo: Demo, statement: str) -> None:
    with (
        psycopg.connect(role_url(demo[0], "analyst_19_02")) as analyst,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        analyst.execute(statement.encode())


def test_roles_have_no_power_of_their_own_and_connect_to_the_warehouse_alone(demo: Demo) -> None:
    url = demo[0]
    database.migrate(url)  # a copy of a database has no rights of its own
    with psycopg.connect(url) as owner:
        rows = owner.execute(
            "select rolname::text, rolsuper or rolcreaterole or rolcreatedb or rolreplication"
            " or rolbypassrls, pg_has_role(oid, current_user, 'member'),"
            " has_database_privilege(oid, current_database(), 'connect'),"
            " has_database_privilege(oid, current_database(), 'create')"
            " from pg_roles"
            f" where rolname ~ '{KNOWN}' or rolname = 'analyst_regency' order by 1".encode()
        ).fetchall()
        others = owner.execute(
            "select privilege_type from pg_database, aclexplode(datacl)"
            " where datname = current_database() and grantee = 0"
        ).fetchall()
    assert len(rows) == 19, "twelve roles and seven regencies"
    assert [row for row in rows if row[1:] != (False, False, True, False)] == [
        ("airflow_metadata", False, False, False, False),
        ("backup", True, False, True, False),  # reads every row
        ("transformer", False, False, True, True),  # schemas of a build as known at a moment
    ]
    assert others == []


def test_no_statement_waits_for_a_lock_without_end(demo: Demo) -> None:
    with psycopg.connect(demo[0]) as owner:
        waiting = owner.execute(
            "select rolname::text from pg_roles where rolname = any (%s)"
            " and not 'lock_timeout=2h' = any (coalesce(rolconfig, '{}')) order by 1",
            (list(LOGINS),),
        ).fetchall()
    assert waiting == [("airflow_metadata",), ("auditor",)], "Airflow's, and a reader's"
    with database.session(demo[0]) as session:
        assert session.execute("show lock_timeout").fetchone() == ("2h",)
