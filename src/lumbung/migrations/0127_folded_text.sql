-- A text as it is compared, in lower case: of compatibility characters (full width, ligatures) the plain ones,
-- Cyrillic and Greek letters that look Latin as the Latin ones, nothing that is invisible.
-- The same as `folded` in lumbung.intake.landing.lexicon. Most texts are ASCII and take the short way.
create function ops.folded(written text) returns text
language sql immutable parallel safe
return case
    when octet_length(written) = char_length(written) then lower(written)
    else translate(
        lower(normalize(written, nfkc)),
        E'\u0430\u0432\u0441\u0435\u04bb\u043d\u0456\u0457\u0458\u043a\u04cf\u043c\u043e\u0440'
        || E'\u0455\u0442\u0443\u0445\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1'
        || E'\u03c4\u03c5\u03c7\u0131\u0261\u0501\u050d\u03c2'
        || E'\u00ad\u0307\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e'
        || E'\u2060\u2061\u2062\u2063\u2064\u2065\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d'
        || E'\u206e\u206f\ufe00\ufe01\ufe02\ufe03\ufe04\ufe05\ufe06\ufe07\ufe08\ufe09\ufe0a\ufe0b'
        || E'\ufe0c\ufe0d\ufe0e\ufe0f\ufeff',
        E'abcehhiijklmopstyxabehikmnoptyxigdg\u03c3' -- sigma has a form for the end of a word
    )
end;

-- A word of a vocabulary as the seeds map_* spell it: folded, single spaces, no spaces around a slash, no
-- punctuation at the ends.
create or replace function ops.term_key(term text) returns text
language sql immutable parallel safe
return btrim(
    regexp_replace(regexp_replace(ops.folded(term), '[\s_]+', ' ', 'g'), ' ?/ ?', '/', 'g'),
    ' .,;:-'
);
