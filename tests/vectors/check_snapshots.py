#!/usr/bin/env python3
"""Reads a destination that Holdfast wrote, by the second implementation alone, and prints what each snapshot holds as JSON.

    check_snapshots.py FOLDER PASSWORD      exits with an AssertionError where something is not as docs/format.md says
"""

import base64
import hashlib
import io
import json
import os
import pathlib
import stat
import struct
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import holdfast_format as hf  # noqa: E402
import holdfast_inside as inside  # noqa: E402


def path_of(row, name):
    return base64.b64decode(row[name + "B64"]) if name + "B64" in row else row[name].encode() if name in row else None


def open_archive(folder, vault, record, password):
    """The zstd stream, the frames' places and the ZIP of an archive that a manifest names, everything about it checked."""
    stored = (folder / record["key"]).read_bytes()
    name = record["key"].rsplit("/", 1)[1]
    assert (folder / (record["key"] + ".sha256")).read_text() == f"{hashlib.sha256(stored).hexdigest()}  {name}\n", "sidecar"
    assert (len(stored), hashlib.sha256(stored).hexdigest()) == (record["size"], record["sha256"]), "size or sha256"
    assert base64.b64decode(record["head"]) == stored[:148] and stored[:92] == vault[:92], "head"
    stream = hf.open_sealed(stored, hf.LABELS[0], password)
    sizes = inside.read_seek_table(stream)
    assert len(sizes) == record["frames"] and all(content <= inside.FRAME_CONTENT for _, content in sizes), "frames"
    places, at = {}, 0
    for size, content in sizes:
        frame = stream[at : at + size]
        assert frame[:4] == bytes.fromhex("28b52ffd") and frame[4] & 0x07 == 0 and (frame[4] >> 6 or frame[4] & 0x20), "frame header"
        places[at, size] = inside.unpack(frame)
        assert len(places[at, size]) == content, "content size"
        at += size
    whole = b"".join(places.values())
    assert inside.unpack(stream) == whole and len(whole) == record["zipSize"], "zip size"
    return places, whole


def zip_entries(whole):
    """Name in bytes → (mode, data, extras), all read by Python's own zipfile, and every local header compared."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None, "CRC"
        found = {}
        for info in archive.infolist():
            name = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
            assert (info.compress_type, info.create_system, info.create_version) == (0, 3, 45), "version"
            assert info.flag_bits & ~0x808 == 0 and name not in found, "flags or a name twice"
            local = struct.unpack("<IHHHHHIIIHH", whole[info.header_offset : info.header_offset + 30])
            streamed = bool(info.flag_bits & 8)
            assert local[0] == 0x04034B50 and local[2] == info.flag_bits and local[1] == (45 if streamed else 20), "local header"
            assert local[6:9] == ((0, 0xFFFFFFFF, 0xFFFFFFFF) if streamed else (info.CRC, info.file_size, info.file_size)), "local sizes"
            data = archive.read(info)
            start = info.header_offset + 30 + local[9] + local[10]
            assert whole[start : start + len(data)] == data, "stored data"
            if streamed:
                assert whole[start + len(data) :][:24] == struct.pack("<IIQQ", 0x08074B50, info.CRC, len(data), len(data)), "descriptor"
            assert bool(info.external_attr & 0x10) == name.endswith(b"/"), "folder bit"
            extra, extras = info.extra, {}
            while extra:
                kind, size = struct.unpack("<HH", extra[:4])
                extras[kind], extra = extra[4 : 4 + size], extra[4 + size :]
            found[name] = (info.external_attr >> 16, data, extras)
    tail = whole[-98:]
    assert tail[:4] == b"PK\x06\x06" and tail[56:60] == b"PK\x06\x07" and tail[76:80] == b"PK\x05\x06", "end records"
    return found


def check_extras(row, extras):
    seconds, nanoseconds = divmod(int(row["mtime"]), 10**9)
    assert extras[0x6668] == struct.pack("<I", nanoseconds), "nanoseconds"
    assert extras.get(0x5455) == (struct.pack("<Bi", 1, seconds) if -(2**31) <= seconds < 2**31 else None), "UT"
    assert extras[0x7875] == struct.pack("<BBIBI", 1, 4, row["uid"], 4, row["gid"]), "ux"


def check_manifest(folder, vault, key, password):
    plain = hf.open_sealed((folder / key).read_bytes(), hf.LABELS[1], password)
    lines = inside.unpack(plain).split(b"\n")
    assert lines.pop() == b"", "the last line has its end"
    first, rows = json.loads(lines[0]), [json.loads(line) for line in lines[1:]]
    assert (first["holdfast"], first["version"]) == ("manifest", 1) and key == f"{first['slug']}/{first['id']}.manifest", "first line"
    assert rows[0]["path"] == "." and first["totals"]["entries"] == len(rows), "root, count"
    archives = [open_archive(folder, vault, record, password) for record in first["archives"]]
    zips = [zip_entries(whole) for _, whole in archives]
    stored = {name: entry for entries in zips for name, entry in entries.items()}
    walked, files = [], {}
    for row in rows:
        path = path_of(row, "path")
        walked.append(path.split(b"/"))
        first_name, name = path_of(row, "linkOf"), (b".holdfast/files/" if path.split(b"/")[0] == b".holdfast" else b"") + path
        if row["type"] == "directory":
            if path != b".":
                mode, data, extras = stored.pop(name + b"/")
                assert mode == stat.S_IFDIR | row["mode"] and data == b"", "folder"
                check_extras(row, extras)
        elif row["type"] == "symlink" or first_name is not None:
            mode, data, extras = stored.pop(name)
            assert mode == 0o120777, "link's mode"
            if first_name is None:
                assert data == path_of(row, "target"), "link's target"
            else:
                assert not data.startswith(b"/") and os.path.normpath(os.path.join(os.path.dirname(path), data)) == first_name, "first name"
            assert row["extents"] == [], "a link with content"
        else:
            content = b"".join(archives[a][0][at, size][start : start + length] for a, at, size, start, length in row["extents"])
            assert all(start + length <= len(archives[a][0][at, size]) for a, at, size, start, length in row["extents"]), "extent"
            assert (len(content), hashlib.sha256(content).hexdigest()) == (row["size"], row["sha256"]), "content"
            pieces = sorted(key for key in stored if key.startswith(b".holdfast/pieces/" + path + b"@") and len(key) == len(path) + 34)
            joined = b""
            for piece in pieces or [name]:
                assert not pieces or int(piece[-16:]) == len(joined), "a piece's offset"
                mode, data, extras = stored.pop(piece)
                assert mode == stat.S_IFREG | row["mode"], "file's mode"
                check_extras(row, extras)
                joined += data
            assert joined == content, "the ZIP has other content than the manifest"
            files[os.fsdecode(path)] = row["sha256"]
        if first_name is not None:
            files[os.fsdecode(path)] = files[os.fsdecode(first_name)]
    assert stored == {}, f"in the ZIP only: {sorted(stored)}"
    assert walked[1:] == sorted(walked[1:]), "walk order"
    return {"id": first["id"], "archives": len(archives), "files": files}


def main():
    folder, password = pathlib.Path(sys.argv[1]), sys.argv[2]
    vault = (folder / "holdfast.vault").read_bytes()
    assert all(hf.unwrap(record, password) for record in hf.vault_records(vault)), "vault"
    keys = sorted(str(path.relative_to(folder)) for path in folder.glob("*/*.manifest"))
    snapshots = [check_manifest(folder, vault, key, password) for key in keys]
    for path in sorted(folder.glob("*/*.zip.zst.enc")):
        entries = zip_entries(inside.unpack(hf.classic_open(path.read_bytes(), password)))
        files = {os.fsdecode(name): hashlib.sha256(data).hexdigest() for name, (mode, data, _) in entries.items() if stat.S_ISREG(mode)}
        snapshots.append({"id": path.name.split(".")[0], "archives": 1, "files": files})
    # Names that are not UTF-8 come out with surrogate escapes, which JSON carries as \udcXX.
    print(json.dumps(snapshots))


if __name__ == "__main__":
    main()
