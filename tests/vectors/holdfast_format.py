"""The sealed file format, a second time: written from docs/format.md, sharing no code with the project.

Plain and whole-in-memory on purpose: it makes the test vectors and judges what our writer makes. Needs python3-cryptography.
"""

import hashlib
import hmac
import re
import struct
import unicodedata
from base64 import b32decode, b32encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

MAGIC = b"HOLDFAST"
HEADER = 92
PREFIX = HEADER + 24 + 32
CHUNK = 16384
TAG = 16
SEALED_CHUNK = CHUNK + TAG
MAX_CHUNKS = 2**38
MIN_ITERATIONS, MAX_ITERATIONS = 100_000, 10_000_000
MAX_RECORDS = 1024
LABELS = ["holdfast/v2/" + kind for kind in ("archive", "manifest", "partial", "damaged")]


class Refused(Exception):
    """A refusal with its code; `released` holds the plaintext that a streaming reader had already given out."""

    def __init__(self, code, message, released=b""):
        super().__init__(message)
        self.code, self.released = code, released


# ---- header and vault key -----------------------------------------------------------------------------------------


def password_bytes(password):
    if password == "":
        raise Refused("config-invalid", "the password is empty")
    return unicodedata.normalize("NFC", password).encode()


def password_from_file(content):
    """The whole content but for one line end."""
    for end in (b"\r\n", b"\n"):
        if content.endswith(end):
            content = content[: -len(end)]
            break
    return content.decode("utf-8")


def wrapping_key(password, salt, iterations):
    return hashlib.pbkdf2_hmac("sha256", password_bytes(password), salt, iterations, 32)


def header_start(salt, iterations, version=2, kdf=1, flags=0, magic=MAGIC):
    return magic + struct.pack(">BBHI", version, kdf, flags, iterations) + salt


def make_header(vault_key, password, salt, nonce, iterations=MIN_ITERATIONS, **fields):
    start = header_start(salt, iterations, **fields)
    return start + nonce + AESGCM(wrapping_key(password, salt, max(iterations, 1))).encrypt(nonce, vault_key, start)


def check_header(header):
    """Refuses a header that no reader may use; returns (iterations, salt)."""
    if header[:8] != MAGIC:
        raise Refused("corrupt", "does not begin with HOLDFAST")
    version, kdf, flags, iterations = struct.unpack(">BBHI", header[8:16])
    if version != 2 or kdf != 1 or flags != 0:
        raise Refused("unsupported", f"version {version}, kdf {kdf}, flags {flags}")
    if not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:
        raise Refused("unsupported", f"{iterations} iterations")
    return iterations, header[16:32]


def unwrap(header, password):
    """The vault key in a header, or None where the tag does not hold."""
    iterations, salt = check_header(header)
    try:
        return AESGCM(wrapping_key(password, salt, iterations)).decrypt(header[32:44], header[44:92], header[:32])
    except InvalidTag:
        return None


def vault_records(vault):
    if len(vault) == 0 or len(vault) % HEADER or len(vault) > MAX_RECORDS * HEADER:
        raise Refused("corrupt", "a vault is 1 to 1024 records of 92 bytes")
    records = [vault[at : at + HEADER] for at in range(0, len(vault), HEADER)]
    for record in records:
        check_header(record)
    return records


def recovery_key(vault_key):
    check = hashlib.sha256(b"holdfast/v2/recovery-key\0" + vault_key).digest()[:4]
    text = b32encode(vault_key + check).decode().rstrip("=")
    return "HFRK1-" + "-".join(text[at : at + 5] for at in range(0, len(text), 5))


def read_recovery_key(text):
    match = re.fullmatch(r"HFRK1([A-Z2-7]{58})", re.sub(r"[\s-]", "", text).upper())
    if not match:
        raise Refused("wrong-key", "not a recovery key")
    raw = b32decode(match[1] + "======")
    if hashlib.sha256(b"holdfast/v2/recovery-key\0" + raw[:32]).digest()[:4] != raw[32:]:
        raise Refused("wrong-key", "the recovery key's checksum does not hold")
    return raw[:32]


# ---- C2SP chunked-encryption, Cobblestone-256 ---------------------------------------------------------------------


def info_of(label, header, salt):
    return b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + label.encode() + b"\0" + header


def derive(vault_key, label, header, salt):
    okm = HKDFExpand(hashes.SHA512(), 76, info_of(label, header, salt)).derive(vault_key)
    return okm[:32], okm[32:44], okm[44:]


def chunk_nonce(base, counter):
    if not 0 <= counter < MAX_CHUNKS:
        raise Refused("unsupported", "more than 2^38 chunks")
    return (int.from_bytes(base, "big") ^ counter).to_bytes(12, "big")


def chunks_of(key, base, plaintext):
    """The sealed chunks, the last always short of 16 KiB."""
    aead = AESGCM(key)
    return [
        aead.encrypt(chunk_nonce(base, number), plaintext[at : at + CHUNK], None)
        for number, at in enumerate(range(0, len(plaintext) // CHUNK * CHUNK + 1, CHUNK))
    ]


def seal(vault_key, label, header, salt, plaintext):
    key, base, commitment = derive(vault_key, label, header, salt)
    return header + salt + commitment + b"".join(chunks_of(key, base, plaintext))


def open_chunks(key, base, sealed):
    aead, released, number = AESGCM(key), b"", 0
    while True:
        chunk = sealed[number * SEALED_CHUNK : (number + 1) * SEALED_CHUNK]
        if len(chunk) < TAG:
            raise Refused("truncated", f"ends before its last chunk, number {number}", released)
        try:
            released += aead.decrypt(chunk_nonce(base, number), chunk, None)
        except InvalidTag:
            raise Refused("corrupt", f"chunk {number} is damaged", released) from None
        if len(chunk) < SEALED_CHUNK:
            return released
        number += 1


def open_sealed(blob, label, password=None, keys=(), vault=b""):
    """The plaintext of an object. Keys are tried with the object's own header, then with the vault's records."""
    if len(blob) < PREFIX:
        raise Refused("truncated", "ends before its first chunk")
    own, salt, commitment = blob[:HEADER], blob[HEADER : HEADER + 24], blob[HEADER + 24 : PREFIX]
    records = vault_records(vault) if vault else []
    known = own in records
    flaw = None
    try:
        check_header(own)
    except Refused as refused:
        flaw = refused
        if not records:
            raise
    found = list(keys)
    if password is not None:
        tried = ([] if flaw else [own]) + [record for record in records if record != own]
        found += [key for key in (unwrap(header, password) for header in tried) if key is not None]
    if not found:
        raise Refused("wrong-password", "wrong password" if known else "wrong password or damaged header")
    for vault_key in found:
        for header in [own] + [record for record in records if record != own]:
            key, base, expected = derive(vault_key, label, header, salt)
            if hmac.compare_digest(expected, commitment):
                return open_chunks(key, base, blob[PREFIX:])
    if password is None:
        raise Refused("wrong-key", "the key does not fit")
    raise Refused("corrupt", "the commitment differs: salt or commitment damaged, or another kind of object")


# ---- classic, version 1 -------------------------------------------------------------------------------------------


def classic_seal(password, salt, nonce, plaintext):
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 100_000, 32)
    return salt + nonce + AESGCM(key).encrypt(nonce, plaintext, None)


def classic_open(blob, password):
    if len(blob) < 44:
        raise Refused("truncated", "shorter than salt, nonce and tag")
    password_bytes(password)
    for candidate in dict.fromkeys([password, unicodedata.normalize("NFC", password)]):
        key = hashlib.pbkdf2_hmac("sha256", candidate.encode(), blob[:16], 100_000, 32)
        try:
            return AESGCM(key).decrypt(blob[16:28], blob[28:], None)
        except InvalidTag:
            continue
    raise Refused("wrong-password", "wrong password or damaged")
