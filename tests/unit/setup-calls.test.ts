import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { countTree } from '../../main/adapters/files/count-tree.ts';
import { nodeFileCalls } from '../../main/adapters/files/file-calls.ts';
import { lookAtTarget } from '../../main/adapters/files/look-at-target.ts';
import { passwordJudge } from '../../main/adapters/password-judge/password-judge.ts';
import type { Judgement } from '../../main/adapters/password-judge/password-judge.ts';
import { emptySettings, type Settings } from '../../main/contract/settings.ts';
import type { ChosenLook } from '../../main/contract/setup-calls.ts';
import { featuresOf, hostCalls } from '../../main/compose/service/host-features.ts';
import { listFolders } from '../../main/compose/service/list-folders.ts';
import { lookAtFolder } from '../../main/compose/service/look-at-folder.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { asNobody } from '../support/as-nobody.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { server } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

let base = '';
beforeEach(() => {
  base = tempFolder();
  chmodSync(base, 0o755);
});
const signal = new AbortController().signal;

function make(folder: string, ...files: readonly string[]): string {
  const path = join(base, folder);
  mkdirSync(path, { recursive: true });
  for (const file of files) {
    mkdirSync(join(path, file, '..'), { recursive: true });
    writeFileSync(join(path, file), 'blocks');
  }
  return path;
}

describe('the folders of a folder', () => {
  test('are sorted as people sort, links to folders among them, hidden ones marked', async () => {
    for (const name of ['world10', 'World2', '.hidden', 'äther']) make(name);
    make('.', 'file');
    symlinkSync(join(base, 'world10'), join(base, 'link'));
    symlinkSync(join(base, 'file'), join(base, 'link to a file'));
    symlinkSync(join(base, 'nowhere'), join(base, 'dangling'));
    const { path, parent, folders } = await listFolders(`${base}/`);
    expect([path, parent]).toEqual([base, join(base, '..')]);
    expect(folders.map(({ name }) => name)).toEqual(['.hidden', 'äther', 'link', 'World2', 'world10']);
    expect(folders.filter(({ hidden }) => hidden)).toEqual([{ name: '.hidden', path: join(base, '.hidden'), hidden: true }]);
  });

  test('without a path those of the home folder; the root has no parent', async () => {
    expect((await listFolders('')).path).toBe(homedir());
    expect((await listFolders('/')).parent).toBeNull();
  });

  test('what cannot be listed is said', async () => {
    make('.', 'file');
    chmodSync(make('closed'), 0o700);
    expect(await codeOf(listFolders(join(base, 'none')))).toBe('not-found');
    expect(await codeOf(listFolders(join(base, 'file')))).toBe('config-invalid');
    expect(await codeOf(listFolders('srv'))).toBe('config-invalid');
    expect(await asNobody(() => codeOf(listFolders(join(base, 'closed'))))).toBe('permission-denied');
  });
});

describe('a folder looked at as a server', () => {
  const none: Settings = emptySettings;
  test('is named after itself; after its world where its own name says nothing', async () => {
    expect(await lookAtFolder(make('sky_block', 'a/b', 'c'), none, signal)).toEqual({
      ...{ name: 'Sky block', slug: 'sky-block', preset: null, problem: '', files: 2, bytes: 12, whole: true },
    });
    const plain = make('server', 'server.properties');
    expect(await lookAtFolder(plain, none, signal)).toMatchObject({ name: 'Server', preset: 'minecraft' });
    writeFileSync(join(plain, 'server.properties'), 'motd=Hi\nlevel-name=Hermit Craft\n');
    expect(await lookAtFolder(plain, none, signal)).toMatchObject({ name: 'Hermit Craft', slug: 'hermit-craft' });
    writeFileSync(join(plain, 'server.properties'), 'level-name=world\n');
    expect(await lookAtFolder(plain, none, signal)).toMatchObject({ name: 'Server' });
  });

  test('gets a name whose slug nobody has', async () => {
    const servers = ['Survival', 'Survival 2'].map((name, index) =>
      server({ name, slug: ['survival', 'survival-2'][index] ?? '', folder: '/x' }),
    );
    expect(await lookAtFolder(make('survival', 'a'), { ...none, servers }, signal)).toMatchObject({
      name: 'Survival 3',
      slug: 'survival-3',
    });
    // One sign becomes three letters in a slug.
    const long = '㍱'.repeat(60);
    const taken = [server({ folder: '/x', slug: (await lookAtFolder(make(long, 'a'), none, signal)).slug })];
    expect((await lookAtFolder(join(base, long), { ...none, servers: taken }, signal)).slug).toBe('server-100');
  });

  test.each([
    ['minecraft', ['level.dat']],
    ['minecraft', ['eula.txt', 'paper.jar']],
    ['steam', ['steamapps/common/x']],
    ['steam', ['Pal/Saved/x', 'Pal/Binaries/y']],
    [null, ['game.jar']],
    [null, ['Saved games/x']],
  ])('gets the preset %s for %j', async (preset, files) => {
    expect((await lookAtFolder(make('one', ...files), none, signal)).preset).toBe(preset);
  });

  test('what cannot be backed up is said: missing, a file, closed, empty, mixed up with a backup place', async () => {
    make('.', 'file');
    chmodSync(make('closed', 'x'), 0o700);
    const problem = async (path: string, settings = none): Promise<string> =>
      (await lookAtFolder(join(base, path), settings, signal)).problem;
    expect(await problem('none')).toContain('does not exist');
    expect(await problem('file')).toContain('is not a folder');
    expect(await asNobody(() => problem('closed'))).toContain('may not be read');
    make('empty');
    expect(await problem('empty')).toContain('is its disk mounted?');
    const at = (path: string): Settings => ({ ...none, destinations: { nas: { settings: { provider: 'folder', path } } } });
    make('srv/world', 'x');
    symlinkSync(join(base, 'srv'), join(base, 'by-link'));
    expect(await problem('srv', at(join(base, 'by-link', 'backups', 'not yet made')))).toContain('lies inside the folder');
    expect(await problem('srv/world', at(join(base, 'srv')))).toContain('lies inside the backup place');
    expect(await problem('srv/world', at(join(base, 'srv', 'world2')))).toBe('');
    // For a face in another language.
    const { say } = await lookAtFolder(join(base, 'srv/world'), at(join(base, 'srv')), signal);
    expect(say).toEqual({ key: 'folder-in-place', args: { folder: join(base, 'srv/world'), place: join(base, 'srv') } });
    expect((await lookAtFolder(join(base, 'empty'), none, signal)).say).toEqual({
      key: 'folder-empty',
      args: { path: join(base, 'empty') },
    });
  });

  test('counting ends when it has taken long enough, and says that there is more', async () => {
    let time = 0;
    const path = make('many', ...Array.from({ length: 20 }, (_, index) => `d${index % 3}/f${index}`));
    const look = await lookAtFolder(path, none, signal, () => (time += 100));
    expect(look.whole).toBe(false);
    expect(look.files).toBeLessThan(20);
    // Nor is anything counted for somebody who has gone on typing.
    expect(await lookAtFolder(path, none, AbortSignal.abort())).toMatchObject({ files: 0, whole: false });
    let asked = 0;
    expect(await countTree(path, () => (asked += 1) > 5)).toMatchObject({ whole: false });
    expect(await countTree(path, () => false)).toEqual({ files: 20, bytes: 120, whole: true });
  });
});

describe('a folder looked at as the target of a restore', () => {
  test('says where it really is, whether something is there, and how much is free', async () => {
    const path = make('target', 'x');
    symlinkSync(path, join(base, 'link'));
    expect(await lookAtTarget(join(base, 'link'))).toMatchObject({ target: path, exists: true, empty: false, problem: '', uses: [] });
    expect((await lookAtTarget(path)).freeBytes).toBeGreaterThan(0);
    expect(await lookAtTarget(make('hollow'))).toMatchObject({ exists: true, empty: true, problem: '' });
    expect(await lookAtTarget(join(base, 'new', 'one'))).toMatchObject({ exists: false, empty: true, problem: '' });
  });

  test('and why it cannot be restored to', async () => {
    make('.', 'file');
    expect((await lookAtTarget(join(base, 'file'))).problem).toContain('is not a folder');
    expect((await lookAtTarget('/proc/1')).problem).not.toBe('');
    expect((await lookAtTarget('/usr')).problem).toContain('folder of the system');
    const forbidden = { ...nodeFileCalls, mayChange: () => Promise.resolve(false) };
    expect((await lookAtTarget(join(base, 'inner'), forbidden)).problem).toContain('may not be written');
  });
});

describe('a password', () => {
  const judge = passwordJudge(fakeClock());
  afterAll(() => judge.close());
  const of = (password: string, language: 'en' | 'de' = 'en'): Promise<Judgement> =>
    judge.judge({ password, language, known: ['Nordwind', 'nordwind-box'] });

  test('is judged with reasons in the language that was asked for', async () => {
    expect(await of('password')).toMatchObject({ score: 0, warning: expect.stringMatching(/used password/) as string });
    expect(await of('passwort', 'de')).toMatchObject({ score: 1, warning: expect.stringMatching(/Passwort/) as string });
    expect((await of('passwort', 'de')).suggestions.join(' ')).toMatch(/Wörter/);
    expect(await of('stapler quartz 91 violet harbour')).toEqual({ score: 4, warning: '', suggestions: [] });
  });

  test('that is a name of this computer or its servers is a weak one', async () => {
    expect(await of('nordwind1')).toMatchObject({ score: 1, warning: expect.stringContaining('Names of your servers') as string });
    expect((await of('nordwind1', 'de')).warning).toContain('Namen deiner Server');
  });

  test('that is long is judged by its beginning: no more work than for a short one', async () => {
    const beginning = '4@8({[<369&#!1/|0$5+7%24@8({[<36';
    expect(await of(beginning + 'x'.repeat(9_000))).toEqual(await of(beginning));
    expect((await of('a'.repeat(10_000))).score).toBe(0);
  });

  test('the thread ends when nobody asks any more, and another begins when somebody does', async () => {
    const clock = fakeClock();
    const own = passwordJudge(clock);
    expect((await own.judge({ password: 'x', language: 'en', known: [] })).score).toBe(0);
    expect(clock.sleepers()).toHaveLength(1);
    await clock.advance(60_000);
    expect((await own.judge({ password: 'x', language: 'en', known: [] })).score).toBe(0);
    await own.close();
    expect(clock.sleepers()).toEqual([]);
  });
});

describe('what the desktop does', () => {
  test('is refused where there is none, and named where there is', async () => {
    const bare = hostCalls({});
    for (const [name, request] of [
      ['host.pickFolder', {}],
      ['host.openLink', { link: 'https://example.org' }],
      ['host.autostart', {}],
      ['host.look', { language: 'de' }],
    ] as const) {
      expect([name, await codeOf(bare[name](request as never, signal))]).toEqual([name, 'config-invalid']);
    }
    expect(featuresOf({})).toEqual([]);
    const opened: string[] = [];
    const host = {
      pickFolder: () => Promise.resolve(null),
      openLink: (link: string) => Promise.resolve(void opened.push(link)),
      autostart: (on?: boolean) => Promise.resolve(on ?? false),
      look: ({ language, theme }: ChosenLook) => Promise.resolve(void opened.push(`${language ?? ''} ${theme ?? ''}`)),
    };
    expect(featuresOf(host)).toEqual(['pick-folder', 'open-link', 'autostart', 'look']);
    expect(featuresOf({ showNotice: () => Promise.resolve() })).toEqual(['desktop-notices']);
    const desk = hostCalls(host);
    expect(await desk['host.autostart']({ on: true }, signal)).toEqual({ on: true });
    expect(await desk['host.pickFolder']({}, signal)).toEqual({ path: null });
    for (const link of ['file:///etc/passwd', 'javascript:alert(1)', 'steam://run/1'])
      expect(await codeOf(desk['host.openLink']({ link }, signal))).toBe('config-invalid');
    await desk['host.openLink']({ link: 'https://example.org/' }, signal);
    await desk['host.look']({ language: 'de', theme: 'dark' }, signal);
    expect(opened).toEqual(['https://example.org/', 'de dark']);
  });
});
