/**
 * One transfer for `clouds.ts`, in a process of its own so that its memory is its own: `up` or `down`, then a JSON of what and where. Bytes
 * come from standard input; read ones go nowhere. Prints `{seconds, bytes, peakBytes}`.
 */
import { readFileSync, readSync } from 'node:fs';
import { s3Backend } from '../../main/adapters/storage/s3/s3-backend.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { uploadStream } from '../../main/engine/storage/upload-object.ts';

interface Work {
  readonly bucket: string;
  readonly endpoint: string;
  readonly key: string;
}

/** In one buffer, as the engine's own bytes come. */
function* standardInput(): Generator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  for (let length = readSync(0, buffer); length > 0; length = readSync(0, buffer)) yield buffer.subarray(0, length);
}

async function* asStream(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

const [direction = '', json = ''] = process.argv.slice(2);
const { bucket, endpoint, key } = JSON.parse(json) as Work;
const keys = { accessKeyId: 'test:tester', secretAccessKey: 'testing' };
const { backend } = standardStack(s3Backend({ bucket, endpoint }, keys), { clock: systemClock, random: systemRandom });
const since = performance.now();
let bytes = 0;
if (direction === 'up') ({ size: bytes } = await uploadStream(backend, key, asStream(standardInput())));
else for await (const piece of await backend.read(key)) bytes += piece.byteLength;
const seconds = (performance.now() - since) / 1000;
// The most that lay in memory at once, by the kernel's count.
const [, peak = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
process.stdout.write(`${JSON.stringify({ seconds, bytes, peakBytes: Number(peak) * 1024 })}\n`);
