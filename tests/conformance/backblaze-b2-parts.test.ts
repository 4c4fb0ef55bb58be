import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { uploadStream } from '../../main/engine/storage/upload-object.ts';
import { openB2Place, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { codeOf, collect, get, patterned, sha256 } from './suite-support.ts';

/** An account whose parts must be larger than ours are by default. */
const minPart = 20_000_000;
const bytes = patterned(45_000_000);
let opened: B2Place;
const sent: number[] = [];

beforeAll(async () => {
  opened = await openB2Place();
  opened.server.minPart = minPart;
  opened.server.refuse = (call, request) => {
    if (call === 'b2_upload_part') sent.push(Number(request.headers['content-length']));
    return null;
  };
});
afterAll(() => opened.close());
beforeEach(() => {
  sent.length = 0;
});

async function* inPieces(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += 1_000_000) yield await Promise.resolve(bytes.subarray(at, at + 1_000_000));
}

test('an account that asks for larger parts gets them, from the first upload on', async () => {
  const backend = opened.fresh();
  await uploadStream(backend, 'server/large', inPieces());
  expect(sent.sort((a, b) => a - b)).toEqual([5_000_000, minPart, minPart]);
  expect(sha256(await get(backend, 'server/large'))).toBe(sha256(bytes));
});

test('parts under way are fewer where they are huge, and at least one', async () => {
  for (const [least, parallel] of [
    [30_000_000, 2],
    [100_000_000, 1],
  ] as const) {
    opened.server.minPart = least;
    const backend = opened.fresh();
    expect(await collect(backend.list(''))).toEqual([]);
    expect([backend.info.limits.minPart, backend.info.limits.parallelParts]).toEqual([least, parallel]);
  }
  opened.server.minPart = minPart;
});

test('parts that are too small all the same are refused before the first one is sent, with the account’s own figure', async () => {
  const backend = opened.fresh();
  const begun = await backend.beginUpload('server/small-parts');
  await begun.writePart(0, bytes.subarray(0, minPart - 1));
  await expect(begun.writePart(1, bytes.subarray(minPart - 1))).rejects.toMatchObject({ code: 'unsupported', context: { minPart } });
  expect(sent).toEqual([]);
  await begun.abort();
  expect(await collect(backend.openUploads(''))).toEqual([]);
  expect(await codeOf(backend.stat('server/small-parts'))).toBe('not-found');
});
