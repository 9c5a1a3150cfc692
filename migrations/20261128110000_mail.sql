-- E-mail on its way out: what the server tells people, written in the transaction of the change that it tells of, so
-- that neither comes without the other. Written by the control plane, read by the task that sends; `dev` shows it.
-- Shrinks by age: rows go after 30 days, and a body is emptied as soon as it is not needed any more, because it
-- may hold a link that lets somebody in.
create table outgoing_mail (
    -- random; also the name in the Message-ID, so that a mail that was sent twice can be seen to be one
    id              text   not null,
    recipient       text   not null,
    subject         text   not null,
    body            text   not null,
    created_at      bigint not null,
    attempts        bigint not null default 0,
    -- when it is tried next; while it is being sent, when another node may take over; null once it is sent or given up
    next_attempt_at bigint,
    -- null: not sent
    sent_at         bigint,
    constraint outgoing_mail_pk primary key (id)
);
create index outgoing_mail_due on outgoing_mail (next_attempt_at, id);
create index outgoing_mail_created on outgoing_mail (created_at, id);
