import assert from 'node:assert/strict';
import type { Backend } from '../../../main/engine/storage/backend.ts';
import { around } from '../../../main/engine/storage/layers/around.ts';

export interface TakenIn {
  readonly archives: number;
  /** Of volumes that were begun. */
  readonly volumes: number;
  /** Manifests, partials, checksum files and whatever else. */
  readonly rest: number;
}

export interface Counted {
  readonly backend: Backend;
  /** Bytes of all parts that came since it was last asked, whatever became of them. */
  readonly take: () => TakenIn;
}

/** A destination that counts for itself what it takes in. */
export function counting(inner: Backend): Counted {
  let bytes = new Map<string, number>();
  const backend = around(inner, {
    async call(call, run) {
      if (call.verb === 'beginUpload' || call.verb === 'writePart') bytes.set(call.target, (bytes.get(call.target) ?? 0) + call.bytes);
      return await run(call.signal);
    },
    stream: (call, open) => open(call.signal),
  });
  function take(): TakenIn {
    const all = [...bytes];
    bytes = new Map();
    const archives = all.filter(([key]) => key.endsWith('.holdfast'));
    const sum = (some: typeof all): number => some.reduce((total, [, size]) => total + size, 0);
    return { archives: sum(archives), volumes: archives.length, rest: sum(all) - sum(archives) };
  }
  return { backend, take };
}

/**
 * That what came is so much content at most, of a folder of so many entries. Around it are the seal, 16 bytes for each 16 KiB; of each volume the heads; of each
 * entry that is sent two records in the ZIP. Beside it the manifest and what is written down of each volume: of each entry a line, and the archive that it lies in.
 */
export function assertSent({ archives, volumes, rest }: TakenIn, content: number, entries: number): void {
  const most = content * 1.002 + volumes * 500 + entries * 300;
  assert.ok(archives <= most, `${archives} bytes of archives came, and ${content} are new`);
  assert.ok(rest <= (volumes + 1) * (2048 + entries * 500), `${rest} bytes came beside ${volumes} volumes, for ${entries} entries`);
}
