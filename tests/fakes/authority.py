"""A time stamp authority (RFC 3161) as a small server on loopback: its answers are signed as those of real ones, or wrong in one way."""

import datetime as when
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.type import univ, useful
from pyasn1_modules import rfc3161, rfc5035, rfc5280, rfc5652

from tests.fakes.http import Handler, Server

SHA256 = "2.16.840.1.101.3.4.2.1"
RSA = "1.2.840.113549.1.1.1"


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority(Server):
    """Stamps what it is asked to; `fault` says in which way it is wrong instead."""

    def __init__(self) -> None:
        super().__init__(_Stamping)
        self.fault = ""
        self.requests: list[bytes] = []
        self.root_key, self.root = self._certificate("Root of a test", None)
        self.key, self.certificate = self._certificate("Authority of a test", (self.root_key, self.root))
        self.roots = self.root.public_bytes(serialization.Encoding.PEM)

    @staticmethod
    def _certificate(name, by):
        key = rsa.generate_private_key(65_537, 2_048)
        signer, issuer = (by[0], by[1].subject) if by else (key, _named(name))
        today = when.datetime.now(when.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - when.timedelta(days=2))
            .not_valid_after(today + when.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if by is not None:
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return key, made.sign(signer, hashes.SHA256())

    def stamp(self, request: bytes) -> bytes:
        """The answer to a request, in DER."""
        asked, _ = decode(request, asn1Spec=rfc3161.TimeStampReq())
        answer = rfc3161.TimeStampResp()
        answer["status"]["status"] = 2 if self.fault == "refuses" else 0
        if self.fault != "refuses":
            answer["timeStampToken"] = self._token(self._said(asked))
        return bytes(encode(answer))

    def _said(self, asked):
        info = rfc3161.TSTInfo()
        info["version"] = 1
        info["policy"] = "1.3.6.1.4.1.99999.1"
        info["messageImprint"] = asked["messageImprint"]
        if self.fault == "another text":
            info["messageImprint"]["hashedMessage"] = bytes(32)
        info["serialNumber"] = len(self.requests)
        info["genTime"] = useful.GeneralizedTime(when.datetime.now(when.UTC).strftime("%Y%m%d%H%M%SZ"))
        info["nonce"] = int(asked["nonce"]) + (1 if self.fault == "another nonce" else 0)
        return bytes(encode(info))

    def _token(self, said):
        signed = rfc5652.SignedData()
        signed["version"] = 3
        signed["digestAlgorithms"][0]["algorithm"] = SHA256
        signed["encapContentInfo"]["eContentType"] = rfc3161.id_ct_TSTInfo
        signed["encapContentInfo"]["eContent"] = said
        certificate, _ = decode(
            self.certificate.public_bytes(serialization.Encoding.DER), asn1Spec=rfc5652.CertificateChoices()
        )
        signed["certificates"][0] = certificate
        signed["signerInfos"][0] = self._signer(said)
        token = rfc5652.ContentInfo()
        token["contentType"] = rfc5652.id_signedData
        token["content"] = univ.Any(encode(signed))
        return token

    def _signer(self, said):
        info = rfc5652.SignerInfo()
        info["version"] = 1
        issuer, _ = decode(self.certificate.issuer.public_bytes(), asn1Spec=rfc5280.Name())
        info["sid"]["issuerAndSerialNumber"]["issuer"] = issuer
        info["sid"]["issuerAndSerialNumber"]["serialNumber"] = self.certificate.serial_number
        info["digestAlgorithm"]["algorithm"] = SHA256
        attributes = rfc5652.SignedAttributes()
        for number, (kind, value) in enumerate(self._attributes(said)):
            attributes[number]["attrType"] = kind
            attributes[number]["attrValues"][0] = univ.Any(encode(value))
        text = bytes(encode(attributes))
        info["signedAttrs"] = attributes.clone(
            tagSet=rfc5652.SignerInfo.componentType["signedAttrs"].asn1Object.tagSet, cloneValueFlag=True
        )
        info["signatureAlgorithm"]["algorithm"] = RSA
        key = rsa.generate_private_key(65_537, 2_048) if self.fault == "forged" else self.key
        info["signature"] = key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return info

    def _attributes(self, said):
        bound = rfc5035.SigningCertificateV2()
        bound["certs"][0]["certHash"] = sha256(self.certificate.public_bytes(serialization.Encoding.DER)).digest()
        yield rfc5652.id_contentType, rfc3161.id_ct_TSTInfo
        yield rfc5652.id_messageDigest, univ.OctetString(sha256(said).digest())
        yield rfc5035.id_aa_signingCertificateV2, bound


class _Stamping(Handler):
    def do_POST(self) -> None:
        request = self.body()
        self.server.requests.append(request)
        fault = self.server.fault
        if fault == "busy":
            self.answer(503)
        elif fault == "redirects":
            self.answer(302, Location=f"{self.server.url}/elsewhere")
        elif fault == "a page":
            self.answer(200, b"<html>", Content_Type="text/html")
        elif fault == "nonsense":
            self.answer(200, b"\x30\x03\x02\x01", Content_Type="application/timestamp-reply")
        elif fault == "cuts":
            self.cut()
        else:
            self.answer(200, self.server.stamp(request), Content_Type="application/timestamp-reply")
