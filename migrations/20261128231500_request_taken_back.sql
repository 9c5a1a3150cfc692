-- Whether whoever asked has taken it back before it was answered. Then the state is DENIED, which the version before this
-- one knows too, and nobody has decided. Written by consumers and API providers, read by both sides in lists; false again
-- as soon as it is asked again or decided. Never shrinks, as the rows that it is a part of.
alter table access add column taken_back boolean not null default false;
alter table prefix_request add column taken_back boolean not null default false;
