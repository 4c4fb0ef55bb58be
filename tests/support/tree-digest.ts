import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * One line for each entry of a tree: name, type, mode, owner, content hash or link target, and the mtime of all but folders. Two
 * trees with equal digests are the same to a server. Names are compared as bytes.
 */
export function treeDigest(root: string, leaveOut: (name: string) => boolean = () => false): string {
  const lines: string[] = [];
  function walk(folder: Buffer, shown: string): void {
    for (const name of readdirSync(folder, { encoding: 'buffer' })) {
      if (shown === '' && leaveOut(name.toString('latin1'))) continue;
      const path = Buffer.concat([folder, Buffer.from('/'), name]);
      const stat = lstatSync(path, { bigint: true });
      const key = `${shown}/${name.toString('latin1')} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid}`;
      if (stat.isDirectory()) {
        lines.push(key);
        walk(path, `${shown}/${name.toString('latin1')}`);
      } else if (stat.isSymbolicLink()) {
        lines.push(`${key} ${stat.mtimeNs} -> ${readlinkSync(path)}`);
      } else if (stat.isFile()) {
        lines.push(`${key} ${stat.mtimeNs} ${createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)}`);
      } else {
        lines.push(`${key} special`);
      }
    }
  }
  walk(Buffer.from(root), '');
  return lines.sort().join('\n');
}
