"""The authority that issues officers' certificates: requests read, certificates and lists of revocations signed.

Nothing here reads a database or a clock. The authority signs officers' certificates and its own lists, nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# As long as key sticks last; the office may end sooner.
CERTIFICATE_LASTS: Final = timedelta(days=730)
AUTHORITY_LASTS: Final = timedelta(days=3650)
# Clocks of other machines may be slow.
BACKDATED: Final = timedelta(minutes=10)
# Keycloak refuses certificates once the list is older than this.
LIST_GOOD_FOR: Final = timedelta(hours=24)
_CURVES: Final = ("secp256r1", "secp384r1")
_RSA_BITS: Final = range(2048, 4097)
_RSA_EXPONENT: Final = 65537
_HASHES: Final = ("sha256", "sha384", "sha512")

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class RequestFault(StrEnum):
    """Why a request is not signed."""

    UNREADABLE = "UNREADABLE"
    KEY_UNFIT = "KEY_UNFIT"
    NOT_PROVEN = "NOT_PROVEN"


class AuthorityUnfitError(ValueError):
    """A certificate and key that cannot be the authority's; the text is one sentence for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The authority's certificate and key."""

    certificate: x509.Certificate
    key: SigningKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        """The certificate as files hold it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedEntry:
    """A line of the list."""

    serial_number: int
    revoked_at: datetime
    reason: x509.ReasonFlags


def make_authority(*, name: str, now: datetime) -> Authority:
    """Make an authority of our own, for machines of developers."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate=certificate, key=key)


def read_authority(pem: bytes, *, now: datetime) -> Authority:
    """Read certificate and unencrypted key from PEM, in either order.

    Raises:
        AuthorityUnfitError: when one is missing or they cannot sign certificates.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(pem[pem.index(b"-----BEGIN ", _key_at(pem)) :], password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise AuthorityUnfitError("A certificate and an unencrypted private key are expected, both PEM.") from None
    if not isinstance(key, SigningKey) or _fault_of_key(key.public_key()) is not None:
        raise AuthorityUnfitError("The key must be of the curve P-256 or P-384, or RSA of 2048 to 4096 bits.")
    authority = Authority(certificate=certificate, key=key)
    _check_authority(authority, now=now)
    return authority


def _key_at(pem: bytes) -> int:
    """Return where the private key begins, or somewhere before."""
    end = pem.find(b"PRIVATE KEY-----")
    if end < 0:
        raise ValueError("no key")
    return pem.rindex(b"-----BEGIN ", 0, end)


def _check_authority(authority: Authority, *, now: datetime) -> None:
    certificate = authority.certificate
    if certificate.public_key() != authority.key.public_key():
        raise AuthorityUnfitError("The key does not belong to the certificate.")
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise AuthorityUnfitError("The certificate is not valid today.")
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound as error:
        raise AuthorityUnfitError(f"The certificate lacks the extension {error.oid.dotted_string}.") from None
    if not constraints.ca or not usage.key_cert_sign or not usage.crl_sign:
        raise AuthorityUnfitError("The certificate may not sign certificates and lists of revocations.")


def read_request(pem: str) -> PublicKey | RequestFault:
    """Return the key of a PKCS#10 request whose sender has proven to own it, or what is wrong."""
    try:
        request = x509.load_pem_x509_csr(pem.encode("ascii"))
        key = request.public_key()
        algorithm = request.signature_hash_algorithm
        is_proven = request.is_signature_valid
    except (ValueError, TypeError, UnicodeEncodeError, UnsupportedAlgorithm, InvalidSignature):
        return RequestFault.UNREADABLE
    if not isinstance(key, PublicKey) or _fault_of_key(key) is not None:
        return RequestFault.KEY_UNFIT
    if algorithm is None or algorithm.name not in _HASHES or not is_proven:
        return RequestFault.NOT_PROVEN
    return key


def issue_certificate(authority: Authority, key: PublicKey, *, member_id: str, now: datetime) -> x509.Certificate:
    """Sign a certificate with which a member logs in. Its subject is the member's number and nothing else."""
    issuer = authority.certificate
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, member_id)]))
        .issuer_name(issuer.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(now - BACKDATED, issuer.not_valid_before_utc))
        .not_valid_after(min(now + CERTIFICATE_LASTS, issuer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_authority_key(issuer), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def make_list(authority: Authority, entries: Iterable[RevokedEntry], *, number: int, now: datetime) -> bytes:
    """Sign the list of revoked certificates (RFC 5280), DER."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - BACKDATED)
        .next_update(now + LIST_GOOD_FOR)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_key(authority.certificate), critical=False)
    )
    for entry in entries:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(entry.serial_number)
            .revocation_date(entry.revoked_at)
            .add_extension(x509.CRLReason(entry.reason), critical=False)
            .build()
        )
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def bytes_of_key(key: PublicKey) -> bytes:
    """Return a public key in its usual form (SubjectPublicKeyInfo, DER)."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_of_bytes(der: bytes) -> PublicKey:
    """Return the public key that `bytes_of_key` wrote."""
    key = serialization.load_der_public_key(der)
    assert isinstance(key, PublicKey), "only keys of these kinds are kept"
    return key


def digest_of_key(key: PublicKey) -> bytes:
    """Return the SHA-256 of a public key in its usual form."""
    return hashlib.sha256(bytes_of_key(key)).digest()


def pem_of(certificate: bytes) -> bytes:
    """Return a certificate (DER) as files hold it."""
    return x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM)


def _fault_of_key(key: PublicKey) -> RequestFault | None:
    match key:
        case ec.EllipticCurvePublicKey():
            fits = key.curve.name in _CURVES
        case rsa.RSAPublicKey():
            fits = key.key_size in _RSA_BITS and key.public_numbers().e == _RSA_EXPONENT
    return None if fits else RequestFault.KEY_UNFIT


def _authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    known = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
