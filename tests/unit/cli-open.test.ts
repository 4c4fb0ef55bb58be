import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import type { Engine } from '../../main/engine/engine.ts';
import { kitPage } from '../../main/engine/kit/kit-page.ts';
import { kitText } from '../../main/engine/kit/kit-text.ts';
import type { FinishedRun } from '../support/cli-host.ts';
import { runWith } from '../support/cli-host.ts';
import { tempFolder } from '../support/temp-folder.ts';

const env = { HOLDFAST_PASSWORD: 'a long enough password' };
const stored = Buffer.from('sealed bytes '.repeat(1_000));

interface Seen {
  vault?: Uint8Array | undefined;
}

/** An opener that gives back upper-case letters, so that content and stored bytes cannot be confused. */
function opener(kind: 'zip' | 'json-lines', seen: Seen = {}, fault?: Fault): Pick<Engine, 'openFile'> {
  return {
    openFile: (file, request) => {
      seen.vault = request.vault;
      async function* content(): AsyncGenerator<Uint8Array> {
        for await (const piece of file) {
          yield Buffer.from(Buffer.from(piece).toString('latin1').toUpperCase(), 'latin1');
          if (fault !== undefined) throw fault;
        }
      }
      return Promise.resolve({ kind, content: content() });
    },
  };
}

function sealedFile(name = 'id.holdfast', checksumOf: Uint8Array | null = stored): { readonly folder: string; readonly file: string } {
  const folder = join(tempFolder(), 'server');
  mkdirSync(folder);
  const file = join(folder, name);
  writeFileSync(file, stored);
  if (checksumOf !== null) writeFileSync(`${file}.sha256`, `${createHash('sha256').update(checksumOf).digest('hex')}  ${name}\n`);
  return { folder, file };
}

function open(args: readonly string[], engine: Pick<Engine, 'openFile'>): Promise<FinishedRun> {
  return runWith(['open', ...args], { env, engine });
}

const opened = stored.toString('latin1').toUpperCase();

describe('holdfast open', () => {
  it.each([
    ['id.holdfast', 'zip', 'id.zip'],
    ['id.002.holdfast', 'zip', 'id.002.zip'],
    ['world_2026.zip.zst.enc', 'zip', 'world_2026.zip'],
    ['id.manifest', 'json-lines', 'id.jsonl'],
    ['strange', 'zip', 'strange.zip'],
    ['.holdfast', 'zip', '.holdfast.zip'],
  ] as const)('%s becomes %s %s', async (name, kind, expected) => {
    const { folder, file } = sealedFile(name);
    const { exitCode, stdout } = await open([file], opener(kind));
    expect(exitCode).toBe(0);
    expect(stdout).toContain(join(folder, expected));
    expect(readFileSync(join(folder, expected), 'latin1')).toBe(opened);
    expect(statSync(join(folder, expected)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).filter((entry) => entry.endsWith('.part'))).toEqual([]);
  });

  it('prints the content and nothing else for -o -', async () => {
    const { file, folder } = sealedFile();
    const { stdout, exitCode } = await open([file, '-o', '-'], opener('zip'));
    expect({ stdout, exitCode }).toEqual({ stdout: opened, exitCode: 0 });
    expect(readdirSync(folder)).toEqual(['id.holdfast', 'id.holdfast.sha256']);
  });

  it('never replaces a file, nor writes through a link', async () => {
    const { file, folder } = sealedFile();
    writeFileSync(join(folder, 'id.zip'), 'precious');
    const first = await open([file], opener('zip'));
    expect(first.exitCode).toBe(1);
    expect(first.stderr).toMatch(/id\.zip exists already/);
    expect(readFileSync(join(folder, 'id.zip'), 'latin1')).toBe('precious');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link.zip'));
    expect((await open([file, '-o', join(folder, 'link.zip')], opener('zip'))).exitCode).toBe(1);
    expect(readdirSync(folder)).not.toContain('nowhere');
  });

  it('says damage and leaves nothing when the stored bytes are not those of the checksum file', async () => {
    const { file, folder } = sealedFile('id.holdfast', Buffer.from('other bytes'));
    const { exitCode, stderr } = await open([file], opener('zip'));
    expect(exitCode).toBe(13);
    expect(stderr).toContain(file);
    expect(readdirSync(folder)).toEqual(['id.holdfast', 'id.holdfast.sha256']);
  });

  it('compares the whole file even when the opener stops early', async () => {
    const folder = tempFolder();
    const file = join(folder, 'id.holdfast');
    const long = Buffer.alloc(3 * 1024 * 1024, 7);
    writeFileSync(file, long);
    const early: Pick<Engine, 'openFile'> = {
      openFile: async (source) => {
        for await (const piece of source) {
          const first = Uint8Array.from(piece);
          return { kind: 'zip', content: toAsync(first) };
        }
        throw new Error('empty');
      },
    };
    writeFileSync(`${file}.sha256`, `${createHash('sha256').update(long).digest('hex')}  id.holdfast\n`);
    expect((await open([file, '-o', join(folder, 'a')], early)).exitCode).toBe(0);
    writeFileSync(`${file}.sha256`, `${'0'.repeat(64)}  id.holdfast\n`);
    expect((await open([file, '-o', join(folder, 'b')], early)).exitCode).toBe(13);
  });

  it('warns when an archive has no checksum file, but not for a manifest', async () => {
    const archive = await open([sealedFile('id.holdfast', null).file, '--json'], opener('zip'));
    expect(archive.exitCode).toBe(3);
    expect(JSON.parse(archive.stdout)).toMatchObject({ kind: 'zip', bytes: stored.length, warnings: [{ code: 'checksum-missing' }] });
    expect((await open([sealedFile('id.manifest', null).file], opener('json-lines'))).exitCode).toBe(0);
  });

  it('leaves nothing of a file that turns out damaged half-way', async () => {
    const { file, folder } = sealedFile();
    const { exitCode } = await open([file], opener('zip', {}, new Fault('truncated', 'it ends too early')));
    expect(exitCode).toBe(13);
    expect(readdirSync(folder)).toEqual(['id.holdfast', 'id.holdfast.sha256']);
  });

  it('finds the vault of the destination by itself, or takes the one named', async () => {
    const { file, folder } = sealedFile();
    const seen: Seen = {};
    await open([file, '-o', join(folder, '1')], opener('zip', seen));
    expect(seen.vault).toBeUndefined();
    writeFileSync(join(folder, '..', 'holdfast.vault'), 'vault above');
    await open([file, '-o', join(folder, '2')], opener('zip', seen));
    expect(Buffer.from(seen.vault ?? []).toString()).toBe('vault above');
    writeFileSync(join(folder, 'other'), 'vault named');
    await open([file, '-o', join(folder, '3'), '--vault', join(folder, 'other')], opener('zip', seen));
    expect(Buffer.from(seen.vault ?? []).toString()).toBe('vault named');
    expect((await open([file, '-o', join(folder, '4'), '--vault', join(folder, 'none')], opener('zip'))).exitCode).toBe(10);
  });

  it('says what is missing, and what is no file', async () => {
    const folder = tempFolder();
    expect((await open([join(folder, 'none.holdfast')], opener('zip'))).exitCode).toBe(10);
    expect((await open([folder], opener('zip'))).exitCode).toBe(2);
    expect((await open([sealedFile().file, '-o', join(folder, 'no', 'such', 'out.zip')], opener('zip'))).exitCode).toBe(10);
  });
});

describe('holdfast kit', () => {
  const made = {
    ...{
      madeOn: '2026-11-24',
      host: 'box',
      settings: { provider: 'folder' },
      vault: 'AAAA',
      recoveryKeys: [],
      opener: '# <open>\n',
      tree: '# <tree>\n',
    },
  };
  const text = kitText(made);
  const kit = (args: readonly string[]) => {
    const asked: boolean[] = [];
    const engine: Pick<Engine, 'kit'> = {
      kit: (_, { recoveryKey }) => {
        asked.push(recoveryKey);
        return Promise.resolve(made);
      },
    };
    return runWith(['kit', '-d', `folder:${tempFolder()}`, ...args], { env, engine }).then((run) => ({ ...run, asked }));
  };

  it('is readable by its owner only, and says whether it opens everything', async () => {
    const file = join(tempFolder(), 'kit.txt');
    const { stdout, asked } = await kit(['-o', file, '--recovery-key']);
    expect(asked).toEqual([true]);
    expect(stdout).toMatch(/can open every snapshot/);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('never replaces a file, and says so before it asks for anything', async () => {
    const file = join(tempFolder(), 'kit.txt');
    writeFileSync(file, 'precious');
    const { exitCode, asked } = await kit(['-o', file]);
    expect({ exitCode, asked }).toEqual({ exitCode: 1, asked: [] });
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  it('is a page for a browser with --html', async () => {
    expect((await kit(['-o', '-', '--html'])).stdout).toBe(kitPage(made));
  });

  it('goes to standard output for -, and into one document with --json', async () => {
    expect((await kit(['-o', '-'])).stdout).toBe(text);
    const file = join(tempFolder(), 'kit.txt');
    expect(JSON.parse((await kit(['-o', file, '--json'])).stdout)).toEqual({ file, bytes: Buffer.byteLength(text), recoveryKey: false });
  });
});

async function* toAsync(piece: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(piece);
}
