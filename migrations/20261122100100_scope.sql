-- Scopes, as their owners define them. Read by the token endpoint through a cache.
-- Never shrinks: a scope is deactivated and restored, not deleted.
create table scope (
    name                       text    not null,
    prefix                     text    not null,
    owner_number               text    not null,
    description                text    not null,
    active                     boolean not null,
    -- true: any organization may have tokens for it without being granted access
    accessible_for_all         boolean not null,
    -- space-separated products (allowed_integration_types); empty means every product
    allowed_integration_types  text    not null,
    -- seconds; 0 leaves the life of tokens to the client (at_max_age)
    token_lifetime_seconds_max bigint  not null,
    -- issuer of the delegation register that the owner accepts; null: no delegation
    delegation_source          text,
    created_at                 bigint  not null,
    updated_at                 bigint  not null,
    constraint scope_pk primary key (name),
    constraint scope_prefix_fk foreign key (prefix) references prefix (prefix),
    constraint scope_owner_fk foreign key (owner_number) references organization (number)
);

-- Access: a scope granted to an organization. One row per pair for ever; a withdrawn access
-- stays with state DENIED. Read by the token endpoint through a cache.
create table access (
    scope           text   not null,
    consumer_number text   not null,
    -- APPROVED, DENIED or REQUESTED
    state           text   not null,
    -- seconds since 1970; null means no end
    expires_at      bigint,
    created_at      bigint not null,
    updated_at      bigint not null,
    constraint access_pk primary key (scope, consumer_number),
    constraint access_scope_fk foreign key (scope) references scope (name)
);
create index access_consumer on access (consumer_number);

-- Delegations: a consumer lets a supplier fetch tokens for one scope on its behalf.
-- One row per triple; a withdrawn one keeps its row with revoked_at set.
create table delegation (
    consumer_number text   not null,
    supplier_number text   not null,
    scope           text   not null,
    -- issuer of the register in which it stands
    source          text   not null,
    valid_from      bigint not null,
    valid_to        bigint,
    revoked_at      bigint,
    created_at      bigint not null,
    constraint delegation_pk primary key (consumer_number, supplier_number, scope),
    constraint delegation_scope_fk foreign key (scope) references scope (name)
);
