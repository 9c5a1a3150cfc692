-- The migration of this name in the folder above, for PostgreSQL: nothing differs but the type of `seq`, whose
-- `integer` is SQLite's own word for a row number and would hold 32 bits here. What has been applied is never
-- changed, and so it stands there as it is.
create table replay_log (
    seq        bigint not null,
    keep_until bigint not null,
    ids        text   not null,
    constraint replay_log_pk primary key (seq)
);
drop table replay;
