#!/usr/bin/env python3
"""Writes every file of tests/vectors/data and primitives.json. Run it with python3-cryptography and zstd at hand.

A vector is a file, a file is a scenario: `name: value` lines, an empty line, then the raw bytes of the sealed object.
  expect     success, or the code of the refusal
  label      the kind of object it is read as: holdfast/v2/…, or classic
  password, password-file, vault-key, recovery-key    what the reader is given (JSON string, base64, hex, text)
  vault      base64 of a holdfast.vault that the reader may use
  released   number of plaintext bytes a streaming reader gives out: all, or those before the refusal
  payload    their SHA-256
  inside     what the zstd layer says, where the object is a whole archive or manifest: success, corrupt or truncated
  content    SHA-256 of the ZIP or the JSON lines
  key        where the object lies in a destination whose vault is the vector's first 92 bytes: such vectors make whole snapshots
"""

import base64
import hashlib
import json
import pathlib
import stat
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import holdfast_format as hf  # noqa: E402
import holdfast_inside as inside  # noqa: E402

HERE = pathlib.Path(__file__).parent
DATA = HERE / "data"
ARCHIVE, MANIFEST, PARTIAL, DAMAGED = hf.LABELS
PASSWORD = "correct horse battery staple"
written = {}


def seeded(name, size):
    """Bytes that look random and are the same in every run."""
    return hashlib.shake_256(b"holdfast vectors: " + name.encode()).digest(size)


KEY = seeded("vault key", 32)
HEAD = hf.make_header(KEY, PASSWORD, seeded("password salt", 16), seeded("wrap nonce", 12))
SALT = seeded("message salt", 24)


def vector(name, comment, blob, label=ARCHIVE, password=PASSWORD, expect=None, keys=(), vault=b"", fields=(), password_file=None):
    """Asks the second implementation for the outcome, and refuses to write a vector whose outcome is not the one stated."""
    assert name not in written, name
    recovery = dict(fields).get("recovery-key")
    if keys or recovery is not None:
        password = None
    try:
        if recovery is not None:
            keys = [hf.read_recovery_key(recovery)]
        if password_file is not None:
            password = hf.password_from_file(password_file)
        if label == "classic":
            outcome, released = "success", hf.classic_open(blob, password)
        else:
            outcome, released = "success", hf.open_sealed(blob, label, password, keys, vault)
    except hf.Refused as refused:
        outcome, released = refused.code, refused.released
    assert outcome == (expect or "success"), f"{name}: {outcome}, stated {expect}"
    head = [("expect", outcome), ("label", label)]
    if password_file is not None:
        head.append(("password-file", base64.b64encode(password_file).decode()))
    elif password is not None:
        head.append(("password", json.dumps(password)))
    if keys and recovery is None:
        head.append(("vault-key", keys[0].hex()))
    if vault:
        head.append(("vault", base64.b64encode(vault).decode()))
    head += [*fields, ("released", len(released)), ("payload", hashlib.sha256(released).hexdigest()), ("comment", comment)]
    text = "".join(f"{key}: {value}\n" for key, value in head)
    written[name] = text.encode() + b"\n" + blob


def message(name, payload, label=ARCHIVE, header=HEAD, key=KEY, salt=None):
    return hf.seal(key, label, header, salt or seeded(name + " salt", 24), payload)


def flip(blob, at, bits=0x01):
    return blob[:at] + bytes([blob[at] ^ bits]) + blob[at + 1 :]


def sizes():
    for size in (0, 1, 15, 16, 16383, 16384, 16385, 32767, 32768, 32769, 70000):
        name = f"stream-size-{size}"
        vector(name, f"a message of {size} bytes", message(name, seeded(name, size)))
    for label in (MANIFEST, PARTIAL, DAMAGED):
        kind = label.rsplit("/", 1)[1]
        vector(f"label-{kind}", f"an object of the kind {kind}", message(f"label-{kind}", b"as a " + kind.encode(), label), label=label)


def cut():
    one, two = seeded("one", 100), seeded("two", 2 * hf.CHUNK + 100)
    short, long = message("cut short", one), message("cut long", two)
    places = {
        "empty": (short, 0, "an empty file"),
        "in-magic": (short, 5, "ends inside the magic"),
        "in-header": (short, 60, "ends inside the header"),
        "after-header": (short, 92, "ends after the header"),
        "in-salt": (short, 100, "ends inside the salt"),
        "after-salt": (short, 116, "ends after the salt"),
        "in-commitment": (short, 130, "ends inside the commitment"),
        "after-commitment": (short, 148, "ends before the first chunk"),
        "first-tag": (short, 148 + 15, "what is left of the first chunk is shorter than a tag"),
        "after-first-chunk": (long, 148 + 16400, "ends after a full chunk: the last one must be short"),
        "after-second-chunk": (long, 148 + 2 * 16400, "ends after two full chunks"),
        "last-tag": (long, 148 + 2 * 16400 + 15, "what is left of the last chunk is shorter than a tag"),
    }
    for name, (blob, at, comment) in places.items():
        vector(f"truncated-{name}", comment, blob[:at], expect="truncated")
    for name, blob, at, comment in (
        ("only-chunk-bare-tag", short, 148 + 16, "16 bytes of the only chunk are left: they are not its tag"),
        ("only-chunk-by-one", short, len(short) - 1, "one byte is missing at the end"),
        ("first-chunk-by-one", long, 148 + 16399, "one byte of a full chunk is missing, and all that follows"),
        ("last-chunk-by-one", long, len(long) - 1, "one byte of the last chunk is missing"),
        ("last-chunk-bare-tag", long, 148 + 2 * 16400 + 16, "16 bytes of the last chunk are left"),
    ):
        vector(f"cut-{name}", comment + "; a short chunk whose tag fails cannot be told from a damaged one", blob[:at], expect="corrupt")
    exact = message("exact", seeded("exact", 2 * hf.CHUNK))
    vector("truncated-without-empty-last-chunk", "32 KiB without the empty chunk that ends them", exact[:-16], expect="truncated")
    vector("truncated-empty-last-chunk-cut", "32 KiB, the empty last chunk cut to 15 bytes", exact[:-1], expect="truncated")


def swapped():
    payload = seeded("swapped", 2 * hf.CHUNK + 100)
    blob, other = message("swapped", payload), message("swapped other", seeded("swapped other", 2 * hf.CHUNK + 100))
    chunk = lambda number, of=blob: of[148 + number * 16400 : 148 + (number + 1) * 16400]  # noqa: E731
    for name, comment, altered in (
        ("trailing-byte", "one byte after the last chunk", blob + b"\0"),
        ("trailing-empty-chunk-of-zeros", "sixteen zeros after the last chunk", blob + bytes(16)),
        ("trailing-full-chunk", "a second copy of the first chunk after the last", blob + chunk(0)),
        ("chunks-swapped", "the first and the second chunk have changed places", blob[:148] + chunk(1) + chunk(0) + chunk(2)),
        ("chunk-twice", "the first chunk stands twice", blob[:148] + chunk(0) + chunk(0) + chunk(1) + chunk(2)),
        ("chunk-left-out", "the second chunk is missing", blob[:148] + chunk(0) + chunk(2)),
        ("first-chunk-left-out", "the first chunk is missing", blob[:148] + chunk(1) + chunk(2)),
        ("last-chunk-spliced", "the last chunk comes from another message", blob[:148] + chunk(0) + chunk(1) + chunk(2, other)),
        ("second-chunk-spliced", "the second chunk comes from another message", blob[:148] + chunk(0) + chunk(1, other) + chunk(2)),
        ("body-of-another-message", "salt and commitment of one message, chunks of another", blob[:148] + other[148:]),
        ("first-tag-bad", "the tag of the first chunk is altered", flip(blob, 148 + 16399)),
        ("first-byte-bad", "the first sealed byte is altered", flip(blob, 148)),
        ("second-tag-bad", "the tag of the second chunk is altered", flip(blob, 148 + 2 * 16400 - 1)),
        ("last-tag-bad", "the tag of the last chunk is altered", flip(blob, len(blob) - 1)),
        ("last-byte-bad", "the first byte of the last chunk is altered", flip(blob, 148 + 2 * 16400)),
        ("message-salt-bad", "the message's salt is altered", flip(blob, 92)),
        ("message-salt-zero", "the message's salt is zero", blob[:92] + bytes(24) + blob[116:]),
        ("commitment-first-bit", "the first bit of the commitment is altered", flip(blob, 116, 0x80)),
        ("commitment-last-bit", "the last bit of the commitment is altered", flip(blob, 147)),
        ("salt-and-commitment-of-another", "salt and commitment come from another message of the same vault", blob[:92] + other[92:148] + blob[148:]),
    ):
        vector(f"corrupt-{name}", comment, altered, expect="corrupt")
    key, base, commitment = hf.derive(KEY, ARCHIVE, HEAD, SALT)
    full_last = HEAD + SALT + commitment + AESGCM(key).encrypt(hf.chunk_nonce(base, 0), bytes(hf.CHUNK), None)
    vector("truncated-full-last-chunk", "a writer that ends with a full chunk", full_last, expect="truncated")
    restarted = HEAD + SALT + commitment + full_last[148:] + AESGCM(key).encrypt(hf.chunk_nonce(base, 0), b"again", None)
    vector("corrupt-counter-not-advanced", "a writer whose second chunk has the first one's nonce", restarted, expect="corrupt")
    aad = HEAD + SALT + commitment + AESGCM(key).encrypt(base, b"aad", b"holdfast")
    vector("corrupt-chunk-with-aad", "a writer that gives the cipher additional data", aad, expect="corrupt")


def headers():
    blob = message("headers", b"under a good header")
    bad = lambda name, comment, altered, expect: vector(f"header-{name}", comment, altered, expect=expect)  # noqa: E731
    bad("magic-first-bit", "first bit of the magic", flip(blob, 0, 0x80), "corrupt")
    bad("magic-last-bit", "last bit of the magic", flip(blob, 7), "corrupt")
    bad("magic-lower-case", "holdfast in small letters", b"holdfast" + blob[8:], "corrupt")
    for version in (0, 1, 3, 255):
        bad(f"version-{version}", f"version {version}", blob[:8] + bytes([version]) + blob[9:], "unsupported")
    for kdf in (0, 2):
        bad(f"kdf-{kdf}", f"kdf {kdf}", blob[:9] + bytes([kdf]) + blob[10:], "unsupported")
    bad("flags-low", "lowest flag set", flip(blob, 11), "unsupported")
    bad("flags-high", "highest flag set", flip(blob, 10, 0x80), "unsupported")
    for iterations in (0, 99_999, 10_000_001, 2**32 - 1):
        made = hf.make_header(KEY, PASSWORD, seeded("password salt", 16), seeded("wrap nonce", 12), min(iterations, 1000))
        made = made[:12] + struct.pack(">I", iterations) + made[16:]
        bad(f"iterations-{iterations}", f"{iterations} iterations are outside the limits", made + blob[92:], "unsupported")
    bad("iterations-changed", "100,001 iterations where 100,000 were used", flip(blob, 15), "wrong-password")
    bad("password-salt-bad", "the password's salt is altered: alone, this looks like a wrong password", flip(blob, 16), "wrong-password")
    bad("wrap-nonce-bad", "the wrap nonce is altered", flip(blob, 32), "wrong-password")
    bad("wrapped-key-bad", "the wrapped vault key is altered", flip(blob, 44), "wrong-password")
    bad("wrap-tag-bad", "the wrapped vault key's tag is altered", flip(blob, 91), "wrong-password")
    other = hf.make_header(KEY, PASSWORD, seeded("second password salt", 16), seeded("second wrap nonce", 12))
    bad("of-same-key-swapped", "another good header of the same vault key", other + blob[92:], "corrupt")
    foreign = hf.make_header(seeded("foreign key", 32), PASSWORD, seeded("third password salt", 16), seeded("third wrap nonce", 12))
    bad("of-other-key-swapped", "a good header of another vault with the same password", foreign + blob[92:], "corrupt")
    start = hf.header_start(seeded("aad salt", 16), hf.MIN_ITERATIONS)
    no_aad = start + bytes(12) + AESGCM(hf.wrapping_key(PASSWORD, start[16:], hf.MIN_ITERATIONS)).encrypt(bytes(12), KEY, None)
    bad("wrapped-without-aad", "a vault key wrapped without the header's start as additional data",
        message("no aad", b"x", header=no_aad), "wrong-password")
    for iterations in (100_001, 600_000):
        made = hf.make_header(KEY, PASSWORD, seeded("password salt", 16), seeded("wrap nonce", 12), iterations)
        vector(f"header-{iterations}-iterations", f"{iterations} iterations", message(f"{iterations}", b"slower", header=made))


def labels():
    for made in hf.LABELS:
        for read in hf.LABELS:
            if made != read and ARCHIVE in (made, read):
                kinds = [label.rsplit("/", 1)[1] for label in (made, read)]
                name = f"label-{kinds[0]}-read-as-{kinds[1]}"
                vector(name, f"made as {kinds[0]}, read as {kinds[1]}", message(name, b"not what it seems", made), label=read, expect="corrupt")
    bare = message("bare label", b"x", "archive")
    vector("label-without-prefix", "the context has the label `archive` without holdfast/v2/", bare, expect="corrupt")


def passwords():
    composed, decomposed = "Schl\u00fcssel \u00e9\u00e8", "Schlu\u0308ssel e\u0301e\u0300"
    made = lambda text, name: message(  # noqa: E731
        name, b"for " + name.encode(), header=hf.make_header(KEY, text, seeded(name + " password salt", 16), seeded(name + " nonce", 12))
    )
    vector("password-wrong", "another password", made(PASSWORD, "password-wrong"), password="incorrect horse", expect="wrong-password")
    vector("password-case", "letters' case counts", made(PASSWORD, "password-case"), password=PASSWORD.upper(), expect="wrong-password")
    vector("password-nfc", "typed composed", made(composed, "password-nfc"), password=composed)
    vector("password-nfd", "typed decomposed, the same after NFC", made(composed, "password-nfd"), password=decomposed)
    vector("password-nfd-made", "made with the decomposed form, typed composed", made(decomposed, "password-nfd-made"), password=composed)
    vector("password-compatibility", "NFC, not NFKC: the ligature stays itself", made("\ufb01sh", "password-compatibility"),
           password="fish", expect="wrong-password")
    vector("password-compatibility-kept", "the ligature opens what was made with it", made("\ufb01sh", "password-compatibility-kept"),
           password="\ufb01sh")
    vector("password-trailing-space", "a space at its end is part of it", made("space ", "password-trailing-space"), password="space ")
    vector("password-trailing-space-missing", "without it, it is another password", made("space ", "password-trailing-space-missing"),
           password="space", expect="wrong-password")
    vector("password-leading-space", "a space at its start is part of it", made(" space", "password-leading-space"), password=" space")
    vector("password-emoji", "beyond the basic plane", made("\U0001f511 key", "password-emoji"), password="\U0001f511 key")
    vector("password-long", "1,000 letters, longer than a hash block", made("p" * 1000, "password-long"), password="p" * 1000)
    vector("password-one-letter", "one letter is a password", made("x", "password-one-letter"), password="x")
    vector("password-nul", "a NUL inside is part of it", made("a\0b", "password-nul"), password="a\0b")
    vector("password-empty", "no password is not a password", made(PASSWORD, "password-empty"), password="", expect="config-invalid")
    for name, content, expect in (
        ("lf", b"from a file\n", "success"),
        ("crlf", b"from a file\r\n", "success"),
        ("none", b"from a file", "success"),
        ("two-lf", b"from a file\n\n", "wrong-password"),
        ("space", b"from a file \n", "wrong-password"),
        ("only-lf", b"\n", "config-invalid"),
    ):
        blob = made("from a file", f"password-file-{name}")
        vector(f"password-file-{name}", "one line end is taken off, nothing else", blob, password_file=content, expect=expect)


def vaults():
    """Records newest first: the password was changed from `old` to `new`; then a second vault key was begun."""
    old = hf.make_header(KEY, "old", seeded("old salt", 16), seeded("old nonce", 12))
    new = hf.make_header(KEY, "new", seeded("new salt", 16), seeded("new nonce", 12))
    second = seeded("second vault key", 32)
    new_second = hf.make_header(second, "new", seeded("new salt", 16), seeded("new nonce of second", 12))
    vault, twice = new + old, new_second + new + old
    under_old, under_new = message("under old", b"sealed under the old password", header=old), message("under new", b"new", header=new)
    under_second = message("under second", b"sealed with the second key", header=new_second, key=second)
    vector("vault-old-object-new-password", "an object older than the password", under_old, password="new", vault=vault)
    vector("vault-old-object-new-password-alone", "the same without the vault", under_old, password="new", expect="wrong-password")
    vector("vault-old-object-old-password-alone", "its own header still opens it", under_old, password="old")
    vector("vault-second-key", "two vault keys in one vault, the first record's", under_second, password="new", vault=twice)
    vector("vault-second-key-older-object", "two vault keys in one vault, an object of the older key", under_old, password="new", vault=twice)
    vector("vault-wrong-password", "a password that opens no record", under_new, password="neither", vault=vault, expect="wrong-password")
    for name, at, bits in (("magic", 0, 0x80), ("version", 8, 1), ("kdf", 9, 2), ("flags", 11, 1), ("iterations", 12, 0x80),
                           ("password-salt", 20, 1), ("wrap-nonce", 40, 1), ("wrapped-key", 60, 1), ("wrap-tag", 91, 1)):
        vector(f"vault-repairs-{name}", f"the object's header is damaged in its {name}, the vault repairs it",
               flip(under_new, at, bits), password="new", vault=vault)
    vector("vault-repairs-zeroed-header", "the object's header is all zeros", bytes(92) + under_new[92:], password="new", vault=vault)
    vector("vault-repairs-old-header", "an old object's damaged header, with the new password", flip(under_old, 70), password="new", vault=vault)
    vector("vault-repairs-swapped-header", "an object whose header was replaced by the vault's older record", old + under_new[92:],
           password="new", vault=vault)
    vector("vault-repairs-header-of-other-key", "the header was replaced by one of another vault key, which the password opens too",
           new_second + under_new[92:], password="new", vault=twice)
    vector("vault-swapped-header-alone", "the same without the vault: the commitment differs", old + under_new[92:], password="old", expect="corrupt")
    vector("vault-cannot-repair-salt", "the message's salt is not in the vault", flip(under_new, 95), password="new", vault=vault, expect="corrupt")
    vector("vault-cannot-repair-both", "header and commitment are damaged", flip(flip(under_new, 50), 120), password="new", vault=vault, expect="corrupt")
    vector("vault-damaged-header-wrong-password", "a damaged header and a wrong password", flip(under_new, 50), password="neither",
           vault=vault, expect="wrong-password")
    for name, comment, bad, code in (
        ("cut", "a vault one byte short", vault[:-1], "corrupt"),
        ("too-long", "a vault of 1,025 records", new * 1025, "corrupt"),
        ("bad-magic", "a record that does not begin with HOLDFAST", flip(vault, 92), "corrupt"),
        ("bad-cost", "a record that asks for too many iterations", flip(vault, 92 + 12, 0x80), "unsupported"),
    ):
        vector(f"vault-{name}", comment + ": it is not used at all", under_new, password="new", vault=bad, expect=code)
    full = new + old * 1023
    vector("vault-full", "1,024 records", under_old, password="new", vault=full)
    vector("vault-foreign", "the vault of another destination, the object's own header opens it", under_new, password="new",
           vault=hf.make_header(seeded("foreign", 32), "new", seeded("foreign salt", 16), seeded("foreign nonce", 12)))


def recovery():
    blob = message("recovery", b"opened without a password")
    text = hf.recovery_key(KEY)
    vector("recovery-key", "the vault key as text", blob, fields=[("recovery-key", text)])
    vector("recovery-key-spaces", "small letters, spaces, no dashes", blob, fields=[("recovery-key", " ".join(text.lower().split("-")))])
    wrong = hf.recovery_key(seeded("another key", 32))
    vector("recovery-key-wrong", "the key of another vault", blob, fields=[("recovery-key", wrong)], expect="wrong-key")
    typo = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]
    vector("recovery-key-typo", "one letter is wrong: the checksum says so", blob, fields=[("recovery-key", typo)], expect="wrong-key")
    vector("recovery-key-short", "the last letter is missing", blob, fields=[("recovery-key", text[:-1])], expect="wrong-key")
    vector("recovery-key-zero", "a digit nought, which the alphabet does not have", blob,
           fields=[("recovery-key", text[:12] + "0" + text[13:])], expect="wrong-key")
    vector("vault-key-damaged-header", "with the vault's records at hand, a header may be damaged", flip(blob, 50), keys=[KEY], vault=HEAD)
    vector("vault-key-bad-chunk", "the key fits, the chunk is damaged", flip(blob, len(blob) - 1), keys=[KEY], expect="corrupt")


def classics():
    make = lambda name, payload, password=PASSWORD: hf.classic_seal(  # noqa: E731
        password, seeded(name + " classic salt", 16), seeded(name + " classic nonce", 12), payload
    )
    give = lambda name, comment, blob, expect=None, **more: vector(  # noqa: E731
        f"classic-{name}", comment, blob, label="classic", expect=expect, **more
    )
    two = inside.raw_frame(b"first frame, ") + inside.raw_frame(b"second frame")
    small = make("small", two)
    give("empty", "nothing but salt, nonce and tag", make("empty", b""))
    give("frames", "two zstd frames, no seek table", small)
    give("one-byte", "one byte", make("one", b"x"))
    give("64k", "larger than any reader's piece", make("64k", seeded("64k", 65537)))
    give("wrong-password", "another password", small, "wrong-password", password="another")
    give("empty-password", "no password", small, "config-invalid", password="")
    for name, at in (("salt", 0), ("nonce", 16), ("body", 30), ("tag", len(small) - 1)):
        give(f"flipped-{name}", f"the {name} is altered: the one tag cannot say what is wrong", flip(small, at), "wrong-password")
    for name, size in (("empty-file", 0), ("in-salt", 10), ("in-nonce", 20), ("without-tag", 28), ("in-tag", 43)):
        give(f"truncated-{name}", f"{size} bytes are too few for salt, nonce and tag", small[:size], "truncated")
    give("truncated-by-one", "one byte is missing", small[:-1], "wrong-password")
    give("truncated-half", "a good part is missing", small[:-20], "wrong-password")
    give("trailing-byte", "one byte too many", small + b"\0", "wrong-password")
    composed, decomposed = "p\u00e4ss", "pa\u0308ss"
    give("password-as-typed", "made with a decomposed password, typed the same", make("typed", b"typed", decomposed), password=decomposed)
    give("password-nfc-second", "made with a composed password, typed decomposed", make("second", b"second", composed), password=decomposed)
    give("password-nfd-not-tried", "made with a decomposed password, typed composed", make("not tried", b"no", decomposed),
         "wrong-password", password=composed)
    give("password-space", "never trimmed", make("space", b"space", "space "), password="space ")


def row_of(entry, inode):
    """A manifest's entry without its content."""
    name = entry.name.rstrip(b"/").removeprefix(b".holdfast/files/")
    row = {"path": name.decode()} if entry.utf8() else {"pathB64": base64.b64encode(name).decode()}
    row["type"] = "directory" if stat.S_ISDIR(entry.mode) else "symlink" if stat.S_ISLNK(entry.mode) else "file"
    return row | {"mode": stat.S_IMODE(entry.mode), "uid": entry.uid, "gid": entry.gid, "size": 0, "mtime": str(entry.mtime),
                  "ctime": str(entry.mtime), "inode": str(inode)}


def extents_of(archive_number, stream, places):
    sizes = inside.read_seek_table(stream)
    offset = lambda frame: sum(stored for stored, _ in sizes[:frame])  # noqa: E731
    return [[archive_number, offset(frame), sizes[frame][0], start, length] for frame, start, length in places]


def first_line(snapshot, rows, archives):
    count = lambda kind: sum(row["type"] == kind for row in rows)  # noqa: E731
    return {
        "holdfast": "manifest", "version": 1, "id": snapshot, "server": "H\u00f6hle", "slug": "hoehle",
        "machine": "0123456789abcdef0123456789abcdef", "host": "keller", "time": "2025-11-23T22:05:00.123Z", "root": "/srv/hoehle",
        "preset": None, "excludes": ["*.tmp"], "hooks": [], "warnings": [{"code": "vanished", "message": "gone while it was read", "path": "tmp/x"}],
        "totals": {"entries": len(rows), "files": count("file"), "directories": count("directory"), "symlinks": count("symlink"),
                   "bytes": sum(row["size"] for row in rows if "linkOf" not in row)},
        "archives": archives,
    }


def manifest(name, comment, first, rows):
    plain = inside.line(first) + b"".join(inside.line(row) for row in rows)
    made = message(name, inside.manifest_frames(first, rows), MANIFEST)
    vector(name, comment, made, label=MANIFEST, fields=[
        ("key", f"hoehle/{first['id']}.manifest"), ("inside", "success"), ("content", hashlib.sha256(plain).hexdigest())])


def whole():
    """Whole archives: ZIP in frames in a seal, and the manifests that name them."""
    D, F, L = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777
    text = "Grüße aus der Höhle\n".encode() * 40
    big = (b"0123456789abcdef" * 64 * 1024) * 5  # 5 MiB that compress well: continues in a second frame
    entries = [
        inside.Entry(b".holdfast/files/.holdfast/", D),
        inside.Entry(b".holdfast/files/.holdfast/own", F, b"a real file of that name\n"),
        inside.Entry(b"big.bin", F, big, streamed=True),
        inside.Entry(b"empty", F),
        inside.Entry(b"empty folder/", D),
        inside.Entry("gr\u00fc\u00dfe.txt".encode(), F, text),
        inside.Entry(b"link", L, b"gr\xc3\xbc\xc3\x9fe.txt"),
        inside.Entry(b"not-utf8-\xff\xfe", F, b"a name in Latin-1\n"),
        inside.Entry(b"old", F, b"before 1970", mtime=-1),
        inside.Entry(b"second name", L, b"big.bin"),
        inside.Entry(b"setuid", stat.S_IFREG | 0o4755, b"#!/bin/sh\n"),
        inside.Entry(b"year 2300", F, b"beyond 32 bits", mtime=10_413_792_000 * 10**9),
    ]
    snapshot = "20251123T220500Z-k3v7qa"
    key = f"hoehle/{snapshot}.holdfast"
    contents, places = inside.zip_frames(entries)
    stream = inside.seekable(contents, inside.packed_frame)
    archive("whole-archive", "folders, links, strange names, a file over two frames", stream, contents, key)
    rows = [row_of(inside.Entry(b".", D), 2) | {"extents": []}]
    for inode, (entry, extents) in enumerate(zip(entries, places), 4711):
        row = row_of(entry, inode) | {"extents": []}
        if entry.name == b"second name":
            row |= {"type": "file", "mode": 0o644, "size": len(big), "inode": "4713", "linkOf": "big.bin"}
        elif row["type"] == "symlink":
            row["target"] = entry.data.decode()
        elif row["type"] == "file":
            row |= {"size": len(entry.data), "sha256": hashlib.sha256(entry.data).hexdigest(), "extents": extents_of(0, stream, extents)}
        rows.append(row)
    record = inside.archive_record(key, message("whole-archive", stream), sum(map(len, contents)), len(contents))
    manifest("whole-manifest", "the manifest of whole-archive", first_line(snapshot, rows, [record]), rows)

    snapshot, extents, records, content = "20251124T220500Z-a2b3c4", [], [], b""
    for number in range(3):
        data = seeded(f"piece {number}", 500 if number == 2 else 3000)
        name = f"volume {number + 1}".replace(" ", "-")
        stored = inside.Entry(f".holdfast/pieces/world/region.bin@{len(content):016d}".encode(), F, data)
        contents, places = inside.zip_frames(([inside.Entry(b"world/", D)] if number == 0 else []) + [stored])
        stream = inside.seekable(contents)
        key = f"hoehle/{snapshot}{'' if number == 0 else f'.{number + 1:03d}'}.holdfast"
        archive(f"whole-{name}", "a piece of a file larger than a volume", stream, contents, key)
        extents += extents_of(number, stream, places[-1])
        records.append(inside.archive_record(key, message(f"whole-{name}", stream), sum(map(len, contents)), len(contents)))
        content += data
    rows = [row_of(inside.Entry(name, D), inode) | {"extents": []} for inode, name in ((2, b"."), (3, b"world/"))]
    region = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "extents": extents}
    rows.append(row_of(inside.Entry(b"world/region.bin", F), 4) | region)
    manifest("whole-volumes-manifest", "a file in three pieces, in three volumes", first_line(snapshot, rows, records), rows)

    contents, _ = inside.zip_frames([inside.Entry(b"a", F, b"alpha"), inside.Entry(b"b", F, b"beta")])
    stream = b"".join(map(inside.raw_frame, contents))
    archive("whole-without-seek-table", "readers do without the seek table", stream, contents)
    archive("whole-no-entries", "a ZIP without an entry", inside.seekable(inside.zip_frames([])[0]), inside.zip_frames([])[0])
    fail = lambda name, comment, stream, code="corrupt": archive(f"whole-{name}", comment, stream, None, code=code)  # noqa: E731
    fail("frame-cut", "sealed as a whole, but the zstd stream ends inside a frame", stream[:-5], "truncated")
    fail("frame-lies-about-size", "the frame's content size is larger than its content", lying_frame(contents))
    joined = b"".join(contents)
    wide = struct.pack("<IBB", 0xFD2FB528, 0, 14 << 3) + (len(joined) << 3 | 1).to_bytes(3, "little") + joined
    fail("window-too-large", "a frame that asks for a window of 16 MiB", wide)
    fail("not-zstd", "sealed bytes that are no zstd stream", b"plain text, not compressed")


def lying_frame(contents):
    joined = b"".join(contents)
    honest = inside.raw_frame(joined)
    assert honest[4] == 0x60
    return honest[:5] + struct.pack("<H", len(joined) - 256 + 1) + honest[7:]


def archive(name, comment, stream, contents, key=None, code="corrupt"):
    fields = [("key", key)] if key else []
    fields.append(("inside", code if contents is None else "success"))
    if contents is not None:
        fields.append(("content", hashlib.sha256(b"".join(contents)).hexdigest()))
        assert inside.unpack(stream) == b"".join(contents), name
    vector(name, comment, message(name, stream), fields=fields)


def example():
    """The worked example of docs/format.md: every step of one small archive, in hex."""
    password, key, salt = "hunter2 but longer", bytes(range(32)), bytes(range(0x20, 0x30))
    header = hf.make_header(key, password, salt, bytes(range(0x40, 0x4C)))
    message_salt = bytes(range(0x60, 0x78))
    contents, _ = inside.zip_frames([inside.Entry(b"hello.txt", stat.S_IFREG | 0o644, b"hello\n", mtime=1_795_471_500_000_000_001)])
    stream = inside.seekable(contents)
    derived = hf.derive(key, ARCHIVE, header, message_salt)
    blob = hf.seal(key, ARCHIVE, header, message_salt, stream)
    vector("example", "the worked example of docs/format.md", blob, password=password,
           fields=[("inside", "success"), ("content", hashlib.sha256(b"".join(contents)).hexdigest())])
    steps = [
        ("password", password.encode()), ("vault key", key), ("password salt", salt), ("wrap nonce", header[32:44]),
        ("wrapping key", hf.wrapping_key(password, salt, 100_000)), ("header", header), ("message salt", message_salt),
        ("info", hf.info_of(ARCHIVE, header, message_salt)), ("key", derived[0]), ("base nonce", derived[1]), ("commitment", derived[2]),
        ("zip", b"".join(contents)), ("plaintext", stream), ("chunk 0", blob[148:]),
    ]
    blocks = "".join(f"{name} ({len(value)} bytes):\n\n```hex\n{hex_lines(value)}```\n\n" for name, value in steps)
    text = (
        f"{blocks}The object is header || message salt || commitment || chunk 0: {len(blob)} bytes, with the SHA-256\n"
        f"`{hashlib.sha256(blob).hexdigest()}`.\nIts vault key as a recovery key is `{hf.recovery_key(key)}`.\n"
    )
    page = HERE.parent.parent / "docs" / "format.md"
    start, rest = page.read_text().split("generate.py -->\n")
    page.write_text(start + "generate.py -->\n\n" + text + "\n<!-- end of the worked example -->" + rest.split("<!-- end of the worked example -->")[1])


def hex_lines(value):
    return "".join(value[at : at + 32].hex(" ", -4) + "\n" for at in range(0, len(value), 32))


def primitives():
    """Known answers of each primitive, and of the small computations around them, by python-cryptography."""
    hexed = lambda **values: {key: value.hex() if isinstance(value, bytes) else value for key, value in values.items()}  # noqa: E731
    prefix = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
    expand = [
        hexed(key=key, salt=salt, context=context, out=HKDFExpand(hashes.SHA512(), 76, prefix + salt + context).derive(key))
        for key, salt, context in ((bytes(32), bytes(24), b""), (KEY, SALT, b"context"), (b"\xff" * 32, SALT, bytes(300)))
    ]
    pbkdf2 = [
        hexed(password=password.encode(), salt=salt, iterations=count, out=hashlib.pbkdf2_hmac("sha256", password.encode(), salt, count, 32))
        for password, salt, count in (("password", b"salt" * 4, 1), ("password", b"salt" * 4, 4096), (PASSWORD, HEAD[16:32], 100_000), ("p\u00e4ss", bytes(16), 2))
    ]
    gcm = [
        hexed(key=key, nonce=nonce, aad=aad, plaintext=plain, out=AESGCM(key).encrypt(nonce, plain, aad))
        for key, nonce, aad, plain in (
            (bytes(32), bytes(12), b"", b""), (bytes(32), bytes(12), b"", bytes(16)), (KEY, seeded("n", 12), b"aad", b"plaintext"),
            (hf.wrapping_key(PASSWORD, HEAD[16:32], 100_000), HEAD[32:44], HEAD[:32], KEY), (KEY, seeded("n", 12), b"", seeded("p", 100)),
        )
    ]
    derived = [
        hexed(vaultKey=KEY, label=label, header=HEAD, salt=SALT, key=key, baseNonce=base, commitment=commitment)
        for label in hf.LABELS for key, base, commitment in [hf.derive(KEY, label, HEAD, SALT)]
    ]
    base = seeded("base nonce", 12)
    nonces = [hexed(baseNonce=b, counter=str(counter), nonce=hf.chunk_nonce(b, counter))
              for b in (bytes(12), base, b"\xff" * 12) for counter in (0, 1, 255, 256, 2**32 - 1, 2**32, 2**38 - 1)]
    keys = [hexed(vaultKey=key, text=hf.recovery_key(key)) for key in (bytes(32), b"\xff" * 32, KEY)]
    tables = [hexed(frames=sizes, table=inside.seek_table(sizes)) for sizes in ([], [(10, 20)], [(100, 4194304), (17, 1)])]
    good = inside.seek_table([(100, 200), (50, 60)])
    bad_tables = [
        hexed(why=why, streamSize=size, tail=tail) for why, size, tail in (
            ("the frames do not end where the table begins", 151 + len(good), good),
            ("its frame says another length", 150 + len(good), good[:4] + struct.pack("<I", len(good)) + good[8:]),
            ("it is no skippable frame of its kind", 150 + len(good), b"\x5f" + good[1:]),
            ("a frame with more than 8 MiB", 100 + 25, inside.seek_table([(100, 8 * 1024 * 1024 + 1)])),
        )
    ]
    wraps = [hexed(vaultKey=KEY, password=PASSWORD, salt=HEAD[16:32], nonce=HEAD[32:44], iterations=100_000, header=HEAD)]
    return {"hkdfExpandSha512": expand, "pbkdf2Sha256": pbkdf2, "aes256Gcm": gcm, "message": derived, "chunkNonce": nonces,
            "recoveryKey": keys, "seekTable": tables, "seekTableRefused": bad_tables, "wrap": wraps}


def main():
    for part in (sizes, cut, swapped, headers, labels, passwords, vaults, recovery, classics, whole, example):
        part()
    DATA.mkdir(exist_ok=True)
    for stale in DATA.iterdir():
        if stale.name not in written:
            stale.unlink()
    for name, content in written.items():
        (DATA / name).write_bytes(content)
    (HERE / "primitives.json").write_text(json.dumps(primitives(), indent=1) + "\n")
    print(f"{len(written)} vectors, {sum(map(len, written.values())):,} bytes")


if __name__ == "__main__":
    main()
