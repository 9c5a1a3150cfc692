-- How many tokens were issued: per day, scope, consumer and client, so that the owner of a scope sees who uses it and
-- a consumer sees what it uses. Written once a second off the token path, by every node, each adding what it has
-- counted; read by the looks at usage. A token with several scopes counts once for each. No foreign keys: a figure
-- must not stand in the way of anything.
-- Shrinks by age: days that lie more than 400 days back are deleted a slice at a time.
create table token_use (
    -- days since 1970, in UTC
    day             bigint not null,
    scope           text   not null,
    -- the organization that the tokens stand for, which is not that of the client when a supplier acts for it
    consumer_number text   not null,
    client_id       text   not null,
    tokens          bigint not null,
    -- figures of a scope, from a day on
    constraint token_use_pk primary key (scope, day, consumer_number, client_id)
);
-- Figures of a consumer, by scope. No index holds `tokens`, so that adding to it changes no index.
create index token_use_consumer on token_use (consumer_number, scope, day);
-- figures of a client
create index token_use_client on token_use (client_id, day, scope);
-- what is deleted
create index token_use_day on token_use (day);
