import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { xdgAutostart } from '../../main/adapters/system/autostart.ts';
import { wordsIn } from '../../main/contract/app-words.ts';
import { autostartOf, isStartedBySession, noticeShower, pickFolder } from '../../main/electron/desktop.ts';
import { serveCalls } from '../../main/electron/ipc.ts';
import { openLink, openOrigins } from '../../main/electron/links.ts';
import { scheme, servePage } from '../../main/electron/protocol.ts';
import { userDataOf } from '../../main/electron/settings.ts';
import { FakeApp, FakeDialog, FakeIpc, FakeNotification, FakeProtocol } from '../support/electron-fakes.ts';
import { FakeDoor } from '../support/fake-door.ts';
import type { CallEvent } from '../../main/electron/ports.ts';

const ours: CallEvent = { sender: { id: 7 }, senderFrame: { origin: 'app://holdfast', parent: null } };
const refusal = {
  ok: false,
  fault: { code: 'permission-denied', persistence: 'permanent', operation: 'call', message: expect.any(String), context: {} },
};

describe('calls of the page', () => {
  function serving(door: FakeDoor): FakeIpc {
    const ipc = new FakeIpc();
    serveCalls(
      ipc,
      () => 7,
      async () => door.handlers,
      new AbortController().signal,
    );
    return ipc;
  }

  test('are answered as the contract says', async () => {
    const door = new FakeDoor(true, { 'bandwidth.get': async () => ({ limit: '', whilePlayers: '' }) });
    expect(await serving(door).invoke(ours, 'bandwidth.get', {})).toEqual({ ok: true, value: { limit: '', whilePlayers: '' } });
    expect(door.calls).toEqual([['bandwidth.get', {}]]);
  });

  test.each([
    ['another window', { ...ours, sender: { id: 8 } }],
    ['a frame inside the page', { ...ours, senderFrame: { origin: 'app://holdfast', parent: {} } }],
    ['another origin', { ...ours, senderFrame: { origin: 'https://example.org', parent: null } }],
    ['another page of the scheme', { ...ours, senderFrame: { origin: 'app://holdfast.example.org', parent: null } }],
    ['a frame that has gone', { ...ours, senderFrame: null }],
  ])('from %s are refused', async (_, event) => {
    const door = new FakeDoor(true);
    expect(await serving(door).invoke(event, 'servers.list', {})).toEqual(refusal);
    expect(door.calls).toEqual([]);
  });

  test('are ended in the service when the page gives them up, and by nobody else', async () => {
    const begun = Promise.withResolvers<AbortSignal>();
    const ipc = serving(
      new FakeDoor(true, {
        'destination.test': async (_, signal) => {
          begun.resolve(signal);
          return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        },
      }),
    );
    const answered = ipc.invoke(ours, 'destination.test', { name: 'nas' }, 'a');
    const signal = await begun.promise;
    await ipc.on('holdfast:cancel', { ...ours, sender: { id: 8 } }, 'a');
    await ipc.on('holdfast:cancel', ours, 'b');
    expect(signal.aborted).toBe(false);
    await ipc.on('holdfast:cancel', ours, 'a');
    expect(await answered).toMatchObject({ ok: false, fault: { code: 'cancelled' } });
  });

  test.each([
    ['a call that there is not', ['__proto__', {}], 'not-found'],
    ['no name', [undefined, {}], 'not-found'],
    ['a request that does not fit', ['server.get', { slug: 7 }], 'config-invalid'],
    ['no request', ['server.get'], 'config-invalid'],
  ])('with %s reach nobody', async (_, args, code) => {
    const door = new FakeDoor(true);
    expect(await serving(door).invoke(ours, ...args)).toMatchObject({ ok: false, fault: { code } });
    expect(door.calls).toEqual([]);
  });
});

describe('app://holdfast', () => {
  const asked: string[] = [];
  function served(): FakeProtocol {
    const protocol = new FakeProtocol();
    const file = { content: new Uint8Array([1, 2]), type: 'text/css' };
    servePage(
      protocol,
      async (path) => {
        asked.push(path);
        return path === '/a.css' ? file : null;
      },
      { 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' },
    );
    return protocol;
  }

  test('is a secure standard scheme that passes by no CSP', () => {
    expect(scheme).toEqual({
      scheme: 'app',
      privileges: { standard: true, secure: true, supportFetchAPI: true, bypassCSP: false, corsEnabled: false, allowServiceWorkers: false },
    });
  });

  test('serves a file of the page with every header', async () => {
    const answer = await served().handler({ url: 'app://holdfast/a.css', method: 'GET' });
    expect([answer.status, [...new Uint8Array(await answer.arrayBuffer())]]).toEqual([200, [1, 2]]);
    expect(Object.fromEntries(answer.headers)).toEqual({
      ...{ 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff', 'content-type': 'text/css' },
    });
  });

  test.each([
    ['another host', 'app://elsewhere/a.css', 'GET'],
    ['another method', 'app://holdfast/a.css', 'POST'],
    ['a file that there is not', 'app://holdfast/b.css', 'GET'],
  ])('has nothing for %s, and says so under the same headers', async (_, url, method) => {
    const answer = await served().handler({ url, method });
    expect([answer.status, answer.headers.get('content-security-policy')]).toEqual([404, "default-src 'none'"]);
  });

  test('asks for paths as they stand in the address, below its root', async () => {
    asked.length = 0;
    const { handler } = served();
    for (const path of ['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/a%2f..%2fb', '/a.css?x#y']) {
      await handler({ url: `app://holdfast${path}`, method: 'GET' });
    }
    expect(asked).toEqual(['/etc/passwd', '/etc/passwd', '/a%2f..%2fb', '/a.css']);
  });
});

describe('links', () => {
  const opened: string[] = [];
  const shell = { openExternal: async (link: string) => void opened.push(link) };

  test.each(openOrigins)('to %s open in the browser', async (origin) => {
    await openLink(shell, `${origin}/a?b=c`);
    expect(opened.pop()).toBe(`${origin}/a?b=c`);
  });

  test.each([
    'http://accounts.google.com/',
    'https://accounts.google.com.example.org/',
    'https://accounts.google.com:8443/',
    'https://accounts.google.com@example.org/',
    'https://user@accounts.google.com/',
    'https://:word@accounts.google.com/',
    'http://127.0.0.1:8080/',
    'http://localhost/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'smb://host/share',
    'no link',
  ])('to %s do not', async (link) => {
    await expect(openLink(shell, link)).rejects.toMatchObject({ code: 'permission-denied' });
    expect(opened).toEqual([]);
  });
});

describe('the picker', () => {
  test.each([
    [false, ['/srv/world'], '/srv/world'],
    [true, ['/srv/world'], null],
    [false, [], null],
  ])('cancelled %s, chosen %j: %s', async (canceled, picked, path) => {
    const dialog = new FakeDialog();
    Object.assign(dialog, { canceled, picked });
    expect(await pickFolder(dialog)).toBe(path);
    expect(dialog.pickers).toEqual([{ properties: ['openDirectory', 'createDirectory'] }]);
  });
});

describe('the start with the session', () => {
  function home(): string {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-autostart-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    return folder;
  }

  test.each(['darwin', 'win32'] as const)('is Electron’s on %s', async (platform) => {
    const app = new FakeApp();
    const autostart = autostartOf(app, { platform, env: {}, execPath: '/opt/holdfast' });
    expect([await autostart(), await autostart(true), await autostart(), await autostart(false)]).toEqual([false, true, true, false]);
    expect(app.loginArguments).toEqual(['--hidden']);
  });

  test('is a file of the desktop elsewhere, which a person may switch off there', async () => {
    const folder = home();
    const env = { XDG_CONFIG_HOME: folder };
    const autostart = autostartOf(new FakeApp(), { platform: 'linux', env, execPath: '/opt/Hold fast/100%/holdfast' });
    expect([await autostart(), await autostart(true), await autostart()]).toEqual([false, true, true]);
    const path = join(folder, 'autostart', 'holdfast.desktop');
    expect(readFileSync(path, 'utf8')).toBe(
      ['[Desktop Entry]', 'Type=Application', 'Version=1.5', 'Name=Holdfast', 'Exec="/opt/Hold fast/100%%/holdfast" "--hidden"']
        .concat('Icon=holdfast', 'Terminal=false', 'X-GNOME-Autostart-enabled=true', '')
        .join('\n'),
    );
    writeFileSync(path, `${readFileSync(path, 'utf8')}Hidden=true\n`);
    expect(await autostart()).toBe(false);
    expect([await autostart(false), await autostart()]).toEqual([false, false]);
  });

  test('of an AppImage starts its own path', async () => {
    const folder = home();
    const env = { HOME: folder, APPIMAGE: '/home/me/Holdfast.AppImage' };
    await autostartOf(new FakeApp(), { platform: 'linux', env, execPath: '/tmp/.mount/holdfast' })(true);
    expect(readFileSync(join(folder, '.config', 'autostart', 'holdfast.desktop'), 'utf8')).toContain('Exec="/home/me/Holdfast.AppImage"');
  });

  test.each([
    ['/a"b', '"/a\\\\"b"'],
    ['/a$b`c', '"/a\\\\$b\\\\`c"'],
    ['/a\\b', '"/a\\\\\\\\b"'],
  ])('writes %s as the specification asks', async (path, written) => {
    const folder = home();
    await xdgAutostart({ env: { XDG_CONFIG_HOME: folder }, command: [path] })(true);
    expect(readFileSync(join(folder, 'autostart', 'holdfast.desktop'), 'utf8')).toContain(`\nExec=${written}\n`);
  });

  test('refuses a path that would begin another key', async () => {
    const autostart = xdgAutostart({ env: { XDG_CONFIG_HOME: home() }, command: ['/a\nHidden=true'] });
    await expect(autostart(true)).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('that cannot be read is an error, not off', async () => {
    const folder = home();
    writeFileSync(join(folder, 'autostart'), '');
    await expect(xdgAutostart({ env: { XDG_CONFIG_HOME: folder }, command: ['/a'] })()).rejects.toThrow('ENOTDIR');
  });

  test('is seen by its argument, or by what macOS says', () => {
    const app = new FakeApp();
    expect([isStartedBySession(app, ['holdfast']), isStartedBySession(app, ['holdfast', '--hidden'])]).toEqual([false, true]);
    app.wasOpenedAtLogin = true;
    expect(isStartedBySession(app, ['holdfast'])).toBe(true);
  });
});

test.each([
  ['failed', 'creative', 'Back up now', ['back up creative']],
  ['overdue', 'creative', 'Back up now', ['back up creative']],
  ['failed', '', 'Show', ['open']],
  ['sign-in-needed', 'creative', 'Sign in', ['open settings/place/my%20drive/sign-in']],
  ['sign-in-needed', 'other', 'Sign in', ['open']],
  ['drill-failed', 'creative', 'Show', ['open']],
] as const)('a notice of %s on “%s” offers “%s”', (kind, server, label, does) => {
  const done: string[] = [];
  const made: FakeNotification[] = [];
  const create = (options: FakeNotification['options']): FakeNotification => {
    const one = new FakeNotification(options);
    made.push(one);
    return one;
  };
  const actions = {
    open: (path?: string) => void done.push(path === undefined ? 'open' : `open ${path}`),
    backUp: (slug: string) => void done.push(`back up ${slug}`),
    placeOf: (slug: string) => (slug === 'creative' ? 'my drive' : undefined),
  };
  noticeShower(create, () => wordsIn.en, actions)({ kind, server, title: 'Title', text: '', next: '', at: 1, repeats: 0 });
  expect(made[0]?.options).toEqual({ title: 'Title', body: '', actions: [{ type: 'button', text: label }] });
  made[0]?.emit('action');
  expect(done).toEqual(does);
  made[0]?.emit('click');
  // With what somebody types in the page: the part it shows stays.
  expect(done).toEqual([...does, 'open']);
  made[0]?.emit('close');
});

test('a notice on the desktop is held until it is closed: one that is collected hears no click', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const rest = (): Promise<void> => new Promise((settle) => setImmediate(settle));
  let made: WeakRef<FakeNotification> | undefined;
  const done: string[] = [];
  const show = noticeShower(
    (options) => {
      const one = new FakeNotification(options);
      made = new WeakRef(one);
      return one;
    },
    () => wordsIn.en,
    { open: () => void done.push('open'), backUp: () => undefined, placeOf: () => undefined },
  );
  const notice = { kind: 'test', server: '', title: 'Title', text: '', next: '', at: 1, repeats: 0 } as const;
  show(notice);
  await rest();
  collect();
  made?.deref()?.emit('click');
  expect(done).toEqual(['open']);
  made?.deref()?.emit('close');
  await rest();
  collect();
  expect(made?.deref()).toBeUndefined();
  expect(show).toBeTypeOf('function');
});

test('Electron’s own files lie apart from the settings, and from those of another configuration', () => {
  expect(userDataOf({}, '/home/me/.config')).toBe('/home/me/.config/holdfast-app');
  expect(userDataOf({ HOLDFAST_CONFIG_DIR: '' }, '/home/me/.config')).toBe('/home/me/.config/holdfast-app');
  expect(userDataOf({ HOLDFAST_CONFIG_DIR: '/srv/holdfast' }, '/home/me/.config')).toBe('/srv/holdfast/app');
});
