import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { findObject, listServer } from '../../main/engine/snapshots/catalog.ts';
import type { World } from '../support/engine-on-memory.ts';
import { anHourLater, archivesOf, expectSame, sent } from '../support/incremental.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

const volumeSize = 64 * 1024;
const timeout = 600_000;
let source = '';
let one: World;

beforeEach(() => {
  source = tempFolder();
  one = anHourLater();
});

/** As many as a month of hourly runs leaves, of which a list names each with a checksum and a header that nothing compresses. */
test('a snapshot of hundreds of archives is complete, built on and freed as any other', { timeout }, async () => {
  writeFileSync(join(source, 'big'), noise(1, 40 * 2 ** 20));
  for (let index = 0; index < 20; index += 1) writeFileSync(join(source, `small-${index}`), noise(100 + index, 4_000));
  const first = await one.backup(source, { volumeSize });
  expect((await archivesOf(one)).length).toBeGreaterThan(450);
  const listed = (await listServer(one.backend, 'survival', {})).snapshots[0];
  // More than a list of snapshots reads of it at first.
  expect(listed === undefined ? null : findObject(listed, 'manifest')?.size).toBeGreaterThan(70_000);
  expect(await one.engine.snapshots(one.destination, {}, {})).toMatchObject([{ id: first.id, complete: true }]);
  expect(await one.backup(source, { volumeSize })).toMatchObject({ outcome: 'unchanged' });

  writeFileSync(join(source, 'small-0'), noise(99, 4_000));
  // The others would go again where it is compared with nothing.
  expect(await sent(one, source, { volumeSize })).toBeLessThan(8_000);
  await expectSame(one, source);
  expect((await one.engine.usage(one.destination, {}, {})).warnings).toEqual([]);

  const whole = await one.backup(source, { volumeSize, force: true, whole: 'always' });
  const before = await archivesOf(one);
  const pruned = await one.prune({ policy: { last: 1 } });
  expect(pruned.keep.map(({ id }) => id)).toEqual([whole.id]);
  expect((await archivesOf(one)).toSorted()).toEqual(before.filter((key) => key.includes(whole.id)).toSorted());
  await expectSame(one, source);
});

test('a thousand notes with long names leave room in the list for what it is there for', { timeout }, async () => {
  writeFileSync(join(source, 'precious'), 'kept');
  // A byte that is no UTF-8 is told with five characters.
  const makeFifos = `
import os, sys
folder = os.fsencode(sys.argv[1])
for _ in range(14): folder = os.path.join(folder, b"\\xff" * 250)
os.makedirs(folder)
for number in range(1000): os.mkfifo(os.path.join(folder, b"\\xff" * 240 + b"%d" % number))`;
  execFileSync('python3', ['-c', makeFifos, source]);
  const { warnings } = await one.backup(source);
  expect(warnings.at(-1)).toMatchObject({ code: 'more', message: expect.stringMatching(/^9\d\d more warnings like these$/) });
  expect(await one.engine.snapshots(one.destination, {}, {})).toMatchObject([{ complete: true }]);
  const target = `${tempFolder()}/back`;
  await one.restore(target);
  expect(readFileSync(join(target, 'precious'), 'utf8')).toBe('kept');
});
