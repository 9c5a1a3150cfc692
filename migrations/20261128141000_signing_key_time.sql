-- Signing keys take turns by time: one is published first and signs later, so that every API has fetched it by then.
-- Written when a key is made, brought forward or retired; read with the keys.
alter table signing_key add column signs_from bigint not null default 0;
-- The key that it takes over from, or the algorithm for the first of one; null once it is retired. No two keys follow
-- the same, so nodes that make a successor at the same time make one.
alter table signing_key add column follows text;
create unique index signing_key_follows on signing_key (follows);
