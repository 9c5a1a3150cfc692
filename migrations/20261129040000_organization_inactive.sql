-- Organizations that do not take part: few, and every node keeps their numbers. Read when an organization has changed.
create index organization_inactive on organization (number) where active is not true;
