import type { BrowserContextOptions } from 'playwright';
import { describe, expect, test } from 'vitest';
import { axeFindings } from '../support/page/axe.ts';
import { browserMissing, type WatchedPage } from '../support/page/browser.ts';
import { runningJob, stagedNow } from '../support/page/staged-service.ts';
import { chooseFolder, toPlaces } from '../support/page/setting-up.ts';
import { openStage } from '../support/page/stage.ts';
import { openStagedPage } from '../support/page/staged-page.ts';
import { walkWizard } from '../support/page/wizard-views.ts';

describe.skipIf(browserMissing !== '')(`the wizard${browserMissing === '' ? '' : ` (skipped: ${browserMissing})`}`, () => {
  const stage = openStage();

  const opened = (options: BrowserContextOptions = {}): Promise<WatchedPage> =>
    openStagedPage(stage.browser, stage.service, 'new-server', options);

  test.each([
    { language: 'en', scheme: 'light', width: 1100 },
    { language: 'de', scheme: 'dark', width: 360 },
  ] as const)('has nothing that axe finds on any step: $language, $scheme, $width px', async ({ language, scheme, width }) => {
    const { page, complaints } = await opened({
      locale: language === 'de' ? 'de-DE' : 'en-GB',
      colorScheme: scheme,
      viewport: { width, height: 760 },
    });
    const found: string[] = [];
    const look = async (name: string): Promise<void> => {
      found.push(...(await axeFindings(page)).map((line) => `${name}: ${line}`));
      // Nothing sticks out at the side.
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      if (wide > 0) found.push(`${name}: ${String(wide)} px too wide`);
    };
    await walkWizard(page, language, 'wizard-first', look);
    stage.service.emit({ event: 'job', data: { ...runningJob, state: 'done', endedAt: stagedNow, bytes: 5e9, storedBytes: 3.6e9 } });
    await page.getByRole('heading', { name: language === 'de' ? 'Lobby ist gesichert' : 'Lobby is safe' }).waitFor();
    await look('wizard-done');
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('the folder picker goes by the keyboard alone, and gives the focus back', async () => {
    const { page, complaints } = await opened();
    await page.getByRole('button', { name: 'Browse…' }).focus();
    await page.keyboard.press('Enter');
    const path = page.getByRole('combobox', { name: 'Path' });
    await page.getByRole('option', { name: 'minecraft' }).waitFor();
    await path.press('End');
    await page.keyboard.type('/mi');
    await expect.poll(() => page.getByRole('option').count()).toBe(1);
    await page.keyboard.press('Enter');
    await expect.poll(() => path.inputValue()).toBe('/srv/minecraft');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => page.getByLabel('Folder', { exact: true }).inputValue()).toBe('/srv/minecraft');
    await page.getByText('9,318 files').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('what a field lacks is said at the field, once it was left', async () => {
    const { page } = await opened();
    await chooseFolder(page, '/nowhere/at/all', 'There is no folder /nowhere/at/all on that computer.');
    expect(await page.getByRole('button', { name: 'Continue' }).getAttribute('aria-disabled')).toBe('true');
    await toPlaces(page, '/srv/minecraft/lobby', '9,318');
    await page.getByRole('radio', { name: /^A new place/ }).check();
    const bucket = page.getByLabel('Bucket', { exact: true });
    await bucket.fill('no spaces here');
    expect(await page.getByText('A bucket’s name has letters').count()).toBe(0);
    await bucket.blur();
    await page.getByText('A bucket’s name has letters').waitFor();
    expect(await bucket.getAttribute('aria-invalid')).toBe('true');
    await page.context().close();
  });

  test('what was chosen is what the service is given; a schedule that it refuses is told at its field', async () => {
    const { page, complaints } = await opened();
    await page.getByLabel('Folder', { exact: true }).fill('/srv/minecraft/lobby');
    await page.getByText('Pause saving while copying').click();
    const rcon = page.getByLabel('RCON password');
    await rcon.blur();
    await page.getByText('The password is needed for the pause.').waitFor();
    await rcon.fill('let me in');
    await page.getByLabel('Name', { exact: true }).fill('Die große Lobby');
    // A port that there is not is told at its field, and not by the service three steps later.
    const port = page.getByLabel('Port', { exact: true });
    await port.fill('99999');
    await page.getByText('A number from 1 to 65535.').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    expect(await port.getAttribute('aria-invalid')).toBe('true');
    await port.fill('25575');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('radio', { name: /^attic-nas/ }).check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('radio', { name: 'Own times' }).click();
    await page.getByLabel('Times', { exact: true }).fill('x 3 * * *');
    await page.getByText('“x 3 * * *” is no cron expression.').waitFor();
    expect(await page.getByRole('button', { name: 'Back up now' }).getAttribute('aria-disabled')).toBe('true');
    await page.getByRole('radio', { name: 'Weekly' }).click();
    await page.getByLabel('Day').selectOption('Saturday');
    await page.getByLabel('Time', { exact: true }).fill('05:15');
    await page.getByLabel('Monthly').fill('');
    await page.getByLabel('Daily', { exact: true }).fill('10');
    await page.getByRole('img', { name: /^3 snapshots, back to/ }).waitFor();
    const given = page.waitForRequest('**/api/call/server.add');
    await page.getByRole('button', { name: 'Back up now' }).click();
    expect((await given).postDataJSON()).toEqual({
      server: {
        ...{ name: 'Die große Lobby', slug: 'die-gro-e-lobby', folder: '/srv/minecraft/lobby', destinations: ['attic-nas'] },
        ...{ preset: 'minecraft', schedule: { kind: 'weekly', on: ['sat'], at: '05:15' }, zone: 'Europe/Berlin' },
        ...{ keep: { last: 3, daily: 10, weekly: 4 }, quiesce: { kind: 'minecraft', rcon: { port: 25_575 } } },
      },
      rconPassword: 'let me in',
    });
    // The browser's own word for the refusal.
    expect(complaints.filter((line) => !line.includes('status of 4'))).toEqual([]);
    await page.context().close();
  });

  test('a first backup that is refused or cancelled says that nothing runs, and is tried again, once for each press', async () => {
    const { page } = await opened();
    await walkWizard(page, 'en', 'wizard-schedule');
    const fault = {
      code: 'unavailable',
      persistence: 'temporary',
      operation: 'backup.start',
      message: 'as the service says it',
      context: {},
    };
    const asked: string[] = [];
    page.on('request', (request) => void asked.push(new URL(request.url()).pathname));
    const starts = (): number => asked.filter((path) => path.endsWith('/backup.start')).length;
    await page.route('**/api/call/backup.start', (route) => route.fulfill({ json: { ok: false, fault } }), { times: 1 });
    await page.getByRole('button', { name: 'Back up now' }).click();
    const nothingRuns = page.getByRole('heading', { name: 'Lobby is not backed up yet' });
    await nothingRuns.waitFor();
    await page.getByText('Lobby is set up. It is tried again by its schedule, or now.').waitFor();
    // It begins, and cannot be asked about: that is not tried again with another one.
    await page.route('**/api/call/job.get', (route) => route.fulfill({ json: { ok: false, fault } }), { times: 1 });
    for (let press = 0; press < 2; press++) await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Backing up Lobby' }).waitFor();
    const cancelled = page.waitForRequest('**/api/call/job.cancel');
    await page.getByRole('button', { name: 'Cancel the backup' }).click();
    expect(starts()).toBe(2);
    expect((await cancelled).postDataJSON()).toEqual({ job: runningJob.id });
    stage.service.emit({ event: 'job', data: { ...runningJob, state: 'cancelled', endedAt: stagedNow } });
    await nothingRuns.waitFor();
    await page.getByText('The backup was stopped.').waitFor();
    const answered = page.waitForResponse('**/api/call/job.get');
    await page.getByRole('button', { name: 'Try again' }).dblclick();
    await answered;
    expect(starts()).toBe(3);
    await page.context().close();
  });

  test.each([
    ['timeout', 'Nobody came back from Google’s page in time.'],
    ['unauthenticated', 'Google did not accept the client id or its secret.'],
    ['unavailable', 'Google does not answer.'],
  ] as const)('a sign-in that ends with %s says why and what next', async (code, text) => {
    const { page } = await opened();
    await walkWizard(page, 'en', 'wizard-sign-in');
    const fault = { code, persistence: 'permanent', operation: 'sign in', message: 'as the service says it', context: {} } as const;
    stage.service.emit({ event: 'sign-in', data: { id: 'sign-in-1', state: 'failed', account: null, fault } });
    await page.getByRole('alert').filter({ hasText: text }).waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await page.context().close();
  });

  test('leaving and coming back finds everything but secrets', async () => {
    const { page } = await opened();
    await walkWizard(page, 'en', 'wizard-place-test');
    await page.reload();
    await page.getByRole('heading', { name: 'Where should Lobby be kept?' }).waitFor();
    expect(await page.getByLabel('Bucket', { exact: true }).inputValue()).toBe('tide-backups');
    expect(await page.getByLabel('Access key ID', { exact: true }).inputValue()).toBe('');
    expect(await page.getByLabel('Secret access key', { exact: true }).inputValue()).toBe('');
    const kept = await page.evaluate<string>('JSON.stringify({ ...sessionStorage, ...localStorage })');
    expect(kept).toContain('tide-backups');
    expect(kept).not.toContain('not-a-real-secret-at-all');
    expect(kept).not.toContain('TDK7Q2M0VX4R9A1E');
    await page.context().close();
  });
});
