import { randomBytes } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bytesBehindNewest } from '../../scripts/try/stored-bytes.ts';
import { anHourLater } from '../support/incremental.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('a second trial tells the size of all that its snapshot rests on, and not of what it added', { timeout: 600_000 }, async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'large'), randomBytes(1_000_000));
  writeFileSync(join(folder, 'log'), 'first line\n');
  const one = anHourLater();
  await one.backup(folder);
  appendFileSync(join(folder, 'log'), 'second line\n');
  await one.backup(folder);
  const rows = await one.engine.snapshots(one.destination, {}, {});
  expect(rows).toHaveLength(2);
  expect(rows[1]?.storedBytes).toBeLessThan(100_000);
  expect(bytesBehindNewest(rows)).toBeGreaterThan(1_000_000);
});
