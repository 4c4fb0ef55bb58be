import type { Page } from 'playwright';
import { timeLeft } from './restore-views.ts';
import type { View } from './views.ts';

type Language = 'en' | 'de';

/** What a person clicks, by its name in each language. */
const says = {
  go: { en: 'Continue', de: 'Weiter' },
  browse: { en: 'Browse…', de: 'Suchen…' },
  folder: { en: 'Folder', de: 'Ordner' },
  bucket: { en: 'Bucket', de: 'Bucket' },
  keyId: { en: 'Access key ID', de: 'Access Key ID' },
  secret: { en: 'Secret access key', de: 'Secret Access Key' },
  region: { en: 'Region', de: 'Region' },
  test: { en: 'Test connection', de: 'Verbindung prüfen' },
  again: { en: 'Test again', de: 'Erneut prüfen' },
  fresh: { en: /^A new place/, de: /^Ein neuer Ort/ },
  nas: { en: 'Folder or NAS', de: 'Ordner oder NAS' },
  signIn: { en: 'Sign in with Google…', de: 'Bei Google anmelden…' },
  elsewhere: { en: /^No browser/, de: /^Kein Browser/ },
  password: { en: 'Password', de: 'Passwort' },
  repeat: { en: 'Password again', de: 'Passwort noch einmal' },
  kit: { en: 'Download key file', de: 'Schlüsseldatei laden' },
  put: { en: /^It is put away/, de: /^Sie ist weggelegt/ },
  start: { en: 'Back up now', de: 'Jetzt sichern' },
  kept: { en: /snapshots in half a year/, de: /in einem halben Jahr, der/ },
  done: { en: 'Lobby is safe', de: 'Lobby ist gesichert' },
} as const;

type Said = keyof typeof says;

function press(page: Page, what: Said, language: Language): Promise<void> {
  return page.getByRole('button', { name: says[what][language], exact: typeof says[what][language] === 'string' }).click();
}

function field(page: Page, what: Said, language: Language) {
  return page.getByLabel(says[what][language], { exact: true });
}

interface Stop {
  readonly name: string;
  /** From the stop before to this one. */
  readonly go: (page: Page, language: Language) => Promise<unknown>;
}

const stops: readonly Stop[] = [
  {
    name: 'wizard-picker',
    async go(page, language) {
      await press(page, 'browse', language);
      await page.getByRole('option').nth(3).waitFor();
      await page.keyboard.press('ArrowDown');
    },
  },
  {
    name: 'wizard-folder',
    async go(page, language) {
      await page.keyboard.press('Escape');
      await field(page, 'folder', language).fill('/srv/minecraft/lobby');
      await page.getByText('9,318').or(page.getByText('9.318')).waitFor();
    },
  },
  {
    name: 'wizard-place',
    async go(page, language) {
      await press(page, 'go', language);
      await page.getByRole('radio', { name: says.fresh[language] }).check();
    },
  },
  {
    name: 'wizard-place-test',
    async go(page, language) {
      await field(page, 'bucket', language).fill('tide-backups');
      await field(page, 'region', language).fill('eu-central-1');
      await field(page, 'keyId', language).fill('TDK7Q2M0VX4R9A1E');
      await field(page, 'secret', language).fill('not-a-real-secret-at-all');
      await press(page, 'test', language);
      await page.getByRole('button', { name: says.again[language] }).waitFor();
    },
  },
  {
    name: 'wizard-sign-in',
    async go(page, language) {
      await page.context().route('https://accounts.example/**', (route) => route.fulfill({ body: 'The provider’s page.' }));
      await page.getByRole('radio', { name: 'Google Drive', exact: true }).click();
      const opened = page.context().waitForEvent('page');
      await press(page, 'signIn', language);
      // A page that lies behind another one is drawn once a second.
      await (await opened).close();
      await page.getByText(says.elsewhere[language]).click();
    },
  },
  {
    name: 'wizard-password',
    async go(page, language) {
      await page.getByRole('radio', { name: says.nas[language], exact: true }).click();
      await field(page, 'folder', language).fill('/mnt/attic');
      await press(page, 'go', language);
      await field(page, 'password', language).fill('correct horse battery');
      await field(page, 'repeat', language).fill('correct horse battery');
      await page.getByText(/Very strong|Sehr stark/).waitFor();
    },
  },
  {
    name: 'wizard-kit',
    async go(page, language) {
      await press(page, 'kit', language);
      await page.getByRole('status').filter({ hasText: /\w/ }).waitFor();
    },
  },
  {
    name: 'wizard-schedule',
    async go(page, language) {
      await press(page, 'put', language);
      await page.getByText(says.kept[language]).waitFor();
    },
  },
  {
    name: 'wizard-first',
    async go(page, language) {
      await press(page, 'start', language);
      await timeLeft(page).waitFor();
    },
  },
];

/** From the first step to the last that is wanted; `at` is told of each on the way. */
export async function walkWizard(page: Page, language: Language, last: string, at?: (name: string) => Promise<unknown>): Promise<void> {
  for (const { name, go } of stops) {
    await go(page, language);
    await at?.(name);
    if (name === last) return;
  }
}

async function done(page: Page, language: Language): Promise<void> {
  await page.route('**/api/call/job.get', async (route) => {
    const reply = await route.fetch();
    const { value } = (await reply.json()) as { value: object };
    const ended = { ...value, id: 'j-done', state: 'done', endedAt: 1_795_442_000_000, bytes: 5e9, storedBytes: 3.6e9 };
    await route.fulfill({ response: reply, json: { ok: true, value: ended } });
  });
  await page.route('**/api/call/backup.start', (route) => route.fulfill({ json: { ok: true, value: { job: 'j-done' } } }));
  await walkWizard(page, language, 'wizard-schedule');
  await press(page, 'start', language);
  await page.getByRole('heading', { name: says.done[language] }).waitFor();
}

const both = ['en', 'de'] as const;

/** Every step of the wizard, in its order. */
export const wizardSteps: readonly View[] = stops.map(({ name }) => ({
  name,
  path: 'new-server',
  languages: both,
  ready: (page, language) => walkWizard(page, language, name),
}));

/** These, and what comes of the last. */
export const wizardViews: readonly View[] = [...wizardSteps, { name: 'wizard-done', path: 'new-server', languages: both, ready: done }];
