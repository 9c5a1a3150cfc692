-- Assertions that have been spent. The insert is the lock: a row that is already there means the
-- assertion has been used. Written once per token, before the token is signed; read only to tell which
-- row of a batch was there already. Shrinks by slices of time, some while after the assertions in them
-- have expired.
create table replay (
    -- SHA-256 over client and jti (or the assertion itself), base64url
    id         text   not null,
    keep_until bigint not null,
    -- which insert wrote the row: a random number
    batch      bigint not null,
    constraint replay_pk primary key (id)
);
create index replay_keep_until on replay (keep_until);
