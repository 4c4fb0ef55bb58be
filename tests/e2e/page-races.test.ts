import type { Page, Route } from 'playwright';
import { describe, expect, test } from 'vitest';
import type { DestinationRow } from '../../main/contract/destinations.ts';
import type { WireFault } from '../../main/contract/faults.ts';
import type { SnapshotSummary } from '../../main/contract/snapshot-calls.ts';
import { browserMissing } from '../support/page/browser.ts';
import { openStage } from '../support/page/stage.ts';
import { openStagedPage } from '../support/page/staged-page.ts';
import { runningJob, stagedServers } from '../support/page/staged-service.ts';
import { testConnection } from '../support/page/setting-up.ts';

const [nextcloud, , , creative] = stagedServers;
if (nextcloud === undefined || creative === undefined) throw new Error('the stage has lost its servers');

const addressOf = (call: string): string => `**/api/call/${call}`;

/** Answers to this call wait until they are let go; with what it is about, only those. */
async function held(page: Page, call: string, about?: string): Promise<() => void> {
  const gate = Promise.withResolvers<undefined>();
  await page.route(addressOf(call), async (route) => {
    if (about === undefined || (route.request().postData() ?? '').includes(about)) await gate.promise;
    // It may have been given up meanwhile.
    await route.continue().catch(() => undefined);
  });
  return () => gate.resolve(undefined);
}

async function answers(route: Route, value: unknown): Promise<void> {
  await route.fulfill({ json: { ok: true, value } });
}

async function fails(route: Route, code: WireFault['code']): Promise<void> {
  const fault: WireFault = { code, persistence: 'permanent', operation: 'stage', message: 'as staged', context: {} };
  await route.fulfill({ json: { ok: false, fault } });
}

/** The page hung up. */
async function givenUp(page: Page, call: string): Promise<void> {
  await page.waitForEvent('requestfailed', (request) => request.url().endsWith(`/api/call/${call}`));
}

const go = (page: Page, view: string): Promise<unknown> => page.evaluate(`location.hash = ${JSON.stringify(`#/${view}`)}`);

describe.skipIf(browserMissing !== '')(`answers that come late on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const stage = openStage();

  test('a sign-in that was begun for one place is given up when another one is shown, and is never taken for that one’s', async () => {
    const { page } = await openStagedPage(stage.browser, stage.service, 'settings/place/google');
    const other: DestinationRow = {
      ...{ name: 'second', secrets: ['refreshToken'], hasPassword: true },
      settings: { provider: 'google-drive', folder: 'Other' },
    };
    await page.route(addressOf('destinations.list'), async (route) => {
      const { value } = (await (await route.fetch()).json()) as { value: DestinationRow[] };
      await answers(route, [...value, other]);
    });
    await page.evaluate('window.open = () => null');
    const listed = page.waitForResponse(addressOf('destinations.list'));
    stage.service.emit({ event: 'destinations-changed', data: {} });
    await listed;
    await page.getByText('maria@example.org').waitFor();
    await page.getByRole('button', { name: 'Another account…' }).click();
    const waiting = page.getByRole('progressbar', { name: /Google/ });
    await waiting.waitFor();
    const cancelled = page.waitForRequest(addressOf('signIn.cancel'));
    await held(page, 'destination.account');
    await go(page, 'settings/place/second/sign-in');
    await page.getByRole('heading', { name: 'second' }).waitFor();
    await cancelled;
    await page.getByRole('button', { name: 'Sign in with Google…' }).waitFor();
    expect([await waiting.count(), await page.getByText('maria@example.org').count()]).toEqual([0, 0]);
    await page.context().close();
  });

  test('an event that comes while everything is read again is not undone by what was read before it', async () => {
    const { page } = await openStagedPage(stage.browser, stage.service, '');
    const [card, gone] = ['Creative', 'Nextcloud'].map((name) => page.getByRole('article', { name }));
    await card?.waitFor();
    await page.route(addressOf('service.info'), async (route) => {
      const { value } = (await (await route.fetch()).json()) as { value: object };
      await answers(route, { ...value, settingsProblem: 'line 3' });
    });
    const letGo = await held(page, 'destinations.list');
    const read = page.waitForResponse(addressOf('servers.list'));
    stage.service.emit({ event: 'destinations-changed', data: {} });
    await (await read).finished();
    stage.service.emit({ event: 'server', data: { ...creative, settings: { ...creative.settings, name: 'Renamed' } } });
    stage.service.emit({ event: 'server-removed', data: { slug: nextcloud.settings.slug } });
    await gone?.waitFor({ state: 'detached' });
    letGo();
    // All of it was taken.
    await page.locator('.banner').waitFor();
    await page.getByRole('article', { name: 'Renamed' }).waitFor();
    expect([await card?.count(), await gone?.count()]).toEqual([0, 0]);
    await page.context().close();
  });

  test('a job that the service knows no more stands in the way of nothing', async () => {
    const { page } = await openStagedPage(stage.browser, stage.service, '');
    await page.getByRole('article', { name: 'Survival' }).waitFor();
    await page.route(addressOf('job.get'), async (route) => {
      if ((route.request().postData() ?? '').includes('j-lost')) return await fails(route, 'not-found');
      await answers(route, { ...runningJob, id: 'j-later' });
    });
    for (const id of ['j-lost', 'j-later']) stage.service.emit({ event: 'job', data: { ...runningJob, id, server: 'creative' } });
    const asked = page.waitForResponse((response) => (response.request().postData() ?? '').includes('j-later'));
    stage.service.emit({ event: 'destinations-changed', data: {} });
    await (await asked).finished();
    expect(await page.locator('.banner').count()).toBe(0);
    await page.context().close();
  });

  test('a restore offers no snapshot of the place that was chosen before', async () => {
    const { page } = await openStagedPage(stage.browser, stage.service, '');
    const card = page.getByRole('article', { name: 'Creative' });
    await card.waitFor();
    const settings = { ...creative.settings, name: 'Two places', destinations: ['tide-s3', 'attic-nas'] };
    stage.service.emit({ event: 'server', data: { ...creative, settings } });
    await page.getByRole('article', { name: 'Two places' }).getByRole('button', { name: 'Restore…' }).click();
    const dialog = page.getByRole('dialog');
    const restore = dialog.getByRole('button', { name: 'Restore', exact: true });
    await expect.poll(() => restore.getAttribute('aria-disabled')).not.toBe('true');
    const whole = await dialog.getByRole('heading').first().innerText();
    const away = Promise.withResolvers<undefined>();
    for (const call of ['snapshot.newest', 'snapshots.list'])
      await page.route(addressOf(call), async (route) => {
        await away.promise;
        await fails(route, 'unavailable');
      });
    await dialog.getByRole('button', { name: 'Other choices…' }).click();
    await dialog.getByLabel('Backup place').selectOption('attic-nas');
    await expect.poll(() => restore.getAttribute('aria-disabled')).toBe('true');
    expect(await dialog.getByRole('heading').first().innerText()).not.toBe(whole);
    away.resolve(undefined);
    await dialog.getByRole('alert').waitFor();
    expect(await restore.getAttribute('aria-disabled')).toBe('true');
    await page.context().close();
  });

  test('a change of a place that is cancelled is given up, and leads nowhere afterwards', async () => {
    const { page } = await openStagedPage(stage.browser, stage.service, 'settings/place/attic-nas/edit');
    await page.getByLabel('Folder', { exact: true }).fill('/mnt/other');
    await testConnection(page);
    await page.getByRole('checkbox', { name: /means the other place/ }).check({ force: true });
    await held(page, 'destination.edit');
    const sent = page.waitForRequest(addressOf('destination.edit'));
    await page.getByRole('button', { name: 'Save' }).click();
    await sent;
    const given = givenUp(page, 'destination.edit');
    await page.getByRole('link', { name: 'Cancel' }).click();
    await given;
    await page.context().close();
  });

  test('whatever else may last is given up where a person cancels it', async () => {
    const { page } = await openStagedPage(stage.browser, stage.service, 'settings/place/tide-s3');
    const cancel = async (call: string, begin: () => Promise<unknown>, end = 'Cancel'): Promise<void> => {
      await held(page, call);
      const [given, sent] = [givenUp(page, call), page.waitForRequest(addressOf(call))];
      await begin();
      await sent;
      const button = page.getByRole('button', { name: end, exact: true });
      await button.click();
      await given;
      await button.waitFor({ state: 'detached' });
      expect(await page.getByRole('alert').count()).toBe(0);
    };
    await cancel('kit.make', () => page.getByRole('button', { name: 'As text' }).click());
    await cancel('destination.account', () => go(page, 'settings/place/google'));
    await go(page, 'settings');
    await page.getByRole('button', { name: 'Edit…' }).last().click();
    await cancel('notice.try', () => page.getByRole('button', { name: 'Send a test' }).click(), 'Stop the test');
    await page.keyboard.press('Escape');
    await go(page, 'snapshots/creative');
    await cancel('snapshot.unpin', () =>
      page
        .getByRole('button', { name: /^Unpin/ })
        .first()
        .click(),
    );
    await cancel('snapshot.pin', async () => {
      await page.getByRole('button', { name: /^Pin/ }).first().click();
      await page.getByRole('button', { name: 'Pin', exact: true }).click();
    });
    await page.context().close();
  });

  test('a pin that is cancelled too late is said to be there, with a way back; one that was not written is not', async () => {
    const { page, complaints } = await openStagedPage(stage.browser, stage.service, 'snapshots/creative');
    let pinned = false;
    const row = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: /^Pin / }) });
    await row.first().waitFor();
    const when = (await row.first().getByRole('link').innerText()).toLowerCase();
    await page.route(addressOf('snapshots.list'), async (route) => {
      const { value } = (await (await route.fetch()).json()) as { value: SnapshotSummary[] };
      await answers(
        route,
        value.map((one, index) => (index === 0 ? { ...one, pinned } : one)),
      );
    });
    await page.route(addressOf('snapshot.unpin'), async (route) => {
      pinned = false;
      await answers(route, {});
    });
    const cancelled = async (): Promise<void> => {
      await held(page, 'snapshot.pin');
      const [sent, listed] = [page.waitForRequest(addressOf('snapshot.pin')), page.waitForResponse(addressOf('cleanup.preview'))];
      await page.getByRole('button', { name: `Pin ${when}`, exact: true }).click();
      await page.getByRole('button', { name: 'Pin', exact: true }).click();
      await sent;
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      await listed;
    };
    await cancelled();
    await page.getByRole('button', { name: `Pin ${when}`, exact: true }).waitFor();
    expect(await page.getByText(/^Pinned before/).count()).toBe(0);
    pinned = true;
    await cancelled();
    await page.getByText(`Pinned before it was cancelled: ${when}. No clean-up removes it.`).waitFor();
    await page.getByRole('button', { name: `Unpin ${when}`, exact: true }).waitFor();
    await page.locator('.toast').getByRole('button', { name: 'Undo', exact: true }).click();
    await page.getByText(`No longer pinned: ${when}. The clean-up may remove it.`).waitFor();
    await page.getByRole('button', { name: `Pin ${when}`, exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a folder on the way to the one that is typed is looked at no longer than until the next letter', async () => {
    const { page, complaints } = await openStagedPage(stage.browser, stage.service, 'new-server');
    const folder = page.getByLabel('Folder', { exact: true });
    await held(page, 'folder.look', JSON.stringify({ path: '/' }));
    const [sent, given] = [page.waitForRequest(addressOf('folder.look')), givenUp(page, 'folder.look')];
    await folder.fill('/');
    await sent;
    await folder.fill('/srv/minecraft');
    await given;
    await page.getByText('9,318 files').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
