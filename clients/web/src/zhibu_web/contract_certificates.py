"""What the gateway answers about officers' certificates, to officers and to their holders."""

from __future__ import annotations

from datetime import datetime

from zhibu_web.contract import ListPage, Message

WAITING = "CERTIFICATE_STATE_WAITING"
ISSUED = "CERTIFICATE_STATE_ISSUED"


class Certificate(Message):
    certificate_id: str = ""
    member_id: str = ""
    serial_number: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    revoked: bool = False
    revoke_time: datetime | None = None
    reason: str = "CERTIFICATE_REVOCATION_REASON_UNSPECIFIED"
    fingerprint: str = ""
    etag: str = ""
    state: str = "CERTIFICATE_STATE_UNSPECIFIED"
    key_fingerprint: str = ""
    organisation_id: str = ""
    requested_by_member_id: str = ""
    request_time: datetime | None = None
    expire_time: datetime | None = None
    decide_time: datetime | None = None


class CertificatePage(ListPage):
    certificates: tuple[Certificate, ...] = ()


class MyCertificates(Message):
    certificates: tuple[Certificate, ...] = ()


class CertificateShown(Message):
    """A certificate, and itself as files hold it once it is signed."""

    certificate: Certificate = Certificate()
    certificate_pem: str = ""
