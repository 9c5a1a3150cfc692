"""Authlib's AssertionSession, with a registered key and with an enterprise certificate."""

from authlib.integrations.requests_client import AssertionSession
from authlib.oauth2 import OAuth2Error
from joserfc.jwk import RSAKey

import certificates
from contract import (
    CERT_CLIENT_ID,
    CERTIFICATE_AMR,
    CLIENT_ID,
    CLIENT_JWK,
    ISSUER,
    KEY_AMR,
    SCOPES,
    TIMEOUT_SECONDS,
    TOKEN_ENDPOINT,
    check_lifetime,
    check_reply,
    check_token,
    expect,
    shown,
)


def session(client_id, key, header):
    """`sub` equals the client id here, as Authlib wants a subject."""
    return AssertionSession(
        token_endpoint=TOKEN_ENDPOINT,
        issuer=client_id,
        subject=client_id,
        audience=ISSUER,
        claims={"scope": SCOPES[0]},
        header=header,
        key=key,
        expires_in=119,
        default_timeout=TIMEOUT_SECONDS,
    )


def check(token, client_id, amr):
    # Authlib adds the moment of expiry to what the server said.
    reply = {name: value for name, value in token.items() if name != "expires_at"}
    check_reply(reply)
    check_lifetime(reply, check_token(reply["access_token"], client_id, amr))


with_key = session(
    CLIENT_ID, RSAKey.import_key(CLIENT_JWK), {"alg": "RS256", "kid": CLIENT_JWK["kid"]}
)
check(with_key.refresh_token(), CLIENT_ID, KEY_AMR)
shown("a token with a registered key")

# Authlib writes its first jti into the caller's claims and sends it again for ever. That is a
# replay, and the refusal must say so, for nobody suspects the library.
try:
    with_key.refresh_token()
    raise SystemExit("one jti bought two tokens")
except OAuth2Error as error:
    expect(error.error == "invalid_grant", f"a used jti is refused as {error.error}")
    expect("used before" in error.description, f"no word of a replay: {error.description}")
shown("the second use of one jti is refused")

with_key.claims.pop("jti")
check(with_key.refresh_token(), CLIENT_ID, KEY_AMR)
shown("a second token with a fresh jti")

with_certificate = session(
    CERT_CLIENT_ID,
    RSAKey.import_key(certificates.PRIVATE_KEY_PEM),
    {"alg": "RS256", "x5c": certificates.whole_chain()},
)
check(with_certificate.refresh_token(), CERT_CLIENT_ID, CERTIFICATE_AMR)
shown("a token with an enterprise certificate")
