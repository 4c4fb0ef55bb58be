import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import { Keyring } from '../../main/engine/archive/keyring.ts';
import { deriveMessage, messageContext } from '../../main/engine/archive/seal.ts';
import { createVault } from '../../main/engine/archive/vault.ts';
import { seededNumbers } from '../support/seeded-random.ts';

const random = { bytes: (length: number): Uint8Array => randomBytes(length) };
const right = 'the right one';
const cases = 400;

async function madeHead(): Promise<{ head: Buffer; records: readonly Buffer[] }> {
  const vault = await createVault(right, random, 100_000);
  const salt = randomBytes(24);
  const { commitment } = deriveMessage(vault.vaultKey, salt, messageContext('holdfast/v2/archive', vault.header));
  return { head: Buffer.concat([vault.header, salt, commitment]), records: vault.records };
}

async function outcome(keyring: Keyring, head: Buffer): Promise<string> {
  try {
    return (await keyring.open(head, 'holdfast/v2/archive', 'object')).repaired ? 'repaired' : 'opened';
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    expect((error as Fault).message).toContain('object');
    return (error as Fault).code;
  }
}

test(`${cases} random damages beside the vault: a header is repaired, salt and commitment are damage, never a wrong password`, async () => {
  const { head, records } = await madeHead();
  const keyring = new Keyring({ password: right, records });
  const next = seededNumbers(20_261_124);
  let pbkdf2 = 0;
  for (let number = 0; number < cases; number += 1) {
    const damaged = Buffer.from(head);
    const where = Math.floor(next() * head.length);
    // Iterations and salt of the header cost a derivation each, so fewer of those.
    if (where >= 12 && where < 32 && (pbkdf2 += 1) > 40) continue;
    damaged[where] = (damaged[where] ?? 0) ^ (1 + Math.floor(next() * 255));
    expect([where, await outcome(keyring, damaged)]).toEqual([where, where < 92 ? 'repaired' : 'corrupt']);
  }
});

test('a wrong password is a wrong password, on a whole object and on a damaged one: it says nothing about either', async () => {
  const { head, records } = await madeHead();
  for (let number = 0; number < 30; number += 1) {
    const wrong = new Keyring({ password: `wrong ${number}`, records });
    expect(await outcome(wrong, head)).toBe('wrong-password');
    const damaged = Buffer.from(head);
    damaged[40 + number] = (damaged[40 + number] ?? 0) ^ 0x40;
    expect(await outcome(wrong, damaged)).toBe('wrong-password');
  }
});

test('alone, without a vault, a header that does not open is said to be either', async () => {
  const { head } = await madeHead();
  const damaged = Buffer.from(head);
  damaged[60] = (damaged[60] ?? 0) ^ 1;
  await expect(new Keyring({ password: right }).open(damaged, 'holdfast/v2/archive', 'object')).rejects.toMatchObject({
    code: 'wrong-password',
    message: expect.stringMatching(/wrong password, or a damaged header/) as string,
  });
  expect(await outcome(new Keyring({ password: right }), head)).toBe('opened');
});

test('no object passes for one of another kind', async () => {
  const { head, records } = await madeHead();
  for (const label of ['holdfast/v2/manifest', 'holdfast/v2/partial', 'holdfast/v2/damaged'] as const) {
    await expect(new Keyring({ password: right, records }).open(head, label, 'object')).rejects.toMatchObject({ code: 'corrupt' });
  }
});

test('a recovery key of elsewhere is a wrong key; too few bytes are a truncated object', async () => {
  const { head, records } = await madeHead();
  const foreign = new Keyring({ vaultKeys: [randomBytes(32)], records });
  expect(await outcome(foreign, head)).toBe('wrong-key');
  for (const length of [0, 7, 8, 91, 92, 147])
    expect(await outcome(new Keyring({ password: right, records }), head.subarray(0, length))).toBe('truncated');
});
