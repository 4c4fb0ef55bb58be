import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../main/contract/jobs.ts';
import { callService } from '../../main/compose/service/http-client.ts';
import { unsealText } from '../../main/adapters/keychain/sealed-file.ts';
import { rconPasswordOf } from '../../main/contract/secret-names.ts';
import { startRconServer, type RconServer } from '../support/rcon-server.ts';
import { runCli } from '../support/run-cli.ts';
import { ServiceHome } from '../support/service-process.ts';

/** Settles once the game has been told this. */
async function told(rcon: RconServer, command: string): Promise<void> {
  while (!rcon.done.includes(command)) await new Promise((go) => setImmediate(go));
}

/** A backup that works by itself, and is killed while the game is at rest. */
async function killed(home: ServiceHome, rcon: RconServer): Promise<void> {
  const child = Promise.withResolvers<ChildProcess>();
  const run = runCli(['server', 'backup', 'survival'], { env: home.env, cwd: home.base, whileRunning: child.resolve });
  await told(rcon, 'save-all flush');
  (await child.promise).kill('SIGKILL');
  expect([(await run).signal, rcon.saving]).toEqual(['SIGKILL', false]);
}

async function game(): Promise<{ home: ServiceHome; rcon: RconServer }> {
  const home = new ServiceHome();
  const rcon = await startRconServer('planted');
  onTestFinished(() => rcon.close());
  writeFileSync(join(home.folder, 'server.properties'), `enable-rcon=true\nrcon.port=${rcon.port}\nrcon.password=planted\n`);
  for (let index = 0; index < 30; index += 1) writeFileSync(join(home.folder, `r.${index}.mca`), Buffer.alloc(2 ** 20, `${index}`));
  await home.setUp(['--minecraft']);
  // So slow that nothing ends by itself while the test looks.
  await home.json(['bandwidth', '1M']);
  return { home, rcon };
}

test('kill -9 in a backup that has stopped the game’s saving: the next start sends save-on, and the next backup ends well', async () => {
  const { home, rcon } = await game();
  const service = await home.start();
  const command = home.run(['server', 'backup', 'survival']);
  await told(rcon, 'save-all flush');
  expect(rcon.saving).toBe(false);
  const [{ id: job } = { id: '' }] = await callService(service)('jobs.list', { limit: 1 });
  await service.stop('SIGKILL');
  expect(rcon.saving).toBe(false);
  // Who waited for it is told, and does not wait for ever.
  const { code, stderr } = await command;
  expect([code, stderr.includes('the service has ended')]).toEqual([1, true]);

  const again = await home.start();
  await told(rcon, 'save-on');
  expect(rcon.saving).toBe(true);
  const call = callService(again);
  expect(await call('job.get', { job })).toMatchObject({ state: 'interrupted' });
  await call('bandwidth.set', { limit: 'off', whilePlayers: 'off' });
  expect(await home.json(['server', 'backup', 'survival'])).toMatchObject({ state: 'done', fault: null });
  expect(rcon.saving).toBe(true);
  expect(rcon.done.slice(-3)).toEqual(['save-off', 'save-all flush', 'save-on']);
  await again.stop();
});

/** A game whose service was killed while a backup held it still. */
async function killedService(): ReturnType<typeof game> {
  const { home, rcon } = await game();
  const service = await home.start();
  const command = home.run(['server', 'backup', 'survival']);
  await told(rcon, 'save-all flush');
  await service.stop('SIGKILL');
  await command;
  return { home, rcon };
}

test('kill -9 in such a backup, and all that may be deleted is deleted: the next start sends save-on', async () => {
  const { home, rcon } = await killedService();
  rmSync(home.own(), { recursive: true });
  const again = await home.start();
  await told(rcon, 'save-on');
  expect([rcon.saving, await callService(again)('jobs.list', { limit: 1 })]).toEqual([true, []]);
  await again.stop();
});

test('kill -9 in such a backup, and somebody else listens at the port that is set: the next start ends, and has sent save-on', async () => {
  const { home, rcon } = await killedService();
  const other = createServer();
  onTestFinished(() => void other.close());
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const file = join(home.config, 'config.json');
  const settings = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
  writeFileSync(file, JSON.stringify({ ...settings, service: { port: (other.address() as AddressInfo).port } }));
  const { code, stderr } = await home.run(['service']);
  expect([code, stderr]).toEqual([11, expect.stringMatching(/port/)]);
  expect([rcon.saving, rcon.done.at(-1)]).toEqual([true, 'save-on']);
});

describe('kill -9 in a backup by a command alone, and no service ever runs', () => {
  test('the next such command sends save-on, and marks what was cut off', async () => {
    const { home, rcon } = await game();
    await killed(home, rcon);
    const jobs = (await home.json(['server', 'jobs'])) as Job[];
    expect([rcon.saving, rcon.done.at(-1), jobs.map(({ state }) => state)]).toEqual([true, 'save-on', ['interrupted']]);
    const before = rcon.done.length;
    await home.json(['server', 'list']);
    expect(rcon.done).toHaveLength(before);
  });

  test.each([
    ['backup', (home: ServiceHome) => ['backup', home.folder, '-d', `folder:${join(home.base, 'other')}`, '--json']],
    ['restore', (home: ServiceHome) => ['restore', 'latest', '-d', 'nas', '--target', join(home.base, 'back'), '--json']],
  ])('also a plain %s, which needs no settings', async (_, args) => {
    const { home, rcon } = await game();
    await killed(home, rcon);
    await home.run(args(home));
    expect([rcon.saving, rcon.done.at(-1)]).toEqual([true, 'save-on']);
  });
});

test('kill -9 in such a backup, and the server is removed before the next start: the removal sends save-on, and then forgets the password', async () => {
  const { home, rcon } = await killedService();
  await home.json(['server', 'remove', 'survival']);
  expect(rcon.saving).toBe(true);

  const again = await home.start();
  const passphrase = 'correct horse battery';
  const kept = async (): Promise<string> => {
    const { file } = await callService(again)('settings.export', { passphrase });
    return await unsealText(Buffer.from(file, 'base64'), passphrase, { says: 'the export', next: '' });
  };
  expect(await kept()).not.toContain(rconPasswordOf('survival'));
  await again.stop();
});

test('kill -9 in such a backup, and another console with another password before the game can be told: it is told with the one that it has', async () => {
  const { home, rcon } = await killedService();
  rcon.reply = (command) => (command === 'save-on' ? 'An unexpected error occurred' : undefined);
  const service = await home.start();
  await told(rcon, 'save-on');
  const other = await startRconServer('new');
  onTestFinished(() => other.close());
  await home.json(['server', 'edit', 'survival', '--minecraft', `127.0.0.1:${other.port}`], { HOLDFAST_RCON_PASSWORD: 'new' });
  expect(rcon.saving).toBe(false);
  await service.stop('SIGKILL');

  rcon.reply = () => undefined;
  const again = await home.start();
  while (!rcon.saving) await new Promise((go) => setImmediate(go));
  await callService(again)('bandwidth.set', { limit: 'off', whilePlayers: 'off' });
  expect(await home.json(['server', 'backup', 'survival'])).toMatchObject({ state: 'done', fault: null });
  expect(other.done).toEqual(['save-off', 'save-all flush', 'save-on']);
  await again.stop();
});

test('SIGTERM in such a backup: save-on is sent before the process ends, within five seconds', async () => {
  const { home, rcon } = await game();
  const service = await home.start();
  await callService(service)('backup.start', { slug: 'survival' });
  await told(rcon, 'save-all flush');
  const { code, ms } = await service.stop();
  expect([code, rcon.saving, ms < 5_000]).toEqual([0, true, true]);
  const [job] = (await home.json(['server', 'jobs'])) as Job[];
  expect(job).toMatchObject({ kind: 'backup', state: 'cancelled' });
});

test('SIGTERM in such a backup, and the console hangs: the process ends within five seconds, and the next start sends save-on', async () => {
  const { home, rcon } = await game();
  const service = await home.start();
  await callService(service)('backup.start', { slug: 'survival' });
  await told(rcon, 'save-all flush');
  rcon.mishap = (command) => (command === 'save-on' ? 'hang' : undefined);
  const { code, signal, ms } = await service.stop();
  expect([code, signal, rcon.saving, ms < 5_000]).toEqual([0, null, false, true]);
  rcon.mishap = () => undefined;
  const again = await home.start();
  await told(rcon, 'save-on');
  expect(rcon.saving).toBe(true);
  expect(await callService(again)('jobs.list', { limit: 1 })).toMatchObject([{ state: 'interrupted' }]);
  expect((await again.stop()).code).toBe(0);
});

test('a game that is switched off is backed up as it lies, and the job says so', async () => {
  const home = new ServiceHome();
  const rcon = await startRconServer('planted');
  const { port } = rcon;
  await rcon.close();
  writeFileSync(join(home.folder, 'level.dat'), 'blocks');
  await home.json(['keychain', 'use', 'machine-key', '--yes']);
  await home.json(['destination', 'add', 'nas', `folder:${home.place}`, '--no-test']);
  await home.json(['server', 'add', 'Survival', home.folder, '--to', 'nas', '--minecraft', `127.0.0.1:${port}`], {
    HOLDFAST_RCON_PASSWORD: 'planted',
  });
  const run = await home.run(['server', 'backup', 'survival', '--json']);
  expect(run.code).toBe(3);
  expect(JSON.parse(run.stdout)).toMatchObject({
    state: 'done',
    warnings: [{ code: 'quiesce', message: expect.stringContaining('switched off') as string }],
  });
});

test('a game that hangs fails the backup, and is told to go on all the same', async () => {
  const { home, rcon } = await game();
  rcon.mishap = (command) => (command === 'save-all flush' ? 'cut' : undefined);
  const run = await home.run(['server', 'backup', 'survival', '--json']);
  expect(JSON.parse(run.stdout)).toMatchObject({ state: 'failed', fault: { code: 'unavailable' } });
  expect([rcon.done, rcon.saving]).toEqual([['save-off', 'save-on'], true]);
});

test('a restore that replaces the folder stops the game first, and says that somebody must start it', async () => {
  const { home, rcon } = await game();
  await home.json(['bandwidth', 'off']);
  await home.json(['server', 'backup', 'survival']);
  writeFileSync(join(home.folder, 'r.1.mca'), 'griefed');
  rcon.reply = (command) => {
    if (command !== 'stop') return undefined;
    setImmediate(() => void rcon.close());
    return 'Stopping the server';
  };
  const run = await home.run(['server', 'restore', 'survival', '--replace', '--json']);
  const job = JSON.parse(run.stdout) as Job;
  expect([run.code, job.state, job.warnings.map(({ message }) => message)]).toEqual([
    3,
    'done',
    expect.arrayContaining([expect.stringContaining('start it now')]),
  ]);
  expect(rcon.done.at(-1)).toBe('stop');
});

test('a plain restore over the folder of such a server refuses, and names the command that stops it', async () => {
  const { home, rcon } = await game();
  const link = join(home.base, 'link');
  symlinkSync(home.folder, link);
  const run = await home.run(['restore', 'latest', '-d', 'nas', '--target', `${link}/`, '--replace']);
  expect([run.code, run.stderr, rcon.done]).toEqual([11, expect.stringContaining('holdfast server restore survival latest --replace'), []]);
  // Past it with --force: there is no snapshot yet.
  const forced = await home.run(['restore', 'latest', '-d', 'nas', '--target', home.folder, '--replace', '--force']);
  expect([forced.code === 11, forced.stderr.includes('server restore')]).toEqual([false, false]);
});
