/** What the built app gets as `electron` where there is none: the stand-ins of the tests under Electron's names, led by the process that started it. */
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { AppAnswer, AppAsk } from './app-process.ts';
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

/** The window has been given its address: what it asks for from now on is answered. */
const opened = Promise.withResolvers<string>();
export class BrowserWindow extends fakes.FakeWindow {
  constructor(options: fakes.FakeWindow['options']) {
    super(options);
    const { webContents } = this;
    webContents.send = (...sent) => void process.send?.({ sent });
  }
  override async loadURL(url: string): Promise<void> {
    await super.loadURL(url);
    opened.resolve(url);
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

const ours = { sender: { id: 7 }, senderFrame: { origin: 'app://holdfast', parent: null } };

async function answerTo(ask: AppAsk): Promise<AppAnswer> {
  await opened.promise;
  switch (ask.what) {
    case 'invoke':
      return await ipcMain.on(ask.channel, ours, ...ask.args);
    case 'page': {
      const response = await protocol.handler({ url: ask.url, method: 'GET' });
      const { status, headers } = response;
      return { status, headers: Object.fromEntries(headers), body: new Uint8Array(await response.arrayBuffer()) };
    }
    case 'seen':
      return { toolTip: trays[0]?.toolTip, errors: dialog.errors };
  }
}

process.on('message', ({ id, ask }: { readonly id: number; readonly ask: AppAsk | 'quit' }) => {
  if (ask === 'quit') {
    // A person who is asked whether to end what runs.
    dialog.answer = 1;
    app.quit();
    return;
  }
  answerTo(ask).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
void app.ended.promise.then(() => process.exit(0));
