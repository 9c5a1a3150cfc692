-- What organizations have asked for: prefixes, which only the operator assigns. Written by API providers when they ask
-- and by the operator when it answers; read by both in the portal.
-- One row per prefix and organization; whoever asks again after a refusal asks in the same row. Never shrinks: the
-- answers are what the next request is judged by, and an organization can wait for a few answers at a time only.
create table prefix_request (
    prefix              text   not null,
    organization_number text   not null,
    -- what the prefix is to be used for
    reason              text   not null,
    -- the user or client who asked
    requested_by        text   not null,
    -- APPROVED, DENIED or REQUESTED
    state               text   not null,
    -- what the operator has answered
    answer              text,
    created_at          bigint not null,
    updated_at          bigint not null,
    version             bigint not null default 1,
    constraint prefix_request_pk primary key (prefix, organization_number),
    constraint prefix_request_organization_fk foreign key (organization_number) references organization (number)
);
-- those of one organization, and those that wait
create index prefix_request_organization on prefix_request (organization_number, prefix);
create index prefix_request_state on prefix_request (state, prefix, organization_number);
