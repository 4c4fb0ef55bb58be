import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import { nativeZstd } from '../../main/adapters/compute/zstd.ts';
import { plainSize, sealedSize } from '../../main/engine/archive/seal.ts';
import type { Credentials } from '../../main/engine/engine.ts';
import { composeEngine } from '../../main/compose/compose-engine.ts';
import { runWith } from '../support/cli-host.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { collect, field, inPieces, passwordOf, readObject, readVectors, stated } from '../support/vectors.ts';
import type { Vector } from '../support/vectors.ts';

const vectors = readVectors();
const isSealed = (vector: Vector): boolean => field(vector, 'label') !== 'classic';
const titled = (list: readonly Vector[]): [string, Vector][] =>
  list.map((vector) => [`${vector.name}: ${field(vector, 'comment')}`, vector]);
const withFile = vectors.filter((vector) => vector.fields.has('password-file'));
const withoutFile = vectors.filter((vector) => !vector.fields.has('password-file'));

test('the vectors are all there', () => {
  expect(vectors.length).toBeGreaterThanOrEqual(175);
  const codes = new Set(vectors.map((vector) => field(vector, 'expect')));
  expect([...codes].sort()).toEqual(['config-invalid', 'corrupt', 'success', 'truncated', 'unsupported', 'wrong-key', 'wrong-password']);
});

describe('an object that the second implementation made comes to the stated end, whole, in odd pieces and byte by byte', () => {
  test.concurrent.each(titled(withoutFile))('%s', async (_title, vector) => {
    expect(await readObject(vector, Number.MAX_SAFE_INTEGER)).toEqual(stated(vector));
    expect(await readObject(vector, 1009)).toEqual(stated(vector));
    expect(await readObject(vector, 1)).toEqual(stated(vector));
  });
});

describe('a password file is its content but for one line end', () => {
  test.each(titled(withFile))('%s', async (_title, vector) => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'sealed'), vector.blob);
    writeFileSync(join(folder, 'password'), Buffer.from(field(vector, 'password-file'), 'base64'), { mode: 0o600 });
    let taken: Credentials | undefined;
    const run = await runWith(['open', join(folder, 'sealed'), '-o', join(folder, 'out'), '--password-file', join(folder, 'password')], {
      engine: {
        openFile: (_file, request) => {
          taken = request.credentials;
          throw new Fault('cancelled', 'only the password is wanted here');
        },
      },
    });
    if (field(vector, 'expect') === 'config-invalid') {
      expect([run.exitCode, taken]).toEqual([2, undefined]);
      return;
    }
    if (taken?.kind !== 'password') throw new Error(run.stderr);
    expect(await readObject(vector, 1009, taken.password)).toEqual(stated(vector));
  });
});

describe('sizes alone', () => {
  const named = (code: string): Vector[] => vectors.filter((vector) => isSealed(vector) && field(vector, 'expect') === code);

  test('say how much is inside, and the reverse', () => {
    for (const vector of named('success')) {
      const { released } = stated(vector);
      expect([vector.name, plainSize(vector.blob.length), sealedSize(released)]).toEqual([vector.name, released, vector.blob.length]);
    }
  });

  test('betray every cut that is certain to be one', () => {
    const cut = named('truncated');
    expect(cut.length).toBeGreaterThan(10);
    for (const vector of cut)
      expect(() => plainSize(vector.blob.length), vector.name).toThrow(expect.objectContaining({ code: 'truncated' }));
  });
});

describe('a sealed file on disk opens to what it holds', () => {
  test.each(titled(vectors.filter((vector) => vector.fields.has('inside'))))('%s', async (_title, vector) => {
    const engine = composeEngine();
    const credentials = { kind: 'password', password: passwordOf(vector) } as const;
    const hash = createHash('sha256');
    let code = 'success';
    let kind: string | null = null;
    try {
      const opened = await engine.openFile(inPieces(vector.blob, 1009), { credentials }, {});
      kind = opened.kind;
      for await (const piece of opened.content) hash.update(piece);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      code = error.code;
    }
    expect(code).toBe(field(vector, 'inside'));
    expect(kind).toBe(field(vector, 'label') === 'holdfast/v2/manifest' ? 'json-lines' : 'zip');
    if (code === 'success') expect(hash.digest('hex')).toBe(field(vector, 'content'));
  });

  test('a classic file of two zstd frames gives both', async () => {
    const vector = vectors.find(({ name }) => name === 'classic-frames');
    if (vector === undefined) throw new Error('the vector is missing');
    const credentials = { kind: 'password', password: passwordOf(vector) } as const;
    const { kind, content } = await composeEngine().openFile(inPieces(vector.blob, 7), { credentials }, {});
    expect([kind, (await collect(content)).toString()]).toEqual(['zip', 'first frame, second frame']);
  });

  test('a frame that wants a window above 8 MiB is refused whatever piece brings its header', async () => {
    const frame = Buffer.from('28b52ffd0070010000', 'hex');
    for (const size of [1, 5, 9]) {
      await expect(collect(nativeZstd.decompress(inPieces(frame, size)))).rejects.toMatchObject({ code: 'corrupt' });
    }
  });
});
