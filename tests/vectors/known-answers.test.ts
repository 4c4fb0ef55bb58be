import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { pathFromText } from '../../main/engine/archive/byte-path.ts';
import { deriveKek, parseHeader, unwrapVaultKey, wrapVaultKey } from '../../main/engine/archive/header.ts';
import { deriveMessage, messageContext, Sealer, Unsealer } from '../../main/engine/archive/seal.ts';
import { decodeSeekTable, encodeSeekTable } from '../../main/engine/archive/seek-table.ts';
import { formatRecoveryKey, parseRecoveryKey } from '../../main/engine/archive/vault.ts';
import { endRecords, writeCentralHeader, writeLocalHeader, zipRecord } from '../../main/engine/archive/zip.ts';

const bytes = z.string().transform((hex) => Buffer.from(hex, 'hex'));
const list = <T extends z.ZodRawShape>(shape: T): z.ZodArray<z.ZodObject<T>> => z.array(z.object(shape)).min(1);
const label = z.enum(['holdfast/v2/archive', 'holdfast/v2/manifest', 'holdfast/v2/partial', 'holdfast/v2/damaged']);
const answers = z
  .object({
    hkdfExpandSha512: list({ key: bytes, salt: bytes, context: bytes, out: z.string() }),
    pbkdf2Sha256: list({ password: bytes, salt: bytes, iterations: z.int(), out: z.string() }),
    aes256Gcm: list({ key: bytes, nonce: bytes, aad: bytes, plaintext: bytes, out: bytes }),
    message: list({ vaultKey: bytes, label, header: bytes, salt: bytes, key: z.string(), baseNonce: z.string(), commitment: z.string() }),
    chunkNonce: list({ baseNonce: bytes, counter: z.coerce.number(), nonce: bytes }),
    recoveryKey: list({ vaultKey: bytes, text: z.string() }),
    seekTable: list({ frames: z.array(z.tuple([z.int(), z.int()])), table: z.string() }),
    seekTableRefused: list({ why: z.string(), streamSize: z.int(), tail: bytes }),
    wrap: list({ vaultKey: bytes, password: z.string(), salt: bytes, nonce: bytes, iterations: z.int(), header: bytes }),
  })
  .parse(JSON.parse(readFileSync(new URL('primitives.json', import.meta.url), 'utf8')));

describe('the primitives give the answers that python-cryptography gives', () => {
  test.each(answers.hkdfExpandSha512)('HKDF-Expand with SHA-512, $out', ({ key, salt, context, out }) => {
    const keys = deriveMessage(key, salt, context);
    expect(Buffer.concat([keys.key.export(), keys.baseNonce, keys.commitment]).toString('hex')).toBe(out);
  });

  test.each(answers.pbkdf2Sha256)('PBKDF2 with SHA-256, $iterations iterations', async ({ password, salt, iterations, out }) => {
    expect((await deriveKek(password.toString('utf8'), salt, iterations)).toString('hex')).toBe(out);
  });

  test.each(answers.aes256Gcm)('AES-256-GCM of this runtime, both ways', ({ key, nonce, aad, plaintext, out }) => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 }).setAAD(aad);
    expect(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])).toEqual(out);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 }).setAAD(aad).setAuthTag(out.subarray(-16));
    expect(Buffer.concat([decipher.update(out.subarray(0, -16)), decipher.final()])).toEqual(plaintext);
  });
});

describe('what is built of them is the same in both implementations', () => {
  test.each(answers.message)('keys and commitment of $label', ({ vaultKey, label: kind, header, salt, key, baseNonce, commitment }) => {
    const keys = deriveMessage(vaultKey, salt, messageContext(kind, header));
    const got = [keys.key.export().toString('hex'), keys.baseNonce.toString('hex'), keys.commitment.toString('hex')];
    expect(got).toEqual([key, baseNonce, commitment]);
  });

  test.each(answers.chunkNonce)('the nonce of chunk $counter', ({ baseNonce, counter, nonce }) => {
    const keys = { ...deriveMessage(Buffer.alloc(32), Buffer.alloc(24), Buffer.alloc(0)), baseNonce };
    const sealed: Uint8Array[] = [];
    new Sealer(keys, counter).end((piece) => sealed.push(Buffer.from(piece)));
    const cipher = createCipheriv('aes-256-gcm', keys.key, nonce, { authTagLength: 16 });
    cipher.final();
    expect(Buffer.concat(sealed)).toEqual(cipher.getAuthTag());
  });

  test('there is no chunk 2^38, neither to seal nor to open', () => {
    const keys = deriveMessage(Buffer.alloc(32), Buffer.alloc(24), Buffer.alloc(0));
    const ignore = (): void => undefined;
    const last = new Sealer(keys, 2 ** 38 - 1);
    last.update(Buffer.alloc(16_384), ignore);
    expect(() => last.end(ignore)).toThrow(expect.objectContaining({ code: 'unsupported' }));
    const unsealer = new Unsealer(keys, 2 ** 38);
    expect(() => unsealer.update(Buffer.alloc(16_400), ignore)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  test.each(answers.wrap)('a header record', async ({ vaultKey, password, salt, nonce, iterations, header }) => {
    const key = await deriveKek(password, salt, iterations);
    expect(wrapVaultKey(vaultKey, { key, salt, iterations }, { bytes: () => nonce })).toEqual(header);
    expect(unwrapVaultKey(parseHeader(header), key)).toEqual(vaultKey);
  });

  test.each(answers.recoveryKey)('the recovery key $text', ({ vaultKey, text }) => {
    expect(formatRecoveryKey(vaultKey)).toBe(text);
    expect(parseRecoveryKey(text.toLowerCase().replaceAll('-', ' '))).toEqual(vaultKey);
  });

  test.each(answers.seekTable)('a seek table of $frames.length frames', ({ frames, table }) => {
    const sizes = frames.map(([stored, content]) => ({ stored, content }));
    expect(encodeSeekTable(sizes).toString('hex')).toBe(table);
    const tail = Buffer.from(table, 'hex');
    expect(
      decodeSeekTable(
        tail,
        sizes.reduce((sum, { stored }) => sum + stored, tail.length),
      ),
    ).toEqual(sizes);
  });

  test.each(answers.seekTableRefused)('a seek table is refused: $why', ({ streamSize, tail }) => {
    expect(() => decodeSeekTable(tail, streamSize)).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });
});

describe('the worked example of docs/format.md', () => {
  const page = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8');
  const steps = new Map<string, Buffer>();
  for (const [, name, size, hex] of page.matchAll(/^(.+) \((\d+) bytes\):\n\n```hex\n([0-9a-f\s]+)```$/gm)) {
    const value = Buffer.from((hex ?? '').replace(/\s/g, ''), 'hex');
    expect([name, value.length]).toEqual([name, Number(size)]);
    steps.set(name ?? '', value);
  }
  const step = (name: string): Buffer => {
    const value = steps.get(name);
    if (value === undefined) throw new Error(`docs/format.md shows no ${name}`);
    return value;
  };

  test('is what our code makes of its first lines, step by step', async () => {
    const salt = step('password salt');
    const key = await deriveKek(step('password').toString('utf8'), salt, 100_000);
    expect(key).toEqual(step('wrapping key'));
    const header = wrapVaultKey(step('vault key'), { key, salt, iterations: 100_000 }, { bytes: () => step('wrap nonce') });
    expect(header).toEqual(step('header'));
    const keys = deriveMessage(step('vault key'), step('message salt'), messageContext('holdfast/v2/archive', header));
    expect([keys.key.export(), keys.baseNonce, keys.commitment]).toEqual([step('key'), step('base nonce'), step('commitment')]);
    const chunk: Uint8Array[] = [];
    const sealer = new Sealer(keys);
    sealer.update(step('plaintext'), (piece) => chunk.push(Buffer.from(piece)));
    sealer.end((piece) => chunk.push(Buffer.from(piece)));
    expect(Buffer.concat(chunk)).toEqual(step('chunk 0'));
    const object = Buffer.concat([header, step('message salt'), keys.commitment, ...chunk]);
    expect(page).toContain(`\`${createHash('sha256').update(object).digest('hex')}\``);
    expect(page).toContain(`\`${formatRecoveryKey(step('vault key'))}\``);
  });

  test('has the ZIP that our records make', () => {
    const data = Buffer.from('hello\n');
    const stamps = { mode: 0o100644, uid: 1000, gid: 1000, mtimeNs: 1_795_471_500_000_000_001n };
    const record = zipRecord({ name: pathFromText('hello.txt'), ...stamps });
    const known = { size: data.length, crc: crc32(data) };
    const room = Buffer.alloc(1024);
    const local = Buffer.concat([room.subarray(0, writeLocalHeader(room, record, false, known)), data]);
    const central = room.subarray(0, writeCentralHeader(room, 0, record, false, { ...known, offset: 0 }));
    expect(Buffer.concat([local, central, endRecords({ entries: 1, size: central.length, offset: local.length })])).toEqual(step('zip'));
  });
});
