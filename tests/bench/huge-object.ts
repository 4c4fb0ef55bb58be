import { statfsSync, statSync } from 'node:fs';
import type { CloudWork } from './cloud-work.ts';
import { cache } from './run-command.ts';
import { withStrictCloud } from './strict-cloud.ts';
import type { Row } from './table.ts';
import { gigabytes, memoryRow, tell, transfer } from './transfer.ts';

/** What has to stay free for whatever else runs on this computer. */
const spare = 25e9;

/** The file so many times as one object, up and down; it is removed before the next cloud gets its own. */
export function hugeObject(name: string, work: CloudWork, source: string, times: number): readonly Row[] {
  const size = statSync(source).size * times;
  const { bavail, bsize } = statfsSync(cache);
  if (bavail * bsize < size + spare) throw new Error(`${gigabytes(size)} do not fit beside the ${gigabytes(spare)} that have to stay free`);
  const up = transfer('up', work, 'huge/object', { file: source, times });
  const down = transfer('down', work, 'huge/object');
  transfer('remove', work, 'huge/object');
  if (up.bytes !== size || down.bytes !== size) throw new Error(`${up.bytes} bytes went to ${name}, ${down.bytes} came back of ${size}`);
  const rows = [
    memoryRow(`peak memory, ${gigabytes(size)} to ${name}`, up.peakBytes),
    memoryRow(`peak memory, ${gigabytes(size)} from ${name}`, down.peakBytes),
  ];
  const [sent, read] = rows.map(({ result }) => result);
  tell(`${name}: ${gigabytes(size)} in ${up.seconds.toFixed(0)} s up (${sent ?? ''}), ${down.seconds.toFixed(0)} s down (${read ?? ''})`);
  return rows;
}

/** The clouds whose servers are the tests' own, one after the other. */
export async function hugeObjects(source: string, times: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [provider, name] of [
    ['google-drive', 'Google Drive'],
    ['dropbox', 'Dropbox'],
    ['backblaze-b2', 'B2'],
  ] as const) {
    const found = await withStrictCloud(provider, ({ work, peakBytes }) => {
      const measured = hugeObject(name, work, source, times);
      tell(`${name}: its server had at most ${(peakBytes() / 1e6).toFixed(0)} MB in memory`);
      return measured;
    });
    rows.push(...found);
  }
  return rows;
}
