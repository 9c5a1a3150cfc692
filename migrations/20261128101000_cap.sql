-- How much one organization may make. Counted on the row of the owner, because counting the things themselves would
-- take longer with each. Written with the thing that is counted, read in the same statement; never shrinks, because
-- clients and accesses are never deleted. What a version before this one adds meanwhile is not counted.

-- clients of the organization
alter table organization add column client_count bigint not null default 0;
update organization set client_count =
    (select count(*) from client where client.organization_number = organization.number);

-- accesses to the scope, whatever their state
alter table scope add column access_count bigint not null default 0;
update scope set access_count = (select count(*) from access where access.scope = scope.name);

-- Whose request it was, and its number among those of the organization: between the numbers of the first and the
-- last that are still kept are at most as many rows. Null in rows of the version before, which are gone in a day.
alter table idempotency add column organization text;
alter table idempotency add column place bigint;
create index idempotency_organization on idempotency (organization, created_at, place);
