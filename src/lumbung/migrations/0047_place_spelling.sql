-- A slip of the pen in a place name is found by its edit distance (int_places__resolved).
create extension if not exists fuzzystrmatch;
