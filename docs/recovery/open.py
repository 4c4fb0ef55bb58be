#!/usr/bin/env python3
"""Opens a Holdfast file without Holdfast: an archive becomes its ZIP, a manifest its JSON lines. See docs/format.md.

    python3 open.py 20261123T220500Z-k3v7qa.holdfast -o world.zip --password-file pw.txt --vault holdfast.vault

Needs python3-cryptography and zstd (apt-get install python3-cryptography zstd). Exit codes: 0 done, 1 failed, 2 usage,
12 wrong password or key, 13 damaged. After any but 0 the output is only what came before the damage."""
import argparse, base64, getpass, hashlib, hmac, os, re, struct, subprocess, sys, unicodedata
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

KINDS = {"archive": ".holdfast", "manifest": ".manifest", "partial": ".partial", "damaged": ".damaged", "classic": ".zip.zst.enc"}

class Stop(Exception):
    """args: exit code, message."""

def flaw(header):
    """Why this header may not be used, or None."""
    version, kdf, flags, iterations = struct.unpack(">BBHI", header[8:16])
    if header[:8] != b"HOLDFAST":
        return Stop(13, "damaged: it does not begin with HOLDFAST")
    if (version, kdf, flags) != (2, 1, 0) or not 100_000 <= iterations <= 10_000_000:
        return Stop(1, f"a damaged header, or a newer format: version {version}, kdf {kdf}, flags {flags}, cost {iterations}")

def unwrap(header, password, memo):
    cost = header[12:32]  # iterations and salt: records made together share them, so that one PBKDF2 opens them all
    if cost not in memo:
        secret = unicodedata.normalize("NFC", password).encode()
        memo[cost] = hashlib.pbkdf2_hmac("sha256", secret, cost[4:], int.from_bytes(cost[:4], "big"), 32)
    try:
        return AESGCM(memo[cost]).decrypt(header[32:44], header[44:], header[:32])
    except InvalidTag:
        return None

def read_recovery_key(text):
    match = re.fullmatch(r"HFRK1([A-Z2-7]{58})", re.sub(r"[\s-]", "", text).upper())
    raw = base64.b32decode(match[1] + "======") if match else b""
    if not match or hashlib.sha256(b"holdfast/v2/recovery-key\0" + raw[:32]).digest()[:4] != raw[32:]:
        raise Stop(12, "this is no recovery key, or it has a typing error")
    return raw[:32]

def open_sealed(source, kinds, password, key, vault):
    """Checks all up to the commitment, then gives chunk after chunk, each only after its tag held."""
    start = source.read(148)
    own, salt, commitment = start[:92], start[92:116], start[116:]
    records = [vault[at : at + 92] for at in range(0, len(vault), 92)]
    bad = [Stop(13, "cut")] if len(vault) % 92 or len(records) > 1024 else list(filter(None, map(flaw, records)))
    if bad:
        raise Stop(bad[0].args[0], f"the vault file is unusable ({bad[0].args[1]}); try without it")
    if len(start) < 148:
        raise Stop(13, "damaged: cut short before its first chunk")
    if flaw(own) and not records:
        raise flaw(own)
    headers, memo = [own] + [record for record in records if record != own], {}
    keys = [key] if key else [found for found in (unwrap(h, password, memo) for h in headers if not flaw(h)) if found]
    if not keys:
        raise Stop(12, "wrong password" + ("" if own in records else ", or the header is damaged (try --vault holdfast.vault)"))
    for vault_key, header, kind in ((k, h, kind) for k in keys for h in headers for kind in kinds):
        info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + b"holdfast/v2/" + kind.encode() + b"\0" + header
        derived = HKDFExpand(hashes.SHA512(), 32 + 12 + 32, info).derive(vault_key)
        if hmac.compare_digest(derived[44:], commitment):
            break
    else:
        raise Stop(12, "wrong recovery key, or damaged") if key else Stop(13, f"damaged, or no {' nor '.join(kinds)}: the commitment differs")
    print(f"opening: {kind}" + ("" if header == own else ", its damaged header repaired from the vault"), file=sys.stderr)
    aead, base, number, chunk = AESGCM(derived[:32]), int.from_bytes(derived[32:44], "big"), 0, bytes(16400)
    while len(chunk) == 16400:  # the last chunk is always shorter
        chunk = source.read(16400)
        if len(chunk) < 16 or number >= 2**38:
            raise Stop(13, f"damaged: cut short, it ends before chunk {number}")
        try:
            yield aead.decrypt((base ^ number).to_bytes(12, "big"), chunk, None)
        except InvalidTag:
            raise Stop(13, f"damaged: chunk {number}, from byte {148 + number * 16400}, is altered or cut short") from None
        number += 1

def open_classic(source, password):
    """Twice over the file: nothing is let out before the one tag at its end has held."""
    size = source.seek(0, os.SEEK_END)
    if size < 44:
        raise Stop(13, "damaged: shorter than any sealed file")
    source.seek(size - 16)
    tag = source.read(16)
    for secret in dict.fromkeys([password, unicodedata.normalize("NFC", password)]):
        for letting_out in (False, True):
            source.seek(0)
            key = hashlib.pbkdf2_hmac("sha256", secret.encode(), source.read(16), 100_000, 32)
            cipher = Cipher(algorithms.AES(key), modes.GCM(source.read(12), tag)).decryptor()
            for at in range(28, size - 16, 1 << 20):
                piece = cipher.update(source.read(min(1 << 20, size - 16 - at)))
                if letting_out:
                    yield piece
            try:
                cipher.finalize()
            except InvalidTag:
                break
            if letting_out:
                return
            print("opening: classic", file=sys.stderr)
    raise Stop(12, "wrong password, or the file is damaged (sha256sum -c tells which)")

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("-o", "--output", help="never replaced; default: standard output")
    parser.add_argument("--password-file", help="without it, the password is asked for")
    parser.add_argument("--recovery-key", help="instead of a password: HFRK1-…, or a file that holds it")
    parser.add_argument("--vault", help="a copy of holdfast.vault: opens what is older than the password, repairs damaged headers")
    parser.add_argument("--kind", choices=KINDS, help="default: as the file's name and beginning say")
    parser.add_argument("--raw", action="store_true", help="unseal only: give the zstd stream as it is")
    args = parser.parse_args()
    source, password, key = open(args.file, "rb"), None, None
    named = [kind for kind, ending in KINDS.items() if args.file.endswith(ending)]
    kinds = [args.kind] if args.kind else named or (list(KINDS)[:4] if source.read(8) == b"HOLDFAST" else ["classic"])
    source.seek(0)
    if args.recovery_key:
        key = read_recovery_key(open(args.recovery_key).read() if os.path.exists(args.recovery_key) else args.recovery_key)
    elif args.password_file:
        password = re.sub(r"\r?\n\Z", "", open(args.password_file, "rb").read().decode())
    else:
        password = getpass.getpass("Password: ")
    if not password and (not key or kinds == ["classic"]):
        raise Stop(2, "a password is needed, and it may not be empty")
    vault = open(args.vault, "rb").read() if args.vault else b""
    pieces = open_classic(source, password) if kinds == ["classic"] else open_sealed(source, kinds, password, key, vault)
    first = next(pieces, b"")  # nothing is made, and no zstd started, before the beginning has opened
    output = open(args.output, "xb") if args.output else sys.stdout.buffer
    unzstd = None if args.raw else subprocess.Popen(["zstd", "-dqc", "-M8MB"], stdin=subprocess.PIPE, stdout=output)
    sink = unzstd.stdin if unzstd else output
    try:
        sink.write(first)
        sink.writelines(pieces)
        sink.flush()
    except BrokenPipeError:
        pass  # zstd has given up: its exit code says so
    finally:
        if unzstd:
            unzstd.communicate()
    if unzstd and unzstd.returncode:
        closed = unzstd.returncode < 0
        raise Stop(1 if closed else 13, "the output was closed" if closed else "zstd refused what was sealed: damaged, or the disk is full")

if __name__ == "__main__":
    try:
        main()
    except (Stop, OSError, UnicodeDecodeError) as error:
        print(f"open.py: {error.args[1] if isinstance(error, Stop) else error}", file=sys.stderr)
        sys.exit(error.args[0] if isinstance(error, Stop) else 1)
