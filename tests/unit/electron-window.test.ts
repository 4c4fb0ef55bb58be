import { describe, expect, test } from 'vitest';
import { beside, denyPermissions, lockDown, mainWindow, windowOptions, within } from '../../main/electron/window.ts';
import type { AppSettings } from '../../main/electron/settings.ts';
import { FakeContents, FakeNavigation, fakeDesktop, FakeSession } from '../support/electron-fakes.ts';

describe('the security list', () => {
  const { webPreferences, ...window } = windowOptions('/app/preload.cjs', '/app/app.png');

  test.each([
    ['contextIsolation', true],
    ['sandbox', true],
    ['webSecurity', true],
    ['nodeIntegration', false],
    ['nodeIntegrationInWorker', false],
    ['nodeIntegrationInSubFrames', false],
    ['webviewTag', false],
    ['allowRunningInsecureContent', false],
    ['experimentalFeatures', false],
    ['plugins', false],
    ['navigateOnDragDrop', false],
    ['preload', '/app/preload.cjs'],
  ] as const)('%s is %s', (name, value) => {
    expect(webPreferences?.[name]).toBe(value);
  });

  test('nothing switches on what the list warns of', () => {
    for (const name of ['enableBlinkFeatures', 'webgl', 'additionalArguments', 'partition', 'session']) {
      expect(webPreferences).not.toHaveProperty(name);
    }
    expect(window.show).toBe(false);
  });

  test.each(['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview'])('%s is stopped', (name) => {
    const contents = new FakeContents();
    lockDown(contents);
    contents.url = 'app://holdfast/index.html#/settings';
    const event = new FakeNavigation('https://example.org/');
    contents.emit(name, event);
    expect(event.stopped).toBe(true);
  });

  test.each(['will-navigate', 'will-frame-navigate'])('%s lets the page load itself anew, and no frame and no other address', (name) => {
    const contents = new FakeContents();
    contents.url = 'app://holdfast/index.html#/settings';
    lockDown(contents);
    const isStopped = (url: string, isMainFrame: boolean): boolean => {
      const event = new FakeNavigation(url, isMainFrame);
      contents.emit(name, event);
      return event.stopped;
    };
    expect(isStopped(contents.url, true)).toBe(false);
    expect([isStopped(contents.url, false), isStopped('app://holdfast/index.html', true), isStopped('app://other/', true)]).toEqual([
      ...[true, true, true],
    ]);
  });

  test('no page opens another window', () => {
    const contents = new FakeContents();
    lockDown(contents);
    const details = { url: 'app://holdfast/', frameName: '', features: '', disposition: 'new-window' } as const;
    expect(contents.opening({ ...details, referrer: { url: '', policy: 'default' } })).toEqual({ action: 'deny' });
  });

  test.each(['media', 'geolocation', 'notifications', 'clipboard-read', 'openExternal', 'fileSystem', 'hid', 'unknown'])(
    'the permission %s is refused',
    (permission) => {
      const session = new FakeSession();
      denyPermissions(session);
      let given: boolean | undefined;
      session.request(null, permission, (granted) => (given = granted));
      expect(given).toBe(false);
      expect(session.check(null, permission, 'app://holdfast')).toBe(false);
    },
  );

  test('copying text is allowed to our page, and to no other', () => {
    const session = new FakeSession();
    denyPermissions(session);
    let given: boolean | undefined;
    session.request(null, 'clipboard-sanitized-write', (granted) => (given = granted));
    expect(given).toBe(true);
    expect(session.check(null, 'clipboard-sanitized-write', 'app://holdfast/')).toBe(true);
    expect(session.check(null, 'clipboard-sanitized-write', 'https://example.org/')).toBe(false);
    expect(session.device()).toBe(false);
  });
});

describe('where the window stands', () => {
  const area = { x: 0, y: 24, width: 1600, height: 1000 };
  const size = { width: 380, height: 640 };

  test.each([
    ['under a bar at the top', { x: 1000, y: 0, width: 24, height: 24 }, { x: 822, y: 24 }],
    ['over a bar at the bottom', { x: 1000, y: 1024, width: 24, height: 24 }, { x: 822, y: 384 }],
    ['not past the right edge', { x: 1580, y: 0, width: 24, height: 24 }, { x: 1220, y: 24 }],
    ['not past the left edge', { x: 0, y: 0, width: 24, height: 24 }, { x: 0, y: 24 }],
  ])('%s', (_, tray, at) => {
    expect(beside(tray, area)).toEqual({ ...at, ...size });
  });

  test('on a display that is smaller than it', () => {
    expect(within({ x: -50, y: 5000, width: 1100, height: 760 }, { x: 100, y: 50, width: 800, height: 600 })).toEqual({
      ...{ x: 100, y: 50, width: 800, height: 600 },
    });
  });
});

function made(settings: Partial<AppSettings> = {}) {
  const desktop = fakeDesktop({ settings });
  const { ports, onProblem } = desktop.parts;
  const window = mainWindow({ ports, settings: desktop.settings, preload: '/app/preload.cjs', icon: '/app/app.png', onProblem });
  return { ...desktop, main: window };
}

describe('the main window', () => {
  test('is made when it is first shown', () => {
    const { main, windows, window } = made();
    expect([windows.length, main.id()]).toEqual([0, null]);
    main.send({ event: 'destinations-changed', data: {} });
    main.open();
    expect([windows.length, main.id()]).toEqual([1, 7]);
    expect(window().loaded).toEqual(['app://holdfast/index.html#/']);
    expect([window().visible, window().focused]).toEqual([true, 1]);
  });

  test('opens wide in the middle at first, and where it was left from then on', () => {
    const { main, window, settings } = made();
    main.open();
    expect(window().bounds).toEqual({ x: 250, y: 144, width: 1100, height: 760 });
    window().bounds = { x: 10, y: 30, width: 900, height: 700 };
    window().close();
    expect(settings.kept.bounds).toEqual({ x: 10, y: 30, width: 900, height: 700 });
    main.open();
    expect(window().bounds).toEqual({ x: 10, y: 30, width: 900, height: 700 });
  });

  test('comes back into view when its display has gone', () => {
    const { main, window } = made({ bounds: { x: 3000, y: 100, width: 900, height: 700 } });
    main.open();
    expect(window().bounds).toEqual({ x: 700, y: 100, width: 900, height: 700 });
  });

  test('stands still when it is open and asked for again', () => {
    const { main, window } = made();
    main.open();
    window().bounds = { x: 10, y: 30, width: 900, height: 700 };
    main.open('settings');
    expect(window().bounds).toEqual({ x: 10, y: 30, width: 900, height: 700 });
  });

  test('by the tray it is small, and the wide place is kept', () => {
    const { main, window, settings, windows } = made();
    main.open();
    window().bounds = { x: 10, y: 30, width: 900, height: 700 };
    main.toggleBeside({ x: 1500, y: 0, width: 24, height: 24 });
    expect(window().bounds).toEqual({ x: 1220, y: 24, width: 380, height: 640 });
    expect(settings.kept.bounds).toEqual({ x: 10, y: 30, width: 900, height: 700 });
    window().close();
    expect(settings.kept.bounds).toEqual({ x: 10, y: 30, width: 900, height: 700 });
    expect(windows).toHaveLength(1);
  });

  test('where the desktop does not say where the tray is, it stands by the pointer', () => {
    const { main, window, screen } = made();
    main.toggleBeside({ x: 0, y: 0, width: 0, height: 0 });
    expect(screen.asked).toEqual({ x: 900, y: 1000, width: 0, height: 0 });
    expect(window().bounds).toEqual({ x: 710, y: 360, width: 380, height: 640 });
  });

  test('goes to a part of the page, and does not load it anew when it is there', () => {
    const { main, window } = made();
    main.open('snapshots');
    main.open('snapshots');
    main.open();
    expect(window().loaded).toEqual(['app://holdfast/index.html#/snapshots']);
    main.open('settings');
    expect(window().loaded).toHaveLength(2);
  });

  test('minimised, it is brought back', () => {
    const { main, window } = made();
    main.open();
    window().minimized = true;
    main.open();
    expect(window().minimized).toBe(false);
  });

  test('let go, it closes, and another is made when it is wanted', () => {
    const { main, window, windows, settings } = made();
    main.open();
    main.letGo();
    expect(window().close().stopped).toBe(false);
    expect(settings.kept.bounds).toEqual({ x: 250, y: 144, width: 1100, height: 760 });
    expect(main.id()).toBe(null);
    main.send({ event: 'destinations-changed', data: {} });
    main.open();
    expect(windows).toHaveLength(2);
  });

  test('a page that does not load is told', async () => {
    const { main, window, problems } = made();
    main.open();
    window().failure = new Error('ERR_ABORTED');
    main.open('settings');
    await Promise.resolve();
    expect(problems).toEqual(['the page was not loaded: Error: ERR_ABORTED']);
  });
});
