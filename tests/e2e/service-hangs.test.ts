import { execFileSync } from 'node:child_process';
import { closeSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { callService } from '../../main/compose/service/http-client.ts';
import { openedForWriting } from '../support/pipes.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';

/**
 * A call of the file system that never ends, as on a network drive that is gone: the passphrase of the key file is read from a pipe into which nobody
 * writes. A backup needs it, and no abort reaches who reads from a pipe.
 */
describe('a service whose job hangs in the file system', () => {
  const home = new ServiceHome();
  const pipe = join(home.base, 'passphrase');
  const writers: number[] = [];
  beforeAll(async () => {
    const env = { HOLDFAST_KEYCHAIN_PASSPHRASE: 'open sesame' };
    await home.json(['destination', 'add', 'nas', `folder:${home.place}`, '--no-test'], env);
    await home.json(['server', 'add', 'Survival', home.folder, '--to', 'nas', '--verify', 'never', '--drill', 'never'], env);
    execFileSync('mkfifo', [pipe]);
  });
  afterEach(() => {
    for (const writer of writers.splice(0)) closeSync(writer);
  });

  async function hanging(): Promise<RunningService> {
    const service = await home.start({ HOLDFAST_KEYCHAIN_PASSPHRASE_FILE: pipe });
    await callService(service)('backup.start', { slug: 'survival', force: false, takeOver: false });
    // Opening for writing works from the moment at which somebody reads.
    while (writers.length === 0) {
      writers.push(...openedForWriting(pipe));
      await new Promise((go) => setImmediate(go));
    }
    return service;
  }

  const lockStates = (): readonly string[] => {
    const locks = join(home.state, 'locks');
    const lock = readdirSync(locks).find((name) => /^service-.*\.lock$/.test(name)) ?? '';
    return readdirSync(join(locks, lock)).map((name) => name.split('~').slice(0, 2).join(' '));
  };

  test('ends within five seconds of one SIGTERM, and holds its lock to its end; the next one starts', async () => {
    const service = await hanging();
    const { code, signal, ms } = await service.stop();
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGINT' });
    expect(ms).toBeLessThan(5_000);
    expect(lockStates()).toEqual([`held ${String(service.child.pid)}`]);
    const next = await home.start({ HOLDFAST_KEYCHAIN_PASSPHRASE: 'open sesame' });
    expect(await callService(next)('jobs.list', { server: 'survival', limit: 1 })).toMatchObject([{ state: 'interrupted' }]);
    expect(await next.stop()).toMatchObject({ code: 0, signal: null });
    expect(lockStates()).toEqual([expect.stringMatching(/^free/)]);
  });

  test('ends at once with the second signal', async () => {
    const service = await hanging();
    // Two within a moment count as one.
    const press = setInterval(() => service.child.kill('SIGTERM'), 20);
    service.child.once('close', () => clearInterval(press));
    const { code, signal, ms } = await service.stop();
    expect(service.printed()).toContain('Once more stops at once');
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGINT' });
    expect(ms).toBeLessThan(2_000);
  });

  test('ends by itself after the call service.stop as well', async () => {
    const service = await hanging();
    const ended = new Promise((settle) => service.child.once('close', (_, signal) => settle(signal)));
    await callService(service)('service.stop', {});
    expect(await ended).toBe('SIGINT');
  });
});
