/** What the built app gets as `electron` where there is none: the stand-ins of the tests under Electron's names, and a person who acts. */
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fakes from './electron-fakes.ts';

const root = join(import.meta.dirname, '..', '..');
const base = process.env['HOME'] ?? '';

export const app = Object.assign(new fakes.FakeApp(), {
  setPath: () => undefined,
  getPath: () => join(base, 'app-data'),
  getAppPath: () => root,
  exit: (code: number) => process.exit(code),
});
export const dialog = new fakes.FakeDialog();
export const protocol = new fakes.FakeProtocol();
export const screen = new fakes.FakeScreen();
export const ipcMain = new fakes.FakeIpc();
export const nativeTheme = new fakes.FakeTheme();
export const powerMonitor = Object.assign(new EventEmitter(), { isOnBatteryPower: () => false });
export const session = { defaultSession: new fakes.FakeSession() };
export const shell = { openExternal: async () => undefined };
export const Menu = { buildFromTemplate: (entries: unknown) => entries };
export const Notification = fakes.FakeNotification;

const windows: fakes.FakeWindow[] = [];
export class BrowserWindow extends fakes.FakeWindow {
  constructor(options: fakes.FakeWindow['options']) {
    super(options);
    windows.push(this);
  }
}

const trays: Tray[] = [];
export class Tray extends fakes.FakeTray {
  constructor(image: string) {
    super(image);
    trays.push(this);
  }
  setContextMenu(): undefined {
    return undefined;
  }
}

const told: Record<string, unknown> = {};
const ours = { sender: { id: 7 }, senderFrame: { origin: 'app://holdfast', parent: null } };

async function person(): Promise<void> {
  while (!ipcMain.listeners.has('holdfast:call')) await sleep(5);
  const before = await ipcMain.invoke(ours, 'servers.list', {});
  told['before'] = before;
  told['started'] = await ipcMain.invoke(ours, 'backup.start', { slug: 'survival' });
  const ended = (): boolean => windows[0]?.webContents.sent.some(([, event]) => JSON.stringify(event).includes('"state":"done"')) === true;
  while (!ended()) await sleep(20);
  told['page'] = await (await protocol.handler({ url: 'app://holdfast/index.html', method: 'GET' })).text();
  told['toolTip'] = trays[0]?.toolTip;
  told['errors'] = dialog.errors;
  app.quit();
  await app.ended.promise;
  process.stdout.write(`${JSON.stringify(told)}\n`);
  process.exit(0);
}

void person();
