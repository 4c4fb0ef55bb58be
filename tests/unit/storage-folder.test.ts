import { mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toFault } from '../../main/adapters/storage/folder/errors.ts';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { Fault, type FaultCode } from '../../main/contract/faults.ts';
import { abandonMidway, codeOf, collect, get, patterned, put, uploadEnded } from '../conformance/suite-support.ts';

let base = '';
let root = '';
let outside = '';

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'holdfast-folder-'));
  root = join(base, 'root');
  outside = join(base, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), 'secret');
});

afterEach(async () => {
  await rm(base, { recursive: true });
});

const keysOf = async (prefix: string): Promise<string[]> => (await collect(folderBackend(root).list(prefix))).map(({ key }) => key).sort();

describe('what the operating system says', () => {
  test.each<[string, FaultCode, string]>([
    ['ENOENT', 'not-found', 'permanent'],
    ['EEXIST', 'already-exists', 'permanent'],
    ['EACCES', 'permission-denied', 'permanent'],
    ['EPERM', 'permission-denied', 'permanent'],
    ['EROFS', 'permission-denied', 'permanent'],
    ['ENOSPC', 'disk-full', 'permanent'],
    ['EDQUOT', 'disk-full', 'permanent'],
    ['EFBIG', 'unsupported', 'permanent'],
    ['ENAMETOOLONG', 'config-invalid', 'permanent'],
    ['ELOOP', 'config-invalid', 'permanent'],
    ['ENOTDIR', 'config-invalid', 'permanent'],
    ['EISDIR', 'config-invalid', 'permanent'],
    ['EIO', 'unavailable', 'temporary'],
    ['EMFILE', 'unavailable', 'temporary'],
    ['ENFILE', 'unavailable', 'temporary'],
    ['ESTALE', 'unavailable', 'temporary'],
    ['EBUSY', 'unavailable', 'temporary'],
    ['ENOTCONN', 'unavailable', 'temporary'],
    ['ETIMEDOUT', 'timeout', 'temporary'],
    ['EWHATEVER', 'unexpected', 'permanent'],
  ])('%s becomes fault %s', (errno, code, persistence) => {
    const error = Object.assign(new Error(`${errno}: something`), { code: errno });
    const fault = toFault(error, 'stat', 'server/object', { key: 'server/object' });
    expect(fault).toMatchObject({ code, persistence, operation: 'stat', cause: error });
    expect(fault.message).toContain('server/object');
    expect(fault.message).toContain(errno);
  });

  test('a fault stays itself, and what is no system error is unexpected', () => {
    const fault = new Fault('cancelled', 'stop');
    expect(toFault(fault, 'stat', 'a')).toBe(fault);
    expect(toFault('odd', 'stat', 'a')).toMatchObject({ code: 'unexpected' });
  });
});

test('the root is made on the first write, for its owner only, and so are its objects', async () => {
  const backend = folderBackend(root);
  expect(await collect(backend.list(''))).toEqual([]);
  expect(await codeOf(stat(root))).toContain('ENOENT');
  await put(backend, 'server/object', patterned(10));
  expect((await stat(root)).mode & 0o777).toBe(0o700);
  expect((await stat(join(root, 'server'))).mode & 0o777).toBe(0o700);
  expect((await stat(join(root, 'server/object'))).mode & 0o777).toBe(0o600);
});

test('a root that is a file is fault config-invalid', async () => {
  const backend = folderBackend(join(outside, 'secret'));
  expect(await codeOf(collect(backend.list('')))).toBe('config-invalid');
  expect(await codeOf(backend.beginUpload('a'))).toBe('config-invalid');
});

test('a root that is itself a symbolic link is used', async () => {
  await symlink(outside, root);
  await put(folderBackend(root), 'server/object', patterned(10));
  expect((await stat(join(outside, 'server/object'))).size).toBe(10);
});

describe('a symbolic link below the root', () => {
  test('to a folder is never followed: not to read, write, remove or list', async () => {
    await mkdir(root);
    await symlink(outside, join(root, 'server'));
    const backend = folderBackend(root);
    expect(await codeOf(backend.stat('server/secret'))).toBe('config-invalid');
    expect(await codeOf(get(backend, 'server/secret'))).toBe('config-invalid');
    expect(await codeOf(backend.beginUpload('server/secret'))).toBe('config-invalid');
    expect(await codeOf(backend.remove('server/secret'))).toBe('config-invalid');
    expect(await codeOf(collect(backend.list('server/')))).toBe('config-invalid');
    expect(await codeOf(collect(backend.list('server')))).toBe('config-invalid');
    expect(await keysOf('')).toEqual([]);
    expect(await readdir(outside)).toEqual(['secret']);
  });

  test('to a file is no object', async () => {
    await put(folderBackend(root), 'server/real', patterned(10));
    await symlink(join(outside, 'secret'), join(root, 'server/link'));
    const backend = folderBackend(root);
    expect(await keysOf('server/')).toEqual(['server/real']);
    expect(await codeOf(backend.stat('server/link'))).toBe('config-invalid');
    expect(await codeOf(get(backend, 'server/link'))).toBe('config-invalid');
    await put(backend, 'server/link', patterned(20));
    expect((await backend.stat('server/link')).size).toBe(20);
    expect((await stat(join(outside, 'secret'))).size).toBe(6);
  });

  test('that appears while an upload is under way is not followed by complete()', async () => {
    const backend = folderBackend(root);
    const upload = await backend.beginUpload('server/secret');
    await upload.writePart(0, patterned(100));
    await symlink(outside, join(root, 'server'));
    expect(await codeOf(upload.complete())).toBe('config-invalid');
    await upload.abort();
    expect((await stat(join(outside, 'secret'))).size).toBe(6);
    expect(await readdir(join(root, '.holdfast-uploads'))).toEqual([]);
  });
});

test('what cannot be an object is not listed: odd names, FIFOs, the uploads', async () => {
  const backend = folderBackend(root);
  await put(backend, 'server/real', patterned(10));
  await writeFile(join(root, 'server', 'ümlaut'), 'x');
  await writeFile(Buffer.concat([Buffer.from(`${root}/server/`), Buffer.from([0xff, 0xfe])]), 'x');
  await writeFile(join(root, 'server', 'line\nbreak'), 'x');
  await mkdir(join(root, 'empty folder'));
  execFileSync('mkfifo', [join(root, 'server', 'pipe')]);
  const upload = await backend.beginUpload('server/unfinished');
  expect(await keysOf('')).toEqual(['server/real']);
  expect(await codeOf(get(backend, 'server/pipe'))).toBe('config-invalid');
  await upload.abort();
});

test('the folder of unfinished uploads is no place for objects', async () => {
  const backend = folderBackend(root);
  for (const key of ['.holdfast-uploads', '.holdfast-uploads/x']) {
    expect(await codeOf(backend.stat(key))).toBe('config-invalid');
    expect(await codeOf(backend.beginUpload(key))).toBe('config-invalid');
    expect(await codeOf(backend.remove(key))).toBe('config-invalid');
  }
});

test('the last removal takes the emptied folder along, but nothing that is not ours', async () => {
  const backend = folderBackend(root);
  await put(backend, 'server/deep/object', patterned(10));
  await writeFile(join(root, 'server', 'ümlaut'), 'x');
  await backend.remove('server/deep/object');
  expect(await readdir(join(root, 'server'))).toEqual(['ümlaut']);
  await rm(join(root, 'server', 'ümlaut'));
  await put(backend, 'server/object', patterned(10));
  await backend.remove('server/object');
  expect(await readdir(root)).toEqual(['.holdfast-uploads']);
});

test('objects come and go in one folder at the same time without a failure', async () => {
  const backend = folderBackend(root);
  const worker = async (name: string): Promise<void> => {
    for (let round = 0; round < 100; round++) {
      await put(backend, `server/${name}`, patterned(100));
      await backend.remove(`server/${name}`);
    }
  };
  await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(worker));
  expect(await keysOf('')).toEqual([]);
});

test('a crashed upload is told with its start by another process, and abandoned there', async () => {
  const crashed = await folderBackend(root).beginUpload('server/object');
  await crashed.writePart(0, patterned(100));
  const twoDaysAgo = new Date(Date.now() - 48 * 3_600_000);
  await utimes(join(root, '.holdfast-uploads', `${crashed.token}.key`), twoDaysAgo, twoDaysAgo);
  const other = folderBackend(root);
  const [told] = await collect(other.openUploads('server/'));
  expect(told?.token).toBe(crashed.token);
  expect(Math.abs((told?.startedAt ?? 0) - twoDaysAgo.getTime())).toBeLessThan(1_000);
  await other.abandon(crashed.token);
  expect(await readdir(join(root, '.holdfast-uploads'))).toEqual([]);
  await crashed.abort();
});

test('an upload that was killed before its key was written is told to whoever asks, as nobody can know whose it was', async () => {
  const uploads = join(root, '.holdfast-uploads');
  const whole = await folderBackend(root).beginUpload('server/object');
  // The first as it is left by a kill, the second by a computer that lost its power.
  for (const name of [`${'a'.repeat(32)}.new`, `${'b'.repeat(32)}.key`]) await writeFile(join(uploads, name), '');
  const other = folderBackend(root);
  for await (const { token } of other.openUploads('elsewhere/')) await other.abandon(token);
  expect((await readdir(uploads)).sort()).toEqual([whole.token, `${whole.token}.key`]);
  await whole.abort();
});

test('an upload that another process has cleared under it ends as such, and not as an object that is missing', async () => {
  expect(await abandonMidway(folderBackend(root))).toMatchObject(['no fault', uploadEnded]);
  expect(await keysOf('')).toEqual([]);
});

test('a token that names something else is refused', async () => {
  await put(folderBackend(root), 'server/object', patterned(10));
  for (const token of ['../server/object', '..', '', 'x', `${'0'.repeat(31)}/`]) {
    expect(await codeOf(folderBackend(root).abandon(token))).toBe('config-invalid');
  }
  expect(await keysOf('')).toEqual(['server/object']);
});

test('complete() again after it worked gives the same', async () => {
  const upload = await folderBackend(root).beginUpload('server/object', { ifAbsent: true });
  await upload.writePart(0, patterned(100));
  const info = await upload.complete();
  expect(await upload.complete()).toEqual(info);
});

test('complete() called again while the first call still runs joins it', async () => {
  const upload = await folderBackend(root).beginUpload('server/object');
  await upload.writePart(0, patterned(3_000_000));
  const [first, second] = await Promise.all([upload.complete(), upload.complete()]);
  expect(second).toEqual(first);
  expect(first.size).toBe(3_000_000);
});

test('a part written again shorter does not leave the longer one’s end', async () => {
  const upload = await folderBackend(root).beginUpload('server/object');
  await upload.writePart(0, patterned(5_000));
  await upload.writePart(0, patterned(100, 2));
  expect((await upload.complete()).size).toBe(100);
  expect((await get(folderBackend(root), 'server/object')).equals(patterned(100, 2))).toBe(true);
});

test('a part that would leave a gap is refused', async () => {
  const upload = await folderBackend(root).beginUpload('server/object');
  await upload.writePart(0, patterned(100));
  expect(await codeOf(upload.writePart(2, patterned(100)))).toBe('unexpected');
  await upload.abort();
});

test('a stream given up half-way closes its file', async () => {
  const backend = folderBackend(root);
  await put(backend, 'server/object', patterned(5_000_000));
  const open = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
  const before = await open();
  for (let round = 0; round < 20; round++) {
    for await (const piece of await backend.read('server/object')) {
      expect(piece.byteLength).toBe(1024 * 1024);
      break;
    }
    await backend.read('server/object');
  }
  expect(await open()).toBeLessThanOrEqual(before);
});

describe('a folder that cannot be made', () => {
  // Without an end of its own the making of folders would go on for ever here.
  test('below a dangling link: a fault that names the link', async () => {
    const link = join(base, 'dangling');
    await symlink(join(base, 'nowhere'), link);
    for (const path of [link, join(link, 'sub'), join(link, 'sub/deeper')]) {
      const upload = put(folderBackend(path), 'server/a', Buffer.from('a'));
      await expect(upload).rejects.toMatchObject({ code: 'config-invalid', message: `${link} is a symbolic link that leads nowhere` });
    }
  });

  test('below a file: a fault that names the file', async () => {
    const upload = put(folderBackend(join(outside, 'secret')), 'server/a', Buffer.from('a'));
    await expect(upload).rejects.toMatchObject({ code: 'config-invalid' });
  });

  test('on a file system that makes none: a fault that names the folder', async () => {
    const upload = put(folderBackend('/proc/holdfast'), 'server/a', Buffer.from('a'));
    await expect(upload).rejects.toMatchObject({ code: 'not-found', message: 'The folder /proc/holdfast cannot be made there' });
  });

  test('one that is missing three levels deep is made', async () => {
    const deep = folderBackend(join(base, 'x/y/z'));
    await put(deep, 'server/a', Buffer.from('a'));
    expect(await get(deep, 'server/a')).toEqual(Buffer.from('a'));
  });
});
