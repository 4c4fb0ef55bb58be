import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStateFile } from '../../main/adapters/state/state-file.ts';
import type { Fault } from '../../main/contract/faults.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { job } from '../support/notifier-world.ts';
import { server, serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

const quiesce = server({ folder: '/srv', quiesce: { kind: 'systemd', unit: 'a.service' } as never }).quiesce;
const resting = { slug: 'survival', name: 'Survival', quiesce, removed: false };

function place(): { readonly path: string; readonly said: string[]; readonly open: () => ReturnType<typeof openStateFile> } {
  const path = join(tempFolder(), 'state', 'state.json');
  const said: string[] = [];
  return { path, said, open: () => openStateFile({ path, clock: fakeClock(), onProblem: (message) => said.push(message) }) };
}

/** Where the state folder should be is a file: nothing can be written there, whoever tries. */
function blocked(path: string): () => void {
  const folder = join(path, '..');
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(folder, '');
  return () => rmSync(folder);
}

test('a write that fails is told once, is known to who waits for it, and is made up for', async () => {
  const { path, said, open } = place();
  const store = await open();
  const free = blocked(path);
  store.setResting([resting]);
  expect((await store.flush())?.message).toContain(`${path} could not be written`);
  expect(await store.flush()).not.toBeNull();
  expect(said).toEqual([`${path} could not be written`]);
  free();
  expect(await store.flush()).toBeNull();
  expect((await open()).resting()).toEqual([resting]);
});

test('a server is not brought to rest when that cannot be written down', async () => {
  const { path, open } = place();
  const store = await open();
  const folder = tempFolder();
  writeFileSync(join(folder, 'level.dat'), 'x');
  const world = serviceWorld({ folder, store: Object.assign(store, { puts: [] }), servers: [{ quiesce }] });
  blocked(path);
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  const { state, fault } = await ended;
  expect([state, (fault as Fault | null)?.message]).toEqual(['failed', expect.stringContaining('could not be written')]);
  expect([world.told, store.resting()]).toEqual([[], []]);
});

test('one entry that cannot be understood costs no other', async () => {
  const { path, said, open } = place();
  const store = await open();
  store.putJob(job({ id: 'whole' }));
  store.putJob(job({ id: 'bad' }));
  store.changeFacts('survival', { bytes: 7 });
  store.changeFacts('bad', { bytes: 8 });
  store.setResting([resting]);
  await store.flush();
  const written = JSON.parse(readFileSync(path, 'utf8')) as { jobs: object[]; servers: Record<string, object>; resting: object[] };
  written.jobs[0] = { id: 'bad' };
  written.servers['bad'] = { since: 'yesterday' };
  written.resting.unshift({ slug: 1 });
  writeFileSync(path, JSON.stringify(written));
  const again = await open();
  expect(again.jobs().map(({ id }) => id)).toEqual(['whole']);
  expect([again.facts('survival').bytes, again.facts('bad').bytes, again.resting()]).toEqual([7, 0, [resting]]);
  expect(said).toHaveLength(3);
});
