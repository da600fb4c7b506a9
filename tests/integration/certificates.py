"""certificates.py - a certificate authority for a test, and the certificates that it signs or should not have."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class Authority:
    """new -> issue*; its own certificate is the file `ca`."""

    def __init__(self, folder, name):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(_name(name), self.key.public_key(), 30 * DAY,
                                      [(x509.BasicConstraints(ca=True, path_length=None), True)])
        self.ca = self.folder / f'{name}.pem'
        self.ca.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, public_key, valid_for, extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(_name(self.name)).public_key(public_key)
                   .serial_number(x509.random_serial_number()).not_valid_before(now - 10 * DAY).not_valid_after(now + valid_for))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, name, hosts=(), valid_for=10 * DAY, password=None):
        """Writes NAME.crt, NAME.key (encrypted if password) and NAME.pem with both; returns the three paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        extensions = [(x509.SubjectAlternativeName([_alternative(h) for h in hosts]), False)] if hosts else []
        certificate = self._sign(_name(name), key.public_key(), valid_for, extensions)
        encryption = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        crt_text = certificate.public_bytes(serialization.Encoding.PEM)
        key_text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        paths = [self.folder / f'{name}.{suffix}' for suffix in ('crt', 'key', 'pem')]
        for path, text in zip(paths, (crt_text, key_text, key_text + crt_text)):
            path.write_bytes(text)
        return paths
