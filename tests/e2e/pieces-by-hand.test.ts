import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { anHourLater, zipOf } from '../support/incremental.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mib = 2 ** 20;

/** The commands that docs/recovery.md gives for one run, with its volumes in the place of those of the example. */
function commands(zips: readonly string[]): string {
  const text = readFileSync(new URL('../../docs/recovery.md', import.meta.url), 'utf8');
  const block = text.split('```').find((part) => part.includes('conv=notrunc')) ?? '';
  const rest = block.split('\n').filter((line) => !line.includes('unzip'));
  return ['set -e', ...zips.map((zip) => `unzip -oqq ${zip} -d tree`), ...rest].join('\n');
}

test('files in pieces of several runs are joined with unzip and dd, by the commands of the manual', { timeout: 600_000 }, async () => {
  const source = tempFolder();
  const desk = tempFolder();
  const one = anHourLater();
  mkdirSync(join(source, 'world'));
  const names = ["world/it's a db", 'world/longer than a volume', 'log'];
  const files = names.map((name) => join(source, name));
  const [db = '', long = '', log = ''] = files;
  writeFileSync(db, noise(1, 9 * mib));
  writeFileSync(long, noise(2, 21 * mib));
  writeFileSync(log, noise(3, 9 * mib));
  for (const round of [0, 1, 2]) {
    const { archives } = await one.backup(source, { volumeSize: 10 * mib });
    const zips = archives.map((key) => key.slice(key.lastIndexOf('/') + 1).replace(/holdfast$/, 'zip'));
    for (const [index, zip] of zips.entries()) writeFileSync(join(desk, zip), await zipOf(one, archives[index] ?? ''));
    execFileSync('bash', ['-c', commands(zips)], { cwd: desk });
    for (const name of names) {
      expect([round, name, readFileSync(join(desk, 'tree', name)).equals(readFileSync(join(source, name)))]).toEqual([round, name, true]);
    }
    const handle = openSync(db, 'r+');
    for (const at of [3 * mib - 7, 7 * mib]) writeSync(handle, noise(at + round, 50), 0, 50, at);
    closeSync(handle);
    if (round === 0) writeFileSync(long, noise(4, 22 * mib));
    appendFileSync(log, noise(round + 5, 2 * mib));
  }
});
