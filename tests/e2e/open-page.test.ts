import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import { appears, disappears, hrefIn } from '../support/link-page.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';

const home = new ServiceHome();
let service: RunningService;

beforeAll(async () => {
  await home.setUp(['--zone', 'Pacific/Auckland']);
  service = await home.start();
});

test.each([
  ['10.0.0.9 50000 10.0.0.5 2222', 'maria', (port: number) => `ssh -N -L ${port}:127.0.0.1:${port} -p 2222 maria@10.0.0.5`],
  ['fe80::9 50000 fe80::5 22', '', (port: number) => `ssh -N -L ${port}:127.0.0.1:${port} [fe80::5]`],
])('over SSH (%s) the ready line stands before the link', async (connection, user, line) => {
  const env = { SSH_CONNECTION: connection, USER: user, LOGNAME: user };
  const { link, tunnel } = (await home.json(['open-page'], env)) as { link: string; tunnel: string };
  expect(tunnel).toBe(line(service.port));
  expect(link).toContain(`http://127.0.0.1:${service.port}/`);
  const { stdout } = await home.run(['open-page'], env);
  expect(stdout.split('\n')[0]?.trim()).toBe(tunnel);
});

test('without SSH there is no such line', async () => {
  expect(await home.json(['open-page', '--no-browser'], { SSH_CONNECTION: null })).toEqual({ link: expect.any(String) as string });
});

describe('the browser that is asked to open the link', () => {
  /** As the desktop's: writes down its arguments, all that runs meanwhile, and what the file is; waits for nobody. */
  const bin = join(home.base, 'bin');
  const seen = join(home.base, 'seen');
  beforeAll(() => {
    mkdirSync(bin);
    mkdirSync(seen);
    const script = `#!/bin/sh
printf '%s' "$*" > '${seen}/arguments'
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' > '${seen}/processes'
mv '${seen}/arguments' '${seen}/done'
`;
    writeFileSync(join(bin, 'xdg-open'), script, { mode: 0o755 });
  });

  /** Opens the page, and settles to what the browser was told and to the link that was printed. */
  async function opened(): Promise<{ readonly page: string; readonly link: string; readonly processes: string; readonly stderr: string }> {
    rmSync(join(seen, 'done'), { force: true });
    const env = { SSH_CONNECTION: null, DISPLAY: ':0', PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const [{ stdout, stderr }] = await Promise.all([home.run(['open-page'], env), appears(join(seen, 'done'))]);
    const told = readFileSync(join(seen, 'done'), 'utf8');
    expect(told).toMatch(/^file:\/\/\/\S+$/);
    return { page: fileURLToPath(told), link: stdout.trim(), processes: readFileSync(join(seen, 'processes'), 'utf8'), stderr };
  }

  test('is told of a file that only this user can read; the code stands in no command line, and the file is gone once it was used', async () => {
    const { page, link, processes, stderr } = await opened();
    const code = new URL(link).searchParams.get('code') ?? '';
    expect(code).toMatch(/^[\w-]{43}$/);
    expect(processes).toContain('xdg-open');
    expect(processes).toContain(page);
    expect(processes).not.toContain(code);
    expect(statSync(page).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(page)).mode & 0o777).toBe(0o700);
    expect(hrefIn(readFileSync(page, 'utf8'))).toBe(link);
    expect(readFileSync(page, 'utf8')).toContain(`content="0; url=${link}"`);
    // A browser that may not read it shows nothing.
    expect(stderr).toContain('open this yourself');
    const gone = disappears(page);
    const reply = await fetch(`http://127.0.0.1:${service.port}/api/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    });
    expect(reply.status).toBe(200);
    await gone;
  });

  test('one that nobody used is removed by the next command once its link is too old, and by the next start', async () => {
    const { page: first } = await opened();
    const { page: second } = await opened();
    expect([existsSync(first), existsSync(second)]).toEqual([true, true]);
    const longAgo = Date.now() / 1000 - 301;
    utimesSync(first, longAgo, longAgo);
    const { page: third } = await opened();
    expect([first, second, third].map((page) => existsSync(page))).toEqual([false, true, true]);
    await service.stop();
    service = await home.start();
    expect([second, third].map((page) => existsSync(page))).toEqual([false, false]);
  });
});

test('a pause lasts for the hours that are said, or until tomorrow', async () => {
  const pausedUntil = async (args: readonly string[]): Promise<number> =>
    ((await home.json(['server', 'pause', 'survival', ...args])) as ServerStatus).pausedUntil ?? Number.NaN;
  const before = Date.now();
  const inTwoHours = await pausedUntil(['--hours', '2']);
  expect(inTwoHours - before).toBeGreaterThanOrEqual(2 * 3_600_000);
  expect(inTwoHours - Date.now()).toBeLessThanOrEqual(2 * 3_600_000);
  const tomorrow = new Date(await pausedUntil(['--until-tomorrow']));
  const zoned = (options: Intl.DateTimeFormatOptions): string =>
    tomorrow.toLocaleString('en-GB', { timeZone: 'Pacific/Auckland', ...options });
  expect(zoned({ hour: '2-digit', minute: '2-digit', second: '2-digit' })).toBe('00:00:00');
  expect(tomorrow.getTime() - before).toBeLessThanOrEqual(25 * 3_600_000);
});
