-- How many tokens were issued to European businesses: as `token_use` for those whose consumer has no organization number,
-- in a table of its own, because what reads that one expects a number. Written once a second off the token path, by every
-- node, each adding what it has counted; read by the looks at usage. No foreign keys: a figure must not stand in the way
-- of anything.
-- Shrinks by age: days that lie more than 400 days back are deleted a slice at a time.
create table business_token_use (
    -- days since 1970, in UTC
    day                     bigint not null,
    scope                   text   not null,
    -- the organizationIdentifier of the certificate, letter for letter
    organization_identifier text   not null,
    -- eidas- and the serial number of the certificate
    client_id               text   not null,
    tokens                  bigint not null,
    -- figures of a scope, from a day on
    constraint business_token_use_pk primary key (scope, day, organization_identifier, client_id)
);
-- what is deleted
create index business_token_use_day on business_token_use (day);
