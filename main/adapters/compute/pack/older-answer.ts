/** One that no archive has. */
export const noArchive = 0xffff_fffe;

/** What came of asking for an older list. */
export type OlderAnswer =
  | { readonly kind: 'list'; readonly handle: number; readonly size: number; readonly numbers: readonly (number | null)[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'over' };

/** Words: what came of it, the handle of a spool, its size (two of them), how many archives there are, and the number of each. */
const headWords = 5;
const kinds = ['none', 'over', 'list'] as const;
/** More archives than the first line of any manifest can name. */
const mostWords = 2 ** 20;

/** Memory in which the main thread answers a reader that is blocked and can hear nothing. */
export function createOlderAnswer(): SharedArrayBuffer {
  return new SharedArrayBuffer(headWords * 4, { maxByteLength: mostWords * 4 });
}

/** For the reader, before it asks. */
export function clearOlderAnswer(memory: SharedArrayBuffer): void {
  Atomics.store(new Uint32Array(memory), 0, 0);
}

/** The answer can be seen by other threads once all of it is there. */
export function writeOlderAnswer(memory: SharedArrayBuffer, answer: OlderAnswer): void {
  if (answer.kind === 'list') {
    const numbers = answer.numbers.slice(0, mostWords - headWords);
    const bytes = (headWords + numbers.length) * 4;
    if (memory.byteLength < bytes) memory.grow(bytes);
    const words = new Uint32Array(memory);
    words.set([answer.handle, answer.size % 2 ** 32, Math.floor(answer.size / 2 ** 32), numbers.length], 1);
    for (const [index, number] of numbers.entries()) words[headWords + index] = number ?? noArchive;
  }
  Atomics.store(new Uint32Array(memory), 0, 1 + kinds.indexOf(answer.kind));
}

/** Null while there is none. */
export function readOlderAnswer(memory: SharedArrayBuffer): OlderAnswer | null {
  const words = new Uint32Array(memory);
  const kind = kinds[Atomics.load(words, 0) - 1];
  if (kind !== 'list') return kind === undefined ? null : { kind };
  const [, handle = 0, low = 0, high = 0, count = 0] = words;
  const numbers = Array.from(words.subarray(headWords, headWords + count), (number) => (number === noArchive ? null : number));
  return { kind, handle, size: high * 2 ** 32 + low, numbers };
}
