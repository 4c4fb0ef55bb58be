import { createHash, randomBytes } from 'node:crypto';
import { craftSnapshot, fileLine, plainLine, rootLine, type FramePlace } from './craft-snapshot.ts';
import type { World } from './engine-on-memory.ts';
import { seededNumbers } from './seeded-random.ts';
import { archiveOf, craftShared, type Shared } from './shared-snapshots.ts';

const perFrame = 4;

/** A piece of the file: which archive of the newest manifest (0: its own), which frame of it, which quarter of that. */
export interface Piece {
  readonly archive: number;
  readonly frame: number;
  readonly quarter: number;
}

export interface ToAndFro {
  readonly id: string;
  /** Oldest first: of the first two snapshots, and of the one that holds the file. */
  readonly archives: readonly [Shared, Shared, Shared];
  readonly content: Buffer;
  /** In the file's order. */
  readonly pieces: readonly Piece[];
  readonly pieceSize: number;
  /** The frames, by archive as the newest manifest counts them. */
  readonly frames: readonly (readonly FramePlace[])[];
}

/**
 * Three snapshots. The newest has `world.db`, whose pieces lie by turns in all three archives and in no order; `world.db.copy`, which names the same
 * places (and another hash of them, when it is to `lie`); a further name of it; and `own-N`, `shared-N`, one for each frame of an archive, which are not hit by what hits only a piece of another.
 */
export async function craftToAndFro(world: World, { framesEach = 6, pieceSize = 20_000, seed = 7, lie = false } = {}): Promise<ToAndFro> {
  const next = seededNumbers(seed);
  const now = Date.now();
  const contents = (): Buffer[] => Array.from({ length: framesEach }, () => randomBytes(perFrame * pieceSize));
  const first = await craftShared(world, { time: now - 7_200_000, own: contents() });
  const second = await craftShared(world, { time: now - 3_600_000, own: contents() });
  const own = contents();
  const pieces = [0, 1, 2].flatMap((archive) =>
    Array.from({ length: framesEach * perFrame }, (_, index): Piece => ({
      archive,
      frame: Math.floor(index / perFrame),
      quarter: index % perFrame,
    })),
  );
  for (let at = pieces.length - 1; at > 0; at -= 1) {
    const other = Math.floor(next() * (at + 1));
    const [a, b] = [pieces[at], pieces[other]];
    if (a !== undefined && b !== undefined) [pieces[at], pieces[other]] = [b, a];
  }
  let frames: readonly (readonly FramePlace[])[] = [];
  let content = Buffer.alloc(0);
  const crafted = await craftSnapshot(world, {
    time: now,
    contents: own,
    more: [first.archiveInfo, second.archiveInfo],
    entries: (found) => {
      frames = [found, first.frames, second.frames];
      const placed = pieces.map((piece) => ({ piece, place: frames[piece.archive]?.[piece.frame] }));
      content = Buffer.concat(
        placed.map(
          ({ piece, place }) => place?.content.subarray(piece.quarter * pieceSize, (piece.quarter + 1) * pieceSize) ?? Buffer.alloc(0),
        ),
      );
      const db = {
        size: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
        extents: placed.map(({ piece, place }) => [piece.archive, place?.offset, place?.stored, piece.quarter * pieceSize, pieceSize]),
      };
      const lines = frames.flatMap((list, archive) =>
        list.map((frame, index) =>
          fileLine(`own-${archive}-${index}`, frame, { extents: [[archive, frame.offset, frame.stored, 0, frame.content.length]] }),
        ),
      );
      return [
        rootLine,
        ...lines,
        plainLine('world.db', 'file', db),
        plainLine('world.db.copy', 'file', lie ? { ...db, sha256: 'ab'.repeat(32) } : db),
        plainLine('world.db.name', 'file', { linkOf: 'world.db', sha256: undefined }),
      ];
    },
  });
  const newest: Shared = { ...crafted, archiveInfo: await archiveOf(world, crafted), frames: frames[0] ?? [] };
  return { id: crafted.id, archives: [first, second, newest], content, pieces, pieceSize, frames };
}

/** The stretches of the file that lie in a frame, joined, in the file's order. */
export function stretchesIn({ pieces, pieceSize }: ToAndFro, archive: number, frame: number): readonly (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (const [index, piece] of pieces.entries()) {
    if (piece.archive !== archive || piece.frame !== frame) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[0] + last[1] === index * pieceSize) last[1] += pieceSize;
    else ranges.push([index * pieceSize, pieceSize]);
  }
  return ranges;
}
