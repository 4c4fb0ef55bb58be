import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { describeListing } from './suite-list.ts';
import { describeReading } from './suite-read.ts';
import { describeUploads } from './suite-upload.ts';
import { abortedSignal, codeOf, collect, put } from './suite-support.ts';

export interface Subject {
  readonly backend: Backend;
  close?(): Promise<void>;
}

export interface SuiteOptions {
  /** The provider can tell which uploads are unfinished. Default true. */
  readonly tellsOpenUploads?: boolean;
  /** The provider tells when an unfinished upload was begun. Default true. */
  readonly tellsStartOfUploads?: boolean;
  /** `ifAbsent` holds against a race. Default true. */
  readonly createsOnce?: boolean;
  /**
   * A read that breaks off is taken up again by range, so that a reader of an object that is being replaced may get the beginning of one
   * and the rest of the other. Default false.
   */
  readonly resumesReads?: boolean;
  /** What a reader may meet for a moment while an object is being replaced, by a known fault of the server. Default nothing. */
  readonly failsWhenReplaced?: 'not-found' | 'unavailable';
  /** More than one page of a listing. */
  readonly manyKeys?: number;
  /** The large object does not stay in this process. Default true. */
  readonly keepsBytesElsewhere?: boolean;
  /**
   * How many bytes the buffers for an object of 100 MB may take at most. Default 60 MB. What comes from a socket is garbage piece by piece,
   * and V8 lets up to 64 MB of that gather before it collects.
   */
  readonly mostBuffers?: number;
}

/** Gives the backend of the running test; every test has a fresh, empty one. */
export type Use = () => Backend;

/** Every promise of the Backend and Upload interfaces. `open` gives an empty destination. */
export function describeBackend(name: string, open: () => Promise<Subject>, options: SuiteOptions = {}): void {
  describe(name, () => {
    let subject: Subject | undefined;
    const use: Use = () => {
      if (subject === undefined) throw new Error('no backend is open');
      return subject.backend;
    };
    beforeEach(async () => {
      subject = await open();
    });
    afterEach(async () => {
      await subject?.close?.();
      subject = undefined;
    });
    describeObjects(use);
    describeReading(use);
    describeListing(use, options);
    describeUploads(use, options);
  });
}

function describeObjects(use: Use): void {
  test('stat of what does not exist is fault not-found', async () => {
    expect(await codeOf(use().stat('server/none'))).toBe('not-found');
  });

  test('stat tells key, size and a whole time in milliseconds', async () => {
    await put(use(), 'server/object', Buffer.from('hello'));
    const info = await use().stat('server/object');
    expect(info).toMatchObject({ key: 'server/object', size: 5 });
    expect(Number.isInteger(info.modifiedAt)).toBe(true);
    expect(info.modifiedAt).toBeGreaterThan(Date.UTC(2020, 0));
  });

  test('remove takes one object away and no other', async () => {
    for (const key of ['server/a', 'server/ab', 'server/a.x']) await put(use(), key, Buffer.from(key));
    await use().remove('server/a');
    expect(await codeOf(use().stat('server/a'))).toBe('not-found');
    expect((await collect(use().list('server/'))).map(({ key }) => key).sort()).toEqual(['server/a.x', 'server/ab']);
  });

  test('remove of what does not exist, or exists no more, succeeds', async () => {
    await use().remove('server/never');
    await put(use(), 'server/once', Buffer.from('x'));
    await use().remove('server/once');
    await use().remove('server/once');
  });

  test('a name can be used again after its removal', async () => {
    await put(use(), 'server/again', Buffer.from('one'));
    await use().remove('server/again');
    await put(use(), 'server/again', Buffer.from('two'));
    expect((await use().stat('server/again')).size).toBe(3);
  });

  test.each(['', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'ä', 'a\nb', 'a\0b', 'a'.repeat(513)])(
    'a name that is no key is fault config-invalid everywhere: %j',
    async (key) => {
      expect(await codeOf(use().stat(key))).toBe('config-invalid');
      expect(await codeOf(collectRead(key))).toBe('config-invalid');
      expect(await codeOf(use().beginUpload(key))).toBe('config-invalid');
      expect(await codeOf(use().remove(key))).toBe('config-invalid');
    },
  );

  async function collectRead(key: string): Promise<unknown> {
    return await collect(await use().read(key));
  }

  test('a prefix that would lead out is fault config-invalid', async () => {
    for (const prefix of ['../', 'a/../', '/etc/', 'a//', './']) {
      expect(await codeOf(collect(use().list(prefix)))).toBe('config-invalid');
      expect(await codeOf(collect(use().openUploads(prefix)))).toBe('config-invalid');
    }
  });

  test('a signal that has aborted stops every verb with fault cancelled', async () => {
    const signal = abortedSignal();
    await put(use(), 'server/there', Buffer.from('x'));
    const upload = await use().beginUpload('server/upload');
    const attempts: readonly Promise<unknown>[] = [
      use().stat('server/there', { signal }),
      collect(use().list('', { signal })),
      use()
        .read('server/there', { signal })
        .then((stream) => collect(stream)),
      use().beginUpload('server/more', { signal }),
      upload.writePart(0, Buffer.from('x'), { signal }),
      upload.complete({ signal }),
      collect(use().openUploads('', { signal })),
      use().abandon(upload.token, { signal }),
      use().remove('server/there', { signal }),
    ];
    expect(await Promise.all(attempts.map((attempt) => codeOf(attempt)))).toEqual(attempts.map(() => 'cancelled'));
    await upload.abort();
    expect((await use().stat('server/there')).size).toBe(1);
    expect(await codeOf(use().stat('server/upload'))).toBe('not-found');
  });
}
