import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ServiceEvent } from '../../main/contract/events.ts';
import type { Job } from '../../main/contract/jobs.ts';
import type { Notice } from '../../main/contract/notices.ts';
import type { SnapshotRow } from '../../main/contract/reports.ts';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import { callService } from '../../main/compose/service/http-client.ts';
import { formatSize } from '../../main/headless/units.ts';
import { eventAfter, ServiceHome, testPassword, type RunningService } from '../support/service-process.ts';

const noticeIn = (event: ServiceEvent): Notice | null => (event.event === 'notice' ? event.data : null);

describe('without a service', () => {
  const home = new ServiceHome();
  beforeAll(async () => {
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    await home.setUp(['--daily', '04:00', '--keep-daily', '7']);
  });

  test('the commands work by themselves: a backup, a look, a drill, and a restore', async () => {
    expect(await home.json(['server', 'backup', 'survival'])).toMatchObject({ kind: 'backup', state: 'done', bytes: 6 });
    const [status] = (await home.json(['server', 'list'])) as ServerStatus[];
    expect(status).toMatchObject({ state: 'ok', bytes: 6, settings: { slug: 'survival', keep: { daily: 7 } } });
    expect(await home.json(['server', 'drill', 'survival'])).toMatchObject({ state: 'done' });
    const after = (await home.json(['server', 'show', 'survival'])) as ServerStatus;
    expect(after.lastProven).toBeGreaterThan(0);
    const target = join(home.base, 'back');
    expect(await home.json(['server', 'restore', 'survival', '--target', target])).toMatchObject({ state: 'done' });
    expect(readFileSync(join(target, 'level.dat'), 'utf8')).toBe('blocks');
    expect(((await home.json(['server', 'jobs'])) as Job[]).map(({ kind }) => kind)).toEqual(['restore', 'drill', 'backup']);
    const replaced = await home.run(['server', 'restore', 'survival', '--replace']);
    expect(replaced.code, replaced.stderr).toBe(0);
    const [, size, before] = /What was there before takes (.+): (.+)/.exec(replaced.stderr) ?? [];
    expect(readFileSync(join(before ?? '', 'level.dat'), 'utf8')).toBe('blocks');
    // On the disk: whole blocks of it.
    expect(size).toBe(formatSize(statSync(join(before ?? '', 'level.dat')).blocks * 512));
  });

  test('a backup says what is to be read back, for nobody does so by itself', async () => {
    const due = async (): Promise<string> => {
      const { stderr } = await home.run(['server', 'backup', 'survival', '--force']);
      return /^To be read back now, which a running service does by itself: (.*)$/m.exec(stderr)?.[1] ?? '';
    };
    expect(await due()).toBe('');
    await home.json(['server', 'edit', 'survival', '--verify', 'weekly', '--drill', 'monthly']);
    // The drill of the test before counts.
    expect(await due()).toBe('holdfast server verify survival');
    expect(await home.json(['server', 'verify', 'survival'])).toMatchObject({ state: 'done' });
    expect(await due()).toBe('');
    await home.json(['server', 'edit', 'survival', '--verify', 'never', '--drill', 'never']);
  });

  test('an unchanged run is a success, and says since when', async () => {
    // A folder that nobody has touched for a minute: younger times cannot tell whether something has changed.
    const folder = fileURLToPath(new URL('../../node_modules/croner', import.meta.url));
    await home.json(['server', 'add', 'Library', folder, '--to', 'nas']);
    const first = (await home.json(['server', 'backup', 'library'])) as Job;
    const job = (await home.json(['server', 'backup', 'library'])) as Job;
    expect(job).toMatchObject({ state: 'done', unchanged: true, snapshot: first.snapshot });
    const shown = await home.run(['server', 'show', 'library']);
    expect(shown.stdout).toMatch(/Last checked:.*unchanged since/);
    await home.json(['server', 'remove', 'library']);
  });

  test('state may be deleted at any time; what is stored and the settings remain', async () => {
    rmSync(join(home.own(), 'state.json'));
    expect(await home.json(['server', 'list'])).toMatchObject([{ settings: { slug: 'survival' } }]);
    expect(await home.json(['server', 'backup', 'survival', '--force'])).toMatchObject({ state: 'done' });
  });

  test('a whole one rests on no earlier snapshot, as the one before it does', async () => {
    const shared = async (): Promise<number | null | undefined> => {
      const rows = (await home.json(['snapshots', '-d', 'nas'], { HOLDFAST_PASSWORD: testPassword })) as SnapshotRow[];
      return rows.findLast(({ server }) => server === 'Survival')?.sharedBytes;
    };
    expect(await shared()).toBeGreaterThan(0);
    expect(await home.json(['server', 'backup', 'survival', '--force', '--whole'])).toMatchObject({ state: 'done' });
    expect(await shared()).toBe(0);
  });

  test('what cannot be kept is refused with its reason, and nothing is kept of it', async () => {
    const before = readFileSync(join(home.config, 'config.json'), 'utf8');
    for (const [args, why] of [
      [['server', 'add', 'Survival', home.folder, '--to', 'nas'], 'the same name'],
      [['server', 'add', 'Two', join(home.base, 'none'), '--to', 'nas'], 'does not exist'],
      [['server', 'add', 'Two', home.folder, '--to', 'other'], 'no backup place called other'],
      [['server', 'add', 'Two', home.folder, '--to', 'nas', '--cron', '61 * * * *'], ''],
      [['server', 'add', 'Two', home.folder, '--to', 'nas', '--zone', 'Mars/Olympus'], 'Mars/Olympus'],
      [['server', 'add', 'Two', home.folder, '--to', 'nas', '--daily', '25:00'], ''],
      [['server', 'edit', 'none', '--manual'], 'no server none'],
      [['destination', 'remove', 'nas'], 'survival'],
    ] as const) {
      const run = await home.run(args);
      expect([args, run.code === 0, run.stderr.includes(why)]).toEqual([args, false, true]);
    }
    expect(readFileSync(join(home.config, 'config.json'), 'utf8')).toBe(before);
  });
});

describe('with a service', () => {
  const home = new ServiceHome();
  let service: RunningService;
  beforeAll(async () => {
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    await home.setUp();
    service = await home.start();
  });

  test('commands go through it: it is the service that runs the job', async () => {
    const job = (await home.json(['server', 'backup', 'survival'])) as Job;
    expect(job).toMatchObject({ state: 'done', bytes: 6 });
    const call = callService(service);
    expect(await call('job.get', { job: job.id })).toMatchObject({ id: job.id, state: 'done' });
    expect(await home.json(['service', 'status'])).toMatchObject({ running: true, port: service.port, keychain: { strong: false } });
  });

  test('events tell of a job as it goes on, and of a server that is added by hand', async () => {
    const states: string[] = [];
    const act = async (): Promise<void> => {
      await home.json(['server', 'backup', 'survival', '--force']);
      const path = join(home.config, 'config.json');
      const settings = JSON.parse(readFileSync(path, 'utf8')) as { servers: object[] };
      settings.servers.push({ ...settings.servers[0], name: 'By hand', slug: 'by-hand' });
      writeFileSync(path, JSON.stringify(settings));
    };
    const added = await eventAfter(service, act, (event) => {
      if (event.event === 'job') states.push(event.data.state);
      return event.event === 'server' && event.data.settings.slug === 'by-hand' ? event.data : null;
    });
    expect(added.settings.name).toBe('By hand');
    expect([states.at(0), states.at(-1)]).toEqual(['waiting', 'done']);
  });

  test('a broken edit is told with its line, and the settings from before hold on', async () => {
    const path = join(home.config, 'config.json');
    const good = readFileSync(path, 'utf8');
    const told = await eventAfter(service, () => writeFileSync(path, '{\n  "version": 1,\n  "servers": [,]\n}'), noticeIn);
    expect(told).toMatchObject({ kind: 'settings' });
    expect(told.text).toContain('line 3');
    expect(await home.json(['service', 'status'])).toMatchObject({ settingsProblem: expect.stringContaining('line 3') as string });
    expect(await home.json(['server', 'backup', 'survival', '--force'])).toMatchObject({ state: 'done' });
    writeFileSync(path, good);
  });

  test('a settings file that is gone ends nothing; one that is broken at the start is told, and what stood there before holds', async () => {
    const path = join(home.config, 'config.json');
    const good = readFileSync(path, 'utf8');
    expect((await eventAfter(service, () => rmSync(path), noticeIn)).text).toContain('gone');
    expect(await callService(service)('servers.list', {})).not.toHaveLength(0);
    await service.stop();
    writeFileSync(path, '{');
    service = await home.start();
    const info = await callService(service)('service.info', {});
    expect(info.settingsProblem).toContain('line 1');
    expect((await callService(service)('servers.list', {})).map(({ settings }) => settings.slug)).toContain('survival');
    writeFileSync(path, good);
  });

  test('history that was deleted is rebuilt from the backup places at the next start', async () => {
    await service.stop();
    rmSync(join(home.own(), 'state.json'));
    service = await home.start();
    const call = callService(service);
    // Tells the status as it is, should it be known already.
    const tellAgain = (): unknown => call('server.resume', { slug: 'survival' });
    const status = await eventAfter(service, tellAgain, (event) =>
      event.event === 'server' && event.data.lastSuccess !== null ? event.data : null,
    );
    expect(status).toMatchObject({ state: 'ok', bytes: 6 });
  });

  test('a second one refuses, names the first, and changes nothing', async () => {
    const run = await home.run(['service']);
    expect([run.code, run.stderr.includes(`process ${String(service.child.pid)}`)]).toEqual([11, true]);
    expect(await callService(service)('servers.list', {})).not.toHaveLength(0);
  });

  test('one that is stopped still holds: no second one starts, and commands say who does not answer', async () => {
    service.child.kill('SIGSTOP');
    try {
      const [second, command] = await Promise.all([home.run(['service']), home.run(['server', 'list'])]);
      expect([second.code, command.code]).toEqual([11, 11]);
      expect(command.stderr).toContain(`process ${String(service.child.pid)}`);
    } finally {
      service.child.kill('SIGCONT');
    }
    expect(await callService(service)('servers.list', {})).not.toHaveLength(0);
  });

  test('it ends within five seconds of SIGTERM, with exit code 0, and listens at the same port and with the same token when it comes back', async () => {
    const { code, ms } = await service.stop();
    expect([code, ms < 5_000]).toEqual([0, true]);
    const again = await home.start();
    expect([again.port, again.token]).toEqual([service.port, service.token]);
    expect((await again.stop('SIGINT')).code).toBe(0);
    expect(statSync(join(home.own(), 'token')).mode & 0o777).toBe(0o600);
    expect(statSync(join(home.own(), 'state.json')).mode & 0o777).toBe(0o600);
  });

  test('once it has ended, whoever listens at its port is not told the token', async () => {
    const heard: string[] = [];
    const other = createServer((socket) =>
      socket.on('data', (piece) => heard.push(piece.toString('latin1'))).on('error', () => socket.destroy()),
    );
    await new Promise<void>((done) => other.listen(service.port, '127.0.0.1', done));
    try {
      expect(await home.json(['server', 'list'])).not.toHaveLength(0);
      expect(heard).toEqual([]);
    } finally {
      await new Promise((done) => other.close(done));
    }
  });

  test('killed in the middle of a backup: the next start marks the job, and the next backup ends well and leaves nothing over', async () => {
    const again = await home.start();
    for (let index = 0; index < 40; index += 1) writeFileSync(join(home.folder, `region-${index}`), Buffer.alloc(2 ** 20, index));
    await callService(again)('bandwidth.set', { limit: '2M', whilePlayers: 'off' });
    const start = (): unknown => callService(again)('backup.start', { slug: 'survival', force: true });
    const id = await eventAfter(again, start, (event) => (event.event === 'job' && event.data.progress !== null ? event.data.id : null));
    await again.stop('SIGKILL');
    const third = await home.start();
    expect(await callService(third)('job.get', { job: id })).toMatchObject({ state: 'interrupted' });
    await callService(third)('bandwidth.set', { limit: 'off', whilePlayers: 'off' });
    expect(await home.json(['server', 'backup', 'survival'])).toMatchObject({ state: 'done', unchanged: false });
    await third.stop();
    const snapshots = await home.run(['verify', 'all', '-d', 'nas', '--json'], { HOLDFAST_PASSWORD: testPassword });
    expect(snapshots.code).toBe(0);
    const left = readdirSync(home.place).filter((name) => name === '.holdfast-uploads');
    expect(left.flatMap((name) => readdirSync(join(home.place, name)))).toEqual([]);
  });
});
