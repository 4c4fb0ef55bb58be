import { EventEmitter } from 'node:events';
import type { ServiceDoor } from '../../main/compose/service-door.ts';
import type { HostFeatures } from '../../main/compose/service/host-features.ts';
import type { AppParts } from '../../main/electron/app.ts';
import type * as Port from '../../main/electron/ports.ts';
import { appDefaults, type AppSettings, type SettingsPort } from '../../main/electron/settings.ts';

/** Stand-ins for Electron that satisfy the ports as they are, without a cast: what they lack, the app does not use. */

/** An event that can be stopped, and tells whether it was. */
export class FakeEvent {
  stopped = false;
  preventDefault(): void {
    this.stopped = true;
  }
}

/** Of a page, or of a frame in it, that is about to show another address. */
export class FakeNavigation extends FakeEvent implements Port.NavigationPort {
  readonly url: string;
  readonly isMainFrame: boolean;

  constructor(url: string, isMainFrame = true) {
    super();
    this.url = url;
    this.isMainFrame = isMainFrame;
  }
}

export class FakeApp extends EventEmitter implements Port.AppPort {
  isFirst = true;
  quits = 0;
  locale = 'en-GB';
  modelId = '';
  openAtLogin = false;
  wasOpenedAtLogin = false;
  loginArguments: readonly string[] = [];
  /** Settles once the app has asked to end, and been allowed to. */
  readonly ended = Promise.withResolvers<undefined>();

  requestSingleInstanceLock(): boolean {
    return this.isFirst;
  }
  whenReady(): Promise<unknown> {
    return Promise.resolve();
  }
  getLocale(): string {
    return this.locale;
  }
  setAppUserModelId(id: string): void {
    this.modelId = id;
  }
  setLoginItemSettings({ openAtLogin = false, args = [] }: Parameters<Port.AppPort['setLoginItemSettings']>[0]): void {
    this.openAtLogin = openAtLogin;
    this.loginArguments = args;
  }
  getLoginItemSettings(): { openAtLogin: boolean; wasOpenedAtLogin: boolean } {
    return { openAtLogin: this.openAtLogin, wasOpenedAtLogin: this.wasOpenedAtLogin };
  }
  /** As Electron does: who listens may stop it. */
  quit(): void {
    this.quits += 1;
    const event = new FakeEvent();
    this.emit('before-quit', event);
    if (!event.stopped) this.ended.resolve(undefined);
  }
}

type OpenHandler = Parameters<Port.ContentsPort['setWindowOpenHandler']>[0];

export class FakeContents extends EventEmitter implements Port.ContentsPort {
  readonly id = 7;
  readonly sent: (readonly [string, ...unknown[]])[] = [];
  url = '';
  opening: OpenHandler = () => ({ action: 'allow' });

  send(channel: string, ...args: unknown[]): void {
    this.sent.push([channel, ...args]);
  }
  getURL(): string {
    return this.url;
  }
  setWindowOpenHandler(handler: OpenHandler): void {
    this.opening = handler;
  }
}

export class FakeWindow extends EventEmitter implements Port.WindowPort {
  readonly webContents = new FakeContents();
  readonly loaded: string[] = [];
  readonly options: Port.WindowOptions;
  visible = false;
  minimized = false;
  destroyed = false;
  focused = 0;
  bounds: Port.Rectangle = { x: 0, y: 0, width: 0, height: 0 };
  failure: Error | null = null;

  constructor(options: Port.WindowOptions) {
    super();
    this.options = options;
  }
  show(): void {
    this.visible = true;
  }
  hide(): void {
    this.visible = false;
  }
  focus(): void {
    this.focused += 1;
  }
  isVisible(): boolean {
    return this.visible;
  }
  isMinimized(): boolean {
    return this.minimized;
  }
  restore(): void {
    this.minimized = false;
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  setBounds(bounds: Partial<Port.Rectangle>): void {
    this.bounds = { ...this.bounds, ...bounds };
  }
  getBounds(): Port.Rectangle {
    return this.bounds;
  }
  loadURL(url: string): Promise<void> {
    this.loaded.push(url);
    this.webContents.url = url;
    return this.failure === null ? Promise.resolve() : Promise.reject(this.failure);
  }
  /** A click on its cross. */
  close(): FakeEvent {
    const event = new FakeEvent();
    this.emit('close', event);
    if (!event.stopped) this.destroyed = true;
    return event;
  }
}

export class FakeTray extends EventEmitter implements Port.TrayPort {
  image: string;
  toolTip = '';
  entries: Port.MenuEntry[] = [];
  poppedUp: Port.MenuEntry[] = [];
  bounds: Port.Rectangle = { x: 1500, y: 0, width: 24, height: 24 };

  constructor(image: string) {
    super();
    this.image = image;
  }
  setImage(image: Parameters<Port.TrayPort['setImage']>[0]): void {
    if (typeof image !== 'string') throw new Error('the tray is given paths, so that the system finds the denser image beside');
    this.image = image;
  }
  setToolTip(text: string): void {
    this.toolTip = text;
  }
  getBounds(): Port.Rectangle {
    return this.bounds;
  }
  showMenu(how: Port.MenuCall, entries: Port.MenuEntry[]): void {
    if (how === 'setContextMenu') this.entries = entries;
    else this.poppedUp = entries;
  }
  /** Clicks on an entry by its labels. */
  choose(...labels: readonly string[]): void {
    let entries: readonly Port.MenuEntry[] = this.entries;
    let found: Port.MenuEntry | undefined;
    for (const label of labels) {
      found = entries.find((entry) => entry.label === label);
      entries = found?.submenu ?? [];
    }
    if (found?.click === undefined) throw new Error(`the menu has no ${labels.join(' ▸ ')}`);
    found.click();
  }
}

export class FakeNotification extends EventEmitter implements Port.NotificationPort {
  shown = 0;
  readonly options: Parameters<Port.Ports['createNotification']>[0];

  constructor(options: Parameters<Port.Ports['createNotification']>[0]) {
    super();
    this.options = options;
  }
  show(): void {
    this.shown += 1;
  }
}

type RequestHandler = Parameters<Port.SessionPort['setPermissionRequestHandler']>[0];
type CheckHandler = Parameters<Port.SessionPort['setPermissionCheckHandler']>[0];

export class FakeSession implements Port.SessionPort {
  request: RequestHandler = (_, __, callback) => callback(true);
  check: CheckHandler = () => true;
  device = (): boolean => true;

  setPermissionRequestHandler(handler: RequestHandler): void {
    this.request = handler;
  }
  setPermissionCheckHandler(handler: CheckHandler): void {
    this.check = handler;
  }
  setDevicePermissionHandler(handler: () => boolean): void {
    this.device = handler;
  }
}

export class FakeProtocol implements Port.ProtocolPort {
  schemes: Port.Scheme[] = [];
  served = '';
  handler: Parameters<Port.ProtocolPort['handle']>[1] = () => Promise.resolve(Response.error());

  registerSchemesAsPrivileged(schemes: Port.Scheme[]): void {
    this.schemes = schemes;
  }
  handle(scheme: string, handler: Parameters<Port.ProtocolPort['handle']>[1]): void {
    this.served = scheme;
    this.handler = handler;
  }
}

export class FakeIpc implements Port.IpcPort {
  readonly listeners = new Map<string, Parameters<Port.IpcPort['handle']>[1]>();

  handle(channel: string, listener: Parameters<Port.IpcPort['handle']>[1]): void {
    this.listeners.set(channel, listener);
  }
  async invoke(event: Port.CallEvent, ...args: unknown[]): Promise<unknown> {
    return await this.on('holdfast:call', event, ...args);
  }
  async on(channel: string, event: Port.CallEvent, ...args: unknown[]): Promise<unknown> {
    const listener = this.listeners.get(channel);
    if (listener === undefined) throw new Error(`nobody answers ${channel}`);
    return await listener(event, ...args);
  }
}

export class FakeDialog implements Port.DialogPort {
  readonly errors: (readonly [string, string])[] = [];
  readonly questions: Parameters<Port.DialogPort['showMessageBox']>[0][] = [];
  readonly pickers: Parameters<Port.DialogPort['showOpenDialog']>[0][] = [];
  answer = 0;
  picked: string[] = [];
  canceled = false;

  showErrorBox(title: string, content: string): void {
    this.errors.push([title, content]);
  }
  async showMessageBox(options: Parameters<Port.DialogPort['showMessageBox']>[0]): Promise<{ response: number }> {
    this.questions.push(options);
    return { response: this.answer };
  }
  async showOpenDialog(options: Parameters<Port.DialogPort['showOpenDialog']>[0]): Promise<{ canceled: boolean; filePaths: string[] }> {
    this.pickers.push(options);
    return { canceled: this.canceled, filePaths: this.picked };
  }
}

export class FakeScreen implements Port.ScreenPort {
  pointer = { x: 900, y: 1000 };
  workArea: Port.Rectangle = { x: 0, y: 24, width: 1600, height: 1000 };
  asked: Port.Rectangle | null = null;

  getCursorScreenPoint(): { x: number; y: number } {
    return this.pointer;
  }
  getDisplayMatching(rect: Port.Rectangle): { workArea: Port.Rectangle } {
    this.asked = rect;
    return { workArea: this.workArea };
  }
}

/** As Electron's declarations have it: what was chosen wins over the desktop's own, but for the bars of Windows. */
export class FakeTheme extends EventEmitter {
  /** What the desktop itself has: for its apps, and for its bars. */
  readonly desktop = { areAppsDark: false, areBarsDark: false };
  #source: 'system' | 'light' | 'dark' = 'system';

  get themeSource(): 'system' | 'light' | 'dark' {
    return this.#source;
  }
  set themeSource(source) {
    this.#source = source;
    this.emit('updated');
  }
  get shouldUseDarkColors(): boolean {
    return this.#source === 'system' ? this.desktop.areAppsDark : this.#source === 'dark';
  }
  get shouldUseDarkColorsForSystemIntegratedUI(): boolean {
    return this.desktop.areBarsDark;
  }
  /** The person changes it in the settings of the desktop. */
  change(desktop: Partial<FakeTheme['desktop']>): void {
    Object.assign(this.desktop, desktop);
    this.emit('updated');
  }
}

export function fakeSettings(given: Partial<AppSettings> = {}): SettingsPort & { readonly kept: AppSettings } {
  let kept: AppSettings = { ...appDefaults, ...given };
  return {
    get kept() {
      return kept;
    },
    get: (name) => kept[name],
    set: (name, value) => void (kept = { ...kept, [name]: value }),
  };
}

export interface FakeDesktop {
  readonly parts: AppParts;
  readonly app: FakeApp;
  readonly protocol: FakeProtocol;
  readonly ipc: FakeIpc;
  readonly dialog: FakeDialog;
  readonly screen: FakeScreen;
  readonly power: EventEmitter;
  readonly session: FakeSession;
  readonly theme: FakeTheme;
  readonly settings: ReturnType<typeof fakeSettings>;
  readonly links: string[];
  readonly windows: FakeWindow[];
  readonly trays: FakeTray[];
  readonly notifications: FakeNotification[];
  readonly problems: string[];
  /** What the service was handed of the desktop, once it was opened. */
  readonly features: () => HostFeatures;
  readonly tray: () => FakeTray;
  readonly window: () => FakeWindow;
}

export interface DesktopOptions {
  readonly doors?: readonly (ServiceDoor | Error)[];
  readonly settings?: Partial<AppSettings>;
  readonly argv?: readonly string[];
  readonly platform?: NodeJS.Platform;
}

/** A whole desktop; `doors` are what opening the service gives, one after the other. */
export function fakeDesktop({
  doors = [],
  settings: given = {},
  argv = ['holdfast'],
  platform = 'linux',
}: DesktopOptions = {}): FakeDesktop {
  const [app, protocol, ipc, dialog, screen] = [new FakeApp(), new FakeProtocol(), new FakeIpc(), new FakeDialog(), new FakeScreen()];
  const [session, theme, power, settings] = [new FakeSession(), new FakeTheme(), new EventEmitter(), fakeSettings(given)];
  const links: string[] = [];
  const windows: FakeWindow[] = [];
  const trays: FakeTray[] = [];
  const notifications: FakeNotification[] = [];
  const problems: string[] = [];
  const left = [...doors];
  let features: HostFeatures = {};
  const kept = <T>(list: T[], one: T): T => {
    list.push(one);
    return one;
  };
  const ports: Port.Ports = {
    ...{ app, protocol, ipc, dialog, screen, power, theme },
    shell: { openExternal: async (link) => void links.push(link) },
    session: () => session,
    createWindow: (options) => kept(windows, new FakeWindow(options)),
    createTray: (image) => kept(trays, new FakeTray(image)),
    createNotification: (options) => kept(notifications, new FakeNotification(options)),
  };
  const parts: AppParts = {
    ...{ ports, settings },
    openDoor: async (has) => {
      features = has;
      const door = left.shift();
      // The last one stays: nothing comes after it.
      if (door === undefined) return await new Promise(() => undefined);
      if (door instanceof Error) throw door;
      return door;
    },
    pageFile: async (path) => (path === '/index.html' ? { content: new Uint8Array(Buffer.from('<p>page</p>')), type: 'text/html' } : null),
    pageHeaders: { 'content-security-policy': "default-src 'none'" },
    process: { platform, env: {}, execPath: '/opt/Holdfast/holdfast', argv: [...argv] },
    places: { preload: '/app/preload.cjs', icon: '/app/app.png', trayImages: '/icons/tray' },
    now: () => Date.UTC(2026, 10, 23, 14, 2),
    onProblem: (message, error) => void problems.push(`${message}: ${String(error)}`),
  };
  const first = <T>(list: readonly T[], what: string): T => {
    const one = list.at(-1);
    if (one === undefined) throw new Error(`there is no ${what}`);
    return one;
  };
  return {
    ...{ parts, app, protocol, ipc, dialog, screen, power, session, theme, settings, links, windows, trays, notifications, problems },
    features: () => features,
    tray: () => first(trays, 'tray'),
    window: () => first(windows, 'window'),
  };
}
