import { createHash } from 'node:crypto';
import { releaseMemory } from '../../main/adapters/system/release-memory.ts';
import { expect, test } from 'vitest';
import { uploadStream } from '../../main/engine/storage/upload-object.ts';
import { codeOf, collect, get, partSizeOf, patterned, put, sha256 } from './suite-support.ts';
import type { SuiteOptions, Use } from './suite.ts';

export function describeUploads(use: Use, options: SuiteOptions): void {
  const tellsOpenUploads = options.tellsOpenUploads ?? true;
  const createsOnce = options.createsOnce ?? true;
  const tokensOf = async (prefix: string): Promise<string[]> => (await collect(use().openUploads(prefix))).map(({ token }) => token).sort();

  test('complete() settles to what stat then tells', async () => {
    const info = await put(use(), 'server/object', patterned(1234));
    expect(info).toEqual(await use().stat('server/object'));
    expect(info.size).toBe(1234);
  });

  test('a checksum that is told is right', async () => {
    const bytes = patterned(5000);
    const { checksum } = await put(use(), 'server/object', bytes);
    if (checksum === undefined || checksum.algorithm === 'crc32' || checksum.algorithm === 'dropbox') return;
    expect(checksum.algorithm).toBe(use().info.checksum);
    expect(checksum.hex).toBe(createHash(checksum.algorithm).update(bytes).digest('hex'));
  });

  test('several parts become one object, in the order of their numbers', async () => {
    const size = partSizeOf(use());
    const bytes = patterned(3 * size + 77);
    const upload = await use().beginUpload('server/parts');
    for (let index = 0; index < 4; index++) await upload.writePart(index, bytes.subarray(index * size, (index + 1) * size));
    expect((await upload.complete()).size).toBe(bytes.byteLength);
    expect(sha256(await get(use(), 'server/parts'))).toBe(sha256(bytes));
  });

  test('the same part twice counts once, with the later bytes', async () => {
    const size = partSizeOf(use());
    const bytes = patterned(2 * size + 5);
    const upload = await use().beginUpload('server/twice');
    await upload.writePart(0, patterned(size, 99));
    await upload.writePart(0, bytes.subarray(0, size));
    await upload.writePart(1, bytes.subarray(size, 2 * size));
    await upload.writePart(1, bytes.subarray(size, 2 * size));
    await upload.writePart(2, bytes.subarray(2 * size));
    await upload.writePart(2, bytes.subarray(2 * size));
    await upload.complete();
    expect(sha256(await get(use(), 'server/twice'))).toBe(sha256(bytes));
  });

  test('as many parts as the backend allows may be under way at once, in any order', async () => {
    const { parallelParts } = use().info.limits;
    const size = partSizeOf(use());
    const count = Math.min(parallelParts, 8);
    const bytes = patterned(count * size);
    const upload = await use().beginUpload('server/parallel');
    const indices = Array.from({ length: count }, (_, index) => count - 1 - index);
    await Promise.all(indices.map((index) => upload.writePart(index, bytes.subarray(index * size, (index + 1) * size))));
    await upload.complete();
    expect(sha256(await get(use(), 'server/parallel'))).toBe(sha256(bytes));
  });

  test('a part may lie in shared memory, and that memory may be used again afterwards', async () => {
    const size = partSizeOf(use());
    const bytes = patterned(2 * size);
    const shared = new Uint8Array(new SharedArrayBuffer(size));
    const upload = await use().beginUpload('server/shared');
    for (const index of [0, 1]) {
      shared.set(bytes.subarray(index * size, (index + 1) * size));
      await upload.writePart(index, shared);
      shared.fill(0);
    }
    await upload.complete();
    expect(sha256(await get(use(), 'server/shared'))).toBe(sha256(bytes));
  });

  test('nothing is visible before complete()', async () => {
    const upload = await use().beginUpload('server/hidden');
    await upload.writePart(0, patterned(1000));
    expect(await codeOf(use().stat('server/hidden'))).toBe('not-found');
    expect(await collect(use().list(''))).toEqual([]);
    await upload.complete();
    expect((await collect(use().list(''))).length).toBe(1);
  });

  test('an older object stays readable whole until a new one replaces it in one step', async () => {
    const versions = [patterned(200_000, 1), patterned(150_000, 2), patterned(250_000, 3)];
    const nameOf = (bytes: Uint8Array): string => (options.resumesReads === true ? String(bytes.byteLength) : sha256(bytes));
    const names = new Set(versions.map(nameOf));
    await put(use(), 'server/object', versions[0] ?? Buffer.alloc(0));
    let writing = true;
    const readers = Array.from({ length: 3 }, async () => {
      let reads = 0;
      do {
        expect(names).toContain(nameOf(await get(use(), 'server/object').catch(retryOnChange)));
        reads++;
      } while (writing);
      return reads;
    });
    const write = async (): Promise<void> => {
      for (let round = 0; round < 12; round++) await put(use(), 'server/object', versions[round % 3] ?? Buffer.alloc(0));
    };
    await Promise.all([...readers, write().finally(() => (writing = false))]);
    expect(sha256(await get(use(), 'server/object'))).toBe(sha256(versions[2] ?? Buffer.alloc(0)));
    expect((await collect(use().list(''))).length).toBe(1);
  });

  /** A reader that was told that the object changed under it begins again. */
  async function retryOnChange(error: unknown): Promise<Buffer> {
    const code = await codeOf(Promise.reject(error));
    if (code !== 'source-changed' && options.failsWhenReplaced !== code) throw error;
    return await get(use(), 'server/object').catch(retryOnChange);
  }

  test.runIf(createsOnce)('with ifAbsent an existing object is kept and the upload is fault already-exists', async () => {
    await put(use(), 'server/once', Buffer.from('first'), true);
    expect(await codeOf(put(use(), 'server/once', Buffer.from('second'), true))).toBe('already-exists');
    expect((await get(use(), 'server/once')).toString()).toBe('first');
  });

  test.runIf(createsOnce)('of uploads with ifAbsent begun at the same moment exactly one wins', async () => {
    const uploads = await Promise.all(
      ['one', 'two', 'six'].map(async (name) => ({ name, upload: await use().beginUpload('server/race', { ifAbsent: true }) })),
    );
    for (const { name, upload } of uploads) await upload.writePart(0, Buffer.from(name));
    const outcomes = await Promise.all(uploads.map(async ({ name, upload }) => ({ name, code: await codeOf(upload.complete()) })));
    expect(outcomes.map(({ code }) => code).sort()).toEqual(['already-exists', 'already-exists', 'no fault']);
    const winner = outcomes.find(({ code }) => code === 'no fault');
    expect((await get(use(), 'server/race')).toString()).toBe(winner?.name);
    for (const { upload } of uploads) await upload.abort();
    expect((await get(use(), 'server/race')).toString()).toBe(winner?.name);
  });

  test('abort leaves nothing, may come twice, and does nothing after complete()', async () => {
    const upload = await use().beginUpload('server/aborted');
    await upload.writePart(0, patterned(1000));
    await upload.abort();
    await upload.abort();
    expect(await codeOf(use().stat('server/aborted'))).toBe('not-found');
    if (tellsOpenUploads) expect(await tokensOf('')).toEqual([]);
    const other = await use().beginUpload('server/kept');
    await other.writePart(0, Buffer.from('x'));
    await other.complete();
    await other.abort();
    expect((await use().stat('server/kept')).size).toBe(1);
    expect((await collect(use().list(''))).length).toBe(1);
  });

  test('an aborted upload leaves an older object as it was', async () => {
    await put(use(), 'server/object', Buffer.from('old'));
    const upload = await use().beginUpload('server/object');
    await upload.writePart(0, Buffer.from('new'));
    await upload.abort();
    expect((await get(use(), 'server/object')).toString()).toBe('old');
  });

  test.runIf(tellsOpenUploads)('unfinished uploads are told by prefix, finished ones are not', async () => {
    const one = await use().beginUpload('server/one');
    const two = await use().beginUpload('servers/two');
    const done = await use().beginUpload('server/done');
    await done.writePart(0, Buffer.from('x'));
    await done.complete();
    expect(await tokensOf('server/')).toEqual([one.token]);
    expect(await tokensOf('server')).toEqual([one.token, two.token].sort());
    expect(await tokensOf('other/')).toEqual([]);
    for (const { startedAt } of await collect(use().openUploads(''))) {
      if (options.tellsStartOfUploads === false) break;
      expect(Math.abs(startedAt - (await use().stat('server/done')).modifiedAt)).toBeLessThan(3_600_000_000);
    }
    await one.abort();
    await two.abort();
  });

  test.runIf(tellsOpenUploads)('dozens of unfinished uploads are told, each once', async () => {
    const uploads = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => await use().beginUpload(`server/${index % 3 === 0 ? 'same' : index}`)),
    );
    expect(await tokensOf('server/')).toEqual(uploads.map(({ token }) => token).sort());
    await Promise.all(uploads.map((upload) => upload.abort()));
    expect(await tokensOf('')).toEqual([]);
  });

  test.runIf(tellsOpenUploads)('abandon clears what an upload left, and succeeds when it is gone already', async () => {
    const upload = await use().beginUpload('server/left');
    await upload.writePart(0, patterned(1000));
    const [token] = await tokensOf('server/');
    expect(token).toBe(upload.token);
    await use().abandon(upload.token);
    await use().abandon(upload.token);
    expect(await tokensOf('')).toEqual([]);
    expect(await codeOf(upload.complete())).not.toBe('no fault');
    await upload.abort();
    expect(await codeOf(use().stat('server/left'))).toBe('not-found');
  });

  test('a part larger or of a higher number than allowed is refused', async () => {
    const { maxParts } = use().info.limits;
    const upload = await use().beginUpload('server/limits');
    expect(await codeOf(upload.writePart(maxParts, Buffer.from('x')))).toBe('config-invalid');
    expect(await codeOf(upload.writePart(-1, Buffer.from('x')))).toBe('config-invalid');
    await upload.abort();
  });

  test('an object of 100 MB goes up and comes down in pieces, in bounded memory', async () => {
    const total = 100_000_000;
    const block = patterned(1_000_000);
    const sent = createHash('sha256');
    let largest = 0;
    const most = options.mostBuffers ?? 60_000_000;
    const held = (): number => process.memoryUsage().arrayBuffers - before;
    const watch = (): void => {
      // What is only not collected yet is not held.
      if (held() >= most) releaseMemory();
      largest = Math.max(largest, held());
    };
    const before = process.memoryUsage().arrayBuffers;
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let done = 0; done < total; done += block.byteLength) {
        block.writeUInt32LE(done, 0);
        sent.update(block);
        yield block;
      }
    }
    const info = await uploadStream(use(), 'server/large', source(), {
      sizeHint: total,
      partSize: Math.max(4 * 1024 * 1024, partSizeOf(use())),
      maxInFlight: 2,
      onPart: watch,
    });
    expect(info.size).toBe(total);
    const received = createHash('sha256');
    let pieces = 0;
    for await (const piece of await use().read('server/large')) {
      received.update(piece);
      if (++pieces % 16 === 0) watch();
    }
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    if (options.keepsBytesElsewhere ?? true) expect(largest).toBeLessThan(most);
  }, 120_000);
}
