"""Make the scenario's certificates: an authority with its revocation list, another authority, and leaves.

Usage: certificates.py FOLDER HOST...
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC) - timedelta(minutes=5)
LATER = NOW + timedelta(days=2)


class Authority:
    """An authority whose certificates and keys lie in one folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
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
        builder = self._builder(self.name, self.key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = builder.add_extension(usage, critical=True).sign(self.key, hashes.SHA256())
        write(folder / f"{name}.crt", self.certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(self.name, subject, key, x509.random_serial_number(), NOW, LATER)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return builder.add_extension(issuer, critical=False)

    def issue(self, file: str, common_name: str, *names: str) -> int:
        """Issue a certificate and return its serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = self._builder(subject, key.public_key()).add_extension(purposes, critical=False)
        certificate = builder.add_extension(alternatives, critical=False).sign(self.key, hashes.SHA256())
        write(self.folder / f"{file}.crt", certificate.public_bytes(serialization.Encoding.PEM))
        encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        write(self.folder / f"{file}.key", key.private_bytes(*encoding))
        return certificate.serial_number

    def revoke(self, file: str, serial: int) -> None:
        """Publish a revocation list with one certificate on it."""
        revoked = x509.RevokedCertificateBuilder(serial, NOW).build()
        builder = x509.CertificateRevocationListBuilder(self.name, NOW, LATER, revoked_certificates=[revoked])
        revocations = builder.sign(self.key, hashes.SHA256())
        write(self.folder / f"{file}.crl", revocations.public_bytes(serialization.Encoding.PEM))


def write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    hospital, elsewhere = Authority(folder, "ca"), Authority(folder, "elsewhere")
    for host in sys.argv[2:]:
        hospital.issue(host, host, f"{host}.hospital.example")
    hospital.issue("lis", "lis01", "somewhere.hospital.example")
    hospital.issue("middleware", "not declared", "other.hospital.example", "mw01.hospital.example")
    hospital.issue("stranger", "stranger", "lis01.hospital.example")
    elsewhere.issue("impostor", "lis01", "mw01.hospital.example")
    hospital.revoke("ca", hospital.issue("revoked", "lis01", "mw01.hospital.example"))


if __name__ == "__main__":
    main()
