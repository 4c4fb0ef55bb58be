import { Fault } from '../../contract/faults.ts';
import type { OpenVault } from '../archive/vault.ts';
import { messageContext, messageSaltSize, objectHeadSize, plainSize, seal, unseal } from '../archive/seal.ts';
import type { Label } from '../archive/seal.ts';
import type { Random } from '../ports.ts';
import type { Backend, ByteRange, ByteStream, CallOptions, ObjectInfo } from '../storage/backend.ts';
import { uploadStream } from '../storage/upload-object.ts';

export interface SealedObject {
  readonly key: string;
  readonly label: Label;
  readonly plain: ByteStream;
  /** About how many bytes it has. */
  readonly sizeHint?: number;
}

/** Seals an object under the vault's newest record, with a salt of its own, and uploads it. */
export async function storeSealed(
  random: Random,
  backend: Backend,
  vault: OpenVault,
  { key, label, plain, sizeHint }: SealedObject,
  { signal }: CallOptions,
): Promise<ObjectInfo> {
  async function* stored(): ByteStream {
    yield vault.header;
    yield* seal(plain, vault.vaultKey, random.bytes(messageSaltSize), messageContext(label, vault.header));
  }
  return await uploadStream(backend, key, stored(), {
    ...(sizeHint === undefined ? {} : { sizeHint }),
    ...(signal === undefined ? {} : { signal }),
  });
}

export type ReadOptions = CallOptions & { readonly size?: number; readonly range?: ByteRange };

/** Opens a stored object for reading from its start to its end. `size`, where known, is checked before anything is read. */
export async function openSealed(
  backend: Backend,
  vault: OpenVault,
  label: Label,
  key: string,
  options: ReadOptions,
): Promise<{ readonly repaired: boolean; readonly plain: AsyncGenerator<Uint8Array> }> {
  if (options.size !== undefined) plainSize(options.size);
  const stream = (await backend.read(key, options))[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < objectHeadSize) {
    const piece = await stream.next();
    if (piece.done === true) break;
    head = Buffer.concat([head, piece.value]);
  }
  try {
    const opened = await vault.keyring.open(head, label, key);
    const chunks = behind(head.subarray(objectHeadSize), stream);
    return { repaired: opened.repaired, plain: namedFaults(unseal(chunks, opened.keys), key) };
  } catch (error) {
    await stream.return?.();
    throw error;
  }
}

async function* behind(first: Uint8Array, stream: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (;;) {
      const piece = await stream.next();
      if (piece.done === true) return;
      yield piece.value;
    }
  } finally {
    await stream.return?.();
  }
}

/** A fault of the chunks below says which object it was. */
async function* namedFaults(source: AsyncGenerator<Uint8Array>, key: string): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    throw naming(error, key);
  }
}

/** The same fault, which now says which object it is about, unless it says so already. */
export function naming(error: unknown, key: string): unknown {
  if (!(error instanceof Fault) || error.context['object'] !== undefined) return error;
  const { code, message, operation, context } = error;
  return new Fault(code, message.startsWith(key) ? message : `${key}: ${message}`, {
    operation,
    context: { ...context, object: key },
    cause: error,
  });
}
