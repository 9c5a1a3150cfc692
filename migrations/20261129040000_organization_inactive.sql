-- Organizations that do not take part: few, and every node keeps their numbers. Read when an organization has changed. A
-- row whose column holds neither value is among them, so that nothing is issued by it.
create index organization_inactive on organization (number) where active is not true;
