import type { Page } from 'playwright';

export interface View {
  /** Of its pictures. */
  readonly name: string;
  /** Behind `#/`. */
  readonly path: string;
  /** Nothing is set up yet. */
  readonly empty?: boolean;
  readonly languages?: readonly ('en' | 'de')[];
  /** Settles once the view shows what it is about; may click its way there. */
  readonly ready: (page: Page, language: 'en' | 'de') => Promise<unknown>;
}

/** Every view of the page, for pictures and for checks of all of them. */
export const views: readonly View[] = [
  { name: 'home', path: '', languages: ['en', 'de'], ready: (page) => page.getByRole('article').nth(3).waitFor() },
  { name: 'empty', path: '', empty: true, ready: (page) => page.getByRole('heading', { level: 1 }).waitFor() },
  {
    name: 'activity',
    path: 'activity',
    ready: (page) =>
      page
        .getByRole('button', { name: /Survival/ })
        .first()
        .click(),
  },
  {
    name: 'settings',
    path: 'settings',
    languages: ['en', 'de'],
    ready: (page) => page.getByRole('heading', { level: 2 }).nth(6).waitFor(),
  },
  {
    ...{ name: 'notice', path: 'settings' },
    ready: (page) => page.getByRole('button', { name: 'Add a notice' }).click(),
  },
  { name: 'new-place', path: 'settings/new-place', ready: (page) => page.getByRole('radio').first().waitFor() },
  {
    name: 'place',
    path: 'settings/place/google',
    languages: ['en', 'de'],
    ready: (page) => page.getByRole('heading', { level: 2 }).nth(2).waitFor(),
  },
  {
    ...{ name: 'password', path: 'settings/place/tide-s3' },
    ready: (page) => page.getByRole('button', { name: 'Change the password…' }).click(),
  },
  { name: 'new-machine', path: 'new-machine', languages: ['en', 'de'], ready: (page) => page.getByRole('radio').first().waitFor() },
  {
    ...{ name: 'new-machine-servers', path: 'new-machine' },
    ready: async (page) => {
      await page.getByRole('button', { name: /tide-s3/ }).click();
      await page.getByRole('article').first().waitFor();
    },
  },
];
