-- Assertions that have been spent, as a log: one row for each commit, with everything that was spent in it. Whose
-- row has the lower number has spent it; whoever appends reads what others have appended in between, and keeps in
-- memory what is alive. So a commit writes a page or two, however many assertions are spent in it: the table
-- before had a row and a random place in an index for each. Shrinks by whole rows, some while after the
-- assertions in them have expired; the newest row always stays, so that numbers only rise.
create table replay_log (
    -- SQLite's own row number: it is known after the insert without asking for it
    seq        integer not null,
    keep_until bigint  not null,
    -- base64url over the SHA-256 hashes of client and jti (or the assertion itself), 32 bytes each, one after
    -- the other
    ids        text    not null,
    constraint replay_log_pk primary key (seq)
);

-- What was spent before this version stays spent: a hash in base64url is a log row of one.
insert into replay_log (seq, keep_until, ids)
select row_number() over (order by keep_until, id), keep_until, id from replay;
drop table replay;
