-- ops.read_date reads '6 Nov 2024 jam 20 s/d 22': a bare hour that ends a range of hours is a time, unless a
-- day, a month or a year follows it. Before the date it is one only where that date is the last number.
do $$
declare
    written constant text := pg_get_functiondef('ops.read_date(text)'::regprocedure);
    place constant text := E'    found := regexp_match(\n        line, ''(?<![\\d.\\[_])@?';
    step constant text := $step$    -- the end of '@20 > 22', at any hour: only the first time matters
    line := regexp_replace(
        line, '(@ ?\d{1,2}(?:[.:]\d\d)?) ?[>-] ?(?:[01]?\d|2[0-4])(?![^ ,)]| *[,#>&/.(-]* *[\d\[#])', '\1 > @0', 'g'
    );
    line := regexp_replace(
        line, '^(@ ?\d{1,2}(?:[.:]\d\d)?) ?[>-] ?(?:[01]?\d|2[0-4]) +(?=\[[\d_]+\][^\d\[]*$)', '\1 > @0 '
    );
$step$;
begin
    if length(written) - length(replace(written, place, '')) <> length(place) then
        raise exception 'ops.read_date is not the function that this migration changes';
    end if;
    execute replace(written, place, step || place);
end
$$;
