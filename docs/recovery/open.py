#!/usr/bin/env python3
"""Opens a Holdfast file without Holdfast: an archive becomes its ZIP, a manifest its JSON lines. See docs/format.md.

    python3 open.py 20261123T220500Z-k3v7qa.holdfast -o world.zip --password-file pw.txt --vault holdfast.vault

Needs python3-cryptography and zstd (apt-get install python3-cryptography zstd). Exit codes: 0 done, 1 failed, 2 usage,
12 wrong password or key, 13 damaged. After any but 0 the output is only what came before the damage. tree.py builds the whole tree of a snapshot."""
import argparse, base64, contextlib, functools, getpass, hashlib, hmac, itertools, os, re, struct, subprocess, sys, unicodedata
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, aead, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

KINDS = {".holdfast": "archive", ".manifest": "manifest", ".partial": "partial", ".damaged": "damaged", ".enc": "classic"}

def stop(code, why):
    print(f"open.py: {why}", file=sys.stderr)
    sys.exit(code)

@functools.lru_cache  # records made together share salt and iterations, so that one PBKDF2 opens them all
def stretch(password, salt, iterations):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations, 32)

def decrypt(key, nonce, sealed, context=None):
    try:
        return aead.AESGCM(key).decrypt(nonce, sealed, context)
    except InvalidTag:
        return None

def flaw(header):
    """Why this header may not be used, as exit code and text, or None."""
    if len(header) < 92 or header[:8] != b"HOLDFAST":
        return 13, "damaged: a header does not begin with HOLDFAST, or is cut short"
    version, kdf, flags, iterations = struct.unpack(">BBHI", header[8:16])
    if (version, kdf, flags) != (2, 1, 0) or not 100_000 <= iterations <= 10_000_000:
        return 1, f"a damaged header, or a newer format: version {version}, kdf {kdf}, flags {flags}, cost {iterations}"

def unwrap(header, password):
    wrapping_key = stretch(unicodedata.normalize("NFC", password), header[16:32], int.from_bytes(header[12:16], "big"))
    return decrypt(wrapping_key, header[32:44], header[44:], header[:32])

def read_recovery_key(text):
    match = re.fullmatch(r"HFRK1([A-Z2-7]{58})", re.sub(r"[\s-]", "", text).upper())
    raw = base64.b32decode(match[1] + "======") if match else b""
    if not match or hashlib.sha256(b"holdfast/v2/recovery-key\0" + raw[:32]).digest()[:4] != raw[32:]:
        stop(12, "this is no recovery key, or it has a typing error")
    return raw[:32]

def message_keys(start, kind, password, recovery_key, vault):
    """Of all vault keys found and headers known, the first pair that fits the commitment: key (32 bytes) and base nonce (12)."""
    own, salt, commitment = start[:92], start[92:116], start[116:]
    records = [vault[at : at + 92] for at in range(0, len(vault), 92)]
    for code, why in filter(None, map(flaw, records or [own])):
        stop(code, why + (" (in the vault file; try without it)" if vault else ""))
    headers = [own] + [record for record in records if record != own]
    found = [recovery_key] if recovery_key else [unwrap(header, password) for header in headers if not flaw(header)]
    if not any(found):
        stop(12, "wrong password" + ("" if own in records else ", or the header is damaged (try --vault holdfast.vault)"))
    for vault_key, header in itertools.product(filter(None, found), headers):
        context = b"holdfast/v2/" + kind.encode() + b"\0" + header
        info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + context
        derived = HKDFExpand(hashes.SHA512(), 32 + 12 + 32, info).derive(vault_key)
        if hmac.compare_digest(derived[44:], commitment):
            print(f"opening: {kind}" + ("" if header == own else ", its damaged header repaired from the vault"), file=sys.stderr)
            return derived[:32], derived[32:44]
    stop(12 if recovery_key else 13, ("wrong recovery key, or " if recovery_key else "") + f"damaged, or no {kind} (see --kind)")

def open_sealed(source, *how):
    """Gives chunk after chunk, each only after its tag held."""
    start = source.read(148)
    if len(start) < 148:
        stop(13, "damaged: cut short before its first chunk")
    key, base_nonce = message_keys(start, *how)
    for number in itertools.count():
        sealed = source.read(16400)
        if len(sealed) < 16 or number >= 2**38:
            stop(13, f"damaged: cut short, it ends before chunk {number}")
        nonce = int.from_bytes(base_nonce, "big") ^ number
        chunk = decrypt(key, nonce.to_bytes(12, "big"), sealed)
        if chunk is None:
            stop(13, f"damaged: chunk {number}, from byte {148 + number * 16400}, is altered or cut short")
        yield chunk
        if len(sealed) < 16400:  # the last chunk, and only that, is shorter
            return

def classic_pieces(source, password):
    end = source.seek(-16, os.SEEK_END)
    tag = source.read()
    source.seek(0)
    key = stretch(password, source.read(16), 100_000)
    cipher = Cipher(algorithms.AES(key), modes.GCM(source.read(12), tag)).decryptor()
    for at in range(28, end, 1 << 20):
        yield cipher.update(source.read(min(1 << 20, end - at)))
    cipher.finalize()

def open_classic(source, password):
    """Twice over the file: nothing is let out before the one tag at its end has held."""
    if os.fstat(source.fileno()).st_size < 44:
        stop(13, "damaged: shorter than any sealed file")
    for form in password, unicodedata.normalize("NFC", password):
        try:
            for _ in classic_pieces(source, form):
                pass
        except InvalidTag:
            continue
        print("opening: classic", file=sys.stderr)
        return classic_pieces(source, form)
    stop(12, "wrong password, or the file is damaged (sha256sum -c tells which)")

def command_line(doc):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--password-file", help="without it, the password is asked for")
    parser.add_argument("--recovery-key", help="instead of a password: HFRK1-…, or a file that holds it")
    parser.add_argument("--vault", help="a copy of holdfast.vault: opens what is older than the password, repairs damaged headers")
    return parser

def credentials(args, kind="archive"):
    password, key = "", None
    if args.recovery_key:
        key = read_recovery_key(open(args.recovery_key).read() if os.path.exists(args.recovery_key) else args.recovery_key)
    elif args.password_file:
        password = re.sub(r"\r?\n\Z", "", open(args.password_file, "rb").read().decode())
    else:
        password = getpass.getpass("Password: ")
    if not password and (not key or kind == "classic"):
        stop(2, "a password is needed, and it may not be empty")
    return password, key, open(args.vault, "rb").read(92 * 1024 + 1) if args.vault else b""  # one byte more than any may have: a record cut short

def main():
    parser = command_line(__doc__)
    parser.add_argument("-o", "--output", help="never replaced; default: standard output")
    parser.add_argument("--kind", choices=KINDS.values(), help="default: as the file's name says, or its beginning")
    parser.add_argument("--raw", action="store_true", help="unseal only: give the zstd stream as it is")
    args = parser.parse_args()
    source = open(args.file, "rb")
    kind = args.kind or KINDS.get(os.path.splitext(args.file)[1]) or ("archive" if source.peek(8)[:8] == b"HOLDFAST" else "classic")
    how = credentials(args, kind)
    pieces = open_classic(source, how[0]) if kind == "classic" else open_sealed(source, kind, *how)
    first = next(pieces, b"")  # nothing is made, and no zstd started, before the beginning has opened
    output = open(args.output, "xb") if args.output else sys.stdout.buffer
    command = ["cat"] if args.raw else ["zstd", "-dqc", "-M8MB"]
    with contextlib.suppress(BrokenPipeError), subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output) as child:
        child.stdin.writelines(itertools.chain([first], pieces))
    if child.returncode:
        stop(13, "zstd has stopped: what was sealed is damaged, or the output is full or closed")

if __name__ == "__main__":
    sys.tracebacklimit = 0  # of a file that cannot be read or written, one line is told
    main()
