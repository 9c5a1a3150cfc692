"""The odd certificates and revocation lists that the authors of `cryptography` have collected: each certificate as the
leaf of `x5c`, and as that of a registered key; each list as one that might clear a good certificate. None of them ever
buys anything, and none brings the server down.
"""

import base64
import re
import subprocess
import tempfile
import warnings
from pathlib import Path

import cryptography_vectors
import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.utils import CryptographyDeprecationWarning

import certificates
from contract import (
    CERT_CLIENT_ID,
    CERTIFICATE_AMR,
    SCOPES,
    TIMEOUT_SECONDS,
    accepted,
    check_token,
    claims,
    env,
    expect,
    post,
    shown,
    sign,
)

# The library says what is odd about them as well.
warnings.simplefilter("ignore", CryptographyDeprecationWarning)

# Reading the key takes longer than signing with it.
PRIVATE_KEY = load_pem_private_key(certificates.PRIVATE_KEY_PEM.encode("ascii"), password=None)
CLIENTS_URL = env("PORTVAKT_ADMIN_URL") + "api/v1/clients"
BINARY = env("PORTVAKT_TEST_BINARY")
FOLDER = Path(cryptography_vectors.__file__).parent / "x509"
# Fewer would mean that the collection was not found; the release that is pinned has over 500 and 150.
CERTIFICATES_MIN = 450
LISTS_MIN = 100
# The exit code of `portvakt cert verify` for a chain that is refused.
REFUSED = 1


def ders(label):
    """What stands in the files of the collection under this label, or in DER under an ending that says so."""
    block = re.compile(rb"-----BEGIN " + label + rb"-----(.*?)-----END", re.DOTALL)
    endings = {".crl"} if label == b"X509 CRL" else {".crt", ".cer", ".der"}
    for file in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        content = file.read_bytes()
        name = str(file.relative_to(FOLDER))
        if content[:1] == b"\x30" and file.suffix in endings:
            yield name, content
        for match in block.finditer(content):
            body = b"".join(line for line in match[1].splitlines() if b":" not in line)
            yield name, base64.b64decode(body, validate=False)


def jwk_of(der):
    """The key of a certificate, or another one where nobody can read it."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except Exception:  # the libraries have many words for it, and any will do
        key = None
    if isinstance(key, rsa.RSAPublicKey):
        return {**jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True), "alg": "RS256"}
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ("secp256r1", "secp384r1"):
        algorithm = "ES256" if key.curve.name == "secp256r1" else "ES384"
        return {**jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True), "alg": algorithm}
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "A" * 43}


def self_service_token():
    return post(sign(claims(scope="idporten:dcr.write"))).json()["access_token"]


def as_leaf(name, der):
    header = {"x5c": [base64.b64encode(der).decode()]}
    reply = post(sign(claims(CERT_CLIENT_ID), PRIVATE_KEY, **header))
    # A header that is too long is 413.
    expect(reply.status_code in (400, 413), f"x5c of {name}: {reply.status_code} {reply.text}")
    expect("access_token" not in reply.text, f"x5c of {name} bought a token")


def as_registered_key(name, der, client, token):
    key = jwk_of(der) | {"kid": "odd", "use": "sig", "x5c": [base64.b64encode(der).decode()]}
    key.pop("key_ops", None)
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{CLIENTS_URL}/{client}/jwks"
    reply = requests.post(url, json={"keys": [key]}, headers=headers, timeout=TIMEOUT_SECONDS)
    expect(reply.status_code in (400, 413), f"key of {name}: {reply.status_code} {reply.text}")


def as_revocation_list(name, der, folder):
    file = folder / "odd.crl"
    file.write_bytes(der)
    command = [BINARY, "cert", "verify", "--anchors", env("PORTVAKT_TRUST_ANCHORS")]
    command += ["--policy", "any", "--crl", str(file), env("PORTVAKT_CERT_PEM")]
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    expect(done.returncode == REFUSED, f"list {name}: {done.returncode} {done.stderr.decode()}")


token = self_service_token()
body = {
    "client_name": "odd certificates",
    "integration_type": "maskinporten",
    "application_type": "web",
    "token_endpoint_auth_method": "private_key_jwt",
    "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
    "scopes": SCOPES[:1],
}
made = requests.post(
    CLIENTS_URL, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_SECONDS
)
expect(made.status_code == 201, f"no client: {made.text}")
client = made.json()["client_id"]

count = 0
for count, (name, der) in enumerate(ders(b"CERTIFICATE"), 1):
    if count % 200 == 0:
        token = self_service_token()  # it lives for two minutes
    as_leaf(name, der)
    as_registered_key(name, der, client, token)
expect(count >= CERTIFICATES_MIN, f"there are {count} certificates only")

lists = 0
with tempfile.TemporaryDirectory() as folder:
    for lists, (name, der) in enumerate(ders(b"X509 CRL"), 1):
        as_revocation_list(name, der, Path(folder))
expect(lists >= LISTS_MIN, f"there are {lists} revocation lists only")

good = {"x5c": certificates.leaf_only()}
reply = accepted(post(sign(claims(CERT_CLIENT_ID), PRIVATE_KEY, **good)))
check_token(reply["access_token"], CERT_CLIENT_ID, CERTIFICATE_AMR)
shown(f"a token after {count} odd certificates and {lists} odd revocation lists")
