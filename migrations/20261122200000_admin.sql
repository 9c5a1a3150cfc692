-- What the admin API keeps: who takes part, histories and versions, what owners say about things, e-mail
-- domains, on-behalf-of objects, last uses, a sealed audit trail. Columns are only added, so that the version
-- before can run beside this one.

alter table organization add column active boolean not null default true;
alter table organization add column updated_at bigint not null default 0;
alter table organization add column version bigint not null default 1;

-- Who has an address in the domain belongs to the organization. Small; read when somebody registers.
create table email_domain (
    domain              text   not null,
    organization_number text   not null,
    created_at          bigint not null,
    constraint email_domain_pk primary key (domain),
    constraint email_domain_organization_fk foreign key (organization_number) references organization (number)
);
create index email_domain_organization on email_domain (organization_number);

alter table prefix add column active boolean not null default true;
alter table prefix add column updated_at bigint not null default 0;
alter table prefix add column version bigint not null default 1;
create index prefix_owner on prefix (owner_number);

-- PUBLIC, PRIVATE or INTERNAL
alter table scope add column visibility text not null default 'PUBLIC';
-- what no decision depends on, as JSON
alter table scope add column details text not null default '{}';
alter table scope add column version bigint not null default 1;
-- lists by name, of an owner and of a prefix; unique, as names are, so that what is read in their order is known
-- to need no sorting
create unique index scope_owner on scope (owner_number, name);
create unique index scope_prefix on scope (prefix, name);

-- the owner's own note; what the consumer wrote when it asked; what the owner answered
alter table access add column note text;
alter table access add column message text;
alter table access add column reason text;
alter table access add column version bigint not null default 1;
-- lists by scope and consumer, in one state and of one consumer; those of any state follow the primary key
create index access_state on access (state, scope, consumer_number);
drop index access_consumer;
create index access_consumer on access (consumer_number, scope);

alter table delegation add column updated_at bigint not null default 0;
alter table delegation add column version bigint not null default 1;
create index delegation_supplier on delegation (supplier_number, consumer_number, scope);

alter table client add column description text not null default '';
-- the organization its tokens stand for, when that is not its own
alter table client add column customer_number text;
alter table client add column integration_type text not null default 'maskinporten';
-- what no decision depends on, as JSON
alter table client add column details text not null default '{}';
alter table client add column version bigint not null default 1;
drop index client_organization;
create index client_organization on client (organization_number, id);

-- which clients have a scope
create index client_scope_scope on client_scope (scope, client_id);

alter table client_key add column updated_at bigint not null default 0;
create index client_key_expires on client_key (expires_at, client_id, kid);

-- Customers of log-in clients; kept for the tools that set them.
create table on_behalf_of (
    client_id           text   not null,
    id                  text   not null,
    name                text   not null,
    organization_number text   not null,
    description         text,
    uri                 text,
    logo_uri            text,
    created_at          bigint not null,
    updated_at          bigint not null,
    constraint on_behalf_of_pk primary key (client_id, id),
    constraint on_behalf_of_client_fk foreign key (client_id) references client (id)
);

-- When things were last used to issue a token, to the minute. Written in batches, off the token path; one row
-- for each client, client key and access that has been used.
create table last_use (
    -- client, client_key or access
    noun    text   not null,
    key     text   not null,
    used_at bigint not null,
    constraint last_use_pk primary key (noun, key)
);

alter table audit add column outcome text not null default 'done';
-- the organization that the thing belongs to, and the one that the actor acted for
alter table audit add column organization text;
alter table audit add column actor_organization text;
-- seals this row and every row before it; empty in rows older than the seal
alter table audit add column hash text not null default '';
create index audit_organization on audit (organization, seq);
create index audit_actor_organization on audit (actor_organization, seq);
create index audit_key on audit (noun, key, seq);

-- Answers to requests that carried an Idempotency-Key, for a day. Shrinks by age.
create table idempotency (
    -- SHA-256 over who asked and their key
    id           text   not null,
    -- SHA-256 over what was asked
    request_hash text   not null,
    -- null until the answer is known; a row that stays so for a minute is as good as gone
    status       bigint,
    headers      text,
    body         text,
    created_at   bigint not null,
    constraint idempotency_pk primary key (id)
);
create index idempotency_created on idempotency (created_at);
