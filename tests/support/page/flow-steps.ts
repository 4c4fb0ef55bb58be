import type { Download } from 'playwright';
import type { Provider } from '../../../main/contract/destination-settings.ts';
import type { Visitor } from './visitor.ts';

/** Describes a backup place in its form, which the wizard, Settings and the new machine share. */
export type FillPlace = (visitor: Visitor) => Promise<void>;

export interface NewServer {
  readonly folder: string;
  readonly name: string;
  readonly place: FillPlace;
  readonly password: string;
  /** Before the password is typed. */
  readonly atPassword?: () => Promise<void>;
  /** Once the key file has been downloaded and before it is put away. */
  readonly atKeyFile?: (kit: Download) => Promise<void>;
}

/** The whole wizard, from the folder to the first backup that has ended well. */
export async function setUpServer(visitor: Visitor, server: NewServer): Promise<void> {
  await chooseFolder(visitor, server.folder, server.name);
  await describePlace(visitor, server.place);
  await server.atPassword?.();
  await choosePassword(visitor, server.password, server.atKeyFile);
  await firstBackup(visitor, server.name);
}

/** Without a name it stays as suggested. */
export async function chooseFolder({ page, say, field, button, heading }: Visitor, folder: string, name?: string): Promise<void> {
  await field('wizard.folder').fill(folder);
  await field('wizard.name').waitFor();
  if (name === undefined) {
    await button('do.continue').click();
    return;
  }
  await field('wizard.name').fill(name);
  await page.keyboard.press('Enter');
  await heading('wizard.place.title', { name })
    .or(page.getByText(say('wizard.name.taken')))
    .waitFor();
}

/** A new place, which is tested, and must be well. */
export async function describePlace(visitor: Visitor, fill: FillPlace): Promise<void> {
  const { page, say, button, field } = visitor;
  const fresh = page.getByRole('radio', { name: say('wizard.place.new') });
  if ((await fresh.count()) > 0) await fresh.check();
  await fill(visitor);
  await button('do.continue').click();
  await field('password.repeat').waitFor();
}

export async function choosePassword(
  { page, button, field }: Visitor,
  password: string,
  atKeyFile?: NewServer['atKeyFile'],
): Promise<void> {
  await field('password.new').fill(password);
  await field('password.repeat').fill(password);
  const download = page.waitForEvent('download');
  await button('wizard.password.do').click();
  await atKeyFile?.(await download);
  await button('wizard.kit.put').click();
}

export async function firstBackup({ button, heading }: Visitor, name: string): Promise<void> {
  await button('wizard.start').click();
  await heading('wizard.done.title', { name }).waitFor();
}

/** By the chip of its provider. */
export async function chooseProvider({ page, say }: Visitor, provider: Provider): Promise<void> {
  await page.getByRole('radio', { name: say(`place.provider.${provider}`), exact: true }).click();
}

/** A folder as the place. */
export function folderPlace(path: string): FillPlace {
  return async (visitor) => {
    await chooseProvider(visitor, 'folder');
    await visitor.field('place.path').fill(path);
  };
}

/** From the card: one click and one confirmation. It ends on what has been done. */
export async function restoreLatest(visitor: Visitor, name: string): Promise<void> {
  await visitor
    .card(name)
    .getByRole('button', { name: visitor.say('do.restore'), exact: true })
    .click();
  await confirmRestore(visitor, name);
}

export async function confirmRestore({ page, say, heading }: Visitor, name: string): Promise<void> {
  await page
    .getByRole('dialog')
    .getByRole('button', { name: say('restore.do'), exact: true })
    .click();
  await heading('ended.done', { name }).waitFor();
}

export async function undoRestore({ page, say, text }: Visitor): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: say('do.undo'), exact: true }).click();
  await text('aside.swapped').waitFor();
  await dialog.getByRole('button', { name: say('ended.close'), exact: true }).click();
}

/** From an empty Home to the list of what is kept in a place. */
export async function openOnNewMachine(visitor: Visitor, fill: FillPlace, password: string): Promise<void> {
  const { page, say, button, field, text } = visitor;
  await page.getByRole('link', { name: say('home.newMachine'), exact: true }).click();
  await fill(visitor);
  await button('test.do').click();
  await text('test.sum', { count: 0 }).waitFor();
  await button('do.continue').click();
  await field('password.open').fill(password);
  await button('machine.open').click();
}

/** Brings a listed server back into a folder. */
export async function bringBack({ say, card }: Visitor, name: string, folder: string): Promise<void> {
  const found = card(name);
  await found.getByLabel(say('machine.folder'), { exact: true }).fill(folder);
  await found.getByRole('button', { name: new RegExp(`^${say('machine.bring')}`) }).click();
  await found.getByText(say('machine.back')).waitFor();
}
