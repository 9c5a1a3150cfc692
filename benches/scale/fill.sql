-- Fills the database of `portvakt dev` for benches/scale/run, which defines the table `size` with one row: how many
-- organizations there are to be, and how many scopes. Every organization has a client with the key of the ready-made
-- one, and access to every scope; the clients ask for the first.

pragma foreign_keys = off;

begin;

-- Organization numbers that pass modulus 11, in the series that is not given out and all over it, as those who take part
-- are all over the register. Ids of clients are in no order, as those are that the server makes.
create temporary table new_organization as
with recursive
    eight(digits) as (
        select 80000000
        union all select digits + (select 9000000 / organizations from size) from eight where digits < 89999999
    ),
    checked(digits, rest) as (
        select digits,
               (digits / 10000000 * 3 + digits / 1000000 % 10 * 2 + digits / 100000 % 10 * 7
                + digits / 10000 % 10 * 6 + digits / 1000 % 10 * 5 + digits / 100 % 10 * 4
                + digits / 10 % 10 * 3 + digits % 10 * 2) % 11
        from eight
    )
select number, printf('load-%08x', number * 2654435761 % 4294967296) as client
from (select digits || case rest when 0 then 0 else 11 - rest end as number, rest from checked)
where rest <> 1
limit (select organizations from size);

insert into organization (number, name, created_at)
select number, 'Organization ' || number, 0 from new_organization where true on conflict do nothing;

create temporary table new_scope as
with recursive n(i) as (select 1 union all select i + 1 from n where i < (select scopes from size))
select case i when 1 then 'dev:greetings.read' else 'dev:load-' || i || '.read' end as name from n;

insert into scope (name, prefix, owner_number, description, active, accessible_for_all, visibility,
                   allowed_integration_types, token_lifetime_seconds_max, created_at, updated_at)
select new_scope.name, prefix, owner_number, 'Load', true, false, 'PUBLIC', '', 0, 0, 0
from new_scope, (select prefix, owner_number from scope where name = 'dev:greetings.read')
where true on conflict do nothing;

-- By organization, so that each scope's part of the index grows at its end.
insert into access (scope, consumer_number, state, created_at, updated_at)
select new_scope.name, number, 'APPROVED', 0, 0 from new_organization cross join new_scope
where true on conflict do nothing;

insert into client (id, organization_number, name, active, token_lifetime_seconds, created_at, updated_at)
select client, number, 'Client of ' || number, true, 120, 0, 0 from new_organization
where true on conflict do nothing;

insert into client_scope (client_id, scope)
select client, 'dev:greetings.read' from new_organization where true on conflict do nothing;

insert into client_key (client_id, kid, algorithm, jwk, active, expires_at, created_at)
select client, kid, algorithm, jwk, active, expires_at, created_at
from new_organization, (select * from client_key where client_id = 'dev-consumer-key-client' limit 1)
where true on conflict do nothing;

commit;
