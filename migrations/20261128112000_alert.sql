-- Alerts: what an organization should know and has not done itself. Written in the transaction of the change that
-- they tell of, and by an hourly task for what ends soon; read by the portal, and by the task that mails them.
-- Shrinks by age: rows go after 180 days.
create table alert (
    -- rises with time
    id                  bigint not null,
    -- who should know
    organization_number text   not null,
    kind                text   not null,
    -- what it tells of, and which time: nobody is told the same twice
    subject             text   not null,
    -- what there is to say, as JSON
    details             text   not null,
    created_at          bigint not null,
    -- when it was mailed to all who want to know, of whom there may be none; null: not yet
    mailed_at           bigint,
    constraint alert_pk primary key (id),
    constraint alert_organization_fk foreign key (organization_number) references organization (number)
);
create unique index alert_once on alert (organization_number, subject, kind);
create index alert_list on alert (organization_number, id);
create index alert_unmailed on alert (mailed_at, organization_number, created_at);
create index alert_created on alert (created_at, id);
