"""The enterprise certificate that `portvakt dev` made, in the forms clients put it into `x5c`."""

import base64
import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from contract import env

PRIVATE_KEY_PEM = Path(env("PORTVAKT_CERT_KEY_PEM")).read_text(encoding="ascii")
CHAIN_PEM = Path(env("PORTVAKT_CERT_PEM")).read_text(encoding="ascii")
ANCHORS_PEM = Path(env("PORTVAKT_TRUST_ANCHORS")).read_text(encoding="ascii")


def leaf_only():
    """What most clients send: the server completes the path."""
    return whole_chain()[:1]


def whole_chain():
    """Leaf first, as RFC 7517 section 4.7 has it, without the root."""
    return [_base64(certificate) for certificate in _read(CHAIN_PEM)]


def whole_chain_and_root():
    """As Java key stores give it away: up to and with the root."""
    chain = _read(CHAIN_PEM)
    roots = [anchor for anchor in _read(ANCHORS_PEM) if anchor.subject == chain[-1].issuer]
    return [_base64(c) for c in chain + [root for root in roots if root not in chain]]


def leaf_with_carriage_returns():
    """What a PEM file with Windows line ends becomes when only the `\\n` are taken out."""
    text = leaf_only()[0]
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return ["\r".join(lines) + "\r"]


def leaf_thumbprint():
    """The `x5t` that .NET adds beside `x5c`: SHA-1 by definition (RFC 7517 section 4.8)."""
    der = _read(CHAIN_PEM)[0].public_bytes(Encoding.DER)
    digest = hashlib.sha1(der, usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _read(pem):
    return x509.load_pem_x509_certificates(pem.encode("ascii"))


def _base64(certificate):
    """Standard base64, not base64url: the one place in JOSE that has it."""
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
