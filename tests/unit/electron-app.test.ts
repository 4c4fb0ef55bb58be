import { expect, onTestFinished, test, vi } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import type { Notice } from '../../main/contract/notices.ts';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import { runApp } from '../../main/electron/app.ts';
import { FakeEvent, FakeNavigation, fakeDesktop, type DesktopOptions, type FakeDesktop } from '../support/electron-fakes.ts';
import { FakeDoor } from '../support/fake-door.ts';
import { runningJob, stagedServers } from '../support/page/staged-service.ts';

const [nextcloud, home, survival, creative] = stagedServers as readonly [ServerStatus, ServerStatus, ServerStatus, ServerStatus];
const notice: Notice = {
  kind: 'failed',
  server: 'creative',
  title: 'Creative failed',
  text: 'The disk is full.',
  next: 'Free some.',
  at: 1,
  repeats: 0,
};

/** Vitest's own limit of a second is too short for a loaded machine. */
const seen = (isSo: () => boolean): Promise<boolean> => vi.waitUntil(isSo, { timeout: 120_000 });

/** The app as it runs once its service has answered; ended with the test. */
async function running(door: FakeDoor, options: DesktopOptions = {}): Promise<FakeDesktop & { readonly life: Promise<void> }> {
  const desktop = fakeDesktop({ doors: [door], ...options });
  const life = runApp(desktop.parts);
  await seen(() => desktop.trays.length > 0 && desktop.tray().toolTip !== 'Holdfast: starting');
  onTestFinished(async () => {
    desktop.dialog.answer = 1;
    desktop.app.quit();
    door.end.resolve(undefined);
    await life;
  });
  return { ...desktop, life };
}

const serving = (servers: readonly ServerStatus[], isOwn = true): FakeDoor =>
  new FakeDoor(isOwn, { 'servers.list': async () => [...servers] });

test('a second start ends at once, and the first one shows its window', async () => {
  const second = fakeDesktop();
  second.app.isFirst = false;
  await runApp(second.parts);
  expect(second.app.quits).toBe(1);
  expect(second.trays).toEqual([]);
  expect(second.protocol.schemes).toEqual([]);

  const first = await running(serving([creative]));
  first.window().hide();
  first.app.emit('second-instance');
  expect(first.window().visible).toBe(true);
  first.window().hide();
  first.app.emit('activate');
  expect(first.window().visible).toBe(true);
});

test('the session starts it without a window, a person with one', async () => {
  expect((await running(serving([]))).windows).toHaveLength(1);
  expect((await running(serving([]), { argv: ['holdfast', '--hidden'] })).windows).toHaveLength(0);
});

test('its window closed, it stays in the tray', async () => {
  const { app, window } = await running(serving([creative]));
  expect(window().close().stopped).toBe(true);
  expect(window().visible).toBe(false);
  expect(app.emit('window-all-closed')).toBe(true);
  expect(app.quits).toBe(0);
});

test('the protocol has its rights before the app is ready', async () => {
  const desktop = fakeDesktop();
  void runApp(desktop.parts);
  expect(desktop.protocol.schemes.map(({ scheme }) => scheme)).toEqual(['app']);
  expect(desktop.protocol.served).toBe('');
  await seen(() => desktop.protocol.served === 'app');
  expect(desktop.app.modelId).not.toBe('');
});

test('every page that is made is locked down, and the session gives no permission', async () => {
  const { app, window, session } = await running(serving([]));
  app.emit('web-contents-created', new FakeEvent(), window().webContents);
  const event = new FakeNavigation('https://example.org/');
  window().webContents.emit('will-navigate', event);
  expect(event.stopped).toBe(true);
  expect(session.device()).toBe(false);
});

test('the tray follows the servers', async () => {
  const door = serving([creative]);
  const { tray, theme } = await running(door);
  expect([tray().toolTip, tray().image]).toEqual(['Holdfast: your server is safe', '/icons/tray/ok-light-22.png']);
  door.tell({ event: 'server', data: survival });
  expect([tray().toolTip, tray().image]).toEqual(['Holdfast: at work on Survival', '/icons/tray/running-light-22.png']);
  door.tell({ event: 'server', data: { ...survival, state: 'failed', running: null } });
  expect(tray().toolTip).toBe('Holdfast: 1 of 2 needs you');
  door.tell({ event: 'server-removed', data: { slug: 'survival' } });
  expect(tray().toolTip).toBe('Holdfast: your server is safe');
  theme.change({ areAppsDark: true });
  expect(tray().image).toBe('/icons/tray/ok-dark-22.png');
});

test('events that come before the list is there are no less counted', async () => {
  const list = Promise.withResolvers<ServerStatus[]>();
  const door = new FakeDoor(true, { 'servers.list': () => list.promise });
  const desktop = fakeDesktop({ doors: [door] });
  void runApp(desktop.parts);
  await seen(() => door.isHeard);
  door.tell({ event: 'server', data: creative });
  expect(desktop.tray().toolTip).toBe('Holdfast: your server is safe');
  list.resolve([creative, survival]);
  await seen(() => desktop.tray().toolTip === 'Holdfast: at work on Survival');
});

test('the window hears every event, and the page asks anew when there is another service', async () => {
  const door = serving([creative]);
  const { window } = await running(door);
  door.tell({ event: 'job', data: runningJob });
  expect(window().webContents.sent).toEqual([
    ['holdfast:event', { event: 'destinations-changed', data: {} }],
    ['holdfast:event', { event: 'job', data: runningJob }],
  ]);
});

test('the menu starts backups, pauses and resumes every server, and opens parts of the page', async () => {
  const door = new FakeDoor(true, {
    'servers.list': async () => [creative, { ...home, pausedUntil: 0 }],
    'backup.start': async () => ({ job: 'one' }),
    'server.pause': async () => creative,
    'server.resume': async () => creative,
  });
  const { tray, window, parts, app } = await running(door);
  tray().choose('Back up now', 'Creative');
  await seen(() => door.calls.length === 2);
  tray().choose('Pause', 'For one hour');
  await seen(() => door.calls.length === 4);
  tray().choose('Pause', 'Until I resume it');
  await seen(() => door.calls.length === 6);
  tray().choose('Pause', 'Resume');
  await seen(() => door.calls.length === 8);
  const until = parts.now() + 3_600_000;
  expect(door.calls.slice(1)).toEqual([
    ['backup.start', { slug: 'creative' }],
    ['server.pause', { slug: 'creative', until }],
    ['server.pause', { slug: 'home-assistant', until }],
    ['server.pause', { slug: 'creative', until: 0 }],
    ['server.pause', { slug: 'home-assistant', until: 0 }],
    ['server.resume', { slug: 'creative' }],
    ['server.resume', { slug: 'home-assistant' }],
  ]);
  tray().choose('Restore latest', 'Home Assistant');
  expect(window().loaded.at(-1)).toBe('app://holdfast/index.html#/restore/home-assistant');
  tray().choose('Quit');
  expect(app.quits).toBe(1);
});

test('what the menu could not do is told', async () => {
  const door = new FakeDoor(true, {
    'servers.list': async () => [creative],
    'backup.start': async () => {
      throw new Fault('locked', 'creative is being backed up already', { context: { next: 'Wait for it.' } });
    },
  });
  const { tray, notifications } = await running(door);
  tray().choose('Back up now', 'Creative');
  await seen(() => notifications.length === 1);
  expect(notifications[0]?.options).toEqual({ title: 'That did not work', body: 'creative is being backed up already\nWait for it.' });
  expect(notifications[0]?.shown).toBe(1);
});

test('of several servers one that cannot be paused leaves none of the others running, and is told', async () => {
  const paused: string[] = [];
  const door = new FakeDoor(true, {
    'servers.list': async () => [creative, home, survival],
    'server.pause': async ({ slug }) => {
      if (slug === 'creative') throw new Fault('locked', 'creative is being changed');
      paused.push(slug);
      return home;
    },
  });
  const { tray, notifications } = await running(door);
  tray().choose('Pause', 'Until I resume it');
  await seen(() => notifications.length === 1);
  expect(notifications[0]?.options.body).toContain('creative is being changed');
  expect(paused).toEqual(['home-assistant', 'survival']);
});

test('in German what did not work is told in German, with what the service says of it as details', async () => {
  const faults = [
    new Fault('locked', 'creative is being backed up already', { context: { next: 'Wait for it.' } }),
    new Fault('locked', 'the file of secrets is locked', { context: { keychain: 'sealed-file' } }),
  ];
  const door = new FakeDoor(true, {
    'servers.list': async () => [creative],
    'backup.start': () => Promise.reject(faults.shift() ?? new Error('once too often')),
  });
  const { tray, notifications } = await running(door, { settings: { language: 'de' } });
  for (const count of [1, 2]) {
    tray().choose('Jetzt sichern', 'Creative');
    await seen(() => notifications.length === count);
  }
  expect(notifications.map(({ options }) => options.title)).toEqual(['Das hat nicht geklappt', 'Das hat nicht geklappt']);
  expect(notifications.map(({ options }) => options.body?.split('\n'))).toEqual([
    [
      'Etwas anderes benutzt es gerade.',
      'Beende das Programm, das den Ordner benutzt, oder warte auf den anderen Lauf.',
      'Einzelheiten (auf Englisch): creative is being backed up already',
    ],
    [
      'Der Schlüsselbund ist gesperrt.',
      'Öffne ihn, dann läuft sofort, was auf ihn wartet.',
      'Einzelheiten (auf Englisch): the file of secrets is locked',
    ],
  ]);

  const desktop = fakeDesktop({ doors: [new Fault('config-invalid', 'line 3 is no setting')], settings: { language: 'de' } });
  await runApp(desktop.parts);
  expect(desktop.dialog.errors).toEqual([
    [
      'Holdfast kann nicht starten',
      [
        'Eine Einstellung ist so nicht zu gebrauchen.',
        'Die Einzelheiten sagen, welche. Ändere sie und versuche es erneut.',
        'Einzelheiten (auf Englisch): line 3 is no setting',
      ].join('\n\n'),
    ],
  ]);
});

test('a click on the tray shows the small window, and another one hides it', async () => {
  const { tray, window } = await running(serving([creative]), { argv: ['holdfast', '--hidden'] });
  tray().emit('click');
  expect([window().visible, window().bounds]).toEqual([true, { x: 1220, y: 24, width: 380, height: 640 }]);
  tray().emit('click');
  expect(window().visible).toBe(false);
});

test('on macOS the menu comes at a right click alone: one that is set opens at a left click too, over the window', async () => {
  const { tray, window } = await running(serving([creative]), { platform: 'darwin', argv: ['holdfast', '--hidden'] });
  tray().emit('click');
  expect([window().visible, tray().entries, tray().poppedUp]).toEqual([true, [], []]);
  tray().emit('right-click');
  expect(tray().poppedUp.map(({ label }) => label)).toContain('Snapshots…');
  const elsewhere = await running(serving([creative]));
  elsewhere.tray().emit('right-click');
  expect([elsewhere.tray().entries.length > 0, elsewhere.tray().poppedUp]).toEqual([true, []]);
});

test('a notice is shown once, whether it comes as an event, to the desktop, or both ways', async () => {
  const ended = { ...creative, last: { ...runningJob, state: 'failed' as const, destination: 'tide-s3' } };
  const door = new FakeDoor(true, { 'servers.list': async () => [ended], 'backup.start': async () => ({ job: 'one' }) });
  const { notifications, features, window } = await running(door);
  door.tell({ event: 'notice', data: notice });
  await features().showNotice?.(notice);
  await features().showNotice?.({ ...notice, at: 2, kind: 'sign-in-needed', next: '' });
  expect(notifications.map(({ options, shown }) => [options.body, options.actions?.map(({ text }) => text), shown])).toEqual([
    ['The disk is full.\nFree some.', ['Back up now'], 1],
    ['The disk is full.', ['Sign in'], 1],
  ]);
  notifications[0]?.emit('action');
  await seen(() => door.calls.some(([name]) => name === 'backup.start'));
  window().hide();
  notifications[1]?.emit('click');
  expect([window().visible, window().loaded.length]).toEqual([true, 1]);
  notifications[1]?.emit('action');
  expect(window().loaded.at(-1)).toBe('app://holdfast/index.html#/settings/place/tide-s3/sign-in');
});

test('of several that come as events first and to the desktop afterwards, none is shown twice and none is lost', async () => {
  const door = serving([creative]);
  const { notifications, features } = await running(door);
  // Of the same moment and kind, but not the same.
  const other = { ...notice, title: 'Creative was not told to go on' };
  for (const data of [notice, other]) door.tell({ event: 'notice', data });
  for (const one of [notice, other, notice]) await features().showNotice?.(one);
  expect(notifications.map(({ options }) => options.title)).toEqual(['Creative failed', 'Creative was not told to go on']);
});

test('what is remembered of notices does not grow for ever', async () => {
  const { notifications, features } = await running(serving([]));
  for (let at = 0; at < 101; at += 1) await features().showNotice?.({ ...notice, at });
  await features().showNotice?.({ ...notice, at: 100 });
  expect(notifications).toHaveLength(101);
  await features().showNotice?.({ ...notice, at: 0 });
  expect(notifications).toHaveLength(102);
});

test('the service is handed what the desktop can do', async () => {
  const { features, dialog, links, app } = await running(serving([]), { platform: 'darwin' });
  dialog.picked = ['/srv/world'];
  expect(await features().pickFolder?.()).toBe('/srv/world');
  await features().openLink?.('https://www.dropbox.com/oauth2/authorize?x=1');
  expect(links).toEqual(['https://www.dropbox.com/oauth2/authorize?x=1']);
  expect(await features().autostart?.(true)).toBe(true);
  expect([app.openAtLogin, app.loginArguments]).toEqual([true, ['--hidden']]);
});

test.each(['resume', 'on-battery', 'on-ac'])('after %s the service looks at its clock at once', async (event) => {
  const door = serving([]);
  const { power } = await running(door);
  power.emit(event);
  expect(door.looks).toBe(1);
});

test('before there is a service, nobody is told to look', async () => {
  const desktop = fakeDesktop();
  void runApp(desktop.parts);
  await seen(() => desktop.power.listenerCount('resume') === 1);
  expect(desktop.power.emit('resume')).toBe(true);
});

test('the page is answered once the service is there', async () => {
  const door = serving([creative]);
  const desktop = fakeDesktop({ doors: [door] });
  void runApp(desktop.parts);
  await seen(() => desktop.windows.length === 1);
  const event = { sender: { id: 7 }, senderFrame: { origin: 'app://holdfast', parent: null } };
  expect(await desktop.ipc.invoke(event, 'servers.list', {})).toEqual({ ok: true, value: [creative] });
});

test('it speaks the language of the desktop, or the one that was chosen', async () => {
  const desktop = fakeDesktop({ doors: [serving([creative])] });
  desktop.app.locale = 'de-AT';
  void runApp(desktop.parts);
  await seen(() => desktop.trays[0]?.toolTip === 'Holdfast: dein Server ist gesichert');
  const { tray, theme } = await running(serving([creative]), { platform: 'win32', settings: { language: 'de', theme: 'dark' } });
  expect(tray().entries[0]?.label).toBe('dein Server ist gesichert');
  expect(theme.themeSource).toBe('dark');
});

test('tray and notices follow the language and the theme that were chosen on the page, also at the next start', async () => {
  const door = serving([creative]);
  const { tray, theme, features, settings, notifications } = await running(door, { platform: 'win32' });
  await features().look?.({ language: 'de' });
  expect([tray().toolTip, theme.themeSource]).toEqual(['Holdfast: dein Server ist gesichert', 'system']);
  door.tell({ event: 'notice', data: notice });
  expect(notifications[0]?.options.actions?.map(({ text }) => text)).toEqual(['Jetzt sichern']);
  await features().look?.({ theme: 'dark' });
  expect([theme.themeSource, tray().entries[0]?.label]).toEqual(['dark', 'dein Server ist gesichert']);
  expect(settings.kept).toMatchObject({ language: 'de', theme: 'dark' });
});

test.each([
  ['linux', 'areAppsDark', 22],
  ['win32', 'areBarsDark', 16],
] as const)('on %s the image in the tray is one for its bar, whatever theme was chosen on the page', async (platform, bar, size) => {
  const chosen = ['light', 'dark', 'system'] as const;
  for (const atStart of chosen) {
    const { tray, theme, features } = await running(serving([creative]), { platform, settings: { theme: atStart } });
    for (const isDark of [true, false]) {
      theme.change({ [bar]: isDark });
      for (const look of chosen) {
        expect(tray().image).toBe(`/icons/tray/ok-${isDark ? 'dark' : 'light'}-${size}.png`);
        await features().look?.({ theme: look });
      }
    }
  }
});

test('quitting ends the service of this process first', async () => {
  const door = serving([creative]);
  const desktop = await running(door);
  desktop.app.quit();
  await desktop.app.ended.promise;
  expect([door.closed, desktop.dialog.questions]).toEqual([1, []]);
  await desktop.life;
  expect(desktop.app.quits).toBe(2);
  // The window may close now.
  expect(desktop.window().close().stopped).toBe(false);
});

test('before there is a service, quitting is quick', async () => {
  const desktop = fakeDesktop();
  void runApp(desktop.parts);
  await seen(() => desktop.windows.length === 1);
  desktop.app.quit();
  await desktop.app.ended.promise;
  expect(desktop.dialog.questions).toEqual([]);
});

test('while a job runs, quitting asks, and staying is the answer that costs nothing', async () => {
  const door = serving([survival, creative]);
  const { app, dialog } = await running(door);
  app.quit();
  await seen(() => dialog.questions.length === 1);
  expect(dialog.questions[0]).toMatchObject({ defaultId: 0, cancelId: 0, buttons: ['Keep running', 'Quit'] });
  expect(dialog.questions[0]?.message).toContain('Survival');
  await new Promise((settle) => setImmediate(settle));
  expect(door.closed).toBe(0);

  dialog.answer = 1;
  app.quit();
  await app.ended.promise;
  expect([dialog.questions.length, door.closed]).toEqual([2, 1]);
});

test('whose service ends while the question is open, the app ends as well, whatever the answer', async () => {
  const door = serving([survival]);
  const { app, dialog, life } = await running(door);
  const answer = Promise.withResolvers<{ response: number }>();
  dialog.showMessageBox = () => answer.promise;
  app.quit();
  door.end.resolve(undefined);
  await life;
  answer.resolve({ response: 0 });
  await app.ended.promise;
  expect(door.closed).toBe(0);
});

test('asked twice, it asks once', async () => {
  const { app, dialog } = await running(serving([survival]));
  app.quit();
  app.quit();
  await seen(() => dialog.questions.length === 1);
  await new Promise((settle) => setImmediate(settle));
  expect(dialog.questions).toHaveLength(1);
});

test('a service of another process goes on without a question', async () => {
  const door = serving([survival], false);
  const { app, dialog } = await running(door);
  app.quit();
  await app.ended.promise;
  expect(dialog.questions).toEqual([]);
});

test('a service that does not end as it should holds up nobody', async () => {
  const door = serving([creative]);
  door.closing = () => Promise.reject(new Error('stuck'));
  const { app, problems } = await running(door);
  app.quit();
  await app.ended.promise;
  expect(problems).toEqual(['the service did not end as it should: Error: stuck']);
});

test('when the service of another process ends, its place is taken', async () => {
  const [other, own] = [serving([nextcloud], false), serving([creative])];
  const { tray, window } = await running(other, { doors: [other, own] });
  other.end.resolve(undefined);
  await seen(() => tray().toolTip === 'Holdfast: your server is safe');
  expect([other.isHeard, own.isHeard]).toEqual([false, true]);
  expect(window().webContents.sent).toHaveLength(2);
});

const silent = (code: 'unavailable' | 'corrupt', isOwn = false): FakeDoor =>
  new FakeDoor(isOwn, { 'servers.list': () => Promise.reject(new Fault(code, 'the service does not answer')) });

test('a service that restarts while the app attaches to it is attached to again', async () => {
  const [going, back] = [silent('unavailable'), serving([creative], false)];
  const { tray, dialog, app } = await running(back, { doors: [going, back] });
  expect(tray().toolTip).toBe('Holdfast: your server is safe');
  expect([going.isHeard, going.closed, back.isHeard]).toEqual([false, 1, true]);
  expect([dialog.errors, app.quits]).toEqual([[], 0]);
});

test.each([
  ['that never answers', Array.from({ length: 5 }, () => silent('unavailable'))],
  ['of its own that does not answer', [silent('unavailable', true)]],
  ['whose answer is wrong', [silent('corrupt')]],
])('a service %s is told, and the app ends', async (_what, doors) => {
  const desktop = fakeDesktop({ doors });
  await runApp(desktop.parts);
  expect(desktop.dialog.errors).toHaveLength(1);
  await desktop.app.ended.promise;
});

test('when its own service is told to stop, the app ends', async () => {
  const door = serving([creative]);
  const { app, life } = await running(door);
  door.end.resolve(undefined);
  await app.ended.promise;
  await life;
  expect(app.quits).toBe(1);
});

test('a service that cannot be had is told with the next step, and the app ends', async () => {
  const fault = new Fault('locked', 'process 12 works with these settings', { context: { next: 'Wait for it.' } });
  const desktop = fakeDesktop({ doors: [fault] });
  await runApp(desktop.parts);
  expect(desktop.dialog.errors).toEqual([['Holdfast cannot start', 'process 12 works with these settings\n\nWait for it.']]);
  await desktop.app.ended.promise;
});
