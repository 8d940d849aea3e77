"""Certificates of a development machine: an authority for officers' key sticks, and one for Keycloak's HTTPS port.

Made at the first start and kept. In production the authority's key lies in identity's key database alone, and the server's
certificate comes from whoever issues those of the province.
"""

import fcntl
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_NAME = "Zhibu development certificate authority"
AUTHORITY_LASTS = timedelta(days=3650)
# Browsers refuse server certificates that are good for longer.
SERVER_LASTS = timedelta(days=390)
RENEWED_BEFORE = timedelta(days=30)
BACKDATED = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """Where the files lie, all of them PEM."""

    # Certificate and key: identity takes them over at its first start.
    authority: Path
    # The certificate alone: what Keycloak trusts.
    trusted: Path
    server: Path
    server_key: Path


def ensure_certificates(directory: Path) -> CertificateFiles:
    """Return the files, making those that are missing and a server's certificate that runs out."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / ".lock").open("w") as lock:
        # Several steps ask at once at the first start.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _ensure(directory)


def _ensure(directory: Path) -> CertificateFiles:
    made = CertificateFiles(
        authority=directory / "authority.pem",
        trusted=directory / "authority.crt.pem",
        server=directory / "server.crt.pem",
        server_key=directory / "server.key.pem",
    )
    now = datetime.now(UTC)
    if not made.authority.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write(made.authority, authority_certificate(key, now) + key_pem(key))
    trusted = x509.load_pem_x509_certificate(made.authority.read_bytes())
    write(made.trusted, trusted.public_bytes(serialization.Encoding.PEM))
    if not made.server_key.exists() or runs_out(made.server, now):
        key = ec.generate_private_key(ec.SECP256R1())
        write(made.server, server_certificate(key, now))
        write(made.server_key, key_pem(key))
    return made


def runs_out(path: Path, now: datetime) -> bool:
    """Say whether a certificate is missing or good for less than a month."""
    if not path.exists():
        return True
    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc < now + RENEWED_BEFORE


def authority_certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> bytes:
    """Return the authority's own certificate."""
    usage = key_usage(signs_certificates=True)
    builder = certificate_builder(key, AUTHORITY_NAME, now, AUTHORITY_LASTS)
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def server_certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> bytes:
    """Return a certificate of this machine that it has signed itself: browsers warn of it once."""
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    builder = certificate_builder(key, "localhost", now, SERVER_LASTS)
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def certificate_builder(
    key: ec.EllipticCurvePrivateKey, name: str, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    """Return what both have in common."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return what a key may be used for."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the key as files hold it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
