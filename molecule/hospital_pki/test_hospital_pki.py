"""The authority is read and tried with the cryptography library, which knows nothing of the role."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from testinfra.host import Host

PUBLIC = "/var/lib/wardround/ca-public"


def authority(host: Host) -> x509.Certificate:
    return x509.load_pem_x509_certificate(host.file(f"{PUBLIC}/ca.crt").content)


def revocation_list(host: Host) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl(host.file(f"{PUBLIC}/ca.crl").content)


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, *names: x509.GeneralName) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whatever")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def sign(host: Host, subject: str, csr: str) -> tuple[int, str, str]:
    answer = host.run(f"printf '%s' '{csr}' | wardround-sign sign {subject}")
    return answer.rc, answer.stdout, answer.stderr


def curve_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_the_key_never_is_anyone_elses(host: Host) -> None:
    key = host.file("/etc/wardround/ca/ca.key")
    assert (key.mode, key.user, key.group) == (0o600, "root", "root")
    assert host.file("/etc/wardround/ca").mode == 0o700
    assert host.file("/usr/local/sbin/wardround-sign").mode == 0o700


def test_the_certificate_is_an_authoritys(host: Host) -> None:
    certificate = authority(host)
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.rfc4514_string() == r"CN=St. Example / Köln \+ Söhne CA,O=St. Example / Köln \+ Söhne"
    public_key = certificate.public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    assert public_key.curve.name == "secp384r1"
    assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3640)
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.crl_sign) == (True, True, True)
    assert not usage.value.digital_signature


def test_the_authority_is_good_only_for_its_domain_and_networks(host: Host) -> None:
    constraints = authority(host).extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [item.value for item in constraints.value.permitted_subtrees or ()] == [
        "st-example.test",
        ipaddress.ip_network("192.0.2.0/24"),
        ipaddress.ip_network("198.51.100.0/24"),
        ipaddress.ip_network("fd00:77::/48"),
    ]


def test_a_certificate_within_policy_is_signed_and_indexed(host: Host) -> None:
    key = curve_key()
    names = (x509.DNSName("pacs01.st-example.test"), x509.IPAddress(ipaddress.ip_address("192.0.2.10")))
    code, pem, error = sign(host, "pacs01", request(key, *names))
    assert (code, error) == (0, "")
    leaf = x509.load_pem_x509_certificate(pem.encode())
    leaf.verify_directly_issued_by(authority(host))
    assert leaf.subject.rfc4514_string() == "CN=pacs01"
    assert leaf.public_key() == key.public_key()
    alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(alternatives) == set(names)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.not_valid_after_utc < datetime.now(UTC) + timedelta(days=366)
    assert f"{leaf.serial_number:X}" in host.file("/var/lib/wardround/ca/index.txt").content_string


def test_a_signed_certificate_passes_a_strict_verifier(host: Host) -> None:
    code, pem, error = sign(host, "pacs01", request(curve_key(), x509.DNSName("pacs01.st-example.test")))
    assert (code, error) == (0, "")
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store([authority(host)]))
        .build_server_verifier(x509.DNSName("pacs01.st-example.test"))
    )
    assert len(verifier.verify(x509.load_pem_x509_certificate(pem.encode()), [])) == 2


@pytest.mark.parametrize(
    ("subject", "names", "reason"),
    [
        ("pacs01", ("ris01.st-example.test",), "policy does not grant ris01.st-example.test to pacs01"),
        (
            "pacs01",
            ("pacs01.st-example.test", "*.st-example.test"),
            "policy does not grant *.st-example.test to pacs01",
        ),
        ("pacs01", (), "the request asks for no DNS name"),
        ("unknown01", ("pacs01.st-example.test",), "policy grants no certificate to unknown01"),
        ("lost01", ("lost01.elsewhere.test",), "permitted subtree violation"),
        ("../ca", ("pacs01.st-example.test",), "is not a host name"),
    ],
)
def test_a_name_beyond_policy_is_refused(host: Host, subject: str, names: tuple[str, ...], reason: str) -> None:
    code, pem, error = sign(host, subject, request(curve_key(), *map(x509.DNSName, names)))
    assert (code, pem) == (1, "")
    assert reason in error


def test_a_weak_key_is_refused(host: Host) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    code, pem, error = sign(host, "pacs01", request(weak, x509.DNSName("pacs01.st-example.test")))
    assert (code, pem) == (1, "")
    assert "neither RSA of 3072 bits" in error


def test_a_request_that_was_tampered_with_is_refused(host: Host) -> None:
    csr = request(curve_key(), x509.DNSName("pacs01.st-example.test"))
    lines = csr.splitlines()
    middle = len(lines) // 2
    lines[middle] = lines[middle].swapcase()
    code, pem, _ = sign(host, "pacs01", "\n".join(lines) + "\n")
    assert (code, pem) == (1, "")


def test_a_revoked_certificate_is_on_the_list(host: Host) -> None:
    _, pem, _ = sign(host, "pacs01", request(curve_key(), x509.DNSName("archive.st-example.test")))
    serial = x509.load_pem_x509_certificate(pem.encode()).serial_number
    text = f"{serial:X}"
    before = revocation_list(host)
    assert before.get_revoked_certificate_by_serial_number(serial) is None
    host.check_output(f"wardround-sign revoke {text if len(text) % 2 == 0 else '0' + text} keyCompromise")
    after = revocation_list(host)
    public_key = authority(host).public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    assert after.is_signature_valid(public_key)
    assert after.get_revoked_certificate_by_serial_number(serial) is not None


def test_the_list_is_renewed_by_a_timer_in_a_sandbox(host: Host) -> None:
    assert host.service("wardround-crl.timer").is_enabled
    assert host.service("wardround-crl.timer").is_running
    number = revocation_list(host).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    host.check_output("systemctl start wardround-crl.service")
    renewed = revocation_list(host)
    assert renewed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == number + 1
    assert renewed.next_update_utc is not None
    assert renewed.next_update_utc > datetime.now(UTC) + timedelta(days=29)
