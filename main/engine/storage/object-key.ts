import { Fault } from '../../contract/faults.ts';
import type { ObjectKey } from './backend.ts';

export const maxKeyLength = 512;

const printable = /^[\x20-\x7e]*$/;

/** Why `key` is no object key, or null when it is one (the rule stands at ObjectKey). */
export function keyProblem(key: string): string | null {
  if (key.length === 0) return 'it is empty';
  if (key.length > maxKeyLength) return `it is longer than ${maxKeyLength} characters`;
  if (!printable.test(key)) return 'it has a character outside printable ASCII';
  return partsProblem(key.split('/'));
}

export function isKey(key: string): key is ObjectKey {
  return keyProblem(key) === null;
}

/** Throws fault config-invalid. `..` is the reason this exists: a key must not name anything outside its destination. */
export function checkKey(key: string): void {
  const problem = keyProblem(key);
  if (problem !== null) throw new Fault('config-invalid', `${JSON.stringify(key)} cannot name an object: ${problem}`, { context: { key } });
}

/** A prefix is any beginning of a key, the empty one too; its last part may be cut off anywhere. Throws fault config-invalid. */
export function checkPrefix(prefix: string): void {
  const finished = prefix.split('/').slice(0, -1);
  const problem = prefix.length > maxKeyLength || !printable.test(prefix) ? 'no object can have such a name' : partsProblem(finished);
  if (problem !== null) {
    throw new Fault('config-invalid', `${JSON.stringify(prefix)} cannot begin an object's name: ${problem}`, { context: { prefix } });
  }
}

function partsProblem(parts: readonly string[]): string | null {
  if (parts.includes('')) return 'it has an empty part';
  if (parts.includes('.') || parts.includes('..')) return 'it has a part . or ..';
  return null;
}
