import { createCipheriv, createDecipheriv, randomBytes, scrypt, type ScryptOptions } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Fault, type FaultContext } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { KeychainKind } from '../../contract/destinations.ts';
import type { Keychain } from '../../engine/service/keychain.ts';
import { replaceFile } from '../files/replace-file.ts';

/*
 * `HFKEYS1\n` (8 bytes) · log2 N u8 · r u8 · p u8 · 0x00 · salt 16 · nonce 12 · AES-256-GCM(JSON of the secrets) · tag 16. The key is
 * scrypt (RFC 7914) of the passphrase in UTF-8, NFC, and the salt; AAD: the 40 bytes before the ciphertext. A new salt and nonce at each writing.
 */
const magic = Buffer.from('HFKEYS1\n', 'latin1');
const operation = 'open a sealed file';
const headSize = 40;
const tagSize = 16;

/** Of scrypt: N is a power of two, and 128 · N · r bytes of memory are taken. */
export interface Cost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

/** 128 MiB and about half a second: this is opened once by a process, and tried by an attacker each time anew. */
const costOfWords: Cost = { log2N: 17, r: 8, p: 1 };
/** 1 MiB and a few milliseconds, for a key of 256 random bits: nobody can try those, whatever a try costs. */
export const costOfRandomKey: Cost = { log2N: 10, r: 8, p: 1 };
/** What a file may ask for: four times ours. */
const mostMemory = 512 * 2 ** 20;

const secretsSchema = z.record(z.string(), z.string());
type Secrets = z.infer<typeof secretsSchema>;

export interface SealedFileOptions {
  readonly path: string;
  /** Asked for once, when a secret is first needed. `isNew`: there is no file yet, so that a prompt asks twice. */
  readonly passphrase: (isNew: boolean) => Promise<string>;
  /** Runs a change while no other process changes the file. */
  readonly alone?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Of each new sealing, for what a person thinks of when left out. What is opened says its own. */
  readonly cost?: Cost;
  /** What describe() says beside the path; a file that a passphrase seals when left out. */
  readonly about?: { readonly kind: KeychainKind; readonly strong: boolean; readonly says: string };
}

/** Secrets in one file of mode 0600, encrypted with a passphrase, sealed anew as a whole at each change. */
export function sealedFileKeychain(options: SealedFileOptions): Keychain {
  const { path, passphrase, alone = <T>(work: () => Promise<T>): Promise<T> => work(), about = sealedByPassphrase, cost } = options;
  let known: Promise<string> | undefined;
  /** What was opened last: the key costs half a second and 128 MiB, and a service reads its secrets again and again. */
  let opened: { readonly sealed: Buffer; readonly secrets: Secrets } | undefined;

  async function load(): Promise<Secrets> {
    const sealed = await readIfAny(path);
    if (sealed !== null && opened?.sealed.equals(sealed) === true) return opened.secrets;
    known ??= passphrase(sealed === null);
    try {
      const word = checked(await known);
      if (sealed === null) return {};
      const secrets = secretsSchema.parse(JSON.parse(await unsealText(sealed, word, keyFile(path))));
      opened = { sealed, secrets };
      return secrets;
    } catch (error) {
      // Another one may be asked for next time.
      known = undefined;
      throw error;
    }
  }

  async function save(secrets: Secrets): Promise<void> {
    const word = checked(await (known ?? passphrase(true)));
    await replaceFile(path, await sealText(JSON.stringify(secrets), word, cost));
  }

  return {
    describe: () => Promise.resolve({ kind: about.kind, strong: about.strong, locked: false, says: `in the file ${path}, ${about.says}` }),
    exists: async () => (await readIfAny(path)) !== null,
    get: async (name) => (await load())[name] ?? null,
    names: async () => Object.keys(await load()),
    set: (changes) =>
      alone(async () => {
        const secrets = new Map(Object.entries(await load()));
        for (const [name, value] of Object.entries(changes)) {
          if (value === null) secrets.delete(name);
          else secrets.set(name, value);
        }
        await save(Object.fromEntries(secrets));
      }),
  };
}

const sealedByPassphrase = { kind: 'sealed-file', strong: true, says: 'encrypted with a passphrase' } as const;

function checked(passphrase: string): string {
  if (passphrase !== '') return passphrase.normalize('NFC');
  throw new Fault('config-invalid', 'the passphrase of the key file may not be empty', { operation: 'open the key file' });
}

/** A text that only the passphrase opens, in the form that is told above. */
export async function sealText(text: string, passphrase: string, cost = costOfWords): Promise<Buffer> {
  const head = Buffer.concat([magic, Buffer.from([cost.log2N, cost.r, cost.p, 0]), randomBytes(16), randomBytes(12)]);
  const cipher = createCipheriv('aes-256-gcm', await keyOf(passphrase, head), head.subarray(28), { authTagLength: tagSize });
  cipher.setAAD(head);
  return Buffer.concat([head, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** What a sealed text is, for the faults that tell of it. */
export interface Sealed {
  /** Such as `the key file /home/…`. */
  readonly says: string;
  /** What to do where the passphrase does not open it. */
  readonly next: string;
  readonly context?: FaultContext;
}

function keyFile(path: string): Sealed {
  return {
    says: `the key file ${path}`,
    next: 'Try the passphrase again; without it, remove the file and give the secrets of each backup place anew.',
    context: { path },
  };
}

/** Faults: wrong-password (or altered), corrupt. */
export async function unsealText(sealed: Buffer, passphrase: string, { says, next, context = {} }: Sealed): Promise<string> {
  const head = sealed.subarray(0, headSize);
  if (sealed.length < headSize + tagSize || !head.subarray(0, magic.length).equals(magic)) {
    throw new Fault('corrupt', `${says} is not one that Holdfast sealed, or is cut short`, { operation, context });
  }
  const decipher = createDecipheriv('aes-256-gcm', await keyOf(passphrase, head), head.subarray(28), { authTagLength: tagSize });
  decipher.setAAD(head);
  decipher.setAuthTag(sealed.subarray(-tagSize));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headSize, -tagSize)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new Fault('wrong-password', `the passphrase does not open ${says}, or the file was altered`, {
      operation,
      context: {
        ...context,
        ...saying('passphrase-wrong', {}),
        next,
      },
      cause: error,
    });
  }
}

async function keyOf(passphrase: string, head: Buffer): Promise<Buffer> {
  const [log2N = 0, r = 0, p = 0] = head.subarray(magic.length);
  const N = 2 ** log2N;
  if (128 * N * r > mostMemory || N < 2 || r < 1 || p < 1 || p > 4) {
    throw new Fault('corrupt', 'the sealed file asks for more memory than any of ours', { operation });
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
