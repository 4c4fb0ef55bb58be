import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { openStateFile } from '../../main/adapters/state/state-file.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { job } from '../support/notifier-world.ts';
import { server, serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

const quiesce = server({ folder: '/srv', quiesce: { kind: 'systemd', unit: 'a.service' } as never }).quiesce;
const resting = { slug: 'survival', name: 'Survival', quiesce, removed: false };

interface Place {
  readonly path: string;
  readonly restingPath: string;
  readonly said: string[];
  readonly open: () => ReturnType<typeof openStateFile>;
}

function place(): Place {
  const folder = join(tempFolder(), 'state');
  const [path, restingPath] = [join(folder, 'service', 'state.json'), join(folder, 'at-rest.json')];
  const said: string[] = [];
  return {
    path,
    restingPath,
    said,
    open: () => openStateFile({ path, restingPath, clock: fakeClock(), onProblem: (message) => said.push(message) }),
  };
}

/** Where the state folder should be is a file: nothing can be written there, whoever tries. */
function blocked(restingPath: string): () => void {
  const folder = dirname(restingPath);
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(folder, '');
  return () => rmSync(folder);
}

test('a write that fails is told once, is known to who waits for it, and is made up for', async () => {
  const { path, restingPath, said, open } = place();
  const store = await open();
  const free = blocked(restingPath);
  store.changeFacts('survival', { bytes: 7 });
  expect((await store.setResting([resting]))?.message).toContain(`${restingPath} could not be written`);
  expect((await store.flush())?.message).toContain(`${restingPath} could not be written`);
  expect([...said].sort()).toEqual([`${restingPath} could not be written`, `${path} could not be written`]);
  free();
  expect(await store.flush()).toBeNull();
  const again = await open();
  expect([again.resting(), again.facts('survival').bytes]).toEqual([[resting], 7]);
});

test('a server is not brought to rest when that cannot be written down', async () => {
  const { restingPath, open } = place();
  const store = await open();
  const folder = tempFolder();
  writeFileSync(join(folder, 'level.dat'), 'x');
  const world = serviceWorld({ folder, store: Object.assign(store, { puts: [] }), servers: [{ quiesce }] });
  blocked(restingPath);
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  const { state, fault } = await ended;
  expect([state, (fault as Fault | null)?.message]).toEqual(['failed', expect.stringContaining('could not be written')]);
  expect([world.told, store.resting()]).toEqual([[], []]);
});

test('what is at rest is on disk before anything is told so, and outlives the rest of the state', async () => {
  const { path, restingPath, said, open } = place();
  const store = await open();
  const folder = tempFolder();
  writeFileSync(join(folder, 'level.dat'), 'x');
  const marked: unknown[] = [];
  const pause = (): Promise<void> => {
    marked.push((JSON.parse(readFileSync(restingPath, 'utf8')) as { resting: unknown }).resting);
    return Promise.reject(new Fault('unexpected', 'the process ends here'));
  };
  const resume = (): Promise<void> => Promise.reject(new Fault('unexpected', 'the process has ended'));
  const world = serviceWorld({ folder, store: Object.assign(store, { puts: [] }), servers: [{ quiesce }], quiesce: { pause, resume } });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  await ended;
  expect(marked).toEqual([[resting]]);
  await store.flush();
  rmSync(dirname(path), { recursive: true });
  expect([(await open()).resting(), said]).toEqual([[resting], []]);
});

test('what an earlier version kept of it in the state is taken up, once', async () => {
  const { path, restingPath, said, open } = place();
  mkdirSync(dirname(path), { recursive: true });
  const former = JSON.stringify({ version: 1, jobs: [], servers: {}, resting: [resting, { slug: 1 }] });
  writeFileSync(path, former);
  const store = await open();
  expect([store.resting(), said]).toEqual([[resting], [expect.stringContaining('a server at rest')]]);
  rmSync(path);
  expect((await open()).resting()).toEqual([resting]);
  await store.setResting([]);
  // Not written since: it tells of what has gone on by now.
  writeFileSync(path, former);
  expect([(await open()).resting(), JSON.parse(readFileSync(restingPath, 'utf8'))]).toEqual([[], { version: 1, resting: [] }]);
});

test('one entry that cannot be understood costs no other', async () => {
  const { path, restingPath, said, open } = place();
  const store = await open();
  store.putJob(job({ id: 'whole' }));
  store.putJob(job({ id: 'bad' }));
  store.changeFacts('survival', { bytes: 7 });
  store.changeFacts('bad', { bytes: 8 });
  await store.setResting([resting]);
  await store.flush();
  const written = JSON.parse(readFileSync(path, 'utf8')) as { jobs: object[]; servers: Record<string, object> };
  written.jobs[0] = { id: 'bad' };
  written.servers['bad'] = { since: 'yesterday' };
  writeFileSync(path, JSON.stringify(written));
  writeFileSync(restingPath, JSON.stringify({ version: 1, resting: [{ slug: 1 }, resting] }));
  const again = await open();
  expect(again.jobs().map(({ id }) => id)).toEqual(['whole']);
  expect([again.facts('survival').bytes, again.facts('bad').bytes, again.resting()]).toEqual([7, 0, [resting]]);
  expect(said).toHaveLength(3);
});

test('what a busy server does pushes nothing out of the history that says how another one is', async () => {
  const { open } = place();
  const store = await open();
  const folder = tempFolder();
  const servers = [{ destinations: ['here', 'nas'] }, { name: 'Busy', slug: 'busy' }];
  const world = serviceWorld({ folder, store: Object.assign(store, { puts: [] }), servers });
  const put = (id: string, more: Partial<Job>): void => store.putJob(job({ id, ...more }));
  put('proof', { kind: 'drill', destination: 'here' });
  put('damaged', { ...{ kind: 'verify', destination: 'nas', state: 'failed' }, fault: new Fault('corrupt', 'not whole').toWire() });
  put('whole', { kind: 'verify', destination: 'here' });
  for (let index = 0; index < 8; index += 1) put(`backup ${index}`, { queuedAt: index });
  // Nor do those that say nothing about it.
  for (let index = 0; index < 8; index += 1) put(`look ${index}`, { kind: 'verify', destination: 'nas', partial: true });
  for (let index = 0; index < 2000; index += 1) put(`busy ${index}`, { server: 'busy' });
  expect(world.service.status('survival')).toMatchObject({ state: 'failed', why: 'not whole', last: { id: 'damaged' } });
  const kept = store.jobs().filter(({ server: of }) => of === 'survival');
  expect(kept.map(({ id }) => id)).toEqual([
    ...[7, 6, 5, 4, 3].map((index) => `look ${index}`),
    ...[7, 6, 5, 4, 3].map((index) => `backup ${index}`),
    ...['whole', 'damaged', 'proof'],
  ]);
  expect([store.jobs().length, store.jobs()[0]?.id, store.jobs()[986]?.id]).toEqual([1000, 'busy 1999', 'busy 1013']);
  await store.flush();
  expect((await open()).jobs()).toEqual(store.jobs());
});
