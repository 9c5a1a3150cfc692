"""PyJWT and requests with an enterprise certificate, in every form that clients send it."""

import certificates
from contract import (
    CERT_CLIENT_ID,
    CERTIFICATE_AMR,
    accepted,
    check_lifetime,
    check_token,
    claims,
    post,
    shown,
    sign,
)

LEAF = certificates.leaf_only()

HEADERS = {
    "the leaf only": {"x5c": LEAF},
    "the chain": {"x5c": certificates.whole_chain()},
    "the chain and its root": {"x5c": certificates.whole_chain_and_root()},
    "carriage returns inside the base64": {"x5c": certificates.leaf_with_carriage_returns()},
    "x5t beside x5c": {"x5c": LEAF, "x5t": certificates.leaf_thumbprint()},
    "no typ": {"x5c": LEAF, "typ": None},
}

for name, header in HEADERS.items():
    grant = sign(claims(CERT_CLIENT_ID), key=certificates.PRIVATE_KEY_PEM, **header)
    reply = accepted(post(grant))
    payload = check_token(reply["access_token"], CERT_CLIENT_ID, CERTIFICATE_AMR)
    check_lifetime(reply, payload)
    shown(name)
