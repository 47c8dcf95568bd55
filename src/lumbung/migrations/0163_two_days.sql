-- ops.read_date leaves '12 Nov 2024, dilaporkan 13 Nov 2024' unread: two days of two things, of which only
-- the second is named.
do $$
declare
    written constant text := pg_get_functiondef('ops.read_date(text)'::regprocedure);
    place constant text := E'    -- Phrases: ranges ''>''';
    step constant text := $step$    if line ~ (
        '(20\d\d|[/.-] ?2\d)\M.*'
        '\m(kejadian|peristiwa|terjadi|diterima|diketahui|ditemukan|dilaporkan|pelaporan|laporan)\M.*'
        '\m\d{1,2}( ?[/-] ?\d|\.\d{1,2}\.\d'
        '| ?(jan|feb|peb|mar|apr|mei|may|jun|jul|ag|aug|sep|okt|oct|nov|nop|des(?!a\M)|dec))'
    )
    then
        return;
    end if;

$step$;
begin
    if length(written) - length(replace(written, place, '')) <> length(place) then
        raise exception 'ops.read_date is not the function that this migration changes';
    end if;
    execute replace(written, place, step || place);
end
$$;
