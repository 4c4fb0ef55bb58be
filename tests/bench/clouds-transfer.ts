/**
 * One transfer for `clouds.ts`, in a process of its own so that its memory is its own: `up`, `down` or `remove`, a key, then a JSON of where
 * (cloud-work.ts). Bytes come from standard input; read ones go nowhere. Prints `{seconds, bytes, peakBytes}`.
 */
import { readSync } from 'node:fs';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { uploadStream } from '../../main/engine/storage/upload-object.ts';
import { backendOf, type CloudWork } from './cloud-work.ts';
import { peakOf } from './peak-memory.ts';

/** In one buffer, as the engine's own bytes come. */
function* standardInput(): Generator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  for (let length = readSync(0, buffer); length > 0; length = readSync(0, buffer)) yield buffer.subarray(0, length);
}

async function* asStream(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

const [direction = '', key = '', json = ''] = process.argv.slice(2);
const { backend } = standardStack(backendOf(JSON.parse(json) as CloudWork), { clock: systemClock, random: systemRandom });
const since = performance.now();
let bytes = 0;
if (direction === 'up') ({ size: bytes } = await uploadStream(backend, key, asStream(standardInput())));
else if (direction === 'remove') await backend.remove(key);
else for await (const piece of await backend.read(key)) bytes += piece.byteLength;
const seconds = (performance.now() - since) / 1000;
process.stdout.write(`${JSON.stringify({ seconds, bytes, peakBytes: peakOf('self') })}\n`);
