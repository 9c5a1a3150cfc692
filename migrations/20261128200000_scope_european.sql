-- Whether European businesses get tokens for a scope by their certificates alone, without being granted access. Its
-- owner decides. Read by the token endpoint through a cache.
alter table scope add column supports_european_businesses boolean not null default false;
