-- Organizations: everybody who owns scopes or clients, by the nine-digit number of the register.
-- Written when the operator or the portal admits an organization; read on admin pages only.
-- Never shrinks: an organization that leaves is kept for the audit trail.
create table organization (
    number     text   not null,
    name       text   not null,
    created_at bigint not null,
    constraint organization_pk primary key (number)
);

-- Prefixes: the first half of scope names. The operator assigns a prefix to one organization,
-- and only that organization may define scopes under it.
create table prefix (
    prefix       text   not null,
    owner_number text   not null,
    created_at   bigint not null,
    constraint prefix_pk primary key (prefix),
    constraint prefix_owner_fk foreign key (owner_number) references organization (number)
);
