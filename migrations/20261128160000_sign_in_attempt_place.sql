-- Attempts to sign in that have failed, by address and by where they came from: whoever guesses from one place must not
-- make the owner wait who comes from another. The table sign_in_attempt goes on counting those from anywhere. Written
-- and read by the portal with each attempt. Shrinks by signing in, by age, and by number.
create table sign_in_attempt_place (
    email        text   not null,
    -- a browser that has signed in before, the source of a request, or what somebody who is signed in has to prove
    place        text   not null,
    failed       bigint not null,
    -- no attempt from there counts before this
    locked_until bigint not null,
    tried_at     bigint not null,
    constraint sign_in_attempt_place_pk primary key (email, place)
);
create index sign_in_attempt_place_tried on sign_in_attempt_place (tried_at);
