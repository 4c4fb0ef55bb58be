import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CloudWork } from './cloud-work.ts';
import { cache } from './run-command.ts';
import { roundsRow, type Row } from './table.ts';
import { gigabytes, memoryRow, rclone, tell, transfer } from './transfer.ts';

export interface Beside {
  readonly name: string;
  readonly work: CloudWork & { readonly bucket: string };
  readonly section: Readonly<Record<string, string>>;
  readonly source: string;
  readonly size: number;
  readonly rounds: number;
}

/** The same bytes up and down by both, in the same sitting, the parts of a round one after the other. */
export function besideRclone({ name, work, section, source, size, rounds }: Beside): readonly Row[] {
  const config = join(cache, `clouds-rclone-${work.provider}.conf`);
  const lines = Object.entries(section).map(([field, value]) => `${field} = ${value}\n`);
  writeFileSync(config, `[remote]\n${lines.join('')}`, { mode: 0o600 });
  const seconds = { up: [] as number[], down: [] as number[], rcat: [] as number[], cat: [] as number[] };
  const peaks = { up: 0, down: 0 };
  const ours = (direction: 'up' | 'down'): number => {
    const { whole, peakBytes, bytes } = transfer(direction, work, 'ours/object', direction === 'up' ? { file: source } : null);
    if (bytes !== size) throw new Error(`${bytes} bytes went ${direction} of ${size}`);
    peaks[direction] = Math.max(peaks[direction], peakBytes);
    return whole;
  };
  const parts = {
    up: () => ours('up'),
    rcat: () => rclone(config, ['rcat', `remote:${work.bucket}/theirs/object`], { file: source }),
    down: () => ours('down'),
    cat: () => rclone(config, ['cat', `remote:${work.bucket}/ours/object`], null),
  };
  const last = (list: readonly number[]): number => list.at(-1) ?? Number.NaN;
  try {
    for (let round = 1; round <= rounds; round++) {
      // Who comes first finds another machine than who comes second.
      const order = round % 2 === 1 ? (['up', 'rcat', 'down', 'cat'] as const) : (['rcat', 'up', 'cat', 'down'] as const);
      for (const part of order) seconds[part].push(parts[part]());
      const [up, down] = [last(seconds.up) / last(seconds.rcat), last(seconds.down) / last(seconds.cat)];
      tell(`${name}, round ${round}: up ${up.toFixed(2)} ×, down ${down.toFixed(2)} ×`);
    }
  } finally {
    rmSync(config, { force: true });
  }
  return [
    roundsRow(`${gigabytes(size)} to ${name} against rclone rcat`, seconds.up, seconds.rcat),
    roundsRow(`${gigabytes(size)} from ${name} against rclone cat`, seconds.down, seconds.cat),
    memoryRow(`peak memory, ${gigabytes(size)} to ${name}`, peaks.up),
    memoryRow(`peak memory, ${gigabytes(size)} from ${name}`, peaks.down),
  ];
}
