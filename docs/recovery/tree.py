#!/usr/bin/env python3
"""Builds the tree of a Holdfast snapshot without Holdfast, from its manifest and all archives that it names. See docs/format.md.

    python3 tree.py survival/20261123T220500Z-k3v7qa.manifest -o world --password-file pw.txt --vault holdfast.vault

The archives lie beside the manifest, open.py beside this program. Needs what open.py needs, and ends with its exit codes; what is lost is named."""
import base64, functools, hashlib, importlib, json, os, subprocess, sys, threading

opener = importlib.import_module("open")

def read_lines(pieces):
    with subprocess.Popen(["zstd", "-dqc", "-M8MB"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        sealed = b"".join(pieces)
        threading.Thread(target=lambda: (child.stdin.write(sealed), child.stdin.close()), daemon=True).start()
        yield from map(json.loads, child.stdout)
    if child.returncode:
        opener.stop(13, "zstd has stopped: what was sealed is damaged")

def archive_reader(name, start, *how):
    """A function that gives one frame's content: only the chunks that hold the frame are read and opened."""
    key, base_nonce = opener.message_keys(start, "archive", *how)
    @functools.lru_cache(maxsize=2)
    def frame(offset, length):
        first, data = offset // 16384, b""
        with open(name, "rb") as source:
            for number in range(first, (offset + length - 1) // 16384 + 1):
                source.seek(148 + number * 16400)
                # What is missing is found by zstd, or by the file's SHA-256.
                data += opener.decrypt(key, (base_nonce ^ number).to_bytes(12, "big"), source.read(16400)) or b""
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
            opener.stop(13, "damaged: a path leads out of the folder")
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
        opener.stop(13, f"damaged: {len(lost)} files could not be brought back")

def main():
    source, output, (password, key, vault) = opener.command_line(__doc__, required=True, help="a folder that is not there yet")
    header = source.peek(92)[:92]
    pieces = opener.open_sealed(source, *opener.message_keys(source.read(148), "manifest", password, key, vault))
    # An archive of an earlier run may be older than the password: the manifest's own header opens it as the newest record of the vault does.
    build_tree(read_lines(pieces), os.path.dirname(source.name), os.fsencode(output), password, key, vault or header)

if __name__ == "__main__":
    sys.tracebacklimit = 0  # of a file that cannot be read or written, one line is told
    main()
