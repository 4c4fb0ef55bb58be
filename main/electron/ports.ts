/**
 * What is used of Electron: members of its own declarations. Where a member hands over or gives back a whole class (events, a frame, a menu),
 * only what is used of that is asked for, so that a test can stand in for it. main.ts hands in the real ones, which the compiler holds to this.
 */
import type * as Electron from 'electron';

export type Rectangle = Electron.Rectangle;
type Stoppable = Pick<Electron.Event, 'preventDefault'>;

/** `on` for each of the events: none of Electron's overloads takes several names. */
type Emits<Events extends object> = {
  [Name in keyof Events]: (port: { on(event: Name, listener: Events[Name]): unknown }) => void;
}[keyof Events] extends (port: infer All) => void
  ? All
  : never;

export type AppPort = Pick<Electron.App, 'requestSingleInstanceLock' | 'quit' | 'getLocale' | 'setAppUserModelId'> &
  Pick<Electron.App, 'setLoginItemSettings'> & {
    whenReady(): Promise<unknown>;
    getLoginItemSettings(options?: Electron.LoginItemSettingsOptions): Pick<Electron.LoginItemSettings, 'openAtLogin' | 'wasOpenedAtLogin'>;
  } & Emits<{
    'second-instance': () => void;
    activate: () => void;
    'window-all-closed': () => void;
    'before-quit': (event: Stoppable) => void;
    'web-contents-created': (event: Stoppable, contents: ContentsPort) => void;
  }>;

export type ContentsPort = Pick<Electron.WebContents, 'id' | 'send' | 'getURL' | 'setWindowOpenHandler'> &
  Emits<Record<'will-redirect' | 'will-attach-webview', (event: Stoppable) => void>> &
  Emits<Record<'will-navigate' | 'will-frame-navigate', (event: NavigationPort) => void>>;

export type NavigationPort = Stoppable & Pick<Electron.WebContentsWillNavigateEventParams, 'url' | 'isMainFrame'>;

type WindowMembers =
  'show' | 'hide' | 'focus' | 'isVisible' | 'isMinimized' | 'restore' | 'setBounds' | 'getBounds' | 'isDestroyed' | 'loadURL';

export type WindowPort = Pick<Electron.BrowserWindow, WindowMembers> & { readonly webContents: ContentsPort } & Emits<{
    close: (event: Stoppable) => void;
  }>;

/** To set it, or to open it where the tray is. */
export type MenuCall = keyof Pick<Electron.Tray, 'setContextMenu' | 'popUpContextMenu'>;

export type TrayPort = Pick<Electron.Tray, 'setImage' | 'setToolTip' | 'getBounds'> & {
  showMenu(how: MenuCall, entries: MenuEntry[]): void;
} & Emits<Record<'click' | 'right-click', () => void>>;

export interface MenuEntry extends Pick<Electron.MenuItemConstructorOptions, 'label' | 'type' | 'enabled'> {
  readonly click?: () => void;
  readonly submenu?: MenuEntry[];
}

export type NotificationPort = Pick<Electron.Notification, 'show'> & Emits<Record<'click' | 'action' | 'close', () => void>>;

export interface SessionPort {
  setPermissionRequestHandler(handler: (contents: unknown, permission: string, callback: (granted: boolean) => void) => void): void;
  setPermissionCheckHandler(handler: (contents: unknown, permission: string, origin: string) => boolean): void;
  setDevicePermissionHandler(handler: () => boolean): void;
}

export interface ProtocolPort extends Pick<Electron.Protocol, 'registerSchemesAsPrivileged'> {
  handle(scheme: string, handler: (request: Pick<Request, 'url' | 'method'>) => Promise<Response>): void;
}

/** Where a call came from. */
export interface CallEvent {
  readonly sender: Pick<Electron.WebContents, 'id'>;
  readonly senderFrame: (Pick<Electron.WebFrameMain, 'origin'> & { readonly parent: object | null }) | null;
}

export interface IpcPort {
  handle(channel: string, listener: (event: CallEvent, ...args: unknown[]) => Promise<unknown>): void;
}

export interface DialogPort extends Pick<Electron.Dialog, 'showErrorBox'> {
  showOpenDialog(options: Electron.OpenDialogOptions): Promise<Pick<Electron.OpenDialogReturnValue, 'canceled' | 'filePaths'>>;
  showMessageBox(options: Electron.MessageBoxOptions): Promise<Pick<Electron.MessageBoxReturnValue, 'response'>>;
}

export interface ScreenPort extends Pick<Electron.Screen, 'getCursorScreenPoint'> {
  getDisplayMatching(rect: Rectangle): Pick<Electron.Display, 'workArea'>;
}

export type PowerPort = Emits<Record<'resume' | 'on-battery' | 'on-ac', () => void>>;

/** Whether what is drawn is dark; the second of the bars of Windows, whatever the theme of the apps is. */
export type ThemePort = Pick<Electron.NativeTheme, 'shouldUseDarkColors' | 'shouldUseDarkColorsForSystemIntegratedUI'>;

export interface Ports {
  readonly app: AppPort;
  readonly protocol: ProtocolPort;
  readonly ipc: IpcPort;
  readonly dialog: DialogPort;
  readonly screen: ScreenPort;
  readonly power: PowerPort;
  readonly shell: Pick<Electron.Shell, 'openExternal'>;
  readonly theme: ThemePort & Pick<Electron.NativeTheme, 'themeSource'> & Emits<{ updated: () => void }>;
  /** There once the app is ready. */
  readonly session: () => SessionPort;
  readonly createWindow: (options: Electron.BrowserWindowConstructorOptions) => WindowPort;
  readonly createTray: (image: string) => TrayPort;
  readonly createNotification: (options: Electron.NotificationConstructorOptions) => NotificationPort;
}

export type WindowOptions = Electron.BrowserWindowConstructorOptions;
export type Scheme = Electron.CustomScheme;
