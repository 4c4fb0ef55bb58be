#!/usr/bin/env python3
"""Opens a Holdfast file without Holdfast: an archive becomes its ZIP, a manifest its JSON lines (docs/format.md).

Needs python3-cryptography and zstd (Debian: apt-get install python3-cryptography zstd). Exit codes: 0 done, 1 failed,
2 usage, 12 wrong password or key, 13 damaged; after any but 0, throw the output away (it is what came before the damage).

    python3 open.py 20261123T220500Z-k3v9qa.holdfast -o world.zip --password-file pw.txt --vault holdfast.vault
"""
import argparse, base64, getpass, hashlib, hmac, os, re, shutil, struct, subprocess, sys, tempfile, unicodedata
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

KINDS = ["archive", "manifest", "partial", "damaged"]


class Stop(Exception):
    """args: exit code, message."""


def pbkdf2(password, salt, iterations):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations, 32)


def flaw(header):
    """Why this header cannot be used, or None."""
    version, kdf, flags, iterations = struct.unpack(">BBHI", header[8:16])
    if header[:8] != b"HOLDFAST":
        return Stop(13, "damaged: does not begin with HOLDFAST")
    if (version, kdf, flags) != (2, 1, 0):
        return Stop(1, f"damaged header, or a newer version than this opener knows: {version}, {kdf}, {flags}")
    if not 100_000 <= iterations <= 10_000_000:
        return Stop(1, f"refused: the header asks for {iterations} PBKDF2 iterations")
    return None


def unwrap(header, password, memo):
    place = header[12:32]  # iterations and salt: records made together share them, so one PBKDF2 opens them all
    if place not in memo:
        memo[place] = pbkdf2(unicodedata.normalize("NFC", password), header[16:32], int.from_bytes(header[12:16], "big"))
    try:
        return AESGCM(memo[place]).decrypt(header[32:44], header[44:92], header[:32])
    except InvalidTag:
        return None


def recovery_key(text):
    match = re.fullmatch(r"HFRK1([A-Z2-7]{58})", re.sub(r"[\s-]", "", text).upper())
    raw = base64.b32decode(match[1] + "======") if match else b""
    if not match or hashlib.sha256(b"holdfast/v2/recovery-key\0" + raw[:32]).digest()[:4] != raw[32:]:
        raise Stop(12, "that is not a recovery key, or it was mistyped")
    return raw[:32]


def open_v2(source, password, vault, key):
    """Checks everything up to the commitment, then gives chunk after chunk, each only after its tag held."""
    start = source.read(148)
    own, salt, commitment = start[:92], start[92:116], start[116:]
    if len(start) < 148:
        raise Stop(13, "damaged: cut short, it ends before its first chunk")
    records = [vault[at : at + 92] for at in range(0, len(vault), 92)]
    if len(vault) % 92 or len(records) > 1024 or any(flaw(record) for record in records):
        raise Stop(13, "the vault file is damaged")
    if flaw(own) and not records:
        raise flaw(own)
    headers, memo = [own] + [record for record in records if record != own], {}
    keys = [key] if key else [found for found in (unwrap(h, password, memo) for h in headers if not flaw(h)) if found]
    if not keys:
        raise Stop(12, "wrong password" + ("" if own in records else ", or the header is damaged (try --vault holdfast.vault)"))
    for vault_key, header, kind in ((k, h, kind) for k in keys for h in headers for kind in KINDS):
        info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + b"holdfast/v2/" + kind.encode() + b"\0" + header
        okm = HKDFExpand(hashes.SHA512(), 76, info).derive(vault_key)
        if hmac.compare_digest(okm[44:], commitment):
            break
    else:
        raise Stop(12, "wrong recovery key, or damaged") if key else Stop(13, "damaged: the commitment differs")
    print(f"opening: {kind}" + ("" if header == own else ", its damaged header repaired from the vault"), file=sys.stderr)
    aead, base, number, chunk = AESGCM(okm[:32]), int.from_bytes(okm[32:44], "big"), 0, b" " * 16400
    while len(chunk) == 16400:  # the last chunk is always short of 16 KiB
        chunk = source.read(16400)
        if len(chunk) < 16 or number >= 2**38:
            raise Stop(13, f"damaged: cut short, it ends before chunk {number}")
        try:
            yield aead.decrypt((base ^ number).to_bytes(12, "big"), chunk, None)
        except InvalidTag:
            raise Stop(13, f"damaged: chunk {number}, at byte {148 + number * 16400}, is altered or cut short") from None
        number += 1


def classic_pass(source, key):
    """One pass over a classic file; the caller must not believe a byte before the pass has ended."""
    size = source.seek(0, os.SEEK_END)
    if size < 44:
        raise Stop(13, "damaged: too short for any sealed file")
    source.seek(size - 16)
    tag = source.read(16)
    source.seek(16)
    cipher, left = Cipher(algorithms.AES(key), modes.GCM(source.read(12), tag)).decryptor(), size - 44
    while left:
        piece = source.read(min(left, 1 << 20))
        left -= len(piece)
        yield cipher.update(piece)
    cipher.finalize()


def open_classic(source, password):
    """Twice over the file: the single tag at its end must hold before anything is let out."""
    for candidate in dict.fromkeys([password, unicodedata.normalize("NFC", password)]):
        key = pbkdf2(candidate, source.seek(0) or source.read(16), 100_000)
        try:
            for _ in classic_pass(source, key):
                pass
        except InvalidTag:
            continue
        print("opening: classic", file=sys.stderr)
        yield from classic_pass(source, key)
        return
    raise Stop(12, "wrong password, or the file is damaged (compare it with its .sha256 file)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("-o", "--output", help="default: standard output")
    parser.add_argument("--password-file", help="without it, the password is asked for")
    parser.add_argument("--recovery-key", help="instead of a password: HFRK1-…, or the name of a file that holds it")
    parser.add_argument("--vault", help="a copy of holdfast.vault: opens files older than the password, repairs damaged headers")
    parser.add_argument("--format", choices=["sealed", "classic"], help="when the file's beginning is damaged")
    parser.add_argument("--raw", action="store_true", help="unseal only: give the zstd stream as it is")
    args, key, password, unzstd = parser.parse_args(), None, None, None
    if args.recovery_key:
        text = open(args.recovery_key).read() if os.path.exists(args.recovery_key) else args.recovery_key
        key = recovery_key(text)
    elif args.password_file:
        password = re.sub(rb"\r?\n\Z", b"", open(args.password_file, "rb").read(), count=1).decode()
    else:
        password = getpass.getpass("Password: ")
    if not key and not password:
        raise Stop(2, "the password is empty")
    vault = open(args.vault, "rb").read() if args.vault else b""
    with open(args.file, "rb") as source:
        sealed = source.read(8) == b"HOLDFAST" or bool(re.search(r"\.(holdfast|manifest)$", args.file)) or bool(vault)
        source.seek(0)
        if args.format == "classic" or not (sealed or args.format == "sealed"):
            pieces = open_classic(source, password)
        else:
            pieces = open_v2(source, password, vault, key)
        output = open(args.output, "wb") if args.output else sys.stdout.buffer
        if not args.raw:
            unzstd = subprocess.Popen(["zstd", "-d", "-q", "-c", "--long=24"], stdin=subprocess.PIPE, stdout=output)
        sink = unzstd.stdin if unzstd else output
        try:
            for piece in pieces:
                sink.write(piece)
        except BrokenPipeError:
            pass  # zstd gave up and has said why
        finally:
            try:
                sink.close() if unzstd else sink.flush()
            except BrokenPipeError:
                pass
            if unzstd and unzstd.wait() and not sys.exc_info()[0]:
                raise Stop(13, "damaged: zstd could not decompress what was sealed")


if __name__ == "__main__":
    try:
        main()
    except Stop as stop:
        print(f"open.py: {stop.args[1]}", file=sys.stderr)
        sys.exit(stop.args[0])
