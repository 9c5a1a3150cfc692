provider-access-active = Active
provider-access-again = Give access again
provider-access-again-what = The organization has no access now. You can give it here.
provider-access-denied = Denied or revoked
provider-access-expired = Expired
provider-access-give = Give access
provider-access-give-lead = The access holds at once.
provider-access-help = You can change this at any time.
provider-access-requested = Asks for access
provider-access-soon = Expires soon
provider-access-taken-back = Took the request back
provider-access-there = The organization has access already. Find it in the table to change the end date or the note.
provider-european = European businesses
provider-european-help = A business of another country gets tokens by its certificate for electronic seals, without being registered or granted access. It is your API that must decide what each of them may, by the organization identifier in the token.
provider-european-supported = Let all of them in
provider-outage = In an outage
provider-outage-help = If this server loses its database, it refuses tokens, unless you prefer that it goes on by what it has in memory. What you withdraw meanwhile may then be used until the database is back.
provider-outage-issued = Issue tokens
provider-outage-minutes = { $count ->
    [one] It goes on for a minute at most.
   *[other] It goes on for { $count } minutes at most.
 }
provider-unknown = No organization of that number is registered here. Check the number, and tick the box if it is right.
provider-unknown-sure = The number is right
provider-unknown-what = The access works once the organization is registered here.
provider-access-title = The access
provider-access-who = Access
provider-accesses-all = Show all accesses
provider-accesses-caption = Organizations with access, by organization number
provider-accesses-none = No organization has access yet
provider-accesses-none-why = Give access to those who are to use the API, or wait until they ask.
provider-accesses-search = Search accesses
provider-accesses-search-help = Name or organization number
provider-actions = Actions
provider-active = Active
provider-advanced = Advanced
provider-advanced-what = client types and long description
provider-all = Deactivated too
provider-approve = Approve
provider-approve-title = Give access
provider-as-table = Show as a table
provider-asked = Asked
provider-batch = Give access to several
provider-batch-again = Try again
provider-batch-caption = What would come of each line
provider-batch-do = { $count ->
    [one] Give access to one organization
   *[other] Give access to { $count } organizations
 }
provider-batch-dry = Trial run
provider-batch-empty = Paste at least one organization number.
provider-batch-hint = Do you have many at once?
provider-batch-invalid-count = { $count ->
    [one] One line needs correction and is left out.
   *[other] { $count } lines need correction and are left out.
 }
provider-batch-is-invalid = Needs correction
provider-batch-is-new = Gets access
provider-batch-is-there = Has access, stays as it is
provider-batch-lead = Nothing is saved before you have seen the trial run and confirmed.
provider-batch-left = { $count ->
    [one] One line is left out: at most 1000 can be done at once.
   *[other] { $count } lines are left out: at most 1000 can be done at once.
 }
provider-batch-line = Line
provider-batch-lines = Organization numbers
provider-batch-lines-help = One a line, with a last day and a note after it if you like, separated by semicolon, tab or comma. At most 1000 lines. Like this:
provider-batch-file = Or choose a file
provider-batch-new-count = { $count ->
    [one] One gets access.
   *[other] { $count } get access.
 }
provider-batch-outcome = Outcome
provider-batch-there-count = { $count ->
    [one] One has access already.
   *[other] { $count } have access already.
 }
provider-batch-try = Try
provider-batch-why-check = The last digit does not fit. Is the number mistyped?
provider-batch-why-expires = The last day is not a date. Write 2027-06-30 or 30.06.2027.
provider-batch-why-note = The note is too long or has characters that cannot be used.
provider-batch-why-past = The last day is in the past.
provider-batch-why-shape = An organization number is nine digits.
provider-batch-why-twice = The number stands further up too.
provider-breadcrumb = Breadcrumb
provider-cancel = Cancel
provider-change = Change
provider-characters-left = {"{"}left{"}"} characters left
provider-confirm = Type { $name } to confirm
provider-confirm-wrong = Type the name of the scope exactly as it stands.
provider-created = Created
provider-csv = Download CSV
provider-day = Day
provider-days = { $count ->
    [one] The last day
   *[other] The last { $count } days
 }
provider-deactivate = Deactivate the scope
provider-deactivate-ask = Deactivate { $name }?
provider-deactivate-go = Deactivate …
provider-deactivate-what = Nobody gets tokens for the scope any more, from the second after you confirm. The accesses stay, and you can restore the scope whenever you want.
provider-decide = Decide
provider-decide-more = Terms or denial …
provider-delegation = Delegation source
provider-delegation-help = The register in which consumers let suppliers use the scope on their behalf.
provider-delegation-none = The scope cannot be delegated
provider-deny = Deny
provider-deny-title = Deny the request
provider-description = Description
provider-description-help = Write for those who are to ask for access. At most 255 characters.
provider-description-missing = Write what the scope gives access to.
provider-description-wrong = The description can have at most 255 characters and no line breaks.
provider-expires = Last day
provider-expires-help = Valid to the end of the day. Empty: until you withdraw it.
provider-expires-past = Choose a day that is not over.
provider-expires-wrong = Write a date, for example 2027-06-30.
provider-filter-help = Takes effect when you search
provider-form-lead = All fields are needed unless they say otherwise.
provider-general = General
provider-granted = Only organizations we give access
provider-granted-what = Others can ask for access, and you decide.
provider-history-none-why = Nobody has changed the scope since the log began.
provider-in-use = The scope is in use
provider-inactive = Deactivated
provider-lifetime = Longest life of tokens
provider-lifetime-client = The client decides
provider-lifetime-help = Seconds. If it is empty, the client decides.
provider-lifetime-wrong = Write a whole number of seconds, at most 31536000 (a year).
provider-long = Long description
provider-long-help = For those who want to know more: what the API offers, and to whom. At most 1023 characters.
provider-message = Message
provider-name = Name
provider-name-unknown = Name unknown
provider-never = Never
provider-never-expires = No end
provider-no-message = No message.
provider-no-prefix = You have no prefix yet
provider-no-prefix-other = Do you want to use the APIs of others? See what you may call.
provider-no-prefix-why = The name of a scope begins with a prefix that shows whose it is, as in nav:work.read. Only who has the prefix can make scopes under it. Ask for one, and you can offer APIs here.
provider-no-scopes = You have made no scopes yet
provider-no-scopes-why = A scope is an access to an API that has a name. When it is there, you can give it to other organizations, one or many at a time.
provider-none-found = Nothing found
provider-none-found-why = Search for something else, or show all.
provider-not-in-use = The scope does not seem to be in use
provider-not-public = Not in the catalogue
provider-note = Note
provider-note-help = Only you see it: the number of an agreement, for example.
provider-number = Organization number
provider-number-check = The last digit does not fit. Is the number mistyped?
provider-number-help = Nine digits. Spaces do not matter.
provider-number-shape = An organization number is nine digits.
provider-off = Nobody gets tokens for the scope. The accesses wait until it is restored.
provider-off-title = The scope is deactivated
provider-only-active = Active only
provider-open = Available to everyone
provider-open-what = Every organization can use the scope without being given access.
provider-optional = (optional)
provider-organization = Organization
provider-others = All others
provider-period = Period
provider-prefix = Prefix
provider-prefix-active = In use
provider-prefix-answer = Answer
provider-prefix-any = All prefixes
provider-prefix-ask = Ask for a prefix
provider-prefix-ask-lead = The operator reads the request and assigns the prefix, or answers.
provider-prefix-asked = What you have asked for
provider-prefix-at = Last changed
provider-prefix-by = Asked by
provider-prefix-help = 2 to 32 lower-case letters a–z, digits and hyphens, without the colon. Choose what others know you by.
provider-prefix-missing = Choose a prefix.
provider-prefix-not-yours = The prefix is not yours.
provider-prefix-reason = What is it for?
provider-prefix-reason-help = Say briefly which APIs you want to offer, and to whom.
provider-prefix-reason-missing = Say what the prefix is for.
provider-prefix-retired = Retired
provider-prefix-send = Send the request
provider-prefix-waits = Waits for an answer
provider-prefix-wrong = A prefix is 2 to 32 lower-case letters a–z, digits and hyphens, and begins and ends with a letter or digit.
provider-prefixes-caption = Our prefixes
provider-prefixes-lead = A prefix is the first part of the names of scopes, and shows whose they are.
provider-reach-clients = { $count ->
    [one] One active client has the scope.
   *[other] { $count } active clients have the scope.
 }
provider-reach-consumers = { $count ->
    [one] One organization has access.
   *[other] { $count } organizations have access.
 }
provider-reach-most = Used most, tokens in the last 30 days
provider-reach-tokens = Tokens in the last 30 days: { $tokens }
provider-reason = Reason
provider-reason-help = The organization gets to see it.
provider-decision-missing = Choose approve or deny. Nothing has been decided.
provider-reason-missing = Say why you deny it. The organization gets to see it.
provider-request = Request for access
provider-requests = Requests for access
provider-requests-all = Requests for all scopes
provider-requests-lead = Organizations that ask to use your APIs.
provider-requests-none = Nobody waits for an answer
provider-requests-none-why = When somebody asks for access, it comes here.
provider-restore = Restore
provider-role-missing = You can look, but not change anything. That takes the provider role, which an administrator of your organization can give you.
provider-save = Save
provider-scope = Scope
provider-scope-create = Create the scope
provider-scope-edit = Change { $name }
provider-scope-first = Make the first scope
provider-scope-name = Name of the scope
provider-scope-name-fixed = The name cannot be changed.
provider-scope-name-help = The prefix is yours. The name cannot be changed later.
provider-scope-new = New scope
provider-scopes-caption = Scopes, by name
provider-scopes-lead = What other organizations can be given access to.
provider-scopes-search = Search scopes
provider-scopes-search-help = Name or description
provider-scopes-show-all = Show all scopes
provider-search-do = Search
provider-seconds = { $count ->
    [one] One second
   *[other] { $count } seconds
 }
provider-show = Show
provider-since = Since
provider-state-any = All
provider-state-approved = With access
provider-status = Status
provider-subscope = Subscope
provider-subscope-missing = Write a name after the prefix.
provider-subscope-wrong = The subscope can have letters a–z, digits and the characters _.-/: and begins with a letter or digit.
provider-tab-about = About
provider-tab-accesses = Accesses
provider-tab-history = Change log
provider-tab-requests = Requests
provider-tab-usage = Usage
provider-tabs = The scope
provider-text-wrong = The text can have at most 1023 characters, and no control characters.
provider-tokens = Tokens
provider-tokens-30 = Tokens, 30 d
provider-types = Client types
provider-types-all = All
provider-types-help = Which kinds of clients can have the scope. Machines use maskinporten. If you choose none, all can have it.
provider-updated = Last changed
provider-usage-by-consumer = Tokens by organization
provider-usage-by-consumer-table = Tokens by organization, as a table
provider-usage-by-day = Tokens by day
provider-usage-chart = { $tokens } tokens in all, at most { $most } in a day.
provider-usage-none = No tokens in the period
provider-usage-none-why = When somebody gets tokens for the scope, you see it here shortly after.
provider-used = Last used
provider-used-when = Last used { $when }.
provider-visibility = Visibility
provider-visibility-internal = Internal
provider-visibility-missing = Choose who can find the scope.
provider-visibility-private = Private
provider-visibility-public = Public
provider-visibility-what-internal = Only the operator sees it
provider-visibility-what-private = Seen only by those who have access
provider-visibility-what-public = Stands in the catalogue, so everybody can ask for access
provider-wants = asks for access to
provider-who = Who can have it
provider-withdraw = Revoke
provider-withdraw-ask = Revoke the access of { $name }?
provider-withdraw-do = Revoke the access
provider-withdraw-go = Revoke …
provider-withdraw-title = Revoke the access
provider-withdraw-what = The organization gets no more tokens for the scope from the second after. Tokens that are issued hold until they expire.
notice-access-denied = The request is denied.
notice-access-given = The organization has access.
notice-access-withdrawn = The access is revoked.
notice-accesses-given = The organizations have access.
notice-prefix-requested = The request is with the operator.
notice-scope-created = The scope is created. Now you can give access to it.
notice-scope-deactivated = The scope is deactivated.
notice-scope-restored = The scope is restored.
