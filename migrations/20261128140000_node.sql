-- Nodes that are running on this database, so that one that calls itself something else does not join them. Each writes
-- its row when it starts and every few seconds, takes it away when it stops, and deletes those of nodes that have died.
create table node (
    -- a random number of each start
    id      text   not null,
    -- who the node says it is
    issuer  text   not null,
    seen_at bigint not null,
    constraint node_pk primary key (id)
);
