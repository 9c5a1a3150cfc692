-- Clients of an organization by name, as people read them: the portal's list is read page by page in that order.
create index client_organization_name on client (organization_number, name, id);
