"""The self-service API with requests, call for call as operators' published tools use it: a fresh token for
every call, the trailing slash, keys read and written back together with a new one, and DELETE for the last.

Those tools are services of their own and not packages, so this is not their code: the calls are those of
oslokommune/okdata-maskinporten-api (`MaskinportenClient`) and oslokommune/maskinporten-cli
(`MaskinportenAdminApiClient`).
"""

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from contract import CONSUMER_ORGNO, SCOPES, TIMEOUT_SECONDS, claims, env, expect, post, shown, sign

CLIENTS_URL = env("PORTVAKT_ADMIN_URL") + "api/v1/clients"
KEYS_MAX = 5


def call(method, scope, path="", json=None):
    """As both tools ask: JSON is announced also where there is none."""
    token = post(sign(claims(scope=scope))).json()["access_token"]
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}",
    }
    url = CLIENTS_URL + path
    reply = requests.request(method, url, headers=headers, json=json, timeout=TIMEOUT_SECONDS)
    reply.raise_for_status()
    return reply


def new_jwk(kid):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)
    return {"kty": "RSA", "n": public["n"], "e": public["e"], "kid": kid, "alg": "RS256", "use": "sig"}


def keys_of(path):
    return call("GET", "idporten:dcr.read", f"{path}/jwks").json().get("keys", [])


def new_client(scopes):
    return {
        "client_name": "CLIENT - okdata-team",
        "description": "Maskinporten client of a team",
        "scopes": scopes,
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "integration_type": "maskinporten",
        "application_type": "web",
    }


made = call("POST", "idporten:dcr.write", "/", new_client(SCOPES[:1]))
expect(made.status_code == 201, f"a new client is answered with {made.status_code}")
path = "/" + made.json()["client_id"]
read = call("GET", "idporten:dcr.read", path).json()
expect(read["client_orgno"] == CONSUMER_ORGNO, f"the client is another's: {read}")
listed = call("GET", "idporten:dcr.read", "/").json()
expect(read["client_id"] in [client["client_id"] for client in listed], "it is not in the list")
changed = call("PUT", "idporten:dcr.write", path, new_client(SCOPES)).json()
expect(sorted(changed["scopes"]) == sorted(SCOPES), f"the scopes are not changed: {changed}")
shown("a client is made, read, listed and changed")

expect(keys_of(path) == [], "a new client has keys")
for index in range(KEYS_MAX):
    known = keys_of(path)
    body = {"keys": [new_jwk(f"key-{index}"), *({**jwk, "use": "sig"} for jwk in known)]}
    reply = call("POST", "idporten:dcr.write", f"{path}/jwks", body).json()
    ends = {jwk["kid"]: jwk["exp"] for jwk in reply["keys"]}
    expect(len(ends) == index + 1, f"{index + 1} keys became {sorted(ends)}")
    expect(all(ends[jwk["kid"]] == jwk["exp"] for jwk in known), "the end of an old key has moved")
shown("keys are added one by one, each time with all that were there")

known = keys_of(path)
while len(known) > 1:
    known.pop()
    known = call("POST", "idporten:dcr.write", f"{path}/jwks", {"keys": known}).json()["keys"]
call("DELETE", "idporten:dcr.write", f"{path}/jwks")
expect(keys_of(path) == [], "keys are left")
shown("keys are taken away one by one, the last with DELETE")

try:
    call("POST", "idporten:dcr.write", json=new_client(["dev:absent"]))
    raise SystemExit("a client was made with a scope that is none")
except requests.HTTPError as error:
    messages = [one["errorMessage"] for one in error.response.json()["errors"]]
    expect(error.response.status_code == 400 and "dev:absent" in messages[0], f"{messages}")
shown("a refusal says what is wrong")

call("DELETE", "idporten:dcr.write", path)
listed = call("GET", "idporten:dcr.read").json()
expect(read["client_id"] not in [client["client_id"] for client in listed], "it is still listed")
shown("a client is deactivated")
