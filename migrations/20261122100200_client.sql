-- Clients: the machines of an organization. Read by the token endpoint through a cache.
-- Never shrinks: a client is deactivated and restored, not deleted.
create table client (
    id                     text    not null,
    organization_number    text    not null,
    name                   text    not null,
    active                 boolean not null,
    token_lifetime_seconds bigint  not null,
    created_at             bigint  not null,
    updated_at             bigint  not null,
    constraint client_pk primary key (id),
    constraint client_organization_fk foreign key (organization_number) references organization (number)
);
create index client_organization on client (organization_number);

-- The scopes that a client may ask for.
create table client_scope (
    client_id text not null,
    scope     text not null,
    constraint client_scope_pk primary key (client_id, scope),
    constraint client_scope_client_fk foreign key (client_id) references client (id),
    constraint client_scope_scope_fk foreign key (scope) references scope (name)
);

-- The public keys registered on a client. A withdrawn key keeps its row with active = false.
create table client_key (
    client_id  text    not null,
    kid        text    not null,
    algorithm  text    not null,
    -- the public key as a JWK document
    jwk        text    not null,
    active     boolean not null,
    expires_at bigint  not null,
    created_at bigint  not null,
    constraint client_key_pk primary key (client_id, kid),
    constraint client_key_client_fk foreign key (client_id) references client (id)
);
