import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import { browserMissing } from '../support/page/browser.ts';
import { openStage } from '../support/page/stage.ts';
import { openStagedPage } from '../support/page/staged-page.ts';
import { toldApart } from '../support/page/staged-restore.ts';
import { runningJob, stagedNow, stagedServers } from '../support/page/staged-service.ts';

describe.skipIf(browserMissing !== '')(`cards on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const stage = openStage();
  let page: Page;
  let complaints: readonly string[];

  beforeAll(async () => {
    ({ page, complaints } = await openStagedPage(stage.browser, stage.service, '', { timezoneId: 'Europe/Berlin' }));
    await page.getByRole('article').nth(3).waitFor();
  });
  afterAll(() => page.context().close());

  const card = (name: string) => page.getByRole('article', { name, exact: true });
  const dialog = () => page.getByRole('dialog');

  function staged(slug: string): ServerStatus {
    const found = stagedServers.find(({ settings }) => settings.slug === slug);
    if (found === undefined) throw new Error(`${slug} is not staged`);
    return found;
  }

  test('a card says when the last backup was, when it was proven, when the next one is, how large it is and how it grew', async () => {
    const facts = card('Creative').getByRole('term').or(card('Creative').getByRole('definition'));
    expect(await facts.allInnerTexts()).toEqual([
      ...['Last backup', 'today 13:02', 'Proven restorable', 'today 07:02', 'Next', 'today 17:02'],
    ]);
    await card('Creative').getByRole('img', { name: 'Size over time, 11.2 GB to 12.9 GB', exact: true }).waitFor();
    await card('Creative').getByText('+1.7 GB in 30 days').waitFor();
  });

  test('Pause on the card pauses for an hour', async () => {
    const asked = page.waitForRequest('**/api/call/server.pause');
    await card('Creative').getByRole('button', { name: 'Pause', exact: true }).click();
    expect((await asked).postDataJSON()).toEqual({ slug: 'creative', until: stagedNow + toldApart * 1000 + 3_600_000 });
  });

  test('a card whose job runs says how fast, and how long it takes yet', async () => {
    const { progress } = runningJob;
    if (progress === null) throw new Error('the staged job has not begun');
    await card('Survival').getByText('15.5 MB/s, about 2 min left', { exact: true }).waitFor();
    // The speed is that of the last seconds; how long it takes goes by all of them.
    await page.clock.setFixedTime(stagedNow + 14_000);
    stage.service.emit({ event: 'job', data: { ...runningJob, progress: { ...progress, bytes: progress.bytes + 6e7 } } });
    await card('Survival').getByText('10.0 MB/s, about 2 min left', { exact: true }).waitFor();
    await card('Survival').getByText('63 %', { exact: true }).waitFor();
  });

  test('the tray leads to the question before a restore; one that does not fit cannot be begun, and one from another place can', async () => {
    const creative = staged('creative');
    const settings = { ...creative.settings, destinations: ['tide-s3', 'attic-nas'] };
    stage.service.emit({ event: 'server', data: { ...creative, settings } });
    await card('Creative').getByText('to tide-s3 and attic-nas').waitFor();
    await page.route(
      '**/api/call/restore.look',
      async (route) => {
        const reply = await route.fetch();
        const { value } = (await reply.json()) as { readonly value: object };
        await route.fulfill({ response: reply, json: { ok: true, value: { ...value, freeBytes: 1e9 } } });
      },
      { times: 1 },
    );
    await page.evaluate("location.hash = '#/restore/creative'");
    await dialog()
      .getByRole('heading', { name: /^Restore Creative as of today 13:02/ })
      .waitFor();
    await dialog().getByText('Needs 5.0 GB, but only 1.0 GB are free at /srv/minecraft/creative.').waitFor();
    await dialog().getByText('Free some space there, or choose another folder.').waitFor();
    const start = dialog().getByRole('button', { name: 'Restore', exact: true });
    expect(await start.getAttribute('aria-disabled')).toBe('true');
    // It stands above Home, where it is closed to.
    expect(new URL(page.url()).hash).toBe('#/');
    await dialog().getByRole('button', { name: 'Other choices…' }).click();
    const listed = page.waitForRequest('**/api/call/snapshots.list');
    await dialog().getByLabel('Backup place', { exact: true }).selectOption('attic-nas');
    expect((await listed).postDataJSON()).toMatchObject({ destination: 'attic-nas' });
    await dialog().getByRole('radio', { name: 'A new folder beside it' }).click();
    await dialog()
      .getByText(/^Needs 5\.0\sGB; 112\sGB are free at /)
      .waitFor();
    const asked = page.waitForRequest('**/api/call/restore.start');
    await start.click();
    expect((await asked).postDataJSON()).toMatchObject({ slug: 'creative', destination: 'attic-nas', replace: false });
    await dialog().getByRole('button', { name: 'Hide' }).click();
    await dialog().waitFor({ state: 'detached' });
  });

  test('a card says what failed, names the place that needs the sign-in', async () => {
    const [google, creative] = [staged('nextcloud'), staged('creative')];
    const last = staged('home-assistant').last;
    if (last?.fault === null || last === null) throw new Error('the stage has lost its failed job');
    stage.service.emit({
      event: 'server',
      data: { ...creative, state: 'failed', last: { ...last, kind: 'drill', destination: 'tide-s3' } },
    });
    await card('Creative')
      .getByText(/The last test restore failed/)
      .waitFor();
    stage.service.emit({
      event: 'server',
      data: {
        ...google,
        settings: { ...google.settings, destinations: ['google', 'tide-s3'] },
        last: { ...last, fault: { ...last.fault, code: 'sign-in-needed', context: { destination: 'tide-s3' } } },
      },
    });
    await card('Nextcloud').getByRole('button', { name: 'Sign in to S3…' }).waitFor();
    // Still under way when the next one would be due.
    const running = { ...last, kind: 'backup', state: 'running', endedAt: null, fault: null } as const;
    stage.service.emit({ event: 'server', data: { ...creative, state: 'late', running } });
    await card('Creative').getByText('Running late', { exact: true }).waitFor();
    await card('Creative')
      .getByText(/has run past the time of the next backup/)
      .waitFor();
    // Nobody restores by a schedule.
    stage.service.emit({ event: 'server', data: { ...creative, state: 'failed', last: { ...last, kind: 'restore' } } });
    await card('Creative')
      .getByText(/The last restore failed/)
      .waitFor();
    expect(await card('Creative').innerText()).not.toContain('The next try');
    // Nothing has to be unfolded to stop what runs, or to begin.
    await page.setViewportSize({ width: 360, height: 640 });
    await card('Survival').getByRole('button', { name: 'Cancel' }).waitFor();
    stage.service.emit({ event: 'server', data: { ...creative, state: 'new', lastSuccess: null } });
    await card('Creative').getByRole('button', { name: 'Back up now' }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('Activity shows what is asked for by kind and by server', async () => {
    await page.setViewportSize({ width: 1100, height: 760 });
    await page.evaluate("location.hash = '#/activity'");
    const shown = async (): Promise<readonly string[]> => {
      const names = await page.getByRole('list').getByRole('button').allInnerTexts();
      return [...new Set(names.flatMap((name) => /(?:Backup|Test restore|Restore|Check) of .+/.exec(name) ?? []))].sort();
    };
    const every = ['Creative', 'Home Assistant', 'Nextcloud', 'Survival'].map((name) => `Test restore of ${name}`);
    await page.getByRole('radio', { name: 'Test restores', exact: true }).click();
    await expect.poll(shown).toEqual(every);
    await page.getByLabel('Server', { exact: true }).selectOption('Survival');
    await expect.poll(shown).toEqual(['Test restore of Survival']);
    await page.getByRole('radio', { name: 'Everything', exact: true }).click();
    await expect.poll(shown).toEqual(['Backup of Survival', 'Test restore of Survival']);
    await page.getByRole('radio', { name: 'Clean-ups', exact: true }).click();
    await page.getByText('Nothing of this kind. Choose another filter to see more.').waitFor();
    expect(complaints).toEqual([]);
  });
});
