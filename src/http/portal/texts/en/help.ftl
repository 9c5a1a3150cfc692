# The first page.
overview-lead-new = Welcome! Here you begin.
overview-lead-calm = Nothing needs you now. All is going as it should.
overview-lead-none = You are signed in, but there is nothing that you can see yet.
overview-none = You need a role
overview-none-restricted = In { $environment } people see and change things only with a role that somebody in their organization has given them.
overview-none-why = Your role does not show you clients and scopes.
overview-none-whom = These can give you one:
overview-none-nobody = Nobody in your organization can give roles yet. Contact those who run the service, and they appoint an administrator.
overview-none-help = Read more about roles
overview-attention = This needs you
overview-alerts-all = All alerts
overview-critical = Critical:
overview-warning = Warning:
overview-decide-on = To decide:
overview-decide = Decide
overview-see-why = See why
overview-renew = Renew the key
overview-key-ends = The key { $kid } expires on { $day }.
overview-key-ended = The key { $kid } expired on { $day }, and brings no tokens.
overview-key-used = Last used { $moment }.
overview-asks = { $organization } asks for access to { $scope }.
overview-refused = { $count ->
    [one] One refusal in the last day with { $code }.
   *[other] { $count } refusals in the last day with { $code }.
 }
overview-more-requests = More wait for an answer. See
overview-figures = Last 30 days
overview-usage = See usage by scope
overview-quick = Shortcuts
overview-quick-callable = Accesses that you have, and can ask for
overview-quick-client = New client
overview-quick-client-what = In three steps, with a key
overview-quick-scope = New scope
overview-quick-scope-what = What others can have access to
overview-quick-users = Users and roles
overview-quick-users-what = Who can do what
overview-quick-help = Short answers to what many ask
overview-consume = Are you going to use others' APIs?
overview-consume-what = Then you are a consumer. A system of yours, a client, fetches tokens and shows them to the API.
overview-consume-find = Find the scope
overview-consume-find-what = that the API asks for. Some are open to everybody.
overview-consume-ask = Ask its owner for access, if the scope is not open. We tell you when the answer comes.
overview-consume-make = Make a client
overview-consume-make-what = with the scope and a key. The key can be made in the browser; only you see its private half.
overview-consume-try = Try it on the client's own page, and take the example with you to your system.
overview-provide = Are others going to use your API?
overview-provide-what = Then you are an API provider. You decide who gets tokens for your API.
overview-provide-prefix = Ask for a prefix
overview-provide-prefix-what = , the first part of your scopes' names.
overview-provide-prefix-done = : you have one.
overview-provide-scope = Make a scope
overview-provide-scope-what = for what the API gives access to.
overview-provide-grant = Grant organizations access, one or many at a time.
overview-provide-check = Have the API check signature, issuer, expiry and scope of each token.
# Help
help-lead = Short answers to what we are asked most.
help-toc = On this page
help-group-begin = Getting started
help-group-call = Using others' APIs
help-group-offer = Offering your own API
help-group-roles = Roles and errors
help-q-new-client = Why can I not make a client?
help-a-new-client = Because you do not have the role consumer. In some environments everybody has it; in others an administrator of your organization must give it to you.

    If there is no administrator yet, those who run the service appoint the first one.
help-go-new-client = See who can give you the role
help-q-wrong-organization = I represent the wrong organization
help-a-wrong-organization = The domain of your e-mail address decides which organization you belong to. The one that you represent stands at the top of the page.

    To work for another, an administrator there must invite you with an address that belongs to it. If the domain is tied to the wrong organization, those who run the service must correct that.
help-go-wrong-organization = See your account
help-q-environments = What is the difference between the environments?
help-a-environments = Each environment stands alone: its own clients, keys, scopes, accesses and users. What you do in one is not felt in another. Now you are in { $environment }.

    A token from one environment does not count in another. The issuer here is { $issuer }, and it must stand as aud in the assertion.
help-q-scope-missing = The scope is not in my list
help-a-scope-missing = Then its owner has not granted your organization access, or has granted it in another environment. See at the top of the page in which one you are.

    If you find the scope by searching, you can ask for access there. If not, it is private: contact its owner. If it is for a customer, the customer must have delegated the scope to you.
help-go-scope-missing = Search for scopes
help-q-key-expired = My key has expired
help-a-key-expired = Make a new one on the client's page and put it to use in your system. As soon as it is registered, the client can fetch tokens again.

    A key cannot be prolonged; it lives a year at most. Make the next one in good time, and both work for a while. Under Organization you choose who gets an e-mail before keys expire.
help-go-key-expired = To the clients
help-q-key-formats = Which keys can I use?
help-a-key-formats = RSA with at least 2048 bits, elliptic curves (P-256 and P-384) and Ed25519. You can paste a JWK, a set of JWKs, a public key in PEM or a certificate.

    Easiest is to let the page make the key. Its private half is made in the browser and never sent to us. Never paste a private key anywhere; if it happens here, it is stopped before it is sent.
help-go-key-formats = To the clients
help-q-certificate = What is an enterprise certificate?
help-a-certificate = A certificate that an accepted authority has issued to your organization, with the organization number in it. A client without a registered key can sign with it, and then you need to register nothing here.

    A client with a registered key must use that. The certificate must be issued to the organization that owns the client.
help-q-prefix = What is a prefix?
help-a-prefix = The first part of a scope's name, before the colon. It shows who owns the scope, and only its owner can make scopes under it.

    Choose something short that people recognize. It cannot be changed later.
help-go-prefix = Ask for a prefix
help-q-prefix-empty = The list of prefixes is empty
help-a-prefix-empty = Then your organization has no prefix in this environment, and can make no scopes yet. Ask for one; those who run the service answer.

    If you have one in another environment, it counts only there.
help-go-prefix-empty = Ask for a prefix
help-q-grant = How do I give access?
help-a-grant = Open the scope and write the organization number, one or many at once. The access counts within a second.

    You can set an end date, and withdraw the access at any time. Others can also ask for access to scopes in the public list; then you decide.
help-go-grant = To the scopes
help-q-who-has-access = Who has access to this scope?
help-a-who-has-access = The scope's page shows everybody with access, when they got it, and when they last used it. Only the owner sees that.

    If the scope is open to everybody, any organization can use it without standing in the list.
help-go-who-has-access = To the scopes
help-q-access = Who can do what?
help-a-access = Consumers make clients and keys. Providers make scopes and grant access. Readers see all, and change nothing. Administrators give the others their roles.

    An administrator gives roles in their own organization. Administrators are appointed by those who run the service.
help-go-access = See who can give you a role
help-q-errors = What does the error code mean?
help-a-errors = Each code has a page with what is wrong, what usually lies behind it, and what you can do.

    When you are signed in, you also see why a certain request was refused: look for the trace id at the end of the answer. Never send anybody an assertion, a token or a private key.
# Mails of a test server.
outbox-title = Outbox
outbox-lead = This is a test server. Mail is not sent, but put here.
outbox-empty = No mail yet
outbox-empty-why = When somebody signs up or is invited, the mail is put here.
outbox-caption = The newest first
outbox-subject = Subject
outbox-to = To
outbox-time = Time
