import { readSync } from 'node:fs';
import binding from 'zstd-napi/binding.js';
import { Fault } from '../../contract/faults.ts';
import { maxEntryLine } from '../../engine/snapshots/read-entry.ts';
import { entryCounter } from '../system/release-memory.ts';

const pieceSize = 256 * 1024;
const maxWindowLog = 23;

/** The lines of a manifest in a spool file, without their newlines, synchronously, for worker threads. The first line comes first. */
export function* spoolLines(handle: number, size: number): Generator<Buffer> {
  const context = new binding.DCtx();
  context.setParameter(binding.DParameter.windowLogMax, maxWindowLog);
  const input = Buffer.allocUnsafe(pieceSize);
  const output = Buffer.allocUnsafe(pieceSize);
  const passed = entryCounter();
  let held: Buffer[] = [];
  let heldSize = 0;
  for (let offset = 0; offset < size;) {
    const length = readSync(handle, input, 0, Math.min(input.length, size - offset), offset);
    if (length === 0) throw new Fault('unexpected', 'a temporary file ended early', { operation: 'read spool' });
    offset += length;
    let source = input.subarray(0, length);
    for (let produced = output.length; source.length > 0 || produced === output.length;) {
      const [, made, taken] = decompressed(context, output, source);
      produced = made;
      source = source.subarray(taken);
      let rest = output.subarray(0, produced);
      for (;;) {
        const end = rest.indexOf(10);
        if (end < 0) break;
        yield heldSize === 0 ? rest.subarray(0, end) : Buffer.concat([...held, rest.subarray(0, end)]);
        passed();
        held = [];
        heldSize = 0;
        rest = rest.subarray(end + 1);
      }
      if (rest.length > 0) held.push(Buffer.from(rest));
      heldSize += rest.length;
      if (heldSize > maxEntryLine) throw new Fault('corrupt', 'the manifest has a line that is too long', { operation: 'read manifest' });
    }
  }
  if (heldSize > 0) throw new Fault('truncated', 'the manifest ends inside a line', { operation: 'read manifest' });
}

function decompressed(context: binding.DCtx, output: Buffer, source: Buffer): readonly [number, number, number] {
  try {
    return context.decompressStream(output, source);
  } catch (error) {
    throw new Fault('corrupt', 'the manifest is not compressed as it should be', { operation: 'read manifest', cause: error });
  }
}
