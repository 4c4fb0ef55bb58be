import type { HostFeatures } from '../compose/service/host-features.ts';
import type { PageFile } from '../compose/service/page-files.ts';
import type { ServiceDoor } from '../compose/service-door.ts';
import { eachOnce } from '../compose/each-once.ts';
import { followDoor } from '../compose/follow-door.ts';
import { wordsOf } from '../contract/app-words.ts';
import type { ServiceEvent } from '../contract/events.ts';
import { asFault } from '../contract/faults.ts';
import type { ServerStatus } from '../contract/server-status.ts';
import type { ChosenLook } from '../contract/setup-calls.ts';
import { namesOf, placeNamed, statusLine, worstOf } from '../contract/standing.ts';
import { autostartOf, isStartedBySession, noticeShower, pickFolder } from './desktop.ts';
import { serveCalls } from './ipc.ts';
import { openLink } from './links.ts';
import type { Ports } from './ports.ts';
import { scheme, servePage } from './protocol.ts';
import type { SettingsPort } from './settings.ts';
import { menuOf, trayImage } from './tray.ts';
import { denyPermissions, lockDown, mainWindow } from './window.ts';

export interface AppParts {
  readonly ports: Ports;
  readonly settings: SettingsPort;
  /** Faults: locked (another process works with these settings and does not answer), config-invalid … */
  readonly openDoor: (features: HostFeatures) => Promise<ServiceDoor>;
  readonly pageFile: (path: string) => Promise<PageFile | null>;
  readonly pageHeaders: Readonly<Record<string, string>>;
  readonly process: Pick<NodeJS.Process, 'platform' | 'env' | 'execPath' | 'argv'>;
  readonly places: { readonly preload: string; readonly icon: string; readonly trayImages: string };
  readonly now: () => number;
  readonly onProblem: (message: string, error: unknown) => void;
}

/** The life of the app; settles when it is about to end. */
export async function runApp(parts: AppParts): Promise<void> {
  const { ports, settings, places, onProblem } = parts;
  const { app, dialog } = ports;
  const { platform } = parts.process;
  if (!app.requestSingleInstanceLock()) return app.quit();
  const window = mainWindow({ ports, settings, onProblem, preload: places.preload, icon: places.icon });
  const end = new AbortController();
  let leaving: 'no' | 'asked' | 'gone' = 'no';
  /** Nothing is followed any more: there is no service, and none to come. */
  let isOver = false;
  let door: ServiceDoor | null = null;
  let opened = Promise.withResolvers<ServiceDoor>();
  let servers: readonly ServerStatus[] | null = null;
  const known = (): readonly ServerStatus[] => servers ?? [];

  // Before it is ready, or never.
  ports.protocol.registerSchemesAsPrivileged([scheme]);
  app.on('web-contents-created', (_, contents) => lockDown(contents));
  app.on('second-instance', () => window.open());
  app.on('activate', () => window.open());
  // Without a listener Electron ends the app.
  app.on('window-all-closed', () => undefined);
  app.on('before-quit', (event) => {
    if (leaving === 'gone') return;
    event.preventDefault();
    if (leaving === 'no') void leave();
  });
  await app.whenReady();

  let words = wordsOf(settings.get('language'), app.getLocale());
  // Windows shows notifications only of an app with a name.
  app.setAppUserModelId('page.holdfast.app');
  denyPermissions(ports.session());
  servePage(ports.protocol, parts.pageFile, parts.pageHeaders);
  serveCalls(ports.ipc, window.id, async () => (await opened.promise).handlers, end.signal);

  const tray = ports.createTray(trayImage(places.trayImages, 'ok', platform, ports.theme));
  const actions = {
    open: window.open,
    backUp: (slug: string) => void doing((at) => at.call('backup.start', { slug })),
    pause: (until: number) => void doing((at) => ofEach(({ slug }) => at.call('server.pause', { slug, until }))),
    resume: () => void doing((at) => ofEach(({ slug }) => at.call('server.resume', { slug }))),
    quit: () => app.quit(),
    now: parts.now,
  };
  const placeOf = (slug: string): string | undefined =>
    known()
      .filter(({ settings: its }) => its.slug === slug)
      .map(placeNamed)[0];
  const showNotice = eachOnce(noticeShower(ports.createNotification, () => words, { ...actions, placeOf }));
  const features: HostFeatures = {
    pickFolder: () => pickFolder(dialog),
    openLink: (link) => openLink(ports.shell, link),
    autostart: autostartOf(app, parts.process),
    showNotice: async (notice) => showNotice(notice),
    look: async (look) => followLook(look),
  };
  tray.on('click', () => window.toggleBeside(tray.getBounds()));
  // There a menu that is set opens at a left click too, over the window.
  const hasMenuOfItsOwn = platform !== 'darwin';
  if (!hasMenuOfItsOwn) tray.on('right-click', () => tray.showMenu('popUpContextMenu', menuOf(servers, words, actions)));
  ports.theme.on('updated', drawTray);
  const lookNow = (): void => door?.lookNow();
  ports.power.on('resume', lookNow);
  ports.power.on('on-battery', lookNow);
  ports.power.on('on-ac', lookNow);
  followLook({});
  if (!isStartedBySession(app, parts.process.argv)) window.open();
  await follow();

  function followLook({ language, theme }: ChosenLook): void {
    if (language !== undefined) settings.set('language', language);
    if (theme !== undefined) settings.set('theme', theme);
    words = wordsOf(settings.get('language'), app.getLocale());
    // Frame and menus. On Linux it would hide what the desktop itself has, which the tray's image is chosen by.
    if (platform !== 'linux') ports.theme.themeSource = settings.get('theme');
    drawTray();
  }

  function drawTray(): void {
    tray.setImage(trayImage(places.trayImages, worstOf(known()), platform, ports.theme));
    tray.setToolTip(`Holdfast: ${statusLine(servers, words)}`);
    if (hasMenuOfItsOwn) tray.showMenu('setContextMenu', menuOf(servers, words, actions));
  }

  /** Of all of them, also where one fails; rejects with the first that did. */
  async function ofEach(act: (server: ServerStatus['settings']) => Promise<unknown>): Promise<void> {
    const all = await Promise.allSettled(known().map(({ settings: its }) => act(its)));
    const failed = all.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** Something that a person asked for outside the page: that it did not work is told outside the page as well. */
  async function doing(act: (at: ServiceDoor) => Promise<unknown>): Promise<void> {
    try {
      await act(await opened.promise);
    } catch (error) {
      ports.createNotification({ title: words.notDone, body: words.failed(asFault(error, 'act')).join('\n') }).show();
    }
  }

  function heard(event: ServiceEvent): void {
    window.send(event);
    if (event.event === 'notice') showNotice(event.data);
    const before = known();
    if (event.event === 'server') {
      const { slug } = event.data.settings;
      const isKnown = before.some(({ settings: its }) => its.slug === slug);
      servers = isKnown ? before.map((one) => (one.settings.slug === slug ? event.data : one)) : [...before, event.data];
    } else if (event.event === 'server-removed') {
      servers = before.filter(({ settings: its }) => its.slug !== event.data.slug);
    } else return;
    drawTray();
  }

  async function follow(): Promise<void> {
    try {
      await followDoor({ open: () => parts.openDoor(features), changed, met, heard, signal: end.signal });
    } catch (error) {
      dialog.showErrorBox(words.cannotStart, words.failed(asFault(error, 'start')).join('\n\n'));
    }
    isOver = true;
    if (leaving !== 'no') return;
    leaving = 'gone';
    window.letGo();
    app.quit();
  }

  function changed(at: ServiceDoor | null): void {
    door = at;
    if (at === null) opened = Promise.withResolvers();
  }

  function met(at: ServiceDoor, all: readonly ServerStatus[]): void {
    servers = all;
    opened.resolve(at);
    drawTray();
    // The page may know what another service told it.
    window.send({ event: 'destinations-changed', data: {} });
  }

  async function leave(): Promise<void> {
    leaving = 'asked';
    const busy = known().filter(({ running }) => running !== null);
    if (door?.isOwn === true && busy.length > 0) {
      const { response } = await dialog.showMessageBox({
        ...{ type: 'question', defaultId: 0, cancelId: 0, buttons: [words.stay, words.quit] },
        ...{ message: words.quitQuestion(namesOf(busy)), detail: words.quitDetail },
      });
      // Its service may have ended while it was asked: there is nothing left to keep running.
      if (response === 0 && !isOver) {
        leaving = 'no';
        return;
      }
    }
    end.abort();
    await door?.close().catch((error: unknown) => onProblem('the service did not end as it should', error));
    leaving = 'gone';
    window.letGo();
    app.quit();
  }
}
