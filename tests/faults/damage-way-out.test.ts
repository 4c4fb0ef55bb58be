import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { flipped } from '../support/damage.ts';
import { put, world, type World } from '../support/engine-on-memory.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mib = 2 ** 20;

interface Series {
  readonly one: World;
  /** Oldest first: two that are whole, and two that rest on the second of them. */
  readonly ids: readonly string[];
  readonly archives: readonly string[];
}

async function series(): Promise<Series> {
  const one = world();
  const source = tempFolder();
  writeFileSync(join(source, 'kept'), noise(1, mib));
  writeFileSync(join(source, 'changed'), noise(2, 1000));
  const reports = [];
  for (const whole of ['never', 'always', 'never', 'never'] as const) {
    reports.push(await one.backup(source, { whole, force: true }));
    appendFileSync(join(source, 'changed'), 'and more');
  }
  return { one, ids: reports.map(({ id }) => id), archives: reports.map(({ archives }) => archives[0] ?? '') };
}

async function flip(one: World, archive: string): Promise<void> {
  await put(one.backend, archive, flipped(Buffer.from(await readBytes(one.backend, archive, { limit: 64 * mib })), 200));
}

/** What a restore of the newest snapshot says is to be done. */
async function wayOut(one: World): Promise<string> {
  const fault: unknown = await one.restore(join(tempFolder(), 'back')).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(Fault);
  expect(['corrupt', 'truncated']).toContain((fault as Fault).code);
  return String((fault as Fault).context['next'] ?? '');
}

const salvage = 'Bring back what is whole of it with “holdfast restore --salvage”';

test('the way out of damage is a snapshot that does not rest on the damaged archive, whether or not a verification has marked it', async () => {
  const { one, ids, archives } = await series();
  await flip(one, archives[1] ?? '');
  const expected = `${salvage}, or the snapshot before it that is not known to be damaged: ${ids[0]}.`;
  expect(await wayOut(one)).toBe(expected);
  await one.verify();
  expect(await wayOut(one)).toBe(expected);
});

test('it is the newest that is whole: damage of the newest snapshot’s own archive leaves the one before it', async () => {
  const { one, ids, archives } = await series();
  await flip(one, archives[3] ?? '');
  expect(await wayOut(one)).toContain(`: ${ids[2]}.`);
});

test('without one that is whole, it is to salvage alone: an earlier one that lacks its archive, or is marked, helps nobody', async () => {
  const { one, archives } = await series();
  await flip(one, archives[0] ?? '');
  await one.verify();
  await one.backend.remove(archives[1] ?? '', {});
  expect(await wayOut(one)).toBe(`${salvage}.`);
});

test('after a salvage that found nothing whole it is never to salvage again', async () => {
  const { one, archives } = await series();
  const salvaged = async (): Promise<string> => {
    const request = { salvage: true, include: ['kept'] };
    const fault: unknown = await one.restore(join(tempFolder(), 'back'), request).catch((error: unknown) => error);
    expect((fault as Fault).message).toContain('not one file');
    return String((fault as Fault).context['next']);
  };
  const archive = archives[1] ?? '';
  const whole = Buffer.from(await readBytes(one.backend, archive, { limit: 64 * mib }));
  // Each chunk of it, so that nothing can be read.
  for (let at = 200; at < whole.length; at += 16_400) whole[at] = (whole[at] ?? 0) ^ 1;
  await put(one.backend, archive, whole);
  expect(await salvaged()).toMatch(/^Bring back the snapshot before it that is not known to be damaged: /);
  await one.verify();
  await one.backend.remove(archives[0] ?? '');
  expect(await salvaged()).toBe('No earlier snapshot is known to be whole: look in another backup place.');
});

test('when nothing can be looked up, the damage is told as it is', async () => {
  const { one, archives } = await series();
  await flip(one, archives[3] ?? '');
  let listings = 0;
  const backend = {
    ...one.backend,
    list: (...args: Parameters<typeof one.backend.list>) => {
      listings += 1;
      // The restore itself lists to find its snapshot, and the sizes of what it rests on.
      if (listings > 2) throw new Fault('unavailable', 'the line is down', { operation: 'list' });
      return one.backend.list(...args);
    },
  };
  const fault: unknown = await world({ backend })
    .restore(join(tempFolder(), 'back'), { server: 'survival' })
    .catch((error: unknown) => error);
  expect(listings).toBe(3);
  expect(fault).toMatchObject({ code: 'corrupt', message: expect.stringContaining(archives[3] ?? '') as string });
});
