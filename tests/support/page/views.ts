import type { Page } from 'playwright';
import { allCards } from './card-views.ts';
import { restoreViews, tickSome, timeLeft } from './restore-views.ts';
import type { StagedService } from './staged-service.ts';
import { wizardViews } from './wizard-views.ts';

export interface View {
  /** Of its pictures. */
  readonly name: string;
  /** Behind `#/`. */
  readonly path: string;
  /** Nothing is set up yet. */
  readonly empty?: boolean;
  /** Nobody gave the passphrase of the key file. */
  readonly locked?: boolean;
  /** Its pictures show all of it, however long it is. */
  readonly whole?: boolean;
  readonly languages?: readonly ('en' | 'de')[];
  /** Settles once the view shows what it is about; may click its way there. */
  readonly ready: (page: Page, language: 'en' | 'de', service: StagedService) => Promise<unknown>;
}

const both = ['en', 'de'] as const;
const creative = 'snapshots/creative/tide-s3';

/** Every view of the page, for pictures and for checks of all of them. */
export const views: readonly View[] = [
  { name: 'home', path: '', languages: both, ready: (page) => timeLeft(page).waitFor() },
  allCards,
  { name: 'snapshots', path: creative, languages: both, ready: (page) => page.getByRole('list').getByRole('link').nth(9).waitFor() },
  {
    ...{ name: 'snapshots-kept', path: creative, languages: both },
    async ready(page) {
      await page.getByRole('list').getByRole('link').nth(9).waitFor();
      await page.getByRole('heading', { name: /^(Kept|Behalten)$/ }).evaluate((heading) => heading.scrollIntoView());
    },
  },
  { name: 'servers', path: 'snapshots', languages: both, ready: (page) => page.getByRole('link', { name: /Creative/ }).waitFor() },
  { name: 'browse', path: `${creative}/snap-0000`, languages: both, ready: tickSome },
  {
    ...{ name: 'browse-differing', path: `${creative}/snap-0000`, languages: both },
    async ready(page) {
      await page.getByRole('radio', { name: /(Differing|Unterschiede) 216/ }).click();
      await page.getByRole('treeitem', { name: /gone|weg/ }).waitFor();
    },
  },
  ...restoreViews,
  {
    ...{ name: 'keychain', path: '', locked: true, languages: both },
    async ready(page) {
      await page
        .getByRole('button', { name: /^(Open the keychain|Schlüsselbund öffnen)…$/ })
        .first()
        .click();
      await page
        .getByRole('dialog')
        .getByLabel(/^(Passphrase|Passwort)$/)
        .fill('open sesame');
    },
  },
  { name: 'locked', path: '', locked: true, languages: both, ready: (page) => page.getByRole('article').nth(3).waitFor() },
  {
    ...{ name: 'keys', path: 'settings', locked: true, languages: both },
    async ready(page) {
      await page.getByRole('button', { name: /^(Keep them elsewhere|Woanders aufbewahren)…$/ }).click();
      await page.getByRole('dialog').getByRole('radio').last().click();
      await page.getByRole('dialog').getByRole('checkbox').waitFor();
    },
  },
  {
    ...{ name: 'export', path: 'settings', languages: both },
    async ready(page) {
      await page.getByRole('button', { name: /^(Export|Exportieren)…$/ }).click();
      for (const [index, text] of ['one thing', 'another'].entries()) await page.getByRole('dialog').locator('input').nth(index).fill(text);
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /^(Cancel|Abbrechen)$/ })
        .focus();
    },
  },
  {
    ...{ name: 'imported', path: 'settings', languages: both },
    async ready(page) {
      await page.getByRole('button', { name: /^(Import|Importieren)…$/ }).click();
      const dialog = page.getByRole('dialog');
      await dialog
        .locator('input[type=file]')
        .setInputFiles({ name: 'settings.sealed', mimeType: 'application/octet-stream', buffer: Buffer.from('x') });
      await dialog.locator('input[type=password]').fill('open sesame');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').scrollIntoViewIfNeeded();
    },
  },
  {
    ...{ name: 'remove-server', path: '', languages: both },
    async ready(page) {
      const card = page.getByRole('article').filter({ hasText: 'Nextcloud' });
      await card.getByRole('button', { name: /(More for|Mehr)/ }).click();
      await page.getByRole('menuitem', { name: /^(Stop backing up|Nicht mehr sichern)…$/ }).click();
      await page.getByRole('dialog').getByRole('heading').waitFor();
    },
  },
  { name: 'empty', path: '', empty: true, languages: both, ready: (page) => page.getByRole('heading', { level: 1 }).waitFor() },
  {
    ...{ name: 'activity', path: 'activity', languages: both },
    async ready(page) {
      await page
        .getByRole('button', { name: /Survival/ })
        .first()
        .click();
      await timeLeft(page).waitFor();
    },
  },
  {
    ...{ name: 'activity-log', path: 'activity', languages: both },
    async ready(page) {
      await page
        .getByRole('button', { name: /Survival/ })
        .nth(1)
        .click();
      await page.getByText(/^(Log|Protokoll)$/).click();
      await page.getByText('how=minecraft').evaluate((line) => line.scrollIntoView({ block: 'center' }));
    },
  },
  {
    name: 'settings',
    path: 'settings',
    languages: ['en', 'de'],
    ready: (page) => page.getByRole('heading', { level: 2 }).nth(6).waitFor(),
  },
  {
    ...{ name: 'notice', path: 'settings', languages: both },
    async ready(page) {
      await page.getByRole('button', { name: /^(Add a notice|Meldung hinzufügen)$/ }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name', { exact: true }).fill('attic');
      await dialog.getByLabel(/^(Topic|Thema)$/).fill('mine');
      await dialog.getByRole('button', { name: /^(Send a test|Test senden)$/ }).click();
      await dialog.getByText(/^(The test has arrived|Der Test ist angekommen)/).waitFor();
      await dialog.getByLabel('Name', { exact: true }).fill('phone');
    },
  },
  {
    ...{ name: 'remove-notice', path: 'settings', languages: both },
    async ready(page) {
      const card = page.locator('section').filter({ has: page.getByRole('heading', { name: /^(Notices|Meldungen)$/ }) });
      await card.getByRole('button', { name: /^(Edit|Ändern)…$/ }).click();
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /^(Remove|Entfernen)…$/ })
        .click();
      await page.getByRole('dialog').getByRole('heading', { name: /phone/ }).waitFor();
    },
  },
  {
    name: 'server',
    path: 'settings/server/survival',
    languages: ['en', 'de'],
    ready: (page) => page.getByRole('heading', { level: 2 }).nth(2).waitFor(),
  },
  { name: 'new-place', path: 'settings/new-place', languages: both, ready: (page) => page.getByRole('radio').first().waitFor() },
  {
    name: 'place',
    path: 'settings/place/google',
    languages: ['en', 'de'],
    ready: (page) => page.getByRole('heading', { level: 2 }).nth(2).waitFor(),
  },
  {
    ...{ name: 'place-edit', path: 'settings/place/tide-s3/edit', languages: both },
    async ready(page) {
      await page.getByLabel('Bucket', { exact: true }).fill('other-backups');
      await page.getByRole('checkbox').last().waitFor();
    },
  },
  {
    ...{ name: 'password', path: 'settings/place/tide-s3', languages: both },
    ready: (page) => page.getByRole('button', { name: /^(Change the password|Passwort ändern)…$/ }).click(),
  },
  { name: 'new-machine', path: 'new-machine', languages: ['en', 'de'], ready: (page) => page.getByRole('radio').first().waitFor() },
  {
    ...{ name: 'new-machine-password', path: 'new-machine', languages: both },
    ready: async (page) => {
      await page.getByRole('radio', { name: /^(Folder or NAS|Ordner oder NAS)$/ }).click();
      await page.getByLabel(/^(Folder|Ordner)$/).fill('/mnt/attic');
      await page.getByRole('button', { name: /^(Test connection|Verbindung prüfen)$/ }).click();
      await page.getByText(/^(All is well|Alles in Ordnung)/).waitFor();
      await page.getByRole('button', { name: /^(Continue|Weiter)$/ }).click();
      await page.getByLabel(/^(Password of this backup place|Passwort dieses Sicherungsorts)$/).waitFor();
    },
  },
  {
    ...{ name: 'new-machine-servers', path: 'new-machine', languages: both },
    ready: async (page) => {
      await page.getByRole('button', { name: /tide-s3/ }).click();
      await page.getByRole('article').first().waitFor();
    },
  },
  ...wizardViews,
];
