import { createCipheriv, createDecipheriv, randomBytes, scrypt, type ScryptOptions } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Fault } from '../../contract/faults.ts';
import type { Keychain } from './keychain.ts';

/*
 * `HFKEYS1\n` (8 bytes) · log2 N u8 · r u8 · p u8 · 0x00 · salt 16 · nonce 12 · AES-256-GCM(JSON of the secrets) · tag 16. The key is
 * scrypt (RFC 7914) of the passphrase in UTF-8, NFC, and the salt; AAD: the 40 bytes before the ciphertext. A new salt and nonce at each writing.
 */
const magic = Buffer.from('HFKEYS1\n', 'latin1');
const headSize = 40;
const tagSize = 16;
/** 128 MiB and about half a second: this is opened once by a process, and tried by an attacker each time anew. */
const cost = { log2N: 17, r: 8, p: 1 } as const;
/** What a file may ask for: four times ours. */
const mostMemory = 512 * 2 ** 20;

const secretsSchema = z.record(z.string(), z.string());
type Secrets = z.infer<typeof secretsSchema>;

export interface SealedFileOptions {
  readonly path: string;
  /** Asked for once, when a secret is first needed. `isNew`: there is no file yet, so that a prompt asks twice. */
  readonly passphrase: (isNew: boolean) => Promise<string>;
}

/** Secrets in one file of mode 0600, encrypted with a passphrase, sealed anew as a whole at each change. */
export function sealedFileKeychain({ path, passphrase }: SealedFileOptions): Keychain {
  let known: Promise<string> | undefined;

  async function load(): Promise<Secrets> {
    const sealed = await readIfAny(path);
    known ??= passphrase(sealed === null);
    try {
      const word = checked(await known);
      return sealed === null ? {} : await unseal(sealed, word, path);
    } catch (error) {
      // Another one may be asked for next time.
      known = undefined;
      throw error;
    }
  }

  async function save(secrets: Secrets): Promise<void> {
    const word = checked(await (known ?? passphrase(true)));
    await replace(path, await seal(secrets, word));
  }

  return {
    describe: () =>
      Promise.resolve({
        kind: 'sealed-file',
        strong: true,
        locked: false,
        says: `in the file ${path}, encrypted with a passphrase`,
      }),
    get: async (name) => (await load())[name] ?? null,
    names: async () => Object.keys(await load()),
    async set(changes) {
      const secrets = new Map(Object.entries(await load()));
      for (const [name, value] of Object.entries(changes)) {
        if (value === null) secrets.delete(name);
        else secrets.set(name, value);
      }
      await save(Object.fromEntries(secrets));
    },
  };
}

function checked(passphrase: string): string {
  if (passphrase !== '') return passphrase.normalize('NFC');
  throw new Fault('config-invalid', 'the passphrase of the key file may not be empty', { operation: 'open the key file' });
}

async function seal(secrets: Secrets, passphrase: string): Promise<Buffer> {
  const head = Buffer.concat([magic, Buffer.from([cost.log2N, cost.r, cost.p, 0]), randomBytes(16), randomBytes(12)]);
  const cipher = createCipheriv('aes-256-gcm', await keyOf(passphrase, head), head.subarray(28), { authTagLength: tagSize });
  cipher.setAAD(head);
  return Buffer.concat([head, cipher.update(JSON.stringify(secrets), 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

async function unseal(sealed: Buffer, passphrase: string, path: string): Promise<Secrets> {
  const context = { path };
  const head = sealed.subarray(0, headSize);
  if (sealed.length < headSize + tagSize || !head.subarray(0, magic.length).equals(magic)) {
    throw new Fault('corrupt', `${path} is no key file, or is cut short`, { operation: 'open the key file', context });
  }
  const decipher = createDecipheriv('aes-256-gcm', await keyOf(passphrase, head), head.subarray(28), { authTagLength: tagSize });
  decipher.setAAD(head);
  decipher.setAuthTag(sealed.subarray(-tagSize));
  let text: string;
  try {
    text = Buffer.concat([decipher.update(sealed.subarray(headSize, -tagSize)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new Fault('wrong-password', `the passphrase does not open the key file ${path}, or the file was altered`, {
      operation: 'open the key file',
      context: { ...context, next: 'Try the passphrase again; without it, remove the file and give the secrets of each destination anew.' },
      cause: error,
    });
  }
  return secretsSchema.parse(JSON.parse(text));
}

async function keyOf(passphrase: string, head: Buffer): Promise<Buffer> {
  const [log2N = 0, r = 0, p = 0] = head.subarray(magic.length);
  const N = 2 ** log2N;
  if (128 * N * r > mostMemory || N < 2 || r < 1 || p < 1 || p > 4) {
    throw new Fault('corrupt', 'the key file asks for more memory than any of ours', { operation: 'open the key file' });
  }
  const options: ScryptOptions = { N, r, p, maxmem: 2 * mostMemory };
  return await new Promise((settle, reject) => {
    scrypt(passphrase, head.subarray(12, 28), 32, options, (error, key) => (error === null ? settle(key) : reject(error)));
  });
}

async function readIfAny(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Fault('permission-denied', `the key file ${path} cannot be read`, {
      operation: 'open the key file',
      context: { path },
      cause: error,
    });
  }
}

async function replace(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(fresh, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, path);
  } finally {
    await rm(fresh, { force: true });
  }
}
