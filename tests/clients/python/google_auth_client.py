"""google-auth against another server than Google's: its service account, and its grant function."""

import json
import time
import uuid

from cryptography.hazmat.primitives import serialization
from google.auth import crypt, exceptions, jwt
from google.auth.transport.requests import Request
from google.oauth2 import _client, service_account

import certificates
from contract import (
    CERT_CLIENT_ID,
    CERTIFICATE_AMR,
    CLIENT_ID,
    CLIENT_JWK,
    ISSUER,
    SCOPES,
    TOKEN_ENDPOINT,
    check_lifetime,
    check_reply,
    check_token,
    claims,
    expect,
    private_key,
    shown,
)

PRIVATE_KEY_PEM = (
    private_key()
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode()
)


def service_account_credentials():
    """The documented class. Its claims for `aud` and `exp` are Google's, so these are given."""
    now = int(time.time())
    return service_account.Credentials.from_service_account_info(
        {
            "type": "service_account",
            "client_email": CLIENT_ID,
            "private_key": PRIVATE_KEY_PEM,
            "private_key_id": CLIENT_JWK["kid"],
            "token_uri": TOKEN_ENDPOINT,
        },
        scopes=SCOPES[:1],
        additional_claims={
            "aud": ISSUER,
            "iat": now,
            "exp": now + 120,
            "jti": str(uuid.uuid4()),
        },
    )


def grant(signer, client_id, header=None):
    assertion = jwt.encode(signer, claims(client_id), header=header)
    _, expiry, reply = _client.jwt_grant(Request(), TOKEN_ENDPOINT, assertion.decode())
    expect(expiry is not None, "google-auth finds no time of expiry in the reply")
    return reply


credentials = service_account_credentials()
credentials.refresh(Request())
# Not `valid`: google-auth calls a token expired from 225 seconds before its end, so all of ours.
expect(credentials.expiry is not None, "google-auth finds no time of expiry in the reply")
check_token(credentials.token)
shown("a service account with its own token_uri")

# The assertion of this object never changes, so its second use is a replay; google-auth must see a
# refusal that it can show, and must not take it for a fault that is worth a retry.
try:
    credentials.refresh(Request())
    raise SystemExit("the same assertion bought two tokens")
except exceptions.RefreshError as error:
    expect(not error.retryable, f"google-auth would retry a refusal: {error}")
    expect("invalid_grant" in json.dumps(error.args), f"google-auth shows no reason: {error.args}")
shown("the replay as a RefreshError that is not retried")

signer = crypt.RSASigner.from_string(PRIVATE_KEY_PEM, CLIENT_JWK["kid"])
reply = grant(signer, CLIENT_ID)
check_reply(reply)
check_lifetime(reply, check_token(reply["access_token"]))
shown("jwt_grant with a registered key")

signer = crypt.RSASigner.from_string(certificates.PRIVATE_KEY_PEM)
reply = grant(signer, CERT_CLIENT_ID, header={"x5c": certificates.leaf_only()})
check_reply(reply)
check_token(reply["access_token"], CERT_CLIENT_ID, CERTIFICATE_AMR)
shown("jwt_grant with an enterprise certificate")
