-- Functions that dbt and Python both call. Those of one expression are inlined into the query that calls
-- them; their names are bound here, so that no search_path changes what they do.

-- The first id of a batch's records: a record's id is its batch's id and, in the lowest 20 bits, its place
-- in it. The batch's records end before the first id of the next batch.
create function ops.first_record_id(batch_id bigint) returns bigint
language sql immutable parallel safe
return batch_id << 20;

-- A word of a vocabulary as the seeds map_* spell it: lower case, single spaces, no spaces around a slash, no
-- punctuation at the ends.
create function ops.term_key(term text) returns text
language sql immutable parallel safe
return btrim(
    regexp_replace(regexp_replace(lower(term), '[\s_]+', ' ', 'g'), ' ?/ ?', '/', 'g'),
    ' .,;:-'
);

-- Whether a word that no vocabulary knows may be shown: short, no number, no title of a person.
create function ops.names_nobody(word text) returns boolean
language sql immutable parallel safe
return length(word) <= 40 and word !~ '@|\d{5}|( .*){3}|\m(pak|bu|bapak|ibu|sdri?|saudari?|hj?|dr)\M';

-- Reads a date as a person wrote it. `date_day`: the day that a text means, in Asia/Jakarta; of a range or
-- list the first. Null where it is no day, or where two readings are possible: day comes before month, a year
-- has four digits or is 20 to 29. `is_weekday_wrong`: the text names another weekday than that of its day.
--
-- The text becomes a line of few signs, step by step, and only a line of the grammar at the end is a date;
-- whatever is left over makes it unreadable:
--     'Kamis, 7 Nopember s.d. Sabtu, 9 Nop. 2024 pukul 19.30 WIB'  as written
--     'w4, 7 #11 > w6, 9 #11 2024 @19.30 '                         words
--     '7#11>[2024_11_9]'                                           full dates, without times
create function ops.read_date(
    written text, out date_day date, out is_weekday_wrong boolean
)
language plpgsql immutable parallel safe strict
set search_path = pg_catalog, public, pg_temp
as $read$
declare
    -- Spellings of months and weekdays, the first month and Monday first. Another word is that one of which a
    -- long name is no further than one slip of the pen (two in names of seven letters and more), if no other
    -- is as near.
    months constant text[] := '{
        januari january jan i,
        februari pebruari february feb peb pebr febr ii,
        maret march mar mrt iii,
        april apr iv,
        mei may v,
        juni june jun vi,
        juli july jul vii,
        agustus august agust agst agus agu ags agt aug viii,
        september sept sep ix,
        oktober october okt oct x,
        november nopember nov nop nopem novem xi,
        desember december des dec xii
    }';
    weekdays constant text[] := '{
        senin senen sen monday mon,
        selasa sel tuesday tue tues,
        rabu rebo rabo rab wednesday wed,
        kamis kemis kam thursday thu thur thurs,
        jumat jumaat jum friday fri,
        sabtu sab saturday sat,
        minggu ahad min mgg sunday sun
    }';
    -- Words around a date that say nothing about its day.
    fillers constant text[] := string_to_array(
        'hari hr tanggal tgl tggl tg tertanggal tertgl pada pd per dari mulai sejak tahun thn th bulan bln'
        ' kejadian peristiwa terjadi diterima diketahui ditemukan dilaporkan pelaporan laporan waktu date on of the'
        ' pagi siang sore petang malam subuh magrib maghrib isya ashar asar zuhur dzuhur selesai wib ini di'
        ' pahing pon wage kliwon legi', ' '
    );
    -- Words of a note that may move the day: with one of them the text is left unread.
    doubts constant text[] := string_to_array(
        'atau or sebelum sesudah sesudahnya setelah setelahnya kecuali bukan tidak batal dibatalkan ditunda diundur'
        ' ralat diralat revisi lalu kemarin besok esok lusa minus sampai hingga until to through dan serta and'
        ' depan berikutnya diganti dipindah antara kurang lebih utc gmt wita wit'
        ' jelang menjelang awal akhir pertengahan rencana rencananya jadwal dijadwalkan batas tenggat', ' '
    );
    codes jsonb; -- a month's or weekday's spelling: its sign in the line
    day_words text[];
    line text;
    word text;
    key text;
    words text[];
    note text;
    found text[];
    item text[];
    named_days integer[] := '{}';
    is_eve boolean := false;
    offset_minutes integer;
    is_far_zone boolean := false;
    time_count integer;
    minute_of_day integer;
    day date;
    next_day date;
    last_day date;
    sign text := '';
begin
    if octet_length(written) > 200 then
        return;
    end if;

    -- Most texts are written by a machine: these are read without the steps below, of which each costs.
    found := regexp_match(written, '^(20\d\d)-(\d\d)-(\d\d)'
        '(?:[ T][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:\+07(?::?00)?)?)?$');
    if found is null then
        found := regexp_match(written, '^(\d{1,2})/(\d{1,2})/(20\d\d)(?:,? [0-2]?\d[.:][0-5]\d(?:[.:][0-5]\d)?)?$');
        found := array[found[3], found[2], found[1]];
    end if;
    if found[1] is not null then
        if pg_input_is_valid(array_to_string(found, '-'), 'date') then
            date_day := array_to_string(found, '-')::date;
            is_weekday_wrong := false;
        end if;
        return;
    end if;

    -- A spreadsheet's day number, counted from 1899-12-30.
    if written ~ '^\s*[3-7][0-9]{4}([.,][0-9]{1,15})?\s*$' then
        day := date '1899-12-30' + substring(written from '[3-7][0-9]{4}')::integer;
        if day between date '2000-01-01' and date '2099-12-31' then
            date_day := day;
            is_weekday_wrong := false;
        end if;
        return;
    end if;

    select jsonb_object_agg(names.name, names.code) into codes
    from (
        select string_to_table(spellings, ' ') as name, '#' || number || ' ' as code
        from unnest(months) with ordinality as month (spellings, number)
        union all
        select string_to_table(spellings, ' '), 'w' || number || ' '
        from unnest(weekdays) with ordinality as weekday (spellings, number)
    ) as names;
    day_words := doubts || array(select jsonb_object_keys(codes));

    -- Signs: one kind of dash, slash, bracket and space; nothing invisible.
    line := lower(normalize(written, nfkc));
    line := regexp_replace(line, '[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff]', '', 'g');
    line := regexp_replace(line, '[\u2010-\u2015\u2212~\u301c_]', '-', 'g');
    line := regexp_replace(line, '[''"*`\u2018\u2019\u00b4]', '', 'g');
    line := translate(line, E'[]{};|\u2022\u00b7\\\u201c\u201d', '()(),,,,/');
    line := regexp_replace(line, '\s+', ' ', 'g');
    if line ~ '[#@\^!>$%]|[^ -~±]' then
        return; -- the first are our signs below; some locales count other digits as \d
    end if;

    -- A place or polling station before it: 'Koba, 7 November 2024'.
    found := regexp_match(line, '^( ?([a-z][a-z .]{1,28}[a-z]|tps \d{1,3}), ?)(?=\d|tgl|tanggal)');
    if found[2] !~ ('\m(' || array_to_string(day_words || fillers, '|') || ')\M') then
        line := substr(line, length(found[1]) + 1);
    end if;

    -- Two days that are told of two things.
    if regexp_count(line, '\m(kejadian|peristiwa|terjadi|diterima|diketahui|ditemukan|dilaporkan|pelaporan)\M') > 1
    then
        return;
    end if;

    -- Phrases: ranges '>', lists '&', the hour's '@', the moment of the day.
    line := regexp_replace(line, '\(?(western indonesia time|waktu indonesia barat|indochina time'
        '|se asia standard time|asia/jakarta)\)?', ' ', 'g');
    line := regexp_replace(line, '\ms ?[./]? ?d\M\.?|\m(sampai|hingga)( dengan| dgn| ke)?\M|\m(until|to|through)\M',
        ' > ', 'g');
    line := regexp_replace(line, '[>-] *(selesai|sekarang|kini|saat ini|seterusnya)\M', ' ', 'g');
    line := regexp_replace(line, '\m(dan|serta|and)\M', ' & ', 'g');
    line := regexp_replace(line, '\m(pukul|pkl|pkul|pk|jam|jm|at)\M[ .:]*(?=(setengah )?\d)', ' @', 'g');
    line := regexp_replace(line, '@setengah ', '@', 'g');
    line := regexp_replace(line, '\m(dini ?hari|tengah malam)\M', ' ', 'g');
    line := regexp_replace(line, '\m(bada|bakda|setelah|stlh|sesudah|usai|sehabis|habis|abis|selepas) (s[ha]*lat |sholat )?(?=(subuh|zuhur|dzuhur|asar|ashar|ma[gh]+rib|isya)\M)',
        ' ', 'g');
    line := regexp_replace(
        line,
        '(\m(sekitar|sekira|kira[- ]?kira|kira2|kurang lebih|lebih kurang|sktr|skitar|lk)\M|±|\+/-)[ .:]*'
        '(?=@|\d{1,2}[.:]\d{2}(?![.:]?\d))',
        ' ', 'g'
    );
    line := regexp_replace(line, '\m(bulan|bln)[ .]*(\d{1,2})(?!\d)', '#\2', 'g');
    line := regexp_replace(line, '\mjum[ ,.]?at\M', 'jumat', 'g');
    line := regexp_replace(line, '\((selama )?\d{1,3} hari\)|\mselama \d{1,3} hari\M', ' ', 'g');
    line := regexp_replace(line, '(\d) ?-?an\M', '\1', 'g'); -- 'jam 8-an'
    -- the year of the other calendar
    line := regexp_replace(line, '(20\d\d) ?m\M', '\1', 'g');
    line := regexp_replace(line, '[/(,-] ?\d{1,2} [a-z]+[a-z ]* 14\d\d ?h[a-z]*\M\.?\)?', ' ', 'g');
    line := regexp_replace(line, '(\d) ?([ap])\.? ?m\M\.?', '\1!\2 ', 'g');
    line := regexp_replace(line, '(\d)(st|nd|rd|th)\M', '\1', 'g');
    line := regexp_replace(line, '(20\d\d-?\d\d-?\d\d) ?t ?(\d)', '\1 \2', 'g');
    -- '7 November 2024, 8 malam'
    line := regexp_replace(line, '(20\d\d[ ,]{1,3})(\d{1,2}) ?(?=(pagi|siang|sore|malam)\M)', '\1@\2 ', 'g');

    -- Words: a weekday 'w4', a month '#11', another zone '^0'; one that is unknown makes it unreadable.
    words := '{}';
    for item in select regexp_matches(line, '[a-z]+|[^a-z]+', 'g') loop
        word := item[1];
        if note is not null then
            note := note || word;
            continue;
        end if;
        if word !~ '[a-z]' then
            words := words || word;
            continue;
        end if;
        key := case
            when word = any (fillers) then ' '
            when codes ? word then codes ->> word
            when word in ('z', 'utc', 'gmt') then '^0'
            when word = 'wita' then '^8'
            when word = 'wit' then '^9'
            when word in ('a', 'p') and words[cardinality(words)] like '%!' then word
        end;
        if key is null and length(word) >= 4 then
            -- slips of the pen: one, or two in a long word, nearer to one name than to any other
            select (array_agg(near.code order by near.distance))[1]
            into key
            from (
                select
                    names.code,
                    min(slips.number) as distance,
                    bool_or(left(names.name, 1) = left(word, 1) and slips.number <= names.slips) as is_near
                from (
                    select each.value as code, each.key as name,
                        case when each.value like '#%' and length(each.key) >= 7 then 2 else 1 end as slips
                    from jsonb_each_text(codes) as each
                    where length(each.key) >= 5
                    union all
                    select '', '', 0
                ) as names
                -- two letters in the wrong order are one slip
                cross join lateral (
                    select case
                        when exists (
                            select from generate_series(1, length(word) - 1) as place
                            where names.name = overlay(
                                word placing substr(word, place + 1, 1) || substr(word, place, 1)
                                from place for 2
                            )
                        ) then 1
                        else levenshtein(names.name, word)
                    end as number
                ) as slips
                group by names.code
            ) as near
            having (array_agg(near.is_near order by near.distance))[1]
                and min(near.distance) < (array_agg(near.distance order by near.distance))[2];
        end if;
        if key is null then
            -- What follows a date with its year is a note: 'di rumah ketua RT', '(masa tenang)'.
            if array_to_string(words, '') !~ '(?<!\d)(20\d\d|\d{1,2}[./-]\d{1,2}[./-]2\d)(?!\d)' then
                return;
            end if;
            note := word;
            continue;
        end if;
        if left(key, 1) = 'w' and cardinality(words) > 0 and words[cardinality(words)] ~ '^ +$'
            and cardinality(words) > 1 and words[cardinality(words) - 1] = 'malam'
        then
            is_eve := true; -- 'malam Jumat' is the night before Friday
        end if;
        words := words || case when key = ' ' and word = 'malam' then word else key end;
    end loop;
    line := replace(array_to_string(words, ''), 'malam', ' ');
    if note is not null then
        note := regexp_replace(note, '@? ?\d{1,2}[.:]\d\d([.:]\d\d)?(?![.:]?\d)', ' ', 'g');
        note := regexp_replace(note, '\m(tps|ke|rt|rw|no|nomor)[ .-]{0,2}\d{1,4}(/\d{1,3})?(?!\d)', ' ', 'g');
        -- A number, another month or weekday, or a word of doubt in it may say another day.
        if note ~ '[\d>&#@]' or note ~ ('\m(' || array_to_string(
            array(select unnest(day_words) except select unnest('{i,v,x}'::text[])), '|'
        ) || '|h-)\M') then
            return;
        end if;
        line := regexp_replace(line, '[ (,:/-]+$', '');
    end if;
    line := regexp_replace(line, ':(?!\d)|(?<!\d):', ' ', 'g');
    line := regexp_replace(line, '([/.-])(\s*\1)+', '\1', 'g');
    line := btrim(regexp_replace(line, '\s+', ' ', 'g'), ' ,./');

    -- Weekdays are kept aside.
    select coalesce(array_agg(each.name[1]::integer order by each.place), '{}')
    into named_days
    from regexp_matches(line, 'w(\d)', 'g') with ordinality as each (name, place);
    line := regexp_replace(line, 'w\d( ?[->&/,]+ ?w\d)+', 'w1', 'g');
    line := regexp_replace(line, '^w\d ?[,./-]?|\(w\d\)|[,/-]? ?w\d$|w\d ?,?', ' ', 'g');
    line := btrim(regexp_replace(line, '\s+', ' ', 'g'), ' ,./');

    -- 'Thu Nov 7 20:00:00 WIB 2024'
    line := regexp_replace(line, '(#\d{1,2} \d{1,2}) (\d\d:\d\d:\d\d) (20\d\d)$', '\1 \3 \2');

    -- '06.11-08.11.2024' has two days, of which the first is no time
    line := regexp_replace(
        line, '(?<![\d.:@])(\d{1,2})\.(\d{1,2})\.?(?= ?[->&,] ?\d{1,2}\.\d{1,2}\.(20)?\d\d(?!\d|[.:]\d))', '\1#\2 ', 'g'
    );
    line := regexp_replace(line, '^(\d{1,2})/(\d{1,2})[ .,-]+(20\d\d)(?!\d|[.:]\d)', '\1/\2/\3');
    line := regexp_replace(line, '^(\d{1,2}) (\d{1,2}) (2\d)$', '\1/\2/\3');

    -- Full dates become '[year_month_day]': months in words first, then digits.
    line := regexp_replace(line, '(?<![\d.:])(\d{1,2}) ?[/.,-]? ?#(\d{1,2})(?!\d) ?[/.,-]? ?(20\d\d|2\d)(?!\d|[.:]\d)',
        '[\3_\2_\1]', 'g');
    line := regexp_replace(line, '(?<![\d/.,-] ?)#(\d{1,2})(?!\d) ?[/.,-]? ?(\d{1,2}) ?([->&]) ?(\d{1,2}) ?, ?(20\d\d)(?!\d)',
        '\2 \3 [\5_\1_\4]', 'g');
    line := regexp_replace(line, '(?<![\d/.,-] ?)#(\d{1,2})(?!\d) ?[/.,-]? ?(\d{1,2})(?: ?,? | ?[,/-] ?)(20\d\d)(?!\d)', '[\3_\1_\2]', 'g');
    line := regexp_replace(line, '(?<![\d.:/-] ?)(20\d\d) ?[/.,-]? ?#(\d{1,2})(?!\d) ?[/.,-]? ?(\d{1,2})(?!\d|[.:]\d)',
        '[\1_\2_\3]', 'g');
    for pass in 1..2 loop -- the second date of '7-11-2024-9-11-2024'
        line := regexp_replace(line, '(?<![\d.])(?<!\d[/-])(20\d\d)([/.-])(\d{1,2})\2(\d{1,2})(?!\d)', '[\1_\3_\4]', 'g');
        line := regexp_replace(line, '(?<![\d.:])(?<!\d ?[/-] ?)(\d{1,2}) ?- ?(\d{1,2}) ?- ?(20\d\d)(?!\d)',
            '[\3_\2_\1]', 'g');
        line := regexp_replace(line, '(?<![\d.:])(?<!\d ?/ ?)(\d{1,2}) ?([/.]) ?(\d{1,2}) ?\2 ?(20\d\d)(?!\d)',
            '[\4_\3_\1]', 'g');
    end loop;
    line := regexp_replace(line, '(?<![\d.:/-] ?)(\d{1,2}) (\d{1,2}) (20\d\d)(?!\d|[.:]\d)', '[\3_\2_\1]', 'g');
    line := regexp_replace(line, '(?<!\d)(20\d\d)(0[1-9]|1[0-2])([0-2]\d|3[01])(?!\d)', '[\1_\2_\3]', 'g');
    line := regexp_replace(line, '(?<!\d)([0-2]\d|3[01])(0[1-9]|1[0-2])(20\d\d)(?!\d)', '[\3_\2_\1]', 'g');
    line := regexp_replace(line, '(?<![\d.:])(?<!\d[/-])(\d{1,2}) ?([/-]) ?(\d{1,2}) ?\2 ?(2\d)(?!\d|[.:/-]\d)',
        '[\4_\3_\1]', 'g');
    if line !~ '\[' then
        line := regexp_replace(line, '(?<![\d.:/@-])(\d{1,2})\.(\d{1,2})\.(2\d)(?!\d|[.:]\d)', '[\3_\2_\1]', 'g');
    end if;
    -- '24/11/25' and '24-Nov-21' may begin with their year.
    if line ~ '\[(2[0-35-9]_\d+_2[45]|25_\d+_24)\]' and line !~ '\[25_\d+_25\]' then
        return;
    end if;
    line := regexp_replace(line, '\[(\d\d)_', '[20\1_', 'g');
    if line !~ '\[' then
        return;
    end if;
    if line ~ '(?<![\d.:@])\d{1,2}\.(0?[1-9]|1[0-2])\.? ?[->&] ?\[' then
        return; -- '19.10 - 7/11/2024': a time, or a day
    end if;
    -- '20241106T193315'
    line := regexp_replace(line, '(?<=\]) ?-? ?(\d\d)(\d\d)(\d\d)?(?!\d)', ' \1:\2', 'g');

    -- A zone: its name, or an offset after a time ('10:15-12:00' has none).
    found := regexp_match(line, '\^(\d)(?: ?([+-])(\d{1,2}):?([0-5]\d)?)?(?!\d)');
    if found is not null then
        is_far_zone := found[1] in ('8', '9');
        offset_minutes := case
            when found[2] is null then found[1]::integer * 60
            else (found[2] || '1')::integer * (found[3]::integer * 60 + coalesce(found[4], '0')::integer)
        end;
        line := regexp_replace(line, '\(?\^\d( ?[+-]\d{1,2}:?([0-5]\d)?)?(?!\d)\)?', ' ', '');
        if line ~ '\^' then
            return;
        end if;
    else
        found := regexp_match(
            line,
            ':\d\d(?::\d\d(?:[.,]\d{1,9})?)? ?(\+)(\d\d):?([0-5]\d)?(?![\d.:])'
            '|:\d\d:\d\d(?:[.,]\d{1,9})? ?(-)(\d\d):?([0-5]\d)?(?![\d.:])'
        );
        if found is not null then
            offset_minutes := (coalesce(found[1], found[4]) || '1')::integer
                * (coalesce(found[2], found[5])::integer * 60 + coalesce(found[3], found[6], '0')::integer);
            line := regexp_replace(line, '(:\d\d(:\d\d)?([.,]\d{1,9})?) ?[+-]\d\d(:?\d\d)?(?![\d.:])', '\1', '');
        end if;
    end if;
    if abs(offset_minutes) > 14 * 60 then
        return;
    end if;

    -- Times become '@', then nothing; only the first one's minute matters, and that for another zone.
    line := regexp_replace(line, '@ ?(\d\d)(\d\d)(?!\d)', '@\1:\2', 'g');
    found := regexp_match(
        line, '(?<![\d.\[_])@? ?([01]?\d|2[0-3]|24(?=[.:]00))(?:[.:]([0-5]\d)(?:[.:][0-5]\d(?:[.,]\d{1,9})?)?)? ?(?:!([ap]))?(?!\d|[.:]\d)'
    );
    line := regexp_replace(
        line,
        '(?<![\d.])@? ?([01]?\d|2[0-3]|24(?=[.:]00))[.:][0-5]\d([.:][0-5]\d([.,]\d{1,9})?)?( ?![ap])?(?!\d|[.:]\d)'
        '|(?<![\d.])([01]?\d|2[0-3]|24(?=[.:]00)) ?![ap]|@ ?([01]?\d|2[0-3]|24(?=[.:]00))(?!\d)',
        '@', 'g'
    );
    time_count := regexp_count(line, '@');
    line := regexp_replace(line, '@( ?[->&/,]+ ?@)+', '@', 'g');
    if regexp_count(line, '@') > regexp_count(line, '\[') then
        return; -- one of them may be a date, as in '7.11.24 20.00 8/11/2024'
    end if;
    line := regexp_replace(line, '^@[ ,/-]*', '');
    line := regexp_replace(line, '[ ,/-]*@( ?[->] ?$)?', ' ', 'g');
    line := regexp_replace(line, '\( *\)', '', 'g');

    -- What is left: days, the last one with month and year. '30#12>[2025_1_2]'
    line := btrim(regexp_replace(line, '[ .]+', ' ', 'g'), ' ,/');
    line := regexp_replace(line, ' ?([>&,/()#-]) ?', '\1', 'g');
    line := regexp_replace(line, ',*([>&]),*', '\1', 'g');
    line := regexp_replace(line, '(?<![-/\d])(\d{1,2})/(\d{1,2})(?=[>&,-])', '\1#\2', 'g');
    line := regexp_replace(line, '^(\d{1,2})-0?(\d{1,2})>\[(\d{4})_0?\2_', '\1#\2>[\3_\2_');
    if line ~ '^\d{1,2}-\d{1,2}>' then
        return; -- '7-8 s/d 9-11-2024': 7 August, or the 7th and 8th
    end if;
    line := regexp_replace(line, '^(\[(\d{4})_\d{1,2}_\d{1,2}\][>-])(\d{1,2})[#/](\d{1,2})$', '\1[\2_\4_\3]');
    line := regexp_replace(line, '^\(([^()]*)\)$', '\1');
    line := regexp_replace(line, '\((\[[\d_]+\])\)', '=\1', 'g');
    line := regexp_replace(line, '(\]) (\[)', '\1=\2', 'g');
    if line !~ '^(\[[\d_]+\]|\d{1,2}(#\d{1,2})?)([>&,/=-](\[[\d_]+\]|\d{1,2}(#\d{1,2})?))*$' then
        return;
    end if;

    -- From the last day back: each takes the month and year that it does not say from the next one.
    for item in
        select parts.part
        from regexp_matches(line, '(\[[\d_]+\]|\d{1,2}(?:#\d{1,2})?)([>&,/=-]?)', 'g')
            with ordinality as parts (part, place)
        order by parts.place desc
    loop
        sign := item[2];
        if item[1] like '[%' then
            word := translate(item[1], '_[]', '-');
        elsif next_day is null then
            return;
        elsif item[1] like '%#%' then
            word := concat_ws(
                '-',
                extract(year from next_day)::integer
                - (split_part(item[1], '#', 2)::integer > extract(month from next_day))::integer,
                split_part(item[1], '#', 2),
                split_part(item[1], '#', 1)
            );
        else
            word := to_char(next_day, 'YYYY-MM-') || item[1];
        end if;
        if not pg_input_is_valid(word, 'date') then
            return;
        end if;
        day := word::date;
        -- Said twice it must be one day; a range or list goes forward.
        if next_day is not null then
            if sign = '=' or (sign = '/' and item[1] like '[%' and written !~ '^\s*\d{4}-\d\d-\d\d\s*/\s*\d{4}-') then
                if day <> next_day then
                    return;
                end if;
            elsif day >= next_day then
                return;
            end if;
        end if;
        last_day := coalesce(last_day, day);
        next_day := day;
    end loop;

    -- The weekday is that of the day as written, or of the first and the last of several.
    is_weekday_wrong := case
        when named_days = '{}' then false
        when day = last_day then exists (
            select from unnest(named_days) as named (number)
            where named.number <> extract(isodow from day)
                and not (is_eve and named.number = extract(isodow from day + 1))
        )
        when cardinality(named_days) > 1 then
            named_days[1] <> extract(isodow from day)
            or named_days[cardinality(named_days)] <> extract(isodow from last_day)
        else named_days[1] not in (extract(isodow from day), extract(isodow from last_day))
    end;
    -- 'Minggu 2 November' is a Sunday, or the second week.
    if is_weekday_wrong and lower(written) ~ 'minggu\s+(ke\W*)?[1-5]\M' then
        is_weekday_wrong := null;
        return;
    end if;

    -- An instant in another zone is the day that it was in Jakarta.
    if offset_minutes <> 420 then
        if found is null or time_count <> 1 or day <> last_day then
            is_weekday_wrong := null;
            return;
        end if;
        minute_of_day := coalesce(found[2], '0')::integer + 60 * case
            when found[3] = 'p' then found[1]::integer % 12 + 12
            when found[3] = 'a' then found[1]::integer % 12
            else found[1]::integer
        end - offset_minutes + 420;
        if is_far_zone and minute_of_day < 0 then
            is_weekday_wrong := null; -- the day there, or the one here
            return;
        end if;
        day := day + floor(minute_of_day / 1440.0)::integer;
    end if;
    date_day := day;
end
$read$;
