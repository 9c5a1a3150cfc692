"""Refusals as callers see them: status, error, code and the words that clients look for."""

import base64
import json
import time

import requests
from cryptography.hazmat.primitives.asymmetric import rsa

import certificates
from contract import (
    CERT_CLIENT_ID,
    CLIENT_ID,
    CLIENT_JWK,
    GRANT_TYPE,
    ISSUER,
    SCOPES,
    TIMEOUT_SECONDS,
    TOKEN_ENDPOINT,
    accepted,
    check_refusal,
    claims,
    post,
    shown,
    sign,
)

KID = CLIENT_JWK["kid"]
NOW = int(time.time())
PREFIX = SCOPES[0].split(":", 1)[0]
UNKNOWN_SCOPE = f"{PREFIX}:no.such.scope"
STRANGERS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
LEAF = certificates.leaf_only()


def form(data, params=None):
    return requests.post(TOKEN_ENDPOINT, data=data, params=params, timeout=TIMEOUT_SECONDS)


def unsigned():
    """The oldest trick: a grant that says that it needs no signature."""
    parts = ({"alg": "none", "kid": KID}, claims())
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    return b".".join(encoded).decode() + "."


def replays():
    grant = sign(claims())
    accepted(post(grant))
    check_refusal(post(grant), "invalid_grant", "MP-012", text="used before")
    shown("the same assertion twice")

    # RS256 is deterministic: without a jti two grants of one second are one assertion.
    without_jti = claims(jti=None)
    accepted(post(sign(without_jti)))
    check_refusal(post(sign(without_jti)), "invalid_grant", "MP-012", text="used before")
    shown("the same assertion twice, without a jti")

    first = claims()
    accepted(post(sign(first)))
    second = claims(jti=first["jti"], lifetime_seconds=61)
    check_refusal(post(sign(second)), "invalid_grant", "MP-012", text="used before")
    shown("one jti in two assertions")


def keys():
    check_refusal(
        post(sign(claims(), kid="no-such-key")), "invalid_grant", text="Unknown key identifier"
    )
    shown("an unknown kid")
    check_refusal(
        post(sign(claims(), key=STRANGERS_KEY)),
        "invalid_grant",
        "MP-124",
        text="Invalid JWT signature",
    )
    shown("a stranger's signature")
    check_refusal(
        post(sign(claims(), key=certificates.PRIVATE_KEY_PEM, x5c=LEAF)),
        "invalid_grant",
        text="requires pre-registered jwk and no key identifier (kid) provided",
    )
    shown("a certificate where a key is registered")
    check_refusal(
        post(sign(claims(CERT_CLIENT_ID), key=certificates.PRIVATE_KEY_PEM, x5c=LEAF[0])),
        "invalid_grant",
        "MP-123",
        text="x5c",
    )
    shown("x5c as a string")


def claim_by_claim():
    for name, grant_claims, error, code, text in (
        ("an unknown client", claims("no-such-client"), "invalid_grant", "MP-100", ""),
        ("the token endpoint as aud", claims(aud=TOKEN_ENDPOINT), "invalid_grant", "MP-110", "aud"),
        ("two audiences", claims(aud=[ISSUER, TOKEN_ENDPOINT]), "invalid_grant", "MP-110", "aud"),
        ("an unknown scope", claims(scope=UNKNOWN_SCOPE), "invalid_scope", "MP-200", UNKNOWN_SCOPE),
        (
            "an expired grant",
            claims(iat=NOW - 90, exp=NOW - 30),
            "invalid_grant",
            "MP-130",
            "expired",
        ),
        ("121 seconds", claims(lifetime_seconds=121), "invalid_grant", None, "too long lifetime"),
        (
            "a grant from the future",
            claims(iat=NOW + 40, exp=NOW + 100),
            "invalid_grant",
            None,
            "Issue time",
        ),
        (
            "a fragment in resource",
            claims(resource="https://a.example/#b"),
            "invalid_target",
            None,
            "",
        ),
    ):
        check_refusal(post(sign(grant_claims)), error, code, text=text)
        shown(name)


def requests_out_of_shape():
    for name, response, error, code in (
        ("no assertion", form({"grant_type": GRANT_TYPE}), "invalid_request", None),
        ("no grant_type", form({"assertion": sign(claims())}), "invalid_request", None),
        (
            "another grant_type",
            form({"grant_type": "client_credentials", "assertion": sign(claims())}),
            "unsupported_grant_type",
            None,
        ),
        ("no JWT at all", post("not.a.jwt"), "invalid_request", "MP-011"),
        (
            "one parameter twice",
            form([("grant_type", GRANT_TYPE)] + 2 * [("assertion", sign(claims()))]),
            "invalid_request",
            None,
        ),
        (
            "one parameter in query and body",
            form(
                {"grant_type": GRANT_TYPE, "assertion": sign(claims())},
                params={"grant_type": GRANT_TYPE},
            ),
            "invalid_request",
            None,
        ),
    ):
        check_refusal(response, error, code)
        shown(name)


def refused_one_way_or_another():
    """Here the contract asks for a refusal and leaves its wording open."""
    for name, response in (
        ("kid and x5c together", post(sign(claims(), kid=KID, x5c=LEAF))),
        ("no signature", post(unsigned())),
        ("another client's client_id in the form", post(sign(claims()), client_id=CERT_CLIENT_ID)),
    ):
        if response.status_code != 400:
            raise SystemExit(f"{name}: status {response.status_code}: {response.text}")
        check_refusal(response, response.json().get("error"))
        shown(name)


replays()
keys()
claim_by_claim()
requests_out_of_shape()
refused_one_way_or_another()
# A refused grant is not a spent client: the next good one must go through.
accepted(post(sign(claims(CLIENT_ID))))
