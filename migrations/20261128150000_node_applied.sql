-- What nodes tell each other beside who they are: the last change that holds on each, so that it can be said when one
-- holds everywhere, and the settings that must be the same on all. Written and read by every node, every few seconds and
-- after changes. A node of the version before writes neither, and is then behind and like all others.
alter table node add column applied_seq bigint;
-- a JSON object of texts, by the names of the settings
alter table node add column settings text not null default '{}';
