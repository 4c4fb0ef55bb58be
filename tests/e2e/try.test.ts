import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { chooseFolder, measure } from '../../scripts/try/choose-folder.ts';
import { seeTree } from '../support/compare-trees.ts';
import { isRoot } from '../support/run-holdfast.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { buildOddTree } from '../support/trees.ts';

const root = join(import.meta.dirname, '..', '..');
const mib = 2 ** 20;

interface Trial {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A checkout of links to this one, so that the trial's own folder lies elsewhere and is new. */
function checkout(): string {
  const folder = tempFolder();
  for (const name of ['main', 'node_modules', 'package.json']) symlinkSync(join(root, name), join(folder, name));
  for (const name of ['bin', 'scripts']) mkdirSync(join(folder, name));
  symlinkSync(join(root, 'bin', 'holdfast.js'), join(folder, 'bin', 'holdfast.js'));
  for (const name of ['try.ts', 'try']) symlinkSync(join(root, 'scripts', name), join(folder, 'scripts', name));
  return folder;
}

/** What `npm run try` runs once set-up is done; all of it real. `under`: the command that it runs under. */
function tried(folder: string, source?: string, under: readonly string[] = []): Trial {
  const links = ['--preserve-symlinks', '--preserve-symlinks-main'];
  const words = [...under, process.execPath, ...links, join(folder, 'scripts', 'try.ts'), ...(source === undefined ? [] : [source])];
  return spawnSync('/usr/bin/env', words, { encoding: 'utf8', env: { ...process.env, INIT_CWD: folder }, maxBuffer: 16 * mib });
}

function sourceOf(): string {
  const source = join(tempFolder(), 'server');
  mkdirSync(join(source, 'world'), { recursive: true });
  writeFileSync(join(source, 'world', 'level.dat'), 'blocks'.repeat(10_000));
  writeFileSync(join(source, 'server.properties'), 'motd=hi\n');
  // Old enough that a second run need not read them again.
  for (const name of ['world/level.dat', 'server.properties', 'world', '.']) utimesSync(join(source, name), 1_700_000_000, 1_700_000_000);
  return source;
}

const stored = (folder: string): readonly string[] =>
  (readdirSync(join(folder, 'try/destination'), { recursive: true }) as string[]).sort();
const ending = (names: readonly string[], end: string): number => names.filter((name) => name.endsWith(end)).length;
const passwordIn = (stdout: string): string | undefined => /^ {2}Password +(\S+)$/m.exec(stdout)?.[1];

describe('a trial', () => {
  test('makes a password, shows it and keeps it from others; a second one opens the same place by it and stores no content again', () => {
    const [folder, source] = [checkout(), sourceOf()];
    const first = tried(folder, source);
    expect([first.status, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toContain('The folder came back byte for byte.');
    expect(first.stdout).toMatch(/ (\d+\.)?\d+ [KMG]?i?B a second$/m);
    const file = join(folder, 'try/password');
    expect(passwordIn(first.stdout)).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    expect(readFileSync(file, 'utf8')).toBe(`${passwordIn(first.stdout) ?? ''}\n`);
    expect([statSync(file).mode & 0o777, statSync(join(folder, 'try')).mode & 0o777]).toEqual([0o600, 0o700]);
    const archives = ending(stored(folder), '.holdfast');

    const second = tried(folder, source);
    expect(second.status, second.stderr).toBe(0);
    expect(passwordIn(second.stdout)).toBe(passwordIn(first.stdout));
    expect(ending(stored(folder), '.holdfast')).toBe(archives);
    expect(stored(folder).filter((name) => name.endsWith('holdfast.vault'))).toHaveLength(1);
  });

  test('only reads the folder, whatever is in it, and writes to ./try/ alone', () => {
    const [folder, source] = [checkout(), join(tempFolder(), 'odd')];
    buildOddTree(source, { seed: 5, asRoot: isRoot });
    const was = seeTree(source, { owners: true });
    // Where a folder can be mounted read-only, whoever wrote to it would fail.
    const mount = [
      'unshare',
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"',
    ];
    const canMount = spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' }).status === 0;
    const { status, stdout, stderr } = tried(folder, source, canMount ? [...mount, source] : []);
    expect([status, stderr.replaceAll(/^warning.*\n/gm, '')], stdout).toEqual([0, expect.not.stringMatching(/EROFS|Read-only/)]);
    expect(seeTree(source, { owners: true })).toEqual(was);
    expect(readdirSync(folder).sort()).toEqual(['bin', 'main', 'node_modules', 'package.json', 'scripts', 'try']);
    expect(readdirSync(join(folder, 'try')).sort()).toEqual(['destination', 'password', 'restored', 'state']);
  });

  test('ends with 1 where what came back differs by a byte, and names the file: the real commands, and a hand that changes what they restored', () => {
    const [folder, source] = [checkout(), sourceOf()];
    const real = join(folder, 'bin', 'real.js');
    symlinkSync(join(root, 'bin', 'holdfast.js'), real);
    // In the place of the command: the command, and then the byte.
    const restored = join(folder, 'try/restored');
    writeFileSync(
      join(folder, 'bin', 'changing.js'),
      `import { spawnSync } from 'node:child_process';
       import { openSync, writeSync, closeSync, statSync, utimesSync } from 'node:fs';
       const { status } = spawnSync(process.execPath, [${JSON.stringify(real)}, ...process.argv.slice(2)], { stdio: 'inherit' });
       if (process.argv[2] === 'restore') {
         const file = ${JSON.stringify(join(restored, 'world/level.dat'))};
         const { mtime } = statSync(file);
         const handle = openSync(file, 'r+');
         writeSync(handle, 'X', 59_999);
         closeSync(handle);
         utimesSync(file, mtime, mtime);
       }
       process.exitCode = status;`,
    );
    const { status, stdout } = tried(changing(folder), source);
    expect(stdout).toContain('The folder that came back is NOT the same.');
    expect(stdout).toContain('world/level.dat: other bytes from 0 on');
    expect(stdout).toContain('2 files, 1 folder, 0 symbolic links: 1 difference\n');
    expect(status).toBe(1);
  });

  test('ends with 1 where a command fails, where the folder is none, holds nothing, or is the trial’s own', () => {
    const folder = checkout();
    for (const [source, says] of [
      [join(folder, 'nowhere'), 'is not a folder'],
      [join(folder, 'package.json'), 'is not a folder'],
      [tempFolder(), 'There are no files in'],
      [folder, 'cannot back up'],
      ['/', 'cannot back up'],
    ] as const) {
      const { status, stderr } = tried(folder, source);
      expect([source, status, stderr]).toEqual([source, 1, expect.stringContaining(says)]);
    }
    const source = sourceOf();
    expect(tried(folder, source).status).toBe(0);
    writeFileSync(join(folder, 'try/password'), 'another password\n');
    appendFileSync(join(source, 'server.properties'), 'more');
    const { status, stdout, stderr } = tried(folder, source);
    expect(status).toBe(1);
    expect(stderr).toMatch(/That command ended with code \d+\./);
    expect(stdout).not.toContain('byte for byte');
  });
});

/** The checkout, with another command in the place of `holdfast`. */
function changing(folder: string): string {
  spawnSync('mv', [join(folder, 'bin', 'changing.js'), join(folder, 'bin', 'holdfast.js')]);
  return folder;
}

describe('without a folder it takes the system’s documents', () => {
  /** Folders of documents, of so many MB each; holes take no room. */
  function share(sizes: Readonly<Record<string, number>>): string {
    const base = tempFolder();
    for (const [name, size] of Object.entries(sizes)) {
      mkdirSync(join(base, name, 'in'), { recursive: true });
      writeFileSync(join(base, name, 'in', 'text'), '');
      truncateSync(join(base, name, 'in', 'text'), size * 1e6);
    }
    return base;
  }

  test.each([
    ['doc', { doc: 30, man: 50, perl: 299 }],
    ['doc', { doc: 300, man: 50 }],
    ['man', { doc: 300.000001, man: 50, perl: 200 }],
    ['man', { doc: 19, man: 20, perl: 200 }],
    ['perl', { doc: 301, man: 19, perl: 200, zoneinfo: 100, icons: 900 }],
    ['doc', { doc: 5, man: 3, perl: 301 }],
  ])('%s of %j, none above 300 MB', (name, sizes: Record<string, number>) => {
    const base = share(sizes);
    expect(chooseFolder(base)).toEqual({ folder: join(base, name), size: { files: 1, bytes: (sizes[name] ?? 0) * 1e6 } });
  });

  test('what there is none of is said', () => {
    for (const sizes of [{}, { doc: 301 }]) expect(() => chooseFolder(share(sizes))).toThrow('name a folder: npm run try -- FOLDER');
  });

  test('of this system it takes a folder below /usr/share of at most 300 MB', () => {
    const { folder, size } = chooseFolder();
    expect(folder).toMatch(/^\/usr\/share\/[^/]+$/);
    expect(size.bytes).toBeLessThanOrEqual(300e6);
    expect(measure(folder)).toEqual(size);
  });

  test('and that is what the trial backs up', () => {
    const folder = checkout();
    const base = share({ man: 21, doc: 1 });
    const chosen = pathToFileURL(join(root, 'scripts/try/choose-folder.ts')).href;
    const own = join(folder, 'choose.mjs');
    writeFileSync(
      own,
      `import { registerHooks } from 'node:module';
       registerHooks({ load: (url, context, next) => url.endsWith('/scripts/try/choose-folder.ts') && url !== ${JSON.stringify(chosen)}
         ? { format: 'module', shortCircuit: true, source: ${JSON.stringify(
           `import * as real from ${JSON.stringify(chosen)};
            export const { measure } = real;
            export const chooseFolder = () => real.chooseFolder(${JSON.stringify(base)});`,
         )} }
         : next(url, context) });`,
    );
    const { status, stdout, stderr } = tried(folder, undefined, [`NODE_OPTIONS=--import=${pathToFileURL(own).href}`]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Holdfast backs up ${join(base, 'man')} (1 file, 20.0 MiB)`);
    expect(statSync(join(folder, 'try/restored/in/text')).size).toBe(21e6);
  });
});
