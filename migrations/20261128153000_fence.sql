-- The fence: assertions that were issued up to a moment are refused, because they may have been spent and the database
-- has forgotten it. One row. Written when a connection finds that the history of the database is not the one that the
-- row remembers (a standby was promoted that lacked the last moments, a copy was put in its place), and by
-- `portvakt restore`; read by whatever spends assertions when it connects. Never grows.
create table fence (
    id      bigint not null,
    -- the history that this database was last known to have; empty: nobody has looked yet
    history text   not null,
    -- when the fence was last set, in seconds since 1970; 0: never
    set_at  bigint not null,
    constraint fence_pk primary key (id)
);
insert into fence (id, history, set_at) values (1, '', 0);
