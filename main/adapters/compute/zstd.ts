import { compress } from 'zstd-napi';
import binding from 'zstd-napi/binding.js';
import { Fault } from '../../contract/faults.ts';
import type { Zstd } from '../../engine/host.ts';
import type { ByteStream } from '../../engine/storage/backend.ts';

const outputSize = 256 * 1024;
const maxWindowLog = 23;

/** zstd for what is small enough for the main thread: manifests. Archives are for the workers. */
export const nativeZstd: Zstd = {
  compress: (bytes) => compress(bytes, { compressionLevel: 3 }),
  decompress,
};

async function* decompress(source: ByteStream): ByteStream {
  const context = new binding.DCtx();
  context.setParameter(binding.DParameter.windowLogMax, maxWindowLog);
  const output = Buffer.allocUnsafe(outputSize);
  let midFrame = false;
  for await (const piece of source) {
    let rest = piece;
    for (let produced = output.length; rest.length > 0 || produced === output.length;) {
      let hint: number;
      let taken: number;
      try {
        [hint, produced, taken] = context.decompressStream(output, rest);
      } catch (cause) {
        throw new Fault('corrupt', `the data cannot be decompressed (${cause instanceof Error ? cause.message : String(cause)})`, {
          operation: 'decompress',
          cause,
        });
      }
      if (taken > 0 || produced > 0) midFrame = hint !== 0;
      rest = rest.subarray(taken);
      if (produced > 0) yield output.subarray(0, produced);
    }
  }
  if (midFrame) throw new Fault('truncated', 'the compressed data ends inside a frame', { operation: 'decompress' });
}
