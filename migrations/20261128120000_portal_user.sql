-- People who use the portal, how they prove who they are, and what they are in the middle of.

-- One row for each person who has signed up, was invited, or came from an OpenID provider. Written by the portal,
-- and read with each of its pages. Deactivated users stay, because the audit trail names them; those who never
-- follow the link that is mailed to them go after a week.
create table portal_user (
    id                  text    not null,
    -- in lower case
    email               text    not null,
    name                text    not null,
    organization_number text    not null,
    -- nb, nn or en
    language            text    not null,
    -- active, deactivated or unconfirmed
    status              text    not null,
    -- words with single spaces between them
    roles               text    not null default '',
    -- Argon2id in PHC form; null for those who come from an OpenID provider, and until a password is chosen
    password_hash       text,
    -- the secret of the second factor, sealed with the sealing key; not in use before it has been proved once
    totp_secret         text,
    totp_active         boolean not null default false,
    -- the last step of time whose code was used: each code counts once
    totp_step           bigint  not null default 0,
    -- SHA-256 of recovery codes that have not been used, as a JSON array
    recovery_codes      text    not null default '[]',
    -- who the user is at an OpenID provider
    oidc_issuer         text,
    oidc_subject        text,
    -- when somebody who was not signed in last had a mail sent to the address
    mailed_at           bigint  not null default 0,
    created_at          bigint  not null,
    updated_at          bigint  not null,
    version             bigint  not null default 1,
    constraint portal_user_pk primary key (id),
    constraint portal_user_organization_fk foreign key (organization_number) references organization (number)
);
create unique index portal_user_email on portal_user (email);
create unique index portal_user_oidc on portal_user (oidc_issuer, oidc_subject);
-- lists of an organization by address
create unique index portal_user_organization on portal_user (organization_number, email);
-- those who never follow their link
create index portal_user_status on portal_user (status, created_at);

-- Links that are mailed, each good for one use. Shrinks by use and by age.
create table user_link (
    -- SHA-256 of the token in the link
    hash       text   not null,
    user_id    text   not null,
    -- confirm, invite or reset
    purpose    text   not null,
    created_at bigint not null,
    expires_at bigint not null,
    constraint user_link_pk primary key (hash),
    constraint user_link_user_fk foreign key (user_id) references portal_user (id)
);
create index user_link_user on user_link (user_id, purpose);
create index user_link_expires on user_link (expires_at);

-- Who is signed in. Written at sign-in and at most once a minute while somebody is there; read with each page.
-- Shrinks by signing out and by age.
create table user_session (
    -- SHA-256 of the token in the cookie
    hash               text    not null,
    user_id            text    not null,
    created_at         bigint  not null,
    seen_at            bigint  not null,
    second_factor_done boolean not null,
    constraint user_session_pk primary key (hash),
    constraint user_session_user_fk foreign key (user_id) references portal_user (id)
);
create index user_session_user on user_session (user_id, created_at);
create index user_session_created on user_session (created_at);

-- Attempts to sign in that have failed since the last one that did not, by address, whether or not somebody has
-- that address: else waiting times would tell who is registered. Shrinks by signing in, by age, and by number.
create table sign_in_attempt (
    email        text   not null,
    failed       bigint not null,
    -- no attempt counts before this
    locked_until bigint not null,
    tried_at     bigint not null,
    constraint sign_in_attempt_pk primary key (email)
);
create index sign_in_attempt_tried on sign_in_attempt (tried_at);
