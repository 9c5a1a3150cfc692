"""Requests as published clients really send them, odd as they are; each one has to bring a token.

Plain requests and PyJWT stand in for clients that are not in Python.
"""

import time
from urllib.parse import quote

import requests
from urllib3.util import SKIP_HEADER

from contract import (
    CLIENT_ID,
    CLIENT_JWK,
    GRANT_TYPE,
    ISSUER,
    TIMEOUT_SECONDS,
    TOKEN_ENDPOINT,
    accepted,
    check_token,
    claims,
    post,
    shown,
    sign,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def send(body, **headers):
    """Sends the body as it stands, where `requests` would encode a form its own way."""
    return requests.post(
        TOKEN_ENDPOINT, data=body, headers={**FORM, **headers}, timeout=TIMEOUT_SECONDS
    )


def parameters_in_the_query():
    return requests.post(
        TOKEN_ENDPOINT,
        params={"grant_type": GRANT_TYPE, "assertion": sign(claims())},
        headers=FORM,
        timeout=TIMEOUT_SECONDS,
    )


def raw_colons():
    return send(f"grant_type={GRANT_TYPE}&assertion={sign(claims())}")


def escaped_colons_and_the_assertion_first():
    return send(f"assertion={sign(claims())}&grant_type={quote(GRANT_TYPE, safe='')}")


def content_type_with_a_charset():
    return send(
        f"grant_type={GRANT_TYPE}&assertion={sign(claims())}",
        **{"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8", "Charset": "utf-8"},
    )


def no_user_agent_and_no_accept():
    # `requests` leaves out a header that is None, but urllib3 then puts in a User-Agent of its own.
    return send(
        f"grant_type={GRANT_TYPE}&assertion={sign(claims())}",
        **{"User-Agent": SKIP_HEADER, "Accept": None},
    )


def traceparent():
    return send(
        f"grant_type={GRANT_TYPE}&assertion={sign(claims())}",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def more_form_parameters():
    return post(sign(claims()), client_id=CLIENT_ID, scope="ignored:here")


def audience_as_an_array():
    return post(sign(claims(aud=[ISSUER])))


def no_jti():
    # A lifetime of its own: within one second this would else be the assertion of wire_refusals.py.
    return post(sign(claims(jti=None, lifetime_seconds=59)))


def nbf_and_sub():
    return post(sign(claims(nbf=int(time.time()), sub=CLIENT_ID)))


def ten_seconds():
    return post(sign(claims(lifetime_seconds=10)))


def exactly_two_minutes():
    return post(sign(claims(lifetime_seconds=120)))


def back_dated():
    issued_at = int(time.time()) - 10
    return post(sign(claims(iat=issued_at, exp=issued_at + 120)))


def no_typ_and_an_unknown_header_member():
    return post(sign(claims(), kid=CLIENT_JWK["kid"], typ=None, made_by="hand"))


for request in (
    parameters_in_the_query,
    raw_colons,
    escaped_colons_and_the_assertion_first,
    content_type_with_a_charset,
    no_user_agent_and_no_accept,
    traceparent,
    more_form_parameters,
    audience_as_an_array,
    no_jti,
    nbf_and_sub,
    ten_seconds,
    exactly_two_minutes,
    back_dated,
    no_typ_and_an_unknown_header_member,
):
    # The name first, so that a failure stands under what was tried.
    shown(request.__name__.replace("_", " "))
    check_token(accepted(request())["access_token"])
