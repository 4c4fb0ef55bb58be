import { expect, test } from 'vitest';
import { codeOf, collect, get, put } from './suite-support.ts';
import type { SuiteOptions, Use } from './suite.ts';

export function describeListing(use: Use, options: SuiteOptions): void {
  const keysOf = async (prefix: string): Promise<string[]> => (await collect(use().list(prefix))).map(({ key }) => key).sort();

  /** Sixteen at once: what is written one by one costs a slow server minutes. */
  async function each(keys: readonly string[], work: (key: string) => Promise<unknown>): Promise<void> {
    const waiting = [...keys];
    const worker = async (): Promise<void> => {
      for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) await work(key);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  }
  const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `server/${index}`);

  test('an empty destination and a missing prefix list nothing', async () => {
    expect(await keysOf('')).toEqual([]);
    await put(use(), 'server/object', Buffer.from('x'));
    expect(await keysOf('other/')).toEqual([]);
    expect(await keysOf('server/object/')).toEqual([]);
    expect(await keysOf('server/objects')).toEqual([]);
  });

  test('a prefix need not end at a folder', async () => {
    const keys = ['a/b', 'a/bc', 'a/b/d', 'a/c', 'ab/b', 'b'].filter((key) => !(key === 'a/b'));
    for (const key of keys) await put(use(), key, Buffer.from('x'));
    expect(await keysOf('a/b')).toEqual(['a/b/d', 'a/bc']);
    expect(await keysOf('a/')).toEqual(['a/b/d', 'a/bc', 'a/c']);
    expect(await keysOf('a')).toEqual(['a/b/d', 'a/bc', 'a/c', 'ab/b']);
    expect(await keysOf('')).toEqual([...keys].sort());
  });

  test('a listing tells what stat tells', async () => {
    await put(use(), 'server/one', Buffer.from('1'));
    await put(use(), 'server/three', Buffer.from('333'));
    for (const info of await collect(use().list('server/'))) {
      const { key, size, modifiedAt } = await use().stat(info.key);
      expect({ key: info.key, size: info.size, modifiedAt: info.modifiedAt }).toEqual({ key, size, modifiedAt });
    }
  });

  test('keys with unusual characters are kept as they are', async () => {
    const odd = [
      'a b',
      ' a',
      'a+b',
      'a%20b',
      'a%2Fb',
      'a?b=c',
      'a#b',
      'a&b;c',
      "a'b",
      'a"b',
      'a\\b',
      'a*b',
      'a:b',
      'a|b',
      'a~b',
      '...',
      '..a',
      '.hidden',
      '-rf',
      '[x]',
      '{y}',
      '$z',
      '@(w)',
      '<v>',
      'u^`',
      'x'.repeat(200),
    ].map((name) => `odd/${name}/${name}`);
    await each(odd, (key) => put(use(), key, Buffer.from(key)));
    expect(await keysOf('odd/')).toEqual([...odd].sort());
    await each(odd, async (key) => expect((await get(use(), key)).toString()).toBe(key));
    await each(odd, (key) => use().remove(key));
    expect(await keysOf('')).toEqual([]);
  });

  test('thousands of keys are listed, each once', async () => {
    const count = options.manyKeys ?? 2_100;
    const keys = Array.from({ length: count }, (_, index) => `many/${index % 7}/object-${index}`);
    await each(keys, (key) => put(use(), key, Buffer.from('x')));
    expect(await keysOf('many/')).toEqual([...keys].sort());
  }, 120_000);

  test('what is listed may be removed while the listing goes on', async () => {
    await each(numbered(60), (key) => put(use(), key, Buffer.from('x')));
    let seen = 0;
    for await (const { key } of use().list('server/')) {
      await use().remove(key);
      seen++;
    }
    expect(seen).toBe(60);
    expect(await keysOf('')).toEqual([]);
  });

  test('a listing can be given up after its first item, and a signal ends it', async () => {
    await each(numbered(30), (key) => put(use(), key, Buffer.from('x')));
    for await (const { key } of use().list('server/')) {
      expect(key.startsWith('server/')).toBe(true);
      break;
    }
    const controller = new AbortController();
    const listing = (async () => {
      for await (const item of use().list('server/', { signal: controller.signal })) {
        expect(item.size).toBe(1);
        controller.abort();
      }
    })();
    expect(await codeOf(listing)).toBe('cancelled');
    expect((await keysOf('server/')).length).toBe(30);
  });
}
