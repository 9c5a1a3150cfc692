"""PyJWT and requests with a registered key: the client of most Python tutorials."""

from contract import (
    SCOPES,
    accepted,
    check_lifetime,
    check_token,
    claims,
    post,
    shown,
    sign,
)

RESOURCE = "https://api.example.no/"

reply = accepted(post(sign(claims())))
payload = check_token(reply["access_token"])
check_lifetime(reply, payload)
shown("a token for one scope")

reply = accepted(post(sign(claims(scope=" ".join(SCOPES)))), scopes=SCOPES)
check_token(reply["access_token"], scopes=SCOPES)
shown("a token for all scopes")

# The documentation has an array, every client sends a string: both are taken.
for resource in (RESOURCE, [RESOURCE]):
    reply = accepted(post(sign(claims(resource=resource))))
    check_token(reply["access_token"], audience=RESOURCE)
shown("a token for one audience")
