import { describe, expect, test } from 'vitest';
import { pathFromText } from '../../main/engine/archive/byte-path.ts';
import { laidOver, nowhere } from '../../main/engine/jobs/laid-over.ts';
import type { Extent, ManifestEntry } from '../../main/engine/snapshots/manifest-entry.ts';

const mib = 2 ** 20;
const stamps = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: '1', ctime: '1', inode: '1' } as const;
const isUsable = (archive: number): boolean => archive < 10;
/** Of a piece's content. */
const hashOf = (name: string): Buffer => Buffer.alloc(32, name);

function small(archive: number): ManifestEntry {
  return { path: pathFromText('f'), ...stamps, size: 100, sha256: 'a'.repeat(64), extents: [[archive, 0, 50, 0, 100]] };
}

/** A file of so many bytes, or a part of it, in an archive: `names` has a letter for each piece. */
function large(size: number, names: string, archive: number, from?: number): ManifestEntry {
  const start = from ?? 0;
  const extents = Array.from(names, (_, at): Extent => [archive, at, 1, 0, Math.min(mib, size - start - at * mib)]);
  const pieces = Buffer.concat(Array.from(names, hashOf)).toString('base64');
  return { path: pathFromText('f'), ...stamps, size, pieces, extents, ...(from === undefined ? { sha256: 'b'.repeat(64) } : { from }) };
}

/** Letter and archive of each piece; a gap is a dot. */
function pieces({ size, pieces: text = '', extents }: ManifestEntry): string {
  const hashes = Buffer.from(text, 'base64');
  expect(extents.reduce((sum, [, , , , length]) => sum + length, 0)).toBe(Math.min(size, (hashes.length / 32) * mib));
  return extents.map(([archive], at) => (archive === nowhere ? '.' : `${String.fromCharCode(hashes[at * 32] ?? 0)}${archive}`)).join(' ');
}

describe('what two runs know of one path', () => {
  test.each([
    ['the younger', small(1), small(2), small(2)],
    ['the older, where the younger lies in an archive that is not to be built on', small(1), small(12), small(1)],
    ['the older, where no piece of the younger is to be built on', small(1), large(9 * mib, 'xy', 12, 0), small(1)],
    [
      'what was there, where nothing of either is to be built on',
      large(9 * mib, 'ab', 12, 0),
      large(9 * mib, 'xy', 13, 0),
      large(9 * mib, 'ab', 12, 0),
    ],
    ['the younger, where it can be used and was cut otherwise', large(9 * mib, 'abcdefghi', 1), small(2), small(2)],
  ])('is %s', (_, under, over, wanted) => {
    expect(laidOver([under, over], isUsable)).toEqual(wanted);
  });

  test.each([
    ['a part at the beginning', [large(9 * mib, 'abcdefghi', 1), large(9 * mib, 'xy', 2, 0)], 'x2 y2 c1 d1 e1 f1 g1 h1 i1'],
    ['a part in the middle alone', [large(9 * mib, 'xy', 2, 3 * mib)], '. . . x2 y2'],
    ['two parts with a gap', [large(9 * mib, 'ab', 2, 0), large(9 * mib, 'e', 3, 4 * mib)], 'a2 b2 . . e3'],
    ['a part that is not to be built on', [large(9 * mib, 'abcdefghi', 1), large(9 * mib, 'xy', 12, 0)], 'a1 b1 c1 d1 e1 f1 g1 h1 i1'],
    ['a whole file that is not to be built on', [large(9 * mib, 'ab', 2, 0), large(9 * mib, 'abcdefghi', 12)], 'a2 b2'],
    [
      'a file that has grown: its former last piece is none',
      [large(8.5 * mib, 'abcdefghi', 1), large(10 * mib, 'x', 2, 0)],
      'x2 b1 c1 d1 e1 f1 g1 h1',
    ],
    ['a file that has shrunk', [large(11 * mib, 'abcdefghijk', 1), large(9 * mib, 'x', 2, 8 * mib)], 'a1 b1 c1 d1 e1 f1 g1 h1 x2'],
    ['one that was small', [small(1), large(9 * mib, 'x', 2, 0)], 'x2'],
  ] as readonly (readonly [string, [ManifestEntry, ...ManifestEntry[]], string])[])('joins %s', (_, entries, wanted) => {
    const joined = laidOver(entries, isUsable);
    expect([joined.from, joined.sha256, pieces(joined)]).toEqual([0, undefined, wanted]);
  });
});
