import { join } from 'node:path';
import * as electron from 'electron';
import ElectronStore from 'electron-store';
import { powerState } from '../adapters/system/power.ts';
import { composeHost } from '../compose/compose-host.ts';
import { openDoor } from '../compose/open-door.ts';
import { pageFile, pageHeaders } from '../compose/service/page-files.ts';
import { runApp } from './app.ts';
import type { MenuCall, MenuEntry } from './ports.ts';
import { appDefaults, userDataOf, type AppSettings } from './settings.ts';

/** The real Electron, and nothing else: what is done with it stands in files that run without it. */
const { app, dialog, powerMonitor } = electron;
app.setPath('userData', userDataOf(process.env, app.getPath('appData')));
const root = app.getAppPath();
const icons = join(root, 'resources', 'icons');

const host = {
  ...composeHost(new AbortController().signal, {}),
  power: async () => ({ ...(await powerState()), onBattery: powerMonitor.isOnBatteryPower() }),
};

// Not awaited: Electron is ready only once this module has been read to its end.
runApp({
  ports: {
    ...{ app, dialog, protocol: electron.protocol, screen: electron.screen, shell: electron.shell },
    ...{ ipc: electron.ipcMain, power: powerMonitor, theme: electron.nativeTheme },
    session: () => electron.session.defaultSession,
    createWindow: (options) => new electron.BrowserWindow(options),
    createTray: (image) => {
      const tray = new electron.Tray(image);
      return Object.assign(tray, {
        showMenu: (how: MenuCall, entries: MenuEntry[]) => tray[how](electron.Menu.buildFromTemplate(entries)),
      });
    },
    createNotification: (options) => new electron.Notification(options),
  },
  settings: new ElectronStore<AppSettings>({ name: 'app', defaults: appDefaults, clearInvalidConfig: true }),
  openDoor: (features) => openDoor(host, features),
  ...{ pageFile, pageHeaders },
  process,
  places: { preload: join(root, 'dist', 'app', 'preload.cjs'), icon: join(icons, 'app.png'), trayImages: join(icons, 'tray') },
  now: Date.now,
  onProblem: (message, error) => process.stderr.write(`holdfast: ${message}: ${String(error)}\n`),
}).catch((error: unknown) => {
  dialog.showErrorBox('Holdfast', String(error));
  app.exit(1);
});
