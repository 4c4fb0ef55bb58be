import { createHash } from 'node:crypto';
import { lstat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Fault } from '../../../contract/faults.ts';
import type { Memory } from '../../../engine/host.ts';
import type { Layer } from '../../../engine/storage/backend.ts';
import { probePrefix } from '../../../engine/storage/clock-offset.ts';
import { around } from '../../../engine/storage/layers/around.ts';
import { mapped } from './errors.ts';

/** Tells a destination that is not there, because its disk is not mounted, from one that is empty. No object: it is never listed. */
export const markerName = '.holdfast-destination';

const text = `This folder holds backups made by Holdfast. The file tells it from the empty folder
that is left when the disk is not mounted. Keep it with the backups.
`;

/**
 * A folder that was used before from this computer, and now has neither marker nor vault, is a disk that is not mounted: every call is
 * fault unavailable, and no new vault is made on the disk below. `memory` knows which folders were used; without that
 * knowledge an empty folder is an empty folder.
 */
export function markedFolder(root: string, memory: Memory): Layer {
  const base = resolve(root);
  const name = `folder-${createHash('sha256').update(base).digest('hex').slice(0, 32)}`;
  let known = false;
  let marked = false;

  async function isMarked(): Promise<boolean> {
    return (await isFile(join(base, markerName))) || (await isFile(join(base, 'holdfast.vault')));
  }

  async function wasUsed(): Promise<boolean> {
    const content = await memory.recall(name);
    if (content === null) return false;
    // Read to its end, which closes it.
    let bytes = 0;
    for await (const piece of content) bytes += piece.byteLength;
    return bytes > 0;
  }

  async function guard(operation: string): Promise<void> {
    // At every call: a service runs for years, and a disk may be unmounted at any moment of them.
    if (await isMarked()) known = true;
    else if (known || (await wasUsed())) {
      known = true;
      throw new Fault('unavailable', `${base} was used for backups before, and now there is nothing of them: its disk is not mounted`, {
        operation,
        persistence: 'permanent',
        context: {
          path: base,
          next: `Mount the disk and try again. If it is a new one, or was emptied on purpose: mkdir -p '${base}' && touch '${join(base, markerName)}'`,
        },
      });
    }
  }

  /** Once something has been stored. */
  async function mark(): Promise<void> {
    if (marked) return;
    await mapped('mark', markerName, async () => {
      if (!(await isFile(join(base, markerName)))) await writeFile(join(base, markerName), text, { mode: 0o644 });
    });
    // Known already: nothing is to be written, and a state folder that is full fails no backup. Else it does: without this nobody would notice,
    // one night, that the disk is not mounted.
    if (!(await wasUsed())) await memory.remember(name, once(base));
    marked = true;
    known = true;
  }

  return (inner) =>
    around(inner, {
      async call(call, run) {
        await guard(call.verb);
        const result = await run(call.signal);
        // The destination's own test leaves nothing behind.
        if (call.verb === 'complete' && !call.target.startsWith(probePrefix)) await mark();
        return result;
      },
      stream: (call, open) =>
        guarded(
          () => guard(call.verb),
          () => open(call.signal),
        ),
    });
}

async function* guarded<T>(guard: () => Promise<void>, open: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  await guard();
  yield* open();
}

async function* once(line: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(`${line}\n`);
}

async function isFile(path: string): Promise<boolean> {
  return await lstat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
