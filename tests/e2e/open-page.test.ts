import { beforeAll, expect, test } from 'vitest';
import type { ServerStatus } from '../../main/contract/server-status.ts';
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
