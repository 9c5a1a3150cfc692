-- Business data of an organization (Digdir: "merkantile data"): where invoices go, whom to call, and who is told when
-- something happens. Written by the organization's own people and machines, and by the operator; read by them and by
-- the task that mails alerts. One row for each organization that has said anything; never shrinks, is overwritten.
create table business_data (
    organization_number text   not null,
    -- all of it, as JSON: it is read and written as a whole, and no decision depends on a part
    document            text   not null,
    created_at          bigint not null,
    updated_at          bigint not null,
    version             bigint not null default 1,
    constraint business_data_pk primary key (organization_number),
    constraint business_data_organization_fk foreign key (organization_number) references organization (number)
);
