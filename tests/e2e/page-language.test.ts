import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import type { ServiceEvent } from '../../main/contract/events.ts';
import { axeFindings } from '../support/page/axe.ts';
import { browserMissing, openPage } from '../support/page/browser.ts';
import { openStage } from '../support/page/stage.ts';
import { runningJob } from '../support/page/staged-service.ts';
import { walkWizard } from '../support/page/wizard-views.ts';

/** All that the page shows as its own words: what stands in the service's is marked as English. */
const ownWords = (page: Page): Promise<string> =>
  page.evaluate<string>(`(() => {
    const copy = document.body.cloneNode(true);
    for (const marked of copy.querySelectorAll('[lang="en"], script, style')) marked.remove();
    return copy.textContent;
  })()`);

describe.skipIf(browserMissing !== '')(`the page in German${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const stage = openStage();

  async function german(view: string): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
    const watched = await openPage(stage.browser, { locale: 'de-DE', viewport: { width: 1100, height: 900 }, reducedMotion: 'reduce' });
    await watched.page.goto(stage.service.link());
    await watched.page.goto(`http://127.0.0.1:${stage.service.http.port}/#/${view}`);
    return watched;
  }

  const ended = (more: Partial<typeof runningJob>): ServiceEvent => ({
    event: 'job',
    data: { ...runningJob, progress: null, endedAt: Date.now(), startedAt: Date.now() - 60_000, ...more },
  });

  test('says what came of jobs, what was noticed and why they failed; the service’s own words are marked as English', async () => {
    const { page, complaints } = await german('activity');
    await page
      .getByRole('button', { name: /Test-Wiederherstellung: Survival/ })
      .first()
      .waitFor();
    // Older jobs of the same kind are there: the new one has to have come before the first is opened.
    const opened = async (name: RegExp, job: ServiceEvent): Promise<void> => {
      const rows = page.getByRole('button', { name });
      const before = await rows.count();
      stage.service.emit(job);
      await expect.poll(() => rows.count()).toBe(before + 1);
      await rows.first().click();
    };
    await opened(
      /Wiederherstellung: Survival/,
      ended({
        ...{ id: 'j-1', kind: 'restore', state: 'done', files: 12, kept: true, summary: '12 files were brought back.' },
        warnings: [{ code: 'unreadable', message: 'could not be read (EACCES)', path: 'world/level.dat' }],
      }),
    );
    await page.getByText('12 Dateien wurden zurückgeholt. Was vorher da war, ist aufgehoben.').waitFor();
    await page.getByText('Ließ sich nicht lesen.').waitFor();
    await opened(
      /Test-Wiederherstellung: Survival/,
      ended({
        ...{ id: 'j-2', kind: 'drill', state: 'failed', summary: 'bucket attic is gone' },
        fault: {
          ...{ code: 'config-invalid', persistence: 'permanent', operation: 'list', message: 'bucket attic is gone' },
          context: { say: 'bucket-missing', next: 'Make the bucket' },
        },
      }),
    );
    await page.getByText('Diesen Bucket gibt es in diesem Konto nicht.').waitFor();
    await opened(
      /Prüfung: Survival/,
      ended({
        ...{ id: 'j-3', kind: 'verify', state: 'failed', summary: 'no such setting' },
        fault: {
          ...{ code: 'config-invalid', persistence: 'permanent', operation: 'x', message: 'no such setting' },
          context: { say: 'of a newer service' },
        },
      }),
    );
    await page.getByText('Eine Einstellung ist so nicht zu gebrauchen.').waitFor();
    // Without the details nobody would know which.
    expect(await page.getByText('config-invalid: no such setting').isVisible()).toBe(true);
    expect(await ownWords(page)).not.toMatch(/brought back|could not be read|is gone|no such setting|Make the bucket/);
    expect(await axeFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('says what a connection’s test found, and what is wrong with a folder', async () => {
    const { page, complaints } = await german('new-server');
    await page.getByLabel('Ordner', { exact: true }).fill('/nowhere/at/all');
    await page.keyboard.press('Enter');
    await page.getByText('Den Ordner /nowhere/at/all gibt es auf jenem Rechner nicht.').waitFor();
    expect(await ownWords(page)).not.toContain('does not exist');
    await page.reload();
    await walkWizard(page, 'de', 'wizard-place-test');
    const row = page.getByRole('listitem').filter({ hasText: 'Löschen ist nicht erlaubt' });
    expect(await row.innerText()).toMatch(
      /Das Konto darf das nicht\. Alte Stände bleiben liegen.*Erlaube das Löschen für diesen Schlüssel/s,
    );
    expect(await row.locator('[lang="en"]').innerText()).toBe('Deleting is refused. Allow s3:DeleteObject for this key, then test again.');
    expect(await ownWords(page)).not.toMatch(/refused|Allow/);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('tells the app around it what is chosen, at the start and from then on', async () => {
    const { page } = await openPage(stage.browser);
    const told: unknown[] = [];
    await page.exposeFunction('tell', (request: unknown) => void told.push(request));
    await page.addInitScript(`window.holdfast = {
      call: async (name, request) => {
        if (name === 'host.look') {
          await window.tell(request);
          return { ok: true, value: {} };
        }
        const headers = { 'content-type': 'application/json', authorization: 'Bearer ${'0'.repeat(64)}' };
        return await (await fetch('/api/call/' + name, { method: 'POST', headers, body: JSON.stringify(request) })).json();
      },
      subscribe: () => () => undefined,
    }`);
    const address = `http://127.0.0.1:${stage.service.http.port}/#/settings`;
    await page.goto(address);
    await page.getByRole('radio', { name: 'Deutsch' }).click();
    await page.getByRole('radio', { name: 'Dunkel' }).click();
    await expect.poll(() => told).toEqual([{ language: 'de' }, { theme: 'dark' }]);
    await page.reload();
    await page.getByRole('radio', { name: 'Dunkel' }).waitFor();
    await expect.poll(() => told.slice(2)).toEqual([{ theme: 'dark' }, { language: 'de' }]);
    await page.context().close();
  });

  test('says where backup places are', async () => {
    const { page, complaints } = await german('settings');
    await page.getByText('S3-kompatibel, Bucket tide-backups bei s3.eu-central.tide.example').waitFor();
    await page.getByText('Google Drive, Ordner Backups').waitFor();
    await page.getByText('Ordner oder NAS, /mnt/attic').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
