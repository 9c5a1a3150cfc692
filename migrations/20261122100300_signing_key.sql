-- Our own signing keys. Written by rotation, read when a node starts or the change feed says so.
-- A retired key keeps its row without its private half.
create table signing_key (
    kid            text   not null,
    algorithm      text   not null,
    -- the public half as a JWK document
    jwk            text   not null,
    -- the private half (PKCS#8), sealed with the sealing key, base64url; null once retired
    sealed_private text,
    -- ACTIVE: published, and the newest of the configured algorithm signs; RETIRED: neither
    state          text   not null,
    created_at     bigint not null,
    constraint signing_key_pk primary key (kid)
);
