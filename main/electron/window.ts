import { channels } from '../contract/bridge.ts';
import type { ServiceEvent } from '../contract/events.ts';
import type { ContentsPort, NavigationPort, Ports, Rectangle, SessionPort, WindowOptions, WindowPort } from './ports.ts';
import { pageOrigin } from './protocol.ts';
import type { SettingsPort } from './settings.ts';

const small = { width: 380, height: 640 };
const wide = { width: 1100, height: 760 };

export interface MainWindow {
  /** Small, by the tray; hides it where it stands there already. */
  readonly toggleBeside: (tray: Rectangle) => void;
  /** Wide, where it was last. `path`: the part of the page to show; left out: as it is. */
  readonly open: (path?: string) => void;
  readonly send: (event: ServiceEvent) => void;
  /** Of its contents; null while there is no window. */
  readonly id: () => number | null;
  /** From now on it closes instead of hiding. */
  readonly letGo: () => void;
}

export interface WindowParts {
  readonly ports: Pick<Ports, 'createWindow' | 'screen'>;
  readonly settings: SettingsPort;
  readonly preload: string;
  readonly icon: string;
  readonly onProblem: (message: string, error: unknown) => void;
}

/** Every choice of Electron's security list by name, its defaults included: a default may change. */
export function windowOptions(preload: string, icon: string): WindowOptions {
  return {
    ...{ ...small, minWidth: 360, minHeight: 480, show: false, title: 'Holdfast', icon, autoHideMenuBar: true },
    webPreferences: {
      ...{ preload, contextIsolation: true, sandbox: true, webSecurity: true, safeDialogs: true },
      ...{ nodeIntegration: false, nodeIntegrationInWorker: false, nodeIntegrationInSubFrames: false, webviewTag: false },
      ...{ allowRunningInsecureContent: false, experimentalFeatures: false, plugins: false, navigateOnDragDrop: false, spellcheck: false },
    },
  };
}

/** No page of the app leads anywhere: what it shows it loads from app://holdfast, and links go through host.openLink. It may only load itself anew. */
export function lockDown(contents: ContentsPort): void {
  const stay = (event: NavigationPort): void => {
    if (!event.isMainFrame || event.url !== contents.getURL()) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-frame-navigate', stay);
  contents.on('will-redirect', (event) => event.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
}

/** Of all that a page may ask for, ours gets one thing: to put text on the clipboard. */
export function denyPermissions(session: SessionPort): void {
  const isGiven = (permission: string): boolean => permission === 'clipboard-sanitized-write';
  session.setPermissionRequestHandler((_, permission, callback) => callback(isGiven(permission)));
  session.setPermissionCheckHandler((_, permission, origin) => isGiven(permission) && origin.replace(/\/$/, '') === pageOrigin);
  session.setDevicePermissionHandler(() => false);
}

export function mainWindow({ ports, settings, preload, icon, onProblem }: WindowParts): MainWindow {
  let current: WindowPort | null = null;
  let isWide = false;
  let mayClose = false;
  const there = (): WindowPort | null => (current?.isDestroyed() === false ? current : null);

  function remember(window: WindowPort): void {
    if (isWide && window.isVisible()) settings.set('bounds', window.getBounds());
  }

  function hide(window: WindowPort): void {
    remember(window);
    window.hide();
  }

  function load(window: WindowPort, url: string): void {
    window.loadURL(url).catch((error: unknown) => onProblem('the page was not loaded', error));
  }

  function made(): WindowPort {
    const window = ports.createWindow(windowOptions(preload, icon));
    window.on('close', (event) => {
      if (mayClose) return remember(window);
      event.preventDefault();
      hide(window);
    });
    current = window;
    return window;
  }

  function show(bounds: Rectangle, asWide: boolean, path: string | undefined): void {
    const known = there();
    const window = known ?? made();
    const url = `${pageOrigin}/index.html#/${path ?? ''}`;
    // The same address again would load the page anew, and lose what somebody types there.
    if (known === null || (path !== undefined && window.webContents.getURL() !== url)) load(window, url);
    if (window.isMinimized()) window.restore();
    // Wide already: it stays where it is.
    if (!(asWide && isWide && window.isVisible())) {
      remember(window);
      window.setBounds(bounds);
    }
    isWide = asWide;
    window.show();
    window.focus();
  }

  return {
    toggleBeside(tray) {
      const window = there();
      if (window?.isVisible() === true && !isWide) return window.hide();
      // Some desktops do not say where the tray is; the pointer was just on it.
      const at = tray.width > 0 ? tray : { ...ports.screen.getCursorScreenPoint(), width: 0, height: 0 };
      return show(beside(at, ports.screen.getDisplayMatching(at).workArea), false, undefined);
    },
    open(path) {
      const before = settings.get('bounds');
      const at = before ?? { ...ports.screen.getCursorScreenPoint(), width: 0, height: 0 };
      const { workArea } = ports.screen.getDisplayMatching(at);
      show(before === null ? centred(workArea) : within(before, workArea), true, path);
    },
    send: (event) => there()?.webContents.send(channels.event, event),
    id: () => there()?.webContents.id ?? null,
    letGo: () => void (mayClose = true),
  };
}

/** Under the tray, or over it where that is at the bottom, inside what is free of the display. */
export function beside(tray: Rectangle, area: Rectangle): Rectangle {
  const isAtTop = tray.y + tray.height / 2 < area.y + area.height / 2;
  const y = isAtTop ? tray.y + tray.height : tray.y - small.height;
  return within({ x: Math.round(tray.x + tray.width / 2 - small.width / 2), y, ...small }, area);
}

function centred(area: Rectangle): Rectangle {
  const middle = { x: Math.round(area.x + (area.width - wide.width) / 2), y: Math.round(area.y + (area.height - wide.height) / 2) };
  return within({ ...middle, ...wide }, area);
}

/** A display may be smaller now, or gone. */
export function within(bounds: Rectangle, area: Rectangle): Rectangle {
  const [width, height] = [Math.min(bounds.width, area.width), Math.min(bounds.height, area.height)];
  const x = Math.min(Math.max(bounds.x, area.x), area.x + area.width - width);
  const y = Math.min(Math.max(bounds.y, area.y), area.y + area.height - height);
  return { x, y, width, height };
}
