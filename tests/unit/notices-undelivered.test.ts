import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStateFile } from '../../main/adapters/state/state-file.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { NoticeTarget } from '../../main/contract/notices.ts';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import { noticeCalls } from '../../main/engine/service/notice-calls.ts';
import type { SettingsHost } from '../../main/engine/service/settings-ports.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { failed, job, jobEvent, notifierWorld, start, type NotifierWorld } from '../support/notifier-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

const hour = 3_600_000;
const never = (): null => null;
const two = [
  { kind: 'webhook', name: 'up' },
  { kind: 'webhook', name: 'down' },
];
const survival = { settings: { slug: 'survival', name: 'Survival' }, state: 'failed', why: '', next: '' } as ServerStatus;

/** One that nothing arrives at, beside one that takes everything. */
const onlyUp = ({ name }: NoticeTarget): Promise<void> =>
  name === 'up' ? Promise.resolve() : Promise.reject(new Fault('unsupported', 'there is no desktop'));

async function look({ notifier }: NotifierWorld): Promise<void> {
  notifier.look([survival], never, never);
  await notifier.idle();
}

/** An hour after the other, with a failed backup in each. */
async function hours(world: NotifierWorld, count: number): Promise<string[]> {
  const rows: string[] = [];
  for (let index = 0; index < count; index += 1) {
    await world.clock.advance(hour);
    world.notifier.event(jobEvent(failed('unavailable')));
    await look(world);
    rows.push(world.sent.splice(0).join(', '));
  }
  return rows;
}

test('what one target does not take is sent to that one again, ever more seldom for a day, and to nobody else', async () => {
  const world = notifierWorld(two, onlyUp);
  world.notifier.event(jobEvent(failed('unavailable')));
  await world.notifier.idle();
  expect(world.sent.splice(0)).toEqual(['up failed', 'down failed']);
  const rows = await hours(world, 23);
  expect(rows.flatMap((row, index) => (row === '' ? [] : [`${index + 1} ${row}`]))).toEqual([
    '1 down failed',
    '3 down failed',
    '7 down failed',
    '15 down failed',
  ]);
  // A day later it is news once more, for both of them.
  expect(await hours(world, 1)).toEqual(['up failed, down failed']);
  expect(world.lost).toEqual(['down: there is no desktop']);
});

test('it is given up after a day, where nothing new comes up', async () => {
  const world = notifierWorld(two, onlyUp);
  world.notifier.event(jobEvent(failed('unavailable')));
  for (let index = 0; index < 240; index += 1) {
    await world.clock.advance(hour);
    await look(world);
  }
  expect(world.sent).toEqual(['up failed', ...Array<string>(6).fill('down failed')]);
  expect(world.store.facts('survival').undelivered).toEqual([]);
});

test('the next process sends it on to whom it has not reached, once', async () => {
  const clock = fakeClock({ now: start });
  const path = join(tempFolder(), 'state.json');
  const open = (): ReturnType<typeof openStateFile> =>
    openStateFile({ path, restingPath: `${path}.at-rest`, clock, onProblem: (message) => expect.fail(message) });
  const before = await open();
  const first = notifierWorld(two, onlyUp, { clock, store: before });
  first.notifier.event(jobEvent(failed('unavailable')));
  await first.notifier.idle();
  await before.flush();

  const after = await open();
  const second = notifierWorld(two, undefined, { clock, store: after });
  await look(second);
  expect(second.sent).toEqual([]);
  for (let index = 0; index < 10; index += 1) {
    await clock.advance(hour);
    await look(second);
  }
  expect(second.sent).toEqual(['down failed']);
  await after.flush();
});

test('a process that ends while it sends has lost nothing', async () => {
  const hangs = notifierWorld(two, ({ name }) => (name === 'up' ? Promise.resolve() : new Promise(() => undefined)));
  hangs.notifier.event(jobEvent(failed('unavailable')));
  await hangs.clock.untilSomebodySleeps();
  await new Promise((go) => setImmediate(go));
  const { store, clock } = hangs;
  const next = notifierWorld(two, undefined, { store, clock });
  clock.jump(hour);
  await look(next);
  expect(next.sent).toEqual(['down failed']);
});

test('what has gone well meanwhile is not told as a failure afterwards', async () => {
  let isUp = false;
  const world = notifierWorld(two, (target) => (isUp ? Promise.resolve() : onlyUp(target)));
  world.notifier.event(jobEvent(failed('unavailable')));
  await world.notifier.idle();
  world.notifier.event(jobEvent(job({})));
  await world.notifier.idle();
  expect(world.sent.splice(0)).toEqual(['up failed', 'down failed', 'up recovered', 'down recovered']);
  isUp = true;
  await world.clock.advance(hour);
  await look(world);
  expect(world.sent.splice(0)).toEqual(['down recovered']);
});

test('of a server that was removed nothing is told or kept', async () => {
  let isKept = true;
  const answer = Promise.withResolvers<void>();
  const world = notifierWorld(two, () => answer.promise, { isKept: () => isKept });
  world.notifier.event(jobEvent(failed('unavailable')));
  await world.clock.untilSomebodySleeps();
  isKept = false;
  world.store.removeServer('survival');
  answer.reject(new Fault('unsupported', 'no'));
  world.notifier.event(jobEvent(failed('quota-exceeded')));
  await world.notifier.idle();
  expect(world.sent).toHaveLength(2);
  expect(world.store.facts('survival')).toMatchObject({ told: {}, undelivered: [] });
});

test('the list of targets says what is wrong with one, until a notice or a test arrives', async () => {
  let isUp = false;
  const deliver = (target: NoticeTarget): Promise<void> => (isUp ? Promise.resolve() : onlyUp(target));
  const world = notifierWorld(two, deliver);
  const targets = two.map(({ kind, name }) => ({ kind, name }) as NoticeTarget);
  const host = { settings: { current: () => ({ notices: targets }) }, keychain: () => Promise.resolve({ get: () => null }), deliver };
  const calls = noticeCalls(host as unknown as SettingsHost, world.clock, world.notifier);
  const anyway = new AbortController().signal;
  const problems = async (): Promise<string[]> => (await calls['notices.list']({}, anyway)).map(({ problem }) => problem);

  expect(await problems()).toEqual(['', '']);
  world.notifier.event(jobEvent(failed('unavailable')));
  await world.notifier.idle();
  expect(await problems()).toEqual(['', 'there is no desktop']);
  isUp = true;
  await calls['notice.test']({ name: 'down' }, anyway);
  expect(await problems()).toEqual(['', '']);
});

const lockedKeychain = (): Promise<never> =>
  Promise.reject(new Fault('locked', 'the keychain is locked', { context: { keychain: 'sealed-file' } }));
const phone = { kind: 'ntfy', name: 'phone', topic: 'mine' };

test('a locked keychain is told where no secret is needed for it; what cannot do without waits for it', async () => {
  const world = notifierWorld([phone, { kind: 'webhook', name: 'hook' }], undefined, { secret: lockedKeychain });
  world.notifier.event(jobEvent(failed('locked')));
  await world.notifier.idle();
  expect([world.sent, world.lost]).toEqual([['phone failed'], ['hook: the keychain is locked']]);
});

test.each([
  ['refuses it', new Fault('config-invalid', 'ntfy.sh answered with status 403'), 'the keychain is locked'],
  ['is away', new Fault('unavailable', 'ntfy.sh could not be reached', { persistence: 'exhausted' }), 'ntfy.sh could not be reached'],
])('where the receiver %s without its token, the reason is the true one', async (_what, fault, reason) => {
  const world = notifierWorld([phone], () => Promise.reject(fault), { secret: lockedKeychain });
  world.notifier.event(jobEvent(failed('locked')));
  await world.notifier.idle();
  expect([world.sent, world.lost]).toEqual([['phone failed'], [`phone: ${reason}`]]);
});

test('a keychain that never answers holds up the pings of a target for a while and not for ever, and is said', async () => {
  const clock = fakeClock({ now: start, auto: true });
  let asked = 0;
  const secret = (): Promise<string | null> => (asked++ < 3 ? new Promise(() => undefined) : Promise.resolve('url'));
  const { notifier, pinged, lost } = notifierWorld([{ kind: 'ping', name: 'dead-man' }], undefined, { clock, secret });
  notifier.event(jobEvent(failed('unavailable')));
  notifier.event(jobEvent(job({})));
  await notifier.idle();
  expect([pinged, lost]).toEqual([['success url'], ['dead-man: neither the keychain nor the receiver answered within 20 seconds']]);
});
