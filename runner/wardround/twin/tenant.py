"""The ERP in the cloud: what makes it the one that a hospital's connector looks for, and whom it lets in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from wardround.twin.credentials import write_private
from wardround.twin.furniture import File
from wardround.twin.hand import by_hand, put_by_hand
from wardround.twin.plan import TwinHospital, TwinTenant

FOLDER = "/etc/tenant"
"""Where the ERP's front has its certificate, its key and the authority of its callers."""

HOSPITAL_AUTHORITY = "/etc/wardround/pki/ca.crt"
"""Where every managed host has the certificate of the authority that issues the hospital's."""

_CALLERS = f"{FOLDER}/callers.crt"
_LIFE = timedelta(days=365)
_CLOCK_SKEW = timedelta(minutes=5)
_ISSUES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Papers:
    """What the tenant shows of itself, as PEM: its authority's certificate, its own, and the key to that."""

    authority: str
    certificate: str
    key: str


def ensure_papers(folder: Path, tls_name: str, now: datetime) -> Papers:
    """Read the papers kept in a folder, or make them where they are missing, of another name or nearly over."""
    files = [folder / name for name in ("authority.crt", "tenant.crt", "tenant.key")]
    if all(file.exists() for file in files):
        kept = Papers(*(file.read_text(encoding="ascii") for file in files))
        if _serves(kept, tls_name, now):
            return kept
    made = _make_papers(tls_name, now)
    folder.mkdir(mode=0o700, exist_ok=True)
    for file, text in zip(files, (made.authority, made.certificate, made.key), strict=True):
        write_private(file, text)
    return made


def tenant_files(papers: Papers) -> tuple[File, ...]:
    """Return the files that tell one tenant from another; until it is told whom to trust, it lets nobody in."""
    return (
        File(f"{FOLDER}/tenant.crt", 0o644, papers.certificate),
        File(f"{FOLDER}/tenant.key", 0o600, papers.key),
        File(_CALLERS, 0o644, papers.authority),
    )


def tenant_parameters(tenant: TwinTenant, papers: Papers) -> dict[str, dict[str, str]]:
    """Return the parameters that tell a hospital which authority issued its tenant's certificate."""
    return {tenant.architecture: {"tenant_authorities": papers.authority}}


def introduce(hospital: TwinHospital) -> bool:
    """Tell the ERP which authority issues its caller's certificates, as a customer would; return whether it was news.

    A hospital whose design was never applied has no authority yet.
    """
    tenant = hospital.tenant
    if tenant is None:
        return False
    authority = by_hand(
        hospital.name, tenant.caller, f"if [ -e {HOSPITAL_AUTHORITY} ]; then cat {HOSPITAL_AUTHORITY}; fi"
    )
    if not authority or authority == by_hand(hospital.name, tenant.name, f"cat {_CALLERS}"):
        return False
    trust_callers(hospital.name, tenant.name, authority)
    return True


def trust_callers(hospital: str, tenant: str, authority: str) -> None:
    """Have a running tenant let in callers whose certificates an authority (PEM) has issued, and only those."""
    put_by_hand(hospital, tenant, _CALLERS, authority)
    by_hand(hospital, tenant, "systemctl reload-or-restart erp-front.service")


def _serves(papers: Papers, tls_name: str, now: datetime) -> bool:
    certificate = x509.load_pem_x509_certificate(papers.certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    good = certificate.not_valid_after_utc - now > _LIFE / 4
    return good and names.get_values_for_type(x509.DNSName) == [tls_name]


def _make_papers(tls_name: str, now: datetime) -> Papers:
    authority_key, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    issuer = _name("ERP authority of a twin")
    authority = (
        _certificate(issuer, issuer, authority_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_ISSUES, critical=True)
        .sign(authority_key, SHA256())
    )
    certificate = (
        _certificate(_name(tls_name), issuer, key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(tls_name)]), critical=False)
        .sign(authority_key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Papers(_pem(authority), _pem(certificate), private)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
