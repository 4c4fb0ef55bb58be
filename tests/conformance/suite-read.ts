import { expect, test } from 'vitest';
import { codeOf, collect, get, patterned, put } from './suite-support.ts';
import type { Use } from './suite.ts';

export function describeReading(use: Use): void {
  const content = patterned(300_000);

  test('what was written comes back byte for byte', async () => {
    await put(use(), 'server/object', content);
    expect((await get(use(), 'server/object')).equals(content)).toBe(true);
  });

  test('an empty object can be written, told, listed and read', async () => {
    const info = await put(use(), 'server/empty', Buffer.alloc(0));
    expect(info.size).toBe(0);
    expect((await use().stat('server/empty')).size).toBe(0);
    expect((await collect(use().list('server/'))).map(({ key, size }) => [key, size])).toEqual([['server/empty', 0]]);
    expect((await get(use(), 'server/empty')).byteLength).toBe(0);
  });

  test('reading what does not exist is fault not-found', async () => {
    expect(await codeOf(get(use(), 'server/none'))).toBe('not-found');
    expect(await codeOf(get(use(), 'server/none', { offset: 0, length: 1 }))).toBe('not-found');
  });

  test.each([
    ['the first byte', 0, 1],
    ['the last byte', 299_999, 1],
    ['all bytes', 0, 300_000],
    ['a stretch in the middle', 65_535, 70_001],
    ['the second half', 150_000, 150_000],
  ])('a range gives exactly its bytes: %s', async (_, offset, length) => {
    await put(use(), 'server/object', content);
    expect((await get(use(), 'server/object', { offset, length })).equals(content.subarray(offset, offset + length))).toBe(true);
  });

  test.each([
    ['one byte past the end', 299_999, 2],
    ['behind the end', 300_000, 1],
    ['far behind the end', 10_000_000, 5],
    ['no bytes', 5, 0],
    ['a negative place', -1, 5],
    ['half a byte', 0.5, 1],
  ])('a range that is not whole inside the object is fault range-invalid: %s', async (_, offset, length) => {
    await put(use(), 'server/object', content);
    expect(await codeOf(get(use(), 'server/object', { offset, length }))).toBe('range-invalid');
  });

  test('any range of an empty object is fault range-invalid', async () => {
    await put(use(), 'server/empty', Buffer.alloc(0));
    expect(await codeOf(get(use(), 'server/empty', { offset: 0, length: 1 }))).toBe('range-invalid');
  });

  test('a stream can be given up half-way, many times over', async () => {
    await put(use(), 'server/object', content);
    for (let round = 0; round < 50; round++) {
      let first = 0;
      for await (const piece of await use().read('server/object')) {
        first = piece.byteLength;
        break;
      }
      expect(first).toBeGreaterThan(0);
    }
    expect((await get(use(), 'server/object')).equals(content)).toBe(true);
  });

  test('a stream that nobody reads holds nothing up', async () => {
    await put(use(), 'server/object', content);
    for (let round = 0; round < 50; round++)
      await use()
        .read('server/object')
        .catch(() => undefined);
    expect((await get(use(), 'server/object')).equals(content)).toBe(true);
  });

  test('a signal ends a stream in its middle with fault cancelled', async () => {
    await put(use(), 'server/object', patterned(3 * 1024 * 1024));
    const controller = new AbortController();
    const reading = (async () => {
      for await (const piece of await use().read('server/object', { signal: controller.signal })) {
        expect(piece.byteLength).toBeGreaterThan(0);
        controller.abort();
      }
    })();
    expect(await codeOf(reading)).toBe('cancelled');
  });

  test('several readers of one object do not disturb each other', async () => {
    await put(use(), 'server/object', content);
    const halves = [0, 150_000, 0, 150_000].map(async (offset) => {
      const half = await get(use(), 'server/object', { offset, length: 150_000 });
      return half.equals(content.subarray(offset, offset + 150_000));
    });
    expect(await Promise.all(halves)).toEqual([true, true, true, true]);
  });
}
