-- The change feed: one row for each change of configuration, written in the same transaction as the
-- change itself. Every node reads it and drops what it has cached about the thing that changed.
create table change (
    seq        bigint not null,
    -- what kind of thing was changed, and which one
    noun       text   not null,
    key        text   not null,
    changed_at bigint not null,
    constraint change_pk primary key (seq)
);

-- The audit trail: who changed what, by which right, in the same transaction as the change.
-- Only ever grows.
create table audit (
    seq        bigint not null,
    at         bigint not null,
    -- who acted, and the right they acted by
    actor      text   not null,
    by_right   text   not null,
    action     text   not null,
    noun       text   not null,
    key        text   not null,
    -- the thing before and after, as JSON; null where there is no such side
    before     text,
    after      text,
    trace_id   text,
    constraint audit_pk primary key (seq)
);
