/** What the built app gets as `electron` where there is none: the stand-ins of the tests under Electron's names, led by the process that started it. */
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { AppAnswer, AppAsk } from './app-process.ts';
import * as fakes from './electron-fakes.ts';

const root = join(import.meta.dirname, '..', '..');
const base = process.env['HOME'] ?? '';
/** What is to go wrong: `ready`, that Electron comes up; `load`, that the window shows its page. */
const fails = process.env['HOLDFAST_STUB_FAILS'];

export const app = Object.assign(new fakes.FakeApp(), {
  setPath: () => undefined,
  getPath: () => join(base, 'app-data'),
  getAppPath: () => root,
  exit: (code: number) => process.exit(code),
  whenReady: () => (fails === 'ready' ? Promise.reject(new Error('no display')) : Promise.resolve()),
});
export const dialog = new fakes.FakeDialog();
export const protocol = new fakes.FakeProtocol();
export const screen = new fakes.FakeScreen();
export const ipcMain = new fakes.FakeIpc();
export const nativeTheme = new fakes.FakeTheme();
export const powerMonitor = Object.assign(new EventEmitter(), { isOnBatteryPower: () => false });
export const session = { defaultSession: new fakes.FakeSession() };
export const shell = { openExternal: async () => undefined };
export const Menu = { buildFromTemplate: (entries: Tray['entries']) => entries };
const shown: fakes.FakeNotification[] = [];
export class Notification extends fakes.FakeNotification {
  constructor(options: fakes.FakeNotification['options']) {
    super(options);
    shown.push(this);
  }
}

/** What the preload puts into the page, asks the app and listens for. */
export const exposed = new Map<string, unknown>();
export const invoked: unknown[] = [];
export const rendererListeners = new Map<string, (event: unknown, data: unknown) => void>();
export const contextBridge = { exposeInMainWorld: (name: string, value: unknown) => void exposed.set(name, value) };
export const ipcRenderer = {
  invoke: async (...args: readonly unknown[]) => {
    invoked.push(args);
    return { ok: true, value: 'answer' };
  },
  on: (channel: string, listener: (event: unknown, data: unknown) => void) => void rendererListeners.set(channel, listener),
  off: (channel: string, listener: unknown) => {
    if (rendererListeners.get(channel) === listener) rendererListeners.delete(channel);
  },
};

/** The window has been given its address: what it asks for from now on is answered. */
const opened = Promise.withResolvers<string>();
export class BrowserWindow extends fakes.FakeWindow {
  constructor(options: fakes.FakeWindow['options']) {
    super(options);
    const { webContents } = this;
    webContents.send = (...sent) => void process.send?.({ sent });
  }
  override async loadURL(url: string): Promise<void> {
    opened.resolve(url);
    if (fails === 'load') throw new Error('no page');
    await super.loadURL(url);
  }
}

const trays: Tray[] = [];
export class Tray extends fakes.FakeTray {
  constructor(image: string) {
    super(image);
    trays.push(this);
  }
  setContextMenu(entries: Tray['entries']): void {
    this.entries = entries;
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
    case 'choose':
      return trays[0]?.choose(...ask.labels);
    case 'seen':
      return { toolTip: trays[0]?.toolTip, errors: dialog.errors, notifications: shown.map(({ options }) => options.title) };
  }
}

// Nobody leads it where the preload alone is tried.
if (process.send !== undefined)
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
