"""What all Python clients here share: the test server's environment, a grant to start from, and the
contract that every reply, token and refusal must keep.

The contract is Maskinporten's, as published clients and validators rely on it. A client gets its
tokens with its own library; `post` here is for those that have none beside PyJWT and requests.
"""

import json
import os
import re
import time
import uuid

import jwt
import requests


def env(name):
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"{name} is not set; `portvakt dev` writes it to dev.env")
    return value


CLIENT_ID = env("MASKINPORTEN_CLIENT_ID")
CLIENT_JWK = json.loads(env("MASKINPORTEN_CLIENT_JWK"))
SCOPES = env("MASKINPORTEN_SCOPES").split()
WELL_KNOWN_URL = env("MASKINPORTEN_WELL_KNOWN_URL")
ISSUER = env("MASKINPORTEN_ISSUER")
JWKS_URI = env("MASKINPORTEN_JWKS_URI")
TOKEN_ENDPOINT = env("MASKINPORTEN_TOKEN_ENDPOINT")
CERT_CLIENT_ID = env("PORTVAKT_CERT_CLIENT_ID")
CONSUMER_ORGNO = env("PORTVAKT_CONSUMER_ORGNO")

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
KEY_AMR = "private_key_jwt"
CERTIFICATE_AMR = "virksomhetssertifikat"
TIMEOUT_SECONDS = 10

REPLY_MEMBERS = {"access_token", "token_type", "expires_in", "scope"}
TOKEN_CLAIMS = {
    "scope",
    "iss",
    "client_amr",
    "token_type",
    "exp",
    "iat",
    "client_id",
    "jti",
    "consumer",
}


def expect(condition, message):
    """Ends the script at the first deviation; the message is all that its reader gets."""
    if not condition:
        raise SystemExit(message)


def private_key():
    """The registered key, as the key object of `cryptography` that PyJWT signs with."""
    return jwt.PyJWK(CLIENT_JWK).key


def claims(client_id=CLIENT_ID, lifetime_seconds=60, **changes):
    """A grant's claims, as the documentation has them. A change to None leaves a claim out."""
    now = int(time.time())
    all_claims = {
        "aud": ISSUER,
        "iss": client_id,
        "scope": SCOPES[0],
        "iat": now,
        "exp": now + lifetime_seconds,
        "jti": str(uuid.uuid4()),
    }
    all_claims.update(changes)
    return {name: value for name, value in all_claims.items() if value is not None}


def sign(grant_claims, key=None, **header):
    """Signs with PyJWT; by default as the client with the registered key."""
    return jwt.encode(
        grant_claims,
        key or private_key(),
        algorithm="RS256",
        headers=header or {"kid": CLIENT_JWK["kid"]},
    )


def post(assertion, **form):
    """Presents a grant the way the documentation shows."""
    return requests.post(
        TOKEN_ENDPOINT,
        data={"grant_type": GRANT_TYPE, "assertion": assertion, **form},
        timeout=TIMEOUT_SECONDS,
    )


def accepted(response, scopes=None):
    """The reply in a response that has to be a success."""
    expect(
        response.status_code == 200,
        f"refused with status {response.status_code}: {response.text}",
    )
    check_json(response)
    # RFC 6749 section 5.1 requires it of every response that carries a token.
    expect(
        "no-store" in response.headers.get("Cache-Control", ""),
        f"a token may be cached: Cache-Control is {response.headers.get('Cache-Control')!r}",
    )
    reply = response.json()
    check_reply(reply, scopes)
    return reply


def check_reply(reply, scopes=None):
    """Exactly four members. Strict deserialisers refuse a fifth and miss a fourth."""
    expect(set(reply) == REPLY_MEMBERS, f"the reply has the members {sorted(reply)}")
    expect(isinstance(reply["access_token"], str), "access_token is not a string")
    expect(reply["token_type"] == "Bearer", f"token_type is {reply['token_type']!r}")
    expect(
        type(reply["expires_in"]) is int and reply["expires_in"] > 0,
        f"expires_in is {reply['expires_in']!r}, not a positive JSON integer",
    )
    expect(
        sorted(reply["scope"].split()) == sorted(scopes or SCOPES[:1]),
        f"the reply's scope is {reply['scope']!r}",
    )


def check_token(token, client_id=CLIENT_ID, amr=KEY_AMR, scopes=None, audience=None):
    """Validates an access token as an API would, against the published keys."""
    header = jwt.get_unverified_header(token)
    expect(set(header) <= {"kid", "alg", "typ"}, f"the token's header is {header}")
    expect(header.get("alg") == "RS256", f"the token's alg is {header.get('alg')!r}")
    expect(header.get("typ", "JWT") == "JWT", f"the token's typ is {header.get('typ')!r}")

    key = jwt.PyJWKClient(JWKS_URI, timeout=TIMEOUT_SECONDS).get_signing_key_from_jwt(token)
    try:
        # Without `audience` PyJWT refuses a token that has one: `aud` is there only when asked for.
        payload = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            issuer=ISSUER,
            audience=audience,
            options={"require": sorted(TOKEN_CLAIMS)},
        )
    except jwt.InvalidTokenError as error:
        raise SystemExit(f"PyJWT refuses the access token: {error!r}") from error

    wanted = TOKEN_CLAIMS | ({"aud"} if audience else set())
    expect(set(payload) == wanted, f"the token has the claims {sorted(payload)}")
    for name in ("iat", "exp"):
        expect(type(payload[name]) is int, f"{name} is {payload[name]!r}, not a JSON integer")
    expect(
        re.fullmatch(r"[A-Za-z0-9_-]{43}", payload["jti"]),
        f"jti is {payload['jti']!r}, not 32 bytes of base64url",
    )
    expect(
        sorted(payload["scope"].split()) == sorted(scopes or SCOPES[:1]),
        f"the token's scope is {payload['scope']!r}",
    )
    expect(payload["client_id"] == client_id, f"client_id is {payload['client_id']!r}")
    expect(payload["client_amr"] == amr, f"client_amr is {payload['client_amr']!r}")
    expect(payload["token_type"] == "Bearer", f"token_type is {payload['token_type']!r}")
    consumer = {"authority": "iso6523-actorid-upis", "ID": f"0192:{CONSUMER_ORGNO}"}
    expect(payload["consumer"] == consumer, f"consumer is {payload['consumer']!r}")
    return payload


def check_lifetime(reply, payload):
    """`expires_in` is the token's life, or a second less, as Maskinporten answers."""
    lifetime_seconds = payload["exp"] - payload["iat"]
    expect(
        lifetime_seconds - reply["expires_in"] in (0, 1),
        f"expires_in is {reply['expires_in']}, but the token lives {lifetime_seconds} s",
    )


def check_refusal(response, error, code=None, status=400, text=""):
    """A refusal as its callers parse it. Without a code `error_uri` may be missing."""
    where = f"status {response.status_code}: {response.text}"
    expect(response.status_code == status, f"expected status {status}, got {where}")
    check_json(response)
    body = response.json()
    extra = set(body) - {"error", "error_description", "error_uri"}
    expect(not extra, f"a refusal has the extra members {sorted(extra)}: {where}")
    expect(body.get("error") == error, f"expected the error {error!r}, got {where}")
    description = body.get("error_description")
    expect(isinstance(description, str), f"error_description is not a string: {where}")
    expect(
        re.search(r" \(trace_id: [0-9a-f]{32}\)$", description),
        f"the description does not end in its trace id: {where}",
    )
    expect(text in description, f"the description does not say {text!r}: {where}")
    if code:
        uri = f"{ISSUER}errors/{code}"
        expect(body.get("error_uri") == uri, f"expected the error_uri {uri}, got {where}")


def check_json(response):
    media_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    expect(media_type == "application/json", f"Content-Type is {media_type!r}: {response.text}")


def shown(text):
    """One line for each thing that held; whoever reads a failure sees how far it got."""
    print(f"  {text}", flush=True)
