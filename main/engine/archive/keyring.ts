import { Fault } from '../../contract/faults.ts';
import { deriveKek, hasMagic, headerSize, parseHeader, unwrapVaultKey } from './header.ts';
import type { Header } from './header.ts';
import { commitmentHolds, deriveMessage, messageContext, messageSaltSize, objectHeadSize } from './seal.ts';
import type { Label, MessageKeys } from './seal.ts';

export interface OpenedObject {
  readonly keys: MessageKeys;
  /** The 148 bytes as they should have been stored. */
  readonly head: Buffer;
  /** The stored header was damaged and another record of the vault took its place. */
  readonly repaired: boolean;
}

/**
 * The keys that a password or recovery keys open, and what is known to repair headers with.
 * It answers the question "what went wrong?" (docs/format.md) for every object that does not open.
 */
export class Keyring {
  readonly #password: string | null;
  readonly #records: readonly Buffer[];
  readonly #vaultKeys: Buffer[];
  readonly #keks = new Map<string, Promise<Buffer>>();

  /** `records`: the vault's, newest first; none for a lone file. */
  constructor(options: { password?: string; vaultKeys?: readonly Buffer[]; records?: readonly Buffer[] }) {
    this.#password = options.password ?? null;
    this.#vaultKeys = [...(options.vaultKeys ?? [])];
    this.#records = options.records ?? [];
  }

  get records(): readonly Buffer[] {
    return this.#records;
  }

  /** Every vault key opened so far, in no order. */
  get vaultKeys(): readonly Buffer[] {
    return this.#vaultKeys;
  }

  /** The vault key in this header, or null when the password does not open it. The derived key is kept: records share salts. */
  async unwrap(header: Header): Promise<Buffer | null> {
    if (this.#password === null) return null;
    const name = `${header.iterations}:${header.passwordSalt.toString('hex')}`;
    let kek = this.#keks.get(name);
    if (kek === undefined) {
      kek = deriveKek(this.#password, header.passwordSalt, header.iterations);
      this.#keks.set(name, kek);
    }
    const key = unwrapVaultKey(header, await kek);
    if (key !== null && !this.#vaultKeys.some((known) => known.equals(key))) this.#vaultKeys.push(key);
    return key;
  }

  /** Opens the beginning (148 bytes) of a stored object. `name` is said in faults. */
  async open(head: Uint8Array, label: Label, name: string): Promise<OpenedObject> {
    const context = { object: name };
    if (head.length < objectHeadSize) {
      throw new Fault('truncated', `${name} ends inside its header`, { operation: 'open', context });
    }
    const stored = Buffer.from(head.subarray(0, objectHeadSize));
    const own = this.#withHeader(stored.subarray(0, headerSize), stored, label);
    if (own !== null) return own;

    let header: Header | null = null;
    let refusal: unknown;
    try {
      header = parseHeader(stored);
    } catch (error) {
      refusal = error;
    }
    const unwrapped = header !== null && (await this.unwrap(header)) !== null;
    const opened = this.#withHeader(stored.subarray(0, headerSize), stored, label) ?? (await this.#withRecords(stored, label));
    if (opened !== null) return opened;
    if (!unwrapped) throw this.#explain(stored, header, refusal, name);
    throw new Fault(
      'corrupt',
      `${name}: the password is right, but the beginning of the file is damaged or belongs to another kind of object`,
      {
        operation: 'open',
        context,
      },
    );
  }

  #withHeader(header: Buffer, stored: Buffer, label: Label): OpenedObject | null {
    const salt = stored.subarray(headerSize, headerSize + messageSaltSize);
    const messageLabel = messageContext(label, header);
    for (const vaultKey of this.#vaultKeys) {
      const keys = deriveMessage(vaultKey, salt, messageLabel);
      if (!commitmentHolds(keys, stored)) continue;
      const repaired = !header.equals(stored.subarray(0, headerSize));
      return { keys, head: Buffer.concat([header, stored.subarray(headerSize)]), repaired };
    }
    return null;
  }

  /** The vault gives keys to an object older than the password, and its header back to one whose own was damaged or swapped. */
  async #withRecords(stored: Buffer, label: Label): Promise<OpenedObject | null> {
    for (const record of this.#records) {
      await this.unwrap(parseHeader(record));
      const opened = this.#withHeader(stored.subarray(0, headerSize), stored, label);
      if (opened !== null) return opened;
    }
    for (const record of this.#records) {
      const opened = this.#withHeader(record, stored, label);
      if (opened !== null) return opened;
    }
    return null;
  }

  #explain(stored: Buffer, header: Header | null, refusal: unknown, name: string): unknown {
    const context = { object: name };
    const known = this.#records.some((record) => record.equals(stored.subarray(0, headerSize)));
    // A password that opens nothing at all says nothing about the object.
    if (this.#password !== null && this.#records.length > 0 && this.#vaultKeys.length === 0) {
      return new Fault('wrong-password', `${name}: wrong password`, { operation: 'open', context });
    }
    if (header === null) {
      // A lone file whose header cannot even be read: that reading has already said what is wrong.
      if (this.#records.length === 0 || !hasMagic(stored)) return refusal;
      return new Fault('corrupt', `${name}: its header is damaged and no record of the vault repairs it`, {
        operation: 'open',
        context,
        cause: refusal,
      });
    }
    if (this.#password === null) {
      return new Fault('wrong-key', `${name}: the recovery key does not belong to it`, { operation: 'open', context });
    }
    if (this.#records.length > 0 && !known) {
      return new Fault('corrupt', `${name}: its header is damaged and no record of the vault repairs it`, { operation: 'open', context });
    }
    const message = known ? `${name}: wrong password` : `${name}: wrong password, or a damaged header`;
    return new Fault('wrong-password', message, { operation: 'open', context });
  }
}
