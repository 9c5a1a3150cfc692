-- Refused token requests: what was seen and what was expected, so that the owner of the client can be told
-- why. Written in batches off the token path; never holds an assertion, a token or a key. No foreign keys:
-- a record is a note and must not stand in the way of anything.
-- Shrinks all the time: a bounded number for each client, for everybody, and of days.
create table refused_request (
    -- 32 hexadecimal digits, those of the answer
    trace_id            text    not null,
    -- seconds since 1970, by our clock
    at                  bigint  not null,
    -- the client that the assertion named and its organization; null when there is no such client, and
    -- then nobody but the operator may read the row
    client_id           text,
    organization_number text,
    -- false: anybody may have sent the request in the name of the client
    signature_verified  boolean not null,
    -- as in the answer; code is null where there is none
    error               text    not null,
    code                text,
    answer              text    not null,
    -- the names of the steps passed, in order, with one space between; the step that failed, or null when
    -- the server gave up between two
    passed              text    not null,
    failed              text,
    seen                text,
    expected            text,
    -- what the assertion said, cut and cleaned
    kid                 text,
    certificate_number  text,
    scopes              text,
    consumer_number     text,
    constraint refused_request_pk primary key (trace_id)
);
create index refused_request_at on refused_request (at, trace_id);
create index refused_request_client on refused_request (client_id, signature_verified, at, trace_id);
create index refused_request_organization on refused_request (organization_number, at, trace_id);
-- What makes room first when there are too many.
create index refused_request_standing on refused_request (signature_verified, at, trace_id);
