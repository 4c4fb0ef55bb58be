"""What lies inside a seal, a second time: ZIP, zstd frames, seek table, manifest. Written from docs/format.md alone."""

import base64
import hashlib
import json
import stat
import struct
import subprocess
import time
import zlib

UNIX_45 = 3 << 8 | 45
FULL32, FULL16 = 0xFFFFFFFF, 0xFFFF
FRAME_CONTENT = 4 * 1024 * 1024
SKIPPABLE_SEEK_TABLE = 0x184D2A5E
SEEKABLE_MAGIC = 0x8F92EAB1


# ---- zstd ---------------------------------------------------------------------------------------------------------


def raw_frame(content):
    """A zstd frame of raw blocks with its content size, so that vectors need no compressor and never change."""
    size = len(content)
    if size < 256:
        start = bytes([0x20, size])
    elif size < 65536 + 256:
        start = b"\x60" + struct.pack("<H", size - 256)
    else:
        start = b"\xa0" + struct.pack("<I", size)
    blocks, at = b"", 0
    while True:
        block = content[at : at + 128 * 1024]
        at += len(block)
        blocks += ((len(block) << 3) | (at >= size)).to_bytes(3, "little") + block
        if at >= size:
            return struct.pack("<I", 0xFD2FB528) + start + blocks


def packed_frame(content):
    """A compressed frame with its content size, by the zstd tool."""
    return subprocess.run(
        ["zstd", "-q", "-3", "--no-check", f"--stream-size={len(content)}", "-c"], input=content, stdout=subprocess.PIPE, check=True
    ).stdout


def unpack(stream):
    """The content of concatenated frames, by the zstd tool."""
    return subprocess.run(["zstd", "-q", "-d", "-c"], input=stream, stdout=subprocess.PIPE, check=True).stdout


def seek_table(sizes):
    body = b"".join(struct.pack("<II", *pair) for pair in sizes) + struct.pack("<IBI", len(sizes), 0, SEEKABLE_MAGIC)
    return struct.pack("<II", SKIPPABLE_SEEK_TABLE, len(body)) + body


def read_seek_table(stream):
    count, descriptor, magic = struct.unpack("<IBI", stream[-9:])
    assert magic == SEEKABLE_MAGIC and descriptor == 0, "no seek table"
    start = len(stream) - 17 - 8 * count
    assert struct.unpack("<II", stream[start : start + 8]) == (SKIPPABLE_SEEK_TABLE, 9 + 8 * count), "seek table's frame"
    sizes = [struct.unpack_from("<II", stream, start + 8 + 8 * number) for number in range(count)]
    assert sum(stored for stored, _ in sizes) == start, "the sum of the frames is not the seek table's place"
    return sizes


def seekable(contents, frame=raw_frame):
    frames = [frame(content) for content in contents]
    return b"".join(frames) + seek_table([(len(made), len(content)) for made, content in zip(frames, contents)])


# ---- ZIP ----------------------------------------------------------------------------------------------------------


class Entry:
    """One entry: `name` in bytes, `mode` with the file type, `mtime` in nanoseconds, `data` (a link's target)."""

    def __init__(self, name, mode, data=b"", mtime=1_763_935_500_123_456_789, uid=1000, gid=1000, streamed=False):
        self.name, self.mode, self.data, self.mtime = name, mode, data, mtime
        self.uid, self.gid, self.streamed = uid, gid, streamed
        self.crc = zlib.crc32(data)

    def utf8(self):
        try:
            self.name.decode("utf-8")
            return True
        except UnicodeDecodeError:
            return False

    def fixed(self):
        """The fields that local and central headers share, from the flags to the CRC."""
        t = time.gmtime(min(max(self.mtime // 10**9, 315532800), 4354819198))
        dos_time, dos_date = t.tm_hour << 11 | t.tm_min << 5 | t.tm_sec // 2, (t.tm_year - 1980) << 9 | t.tm_mon << 5 | t.tm_mday
        return (self.utf8() << 11) | (self.streamed << 3), 0, dos_time, dos_date

    def extras(self):
        seconds, nanoseconds = divmod(self.mtime, 10**9)
        made = b""
        if -(2**31) <= seconds < 2**31:
            made += struct.pack("<HHBi", 0x5455, 5, 1, seconds)
        made += struct.pack("<HHBBIBI", 0x7875, 11, 1, 4, self.uid, 4, self.gid)
        return made + struct.pack("<HHI", 0x6668, 4, nanoseconds)

    def local(self):
        extra = (struct.pack("<HHQQ", 1, 16, 0, 0) if self.streamed else b"") + self.extras()
        sizes = (0, FULL32, FULL32) if self.streamed else (self.crc, len(self.data), len(self.data))
        needed = 45 if self.streamed else 20
        return struct.pack("<IHHHHHIIIHH", 0x04034B50, needed, *self.fixed(), *sizes, len(self.name), len(extra)) + self.name + extra

    def descriptor(self):
        return struct.pack("<IIQQ", 0x08074B50, self.crc, len(self.data), len(self.data)) if self.streamed else b""

    def central(self, offset):
        wide = struct.pack("<HHQ", 1, 8, offset) if offset >= FULL32 else b""
        extra = wide + self.extras()
        needed = 45 if self.streamed or wide else 20
        attributes = self.mode << 16 | (0x10 if stat.S_ISDIR(self.mode) else 0)
        return (
            struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, UNIX_45, needed, *self.fixed(), self.crc, len(self.data), len(self.data),
                        len(self.name), len(extra), 0, 0, 0, attributes & FULL32, min(offset, FULL32))
            + self.name + extra
        )


def zip_end(entries, start, size):
    end64 = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, UNIX_45, 45, 0, 0, entries, entries, size, start)
    locator = struct.pack("<IIQI", 0x07064B50, 0, start + size, 1)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, FULL16, FULL16, FULL32, FULL32, 0)
    return end64 + locator + end


def zip_frames(entries, limit=FRAME_CONTENT):
    """The ZIP as frame contents: small entries share frames and straddle none, a large one continues in frames of its own."""
    frames, current, offsets, at = [], b"", [], 0
    places = []

    def close():
        nonlocal current
        if current:
            frames.append(current)
        current = b""

    for entry in entries:
        head = entry.local()
        if len(current) + len(head) + (0 if entry.streamed else len(entry.data)) > limit:
            close()
        offsets.append(at)
        extents = []
        current += head
        rest = entry.data
        while rest:
            part = rest[: limit - len(current)]
            if part:
                extents.append((len(frames), len(current), len(part)))
                current += part
                rest = rest[len(part) :]
            if rest:
                close()
        places.append(extents)
        if entry.streamed:
            if len(current) + 24 > limit:
                close()
            current += entry.descriptor()
            close()
        at += len(head) + len(entry.data) + len(entry.descriptor())
    close()
    directory = b"".join(entry.central(offset) for entry, offset in zip(entries, offsets))
    tail = directory + zip_end(len(entries), at, len(directory))
    frames += [tail[start : start + limit] for start in range(0, len(tail), limit)]
    return frames, places


# ---- manifest -----------------------------------------------------------------------------------------------------


def line(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def manifest_frames(first, entries, frame=raw_frame, per_frame=3):
    lines = [line(entry) for entry in entries]
    groups = [b"".join(lines[at : at + per_frame]) for at in range(0, len(lines), per_frame)]
    return b"".join(frame(content) for content in [line(first)] + groups)


def archive_record(key, sealed, zip_size, frames):
    return {
        "key": key,
        "size": len(sealed),
        "sha256": hashlib.sha256(sealed).hexdigest(),
        "head": base64.b64encode(sealed[:148]).decode(),
        "zipSize": zip_size,
        "frames": frames,
    }
