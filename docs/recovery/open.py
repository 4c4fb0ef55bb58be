#!/usr/bin/env python3
"""Opens a Holdfast file without Holdfast: an archive becomes its ZIP, a manifest its JSON lines. See docs/format.md.

    python3 open.py 20261123T220500Z-k3v7qa.holdfast -o world.zip --password-file pw.txt --vault holdfast.vault
    python3 open.py 20261123T220500Z-k3v7qa.manifest --tree world --password-file pw.txt --vault holdfast.vault

The second one builds the whole tree of a snapshot from all archives that its manifest names, which lie beside the manifest.
Needs python3-cryptography and zstd (apt-get install python3-cryptography zstd). Exit codes: 0 done, 1 failed, 2 usage,
12 wrong password or key, 13 damaged. After any but 0 the output is only what came before the damage."""
import argparse, base64, contextlib, functools, getpass, hashlib, hmac, itertools, json, os, re, struct, subprocess, sys, threading, unicodedata
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

def read_lines(pieces):
    with subprocess.Popen(["zstd", "-dqc", "-M8MB"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        sealed = b"".join(pieces)
        threading.Thread(target=lambda: (child.stdin.write(sealed), child.stdin.close()), daemon=True).start()
        yield from map(json.loads, child.stdout)
    if child.returncode:
        stop(13, "zstd has stopped: what was sealed is damaged")

def archive_reader(name, start, *how):
    """A function that gives one frame's content: only the chunks that hold the frame are read and opened."""
    key, base_nonce = message_keys(start, "archive", *how)
    @functools.lru_cache(maxsize=2)
    def frame(offset, length):
        first, data = offset // 16384, b""
        with open(name, "rb") as source:
            for number in range(first, (offset + length - 1) // 16384 + 1):
                source.seek(148 + number * 16400)
                nonce = (int.from_bytes(base_nonce, "big") ^ number).to_bytes(12, "big")
                data += decrypt(key, nonce, source.read(16400)) or b""  # what is missing is found by zstd, or by the file's SHA-256
        data = data[offset - first * 16384 :][:length]
        return subprocess.run(["zstd", "-dqc", "-M8MB"], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return frame

def build_tree(lines, beside, root, *how):
    """Files first, further names and links behind them, modes and times of folders last: nothing is ever written through a link."""
    archives, after, folders, lost = [], [], [], []
    for record in next(lines)["archives"]:
        name = os.path.join(os.fsencode(beside), os.path.basename(record["key"]).encode())
        archives.append(archive_reader(name, base64.b64decode(record["head"]), *how))
    def named(row, field):
        return base64.b64decode(row[field + "B64"]) if field + "B64" in row else row[field].encode()
    def place(path):
        if path == b".":
            return root
        if any(part in (b"", b".", b"..") for part in path.split(b"/")):
            stop(13, "damaged: a path leads out of the folder")
        return os.path.join(root, path)
    for row in lines:
        path = place(named(row, "path"))
        if row["type"] == "directory":
            os.mkdir(path, 0o700)
            folders.append((path, row))
        elif row["type"] == "symlink":
            after.append((os.symlink, named(row, "target"), path, row))
        elif "linkOf" in row or "linkOfB64" in row:
            after.append((os.link, place(named(row, "linkOf")), path, None))
        else:
            total = hashlib.sha256()
            try:
                with open(path, "xb") as output:
                    for archive, offset, length, at, size in row["extents"]:
                        data = archives[archive](offset, length)[at : at + size]
                        total.update(data)
                        for block in (data[at : at + 65536] for at in range(0, len(data), 65536)):
                            if row.get("sparse") and block.count(0) == len(block):
                                output.seek(len(block), os.SEEK_CUR)
                            else:
                                output.write(block)
                    output.truncate()
            except FileNotFoundError:  # the archive is not there
                pass
            if total.hexdigest() != row["sha256"]:
                lost.append(path)
                os.remove(path)
                continue
            os.chmod(path, row["mode"])
            os.utime(path, ns=(int(row["mtime"]),) * 2)
    for make, target, path, row in after:
        if make is os.symlink or os.path.exists(target):
            make(target, path)
        else:
            lost.append(path)
        if row:
            os.utime(path, ns=(int(row["mtime"]),) * 2, follow_symlinks=False)
    for path, row in reversed(folders):
        os.chmod(path, row["mode"])
        os.utime(path, ns=(int(row["mtime"]),) * 2)
    for path in lost:
        print("lost:", os.fsdecode(path), file=sys.stderr)
    if lost:
        stop(13, f"damaged: {len(lost)} files could not be brought back")

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("-o", "--output", help="never replaced; default: standard output")
    parser.add_argument("--password-file", help="without it, the password is asked for")
    parser.add_argument("--recovery-key", help="instead of a password: HFRK1-…, or a file that holds it")
    parser.add_argument("--vault", help="a copy of holdfast.vault: opens what is older than the password, repairs damaged headers")
    parser.add_argument("--kind", choices=KINDS.values(), help="default: as the file's name says, or its beginning")
    parser.add_argument("--tree", help="of a manifest: build the snapshot's tree in this new folder, from the archives beside the manifest")
    parser.add_argument("--raw", action="store_true", help="unseal only: give the zstd stream as it is")
    args = parser.parse_args()
    source, password, key = open(args.file, "rb"), "", None
    if args.recovery_key:
        key = read_recovery_key(open(args.recovery_key).read() if os.path.exists(args.recovery_key) else args.recovery_key)
    elif args.password_file:
        password = re.sub(r"\r?\n\Z", "", open(args.password_file, "rb").read().decode())
    else:
        password = getpass.getpass("Password: ")
    kind = args.kind or KINDS.get(os.path.splitext(args.file)[1]) or ("archive" if source.peek(8)[:8] == b"HOLDFAST" else "classic")
    if not password and (not key or kind == "classic"):
        stop(2, "a password is needed, and it may not be empty")
    vault = open(args.vault, "rb").read(92 * 1024 + 1) if args.vault else b""  # one byte more than any may have: a record cut short
    pieces = open_classic(source, password) if kind == "classic" else open_sealed(source, kind, password, key, vault)
    if args.tree:
        if kind != "manifest":
            stop(2, "--tree takes a manifest")
        return build_tree(read_lines(pieces), os.path.dirname(args.file), os.fsencode(args.tree), password, key, vault)
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
