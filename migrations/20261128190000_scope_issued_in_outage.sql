-- Whether tokens are issued for a scope while the database cannot be reached, by what nodes have in memory. Its owner
-- decides. Read by the token endpoint through a cache.
alter table scope add column issued_in_outage boolean not null default false;
