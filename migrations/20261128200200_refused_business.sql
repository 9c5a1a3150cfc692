-- The European business whose certificate a refused request came with: its organizationIdentifier, letter for letter, and
-- what its tokens call its client. Then there is neither client nor organization, and the row belongs to nobody here.
alter table refused_request add column business_identifier text;
alter table refused_request add column business_client_id text;
