#!/usr/bin/env python3
"""Opens a Holdfast file (docs/format.md) with Python, its cryptography and zstd: an archive becomes its ZIP, a manifest its JSON lines.
    python3 open.py 20261123T220500Z-k3v7qa.holdfast -o world.zip --password-file pw.txt --vault holdfast.vault
Exit codes: 0 done, 1 failed, 2 usage, 12 wrong password or key, 13 damaged; after any but 0 the output is only what came before the
damage. tree.py builds the whole tree of a snapshot."""
import argparse, base64, contextlib, functools, getpass, hashlib, hmac, itertools, mmap, os, re, subprocess, sys, unicodedata
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, aead, algorithms, modes

def stop(code, why):
    print(f"open.py: {why}", file=sys.stderr)
    sys.exit(code)

def decrypt(key, nonce, sealed, context=None):
    with contextlib.suppress(InvalidTag):  # None then, also for fewer bytes than a tag has
        return aead.AESGCM(key).decrypt(nonce, sealed, context)

def flaw(header):  # why it may not be used, as exit code and text, or None
    if len(header) < 92 or header[:8] != b"HOLDFAST":
        return 13, "damaged: a header does not begin with HOLDFAST, or is cut short"
    if header[8:12] != bytes((2, 1, 0, 0)) or not 100_000 <= int.from_bytes(header[12:16], "big") <= 10_000_000:
        return 1, f"a damaged header, or a newer format: version, kdf, flags and cost are {header[8:16].hex()}"

@functools.lru_cache  # PBKDF2 takes a while, and the archives of a tree have few different headers
def unwrap(header, password):
    key = hashlib.pbkdf2_hmac("sha256", unicodedata.normalize("NFC", password).encode(), header[16:32], int.from_bytes(header[12:16], "big"), 32)
    return decrypt(key, header[32:44], header[44:], header[:32])

def message_keys(start, kind, password, recovery_key, vault):
    """Of all vault keys found and headers known, the first pair that fits the commitment: key (32 bytes) and base nonce (a number)."""
    own, salt, commitment, records = start[:92], start[92:116], start[116:], [vault[at : at + 92] for at in range(0, len(vault), 92)]
    headers = [own] + [record for record in records if record != own]
    if len(start) < 148:
        stop(13, "damaged: cut short before its first chunk")
    for code, why in filter(None, map(flaw, records or [own])):
        stop(code, why + (" (in the vault file; try without it)" if vault else ""))
    found = [recovery_key] if recovery_key else [unwrap(header, password) for header in headers if not flaw(header)]
    for vault_key, header in itertools.product(filter(None, found), headers):
        info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + b"holdfast/v2/" + kind.encode() + b"\0" + header
        first = hmac.digest(vault_key, info + b"\1", "sha512")  # HKDF-Expand: two blocks give the 32 + 12 + 32 bytes
        derived = first + hmac.digest(vault_key, first + info + b"\2", "sha512")
        if hmac.compare_digest(derived[44:76], commitment):
            print(f"opening: {kind}" + ("" if header == own else ", its damaged header repaired from the vault"), file=sys.stderr)
            return derived[:32], int.from_bytes(derived[32:44], "big")
    wrong = "wrong recovery key, or damaged" if recovery_key else "wrong password, or a damaged header (try --vault holdfast.vault)"
    stop(*(12, wrong) if recovery_key or not any(found) else (13, f"damaged, or no {kind}, as its name says that it is"))

def open_sealed(source, key, base_nonce):
    """Gives chunk after chunk, each only after its tag held."""
    for number in itertools.count():
        sealed = source.read(16400)
        chunk = decrypt(key, (base_nonce ^ number).to_bytes(12, "big"), sealed)
        if chunk is None or number >= 2**38:
            stop(13, f"damaged: chunk {number}, from byte {148 + number * 16400}, is altered or cut short")
        yield chunk
        if len(sealed) < 16400:  # the last chunk, and only that, is shorter
            return

def open_classic(source, password):
    """Twice over the file: nothing is let out before the one tag at its end has held."""
    if os.fstat(source.fileno()).st_size < 44:
        stop(13, "damaged: shorter than any sealed file")
    sealed = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
    def pieces(typed):
        key = hashlib.pbkdf2_hmac("sha256", typed.encode(), sealed[:16], 100_000, 32)
        cipher = Cipher(algorithms.AES(key), modes.GCM(sealed[16:28], sealed[-16:])).decryptor()
        for at in range(28, len(sealed) - 16, 1 << 20):
            yield cipher.update(sealed[at : min(at + (1 << 20), len(sealed) - 16)])
        cipher.finalize()
    for typed in password, unicodedata.normalize("NFC", password):
        with contextlib.suppress(InvalidTag):
            for _ in pieces(typed): pass
            return pieces(typed)
    stop(12, "wrong password, or the file is damaged (sha256sum -c tells which)")

def recovery_key(text):
    letters = re.sub(r"[\s-]", "", open(text).read() if os.path.exists(text) else text).upper()
    raw = base64.b32decode(letters[5:] + "======") if re.fullmatch("HFRK1[A-Z2-7]{58}", letters) else b""
    if hashlib.sha256(b"holdfast/v2/recovery-key\0" + raw[:32]).digest()[:4] != raw[32:]:
        stop(12, "this is no recovery key, or it has a typing error")
    return raw[:32]

def command_line(doc, **output):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the end of its name says what it is")
    parser.add_argument("-o", "--output", **output)
    parser.add_argument("--password-file", help="without it, the password is asked for")
    parser.add_argument("--recovery-key", type=recovery_key, help="instead of a password: HFRK1-…, or a file that holds it")
    parser.add_argument("--vault", help="a copy of holdfast.vault: opens what is older than the password, repairs damaged headers")
    args = parser.parse_args()
    typed = open(args.password_file, "rb").read().decode() if args.password_file else "" if args.recovery_key else getpass.getpass("Password: ")
    password = re.sub(r"\r?\n\Z", "", typed)
    if not password and not args.recovery_key:
        stop(2, "a password is needed, and it may not be empty")
    vault = open(args.vault, "rb").read(92 * 1024 + 1) if args.vault else b""  # one byte more than any may have: a record cut short
    return open(args.file, "rb"), args.output, (password, args.recovery_key, vault)

def main():
    source, output, credentials = command_line(__doc__, help="never replaced; default: standard output")
    kinds = {".holdfast": "archive", ".manifest": "manifest", ".partial": "partial", ".damaged": "damaged", ".enc": "classic"}
    kind = kinds.get(os.path.splitext(source.name)[1]) or ("archive" if source.peek(8)[:8] == b"HOLDFAST" else "classic")
    pieces = open_classic(source, credentials[0]) if kind == "classic" else open_sealed(source, *message_keys(source.read(148), kind, *credentials))
    out = open(output, "xb") if output else None
    with contextlib.suppress(BrokenPipeError), subprocess.Popen(["zstd", "-dqc", "-M8MB"], stdin=subprocess.PIPE, stdout=out) as child:
        child.stdin.writelines(pieces)
    sys.exit(13 if child.returncode else 0)  # zstd has said why: what was sealed is damaged, or the output is full or closed

if __name__ == "__main__":
    sys.tracebacklimit = 0  # of a file that cannot be read or written, one line is told
    main()
