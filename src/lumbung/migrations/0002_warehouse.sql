-- What the warehouse did: its builds, node by node, and what the checks at the doors found.

create table ops.build (
    build_id bigint generated always as identity primary key,
    state text not null default 'running'
        check (state in ('running', 'success', 'failed', 'abandoned')),
    resumes_build_id bigint references ops.build,
    max_batch_id bigint not null,          -- every batch up to this one is in the build
    inputs_hash text not null,             -- of the dbt project, the channels' maps and the selection
    seeds_hash text not null,              -- of the seeds' files: unchanged seeds are not loaded again
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    message text
);

create table ops.model_run (
    build_id bigint not null references ops.build on delete cascade,
    node_id text not null,                 -- dbt's unique id
    node_name text not null,
    resource_type text not null,           -- seed, model, test ...
    state text not null,                   -- running, success, pass, warn, fail, error, skipped
    started_at timestamptz not null default clock_timestamp(),
    duration_seconds double precision,
    row_count bigint,                      -- rows written by a model or seed, failing rows of a test
    message text,
    primary key (build_id, node_id)
);

-- One row per check of a door and run. Failing keys are of channels, fields, weeks: never of people.
create table ops.check_result (
    check_result_id bigint generated always as identity primary key,
    run_id uuid not null,
    suite text not null,
    batch text not null,
    check_name text not null,
    severity text not null check (severity in ('fail', 'warn')),
    is_passed boolean not null,
    checked_count bigint not null,
    failing_count bigint not null,
    failing jsonb not null,                -- up to 20 of the failing rows' keys
    owner text not null,
    cure text not null,
    checked_at timestamptz not null default clock_timestamp()
);
create index check_result_run on ops.check_result (suite, checked_at desc);
