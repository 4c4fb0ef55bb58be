import type { Page } from 'playwright';

/** In the wizard's first step: a folder, until what is said of it is there. */
export async function chooseFolder(page: Page, path: string, said: string | RegExp): Promise<void> {
  const folder = page.getByLabel('Folder', { exact: true });
  await folder.fill(path);
  await folder.blur();
  await page.getByText(said).waitFor();
}

/** From a folder that can be backed up to the question where. */
export async function toPlaces(page: Page, path: string, said: string | RegExp = /One file/): Promise<void> {
  await chooseFolder(page, path, said);
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** Wherever a place is described: one on this computer. */
export async function describeFolderPlace(page: Page, path: string): Promise<void> {
  await page.getByRole('radio', { name: 'Folder or NAS', exact: true }).click();
  await page.getByLabel('Folder', { exact: true }).fill(path);
}

/** Until all its checks have passed. */
export async function testConnection(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Test (connection|again)$/ }).click();
  await page.getByText('All is well.').waitFor();
}
