"""An alert becomes a mail: over http, as `portvakt dev` writes it into its folder; over TLS, as aiosmtpd is given it,
which wants STARTTLS and a password before it takes anything.

The mail is read with Python's own `email`, as whoever gets it would.
"""

import email
import email.policy
import json
import os
import ssl
import time
import uuid
from pathlib import Path

import jwt
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from contract import CONSUMER_ORGNO, TIMEOUT_SECONDS, claims, env, expect, post, shown, sign

API = env("PORTVAKT_ADMIN_URL") + "api/portvakt/v1"
ADMIN_JWK = json.loads(env("PORTVAKT_ADMIN_CLIENT_JWK"))
# Alerts are gathered for fifteen seconds, and mails are looked for every five.
ARRIVES_SECONDS_MAX = 40
# How mails begin: with the name of the environment, that of `portvakt dev` or that of a server which sets none.
ENVIRONMENTS = ("Dev", "Portvakt")


def call(token, method, path, json=None):
    headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
    reply = requests.request(method, API + path, headers=headers, json=json, timeout=TIMEOUT_SECONDS)
    expect(reply.ok, f"{method} {path} is answered with {reply.status_code}: {reply.text}")
    return reply.json()


def operator_token():
    grant = claims(client_id=env("PORTVAKT_ADMIN_CLIENT_ID"), scope="portvakt:admin")
    headers = {"kid": ADMIN_JWK["kid"]}
    assertion = jwt.encode(grant, jwt.PyJWK(ADMIN_JWK).key, algorithm="ES256", headers=headers)
    return post(assertion).json()["access_token"]


def cause_alert(recipient):
    """The consumer wants to be told at that address; then the operator takes an access from it."""
    own = post(sign(claims(scope="portvakt:organization.write"))).json()["access_token"]
    point = {"email": recipient, "language": "nb", "kinds": ["access_withdrawn"]}
    data = {"invoice": {}, "contact_points": [], "alert_points": [point]}
    call(own, "PUT", f"/organizations/{CONSUMER_ORGNO}/business-data", data)
    operator = operator_token()
    scope = f"dev:mailed.{uuid.uuid4().hex}"
    access = f"/scopes/{scope.replace(':', '%3A')}/accesses/{CONSUMER_ORGNO}"
    call(operator, "POST", "/scopes", {"scope": scope, "description": "To be withdrawn"})
    call(operator, "PUT", access, {})
    call(operator, "DELETE", f"{access}?reason=Tjenesten%20er%20nedlagt")
    return scope


class Keeper:
    """Keeps what aiosmtpd is given, and whether it came under TLS from somebody who had logged in."""

    def __init__(self):
        self.kept = []

    async def handle_DATA(self, server, session, envelope):
        expect_tls = session.ssl is not None and session.authenticated
        self.kept.append((expect_tls, envelope.rcpt_tos, envelope.content))
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b"portvakt"
    good = good and data.password == env("PORTVAKT_TEST_MAIL_PASSWORD").encode()
    # Not handled: the server is to say itself what came of it.
    return AuthResult(success=good, handled=False)


def wait_for(arrived):
    deadline = time.monotonic() + ARRIVES_SECONDS_MAX
    while time.monotonic() < deadline:
        found = arrived()
        if found:
            return found
        time.sleep(0.2)
    raise SystemExit(f"no mail within {ARRIVES_SECONDS_MAX} s")


def check(content, recipient, scope):
    mail = email.message_from_bytes(content, policy=email.policy.default)
    expect(mail["To"] == recipient, f"it is to {mail['To']}")
    # What else has happened to the organization since the server began may stand in the same mail.
    environment, _, _ = mail["Subject"].partition(": ")
    expect(environment in ENVIRONMENTS, f"it is about {mail['Subject']}")
    expect(mail["Auto-Submitted"] == "auto-generated", "machines may answer it")
    expect(not mail.defects, f"it has defects: {mail.defects}")
    text = mail.get_content()
    for said in (scope, "trukket tilbake", "får ikke lenger token", "> Tjenesten er nedlagt"):
        expect(said in text, f"it does not say {said!r}: {text}")


def through_folder(folder):
    recipient = "varsel@consumer.example"
    scope = cause_alert(recipient)
    files = wait_for(lambda: list(folder.glob("*.eml")))
    expect(len(files) == 1, f"one alert became {len(files)} mails")
    check(files[0].read_bytes(), recipient, scope)
    shown("an alert is a mail in the folder of dev")


def through_aiosmtpd(port):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(env("PORTVAKT_TEST_MAIL_CERT"), env("PORTVAKT_TEST_MAIL_KEY"))
    keeper = Keeper()
    controller = Controller(
        keeper,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    controller.start()
    try:
        recipient = "drift@consumer.example"
        scope = cause_alert(recipient)
        wait_for(lambda: keeper.kept)
    finally:
        controller.stop()
    expect(len(keeper.kept) == 1, f"one alert became {len(keeper.kept)} mails")
    is_safe, recipients, content = keeper.kept[0]
    expect(is_safe, "it came in the clear, or from somebody who had not logged in")
    expect(recipients == [recipient], f"it is for {recipients}")
    check(content, recipient, scope)
    shown("an alert is a mail that aiosmtpd takes, after STARTTLS and a password")


port = os.environ.get("PORTVAKT_TEST_MAIL_PORT")
if port:
    through_aiosmtpd(int(port))
else:
    through_folder(Path(env("PORTVAKT_TEST_OUTBOX")))
