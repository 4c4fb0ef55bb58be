import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Job } from '../../main/contract/jobs.ts';
import { spaceCheck } from '../../main/engine/storage/space-check.ts';
import { keysOf, movableClock, world as realEngine } from '../support/engine-on-memory.ts';
import { settle } from '../support/fake-clock.ts';
import { notifierWorld } from '../support/notifier-world.ts';
import { serviceWorld, type ServiceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
});

const signal = new AbortController().signal;
const gib = 2 ** 30;

async function backup(world: ServiceWorld): Promise<Job> {
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, signal);
  const job = await ended;
  await settle();
  return job;
}

test('after each backup old snapshots go as the tiers of the server say', async () => {
  const time = movableClock();
  const engine = realEngine({ clock: time });
  const notes: string[] = [];
  const world = serviceWorld({ folder, engine, servers: [{ keep: { last: 1 } }], host: { onJobNote: ({ event }) => notes.push(event) } });
  const manifests = async (): Promise<readonly string[]> => (await keysOf(engine.backend)).filter((key) => key.endsWith('.manifest'));
  time.offset = -3_600_000;
  const first = await backup(world);
  expect([first.state, first.warnings, (await manifests()).length]).toEqual(['done', [], 1]);
  time.offset = 0;
  writeFileSync(join(folder, 'world.dat'), 'other blocks');
  const second = await backup(world);
  expect([second.state, second.warnings]).toEqual(['done', []]);
  expect(await manifests()).toEqual([expect.stringContaining(second.snapshot ?? '?')]);
  expect(notes.filter((event) => event === 'cleaned up')).toHaveLength(2);
});

test('a place that is nearly full is a warning of a backup that ended well, and is told once, and again once it had room in between', async () => {
  const engine = realEngine();
  let freeBytes = gib / 2;
  const space = spaceCheck(() => Promise.resolve({ name: 'me', usedBytes: 100 * gib - freeBytes, quotaBytes: 100 * gib }));
  const { backend } = engine;
  const info = { ...backend.info, ownChecks: [space] };
  const full = new Proxy(backend, { get: (of, name): unknown => (name === 'info' ? info : Reflect.get(of, name)) });
  const destination = { ...engine.destination, backend: full };
  const world = serviceWorld({ folder, engine, host: { openDestination: () => Promise.resolve(destination) } });
  const { notifier, sent } = notifierWorld([{ kind: 'webhook', name: 'all' }], undefined, { store: world.store });
  world.service.subscribe((event) => notifier.event(event));
  const told = async (): Promise<readonly unknown[]> => {
    const { state, warnings } = await backup(world);
    await notifier.idle();
    return [state, warnings.map(({ code, message, destination: at }) => `${code} ${message} ${at ?? ''}`), sent.splice(0)];
  };
  const warning = 'quota-near here: this place is nearly full: 512 MiB of 100.0 GiB are free here';
  expect(await told()).toEqual(['done', [warning], ['all quota-near']]);
  expect(await told()).toEqual(['done', [warning], []]);
  freeBytes = 50 * gib;
  expect(await told()).toEqual(['done', [], []]);
  freeBytes = gib / 2;
  expect(await told()).toEqual(['done', [warning], ['all quota-near']]);
});
