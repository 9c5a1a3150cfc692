"""The metadata and the keys, at every address where clients look for them."""

import requests

from contract import (
    ISSUER,
    JWKS_URI,
    TIMEOUT_SECONDS,
    TOKEN_ENDPOINT,
    WELL_KNOWN_URL,
    expect,
    shown,
)

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def document(url):
    # Not every client follows a redirect, so a redirect is no answer.
    response = requests.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    expect(response.status_code == 200, f"{url} answers {response.status_code}: {response.text}")
    return response.json()


metadata = document(WELL_KNOWN_URL)
expect(ISSUER.endswith("/"), f"the issuer {ISSUER} does not end in a slash")
for name, value in {
    "issuer": ISSUER,
    "token_endpoint": TOKEN_ENDPOINT,
    "jwks_uri": JWKS_URI,
    "grant_types_supported": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
}.items():
    expect(metadata.get(name) == value, f"metadata has {name} = {metadata.get(name)!r}")
for name in ("token_endpoint", "jwks_uri"):
    expect(metadata[name].startswith(ISSUER), f"{name} does not start with the issuer")
# Some clients build the address themselves.
expect(TOKEN_ENDPOINT == f"{ISSUER}token", f"the token endpoint is {TOKEN_ENDPOINT}")
algorithms = metadata.get("token_endpoint_auth_signing_alg_values_supported", [])
expect("RS256" in algorithms, f"the metadata offers the algorithms {algorithms}")
shown("metadata")

for path in (
    ".well-known/oauth-authorization-server",
    ".well-known/oauth-authorization-server/",
    ".well-known/openid-configuration",
):
    expect(document(ISSUER + path) == metadata, f"{path} has other metadata")
shown("the same metadata at its other addresses")

key_set = document(JWKS_URI)
expect(key_set.get("keys"), f"no keys at {JWKS_URI}")
for key in key_set["keys"]:
    missing = {"kid", "kty", "use", "alg", "n", "e"} - set(key)
    expect(not missing, f"the key {key.get('kid')} lacks {sorted(missing)}")
    expect(key["use"] == "sig", f"the key {key['kid']} is for {key['use']!r}")
    expect(not PRIVATE_MEMBERS & set(key), f"the key {key['kid']} is published with private parts")
shown("keys")

for path in ("jwk", "jwks", ".well-known/jwks.json"):
    expect(document(ISSUER + path) == key_set, f"{path} has other keys")
shown("the same keys at their other addresses")
