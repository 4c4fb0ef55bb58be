import { Fault } from '../../../contract/faults.ts';
import type { Backend, ByteRange } from '../backend.ts';
import { throwIfCancelled } from '../cancel.ts';
import { checkKey, checkPrefix } from '../object-key.ts';
import { around, type Call } from './around.ts';

/**
 * What every backend would have to check alike, done once: keys, prefixes, ranges, part numbers and sizes, a signal that has
 * already aborted. A backend's factory returns its verbs in this, so that no way around it exists.
 */
export function checkedCalls(inner: Backend): Backend {
  const check = (call: Call): void => {
    checkTarget(call);
    if (call.range !== undefined) checkRange(call.target, call.range);
    if (call.part !== undefined) checkPart(call, call.part, inner.info.limits.maxPart, inner.info.limits.maxParts);
    throwIfCancelled(call.signal, call.verb);
  };
  return around(inner, {
    call: async (call, run) => {
      check(call);
      return await run(call.signal);
    },
    stream: (call, open) => checkedStream(call, check, open),
  });
}

async function* checkedStream<T>(
  call: Call,
  check: (call: Call) => void,
  open: (signal: AbortSignal | undefined) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  check(call);
  for await (const item of open(call.signal)) {
    throwIfCancelled(call.signal, call.verb);
    yield item;
    throwIfCancelled(call.signal, call.verb);
  }
}

function checkTarget(call: Call): void {
  switch (call.verb) {
    case 'stat':
    case 'read':
    case 'beginUpload':
    case 'remove':
      checkKey(call.target);
      break;
    case 'list':
    case 'openUploads':
      checkPrefix(call.target);
      break;
    default:
      break;
  }
}

/** An empty range is refused: HTTP has no way to ask for one (RFC 9110 §14.1.2). */
function checkRange(key: string, { offset, length }: ByteRange): void {
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 1) return;
  throw new Fault('range-invalid', `bytes ${offset} + ${length} of ${key} are no range`, {
    operation: 'read',
    context: { key, offset, length },
  });
}

function checkPart(call: Call, part: number, maxPart: number, maxParts: number): void {
  if (Number.isSafeInteger(part) && part >= 0 && part < maxParts && call.bytes <= maxPart) return;
  throw new Fault(
    'config-invalid',
    `part ${part} of ${call.target} with ${call.bytes} bytes is beyond what this kind of backup place takes`,
    {
      operation: 'writePart',
      context: { key: call.target, part, bytes: call.bytes, maxPart, maxParts },
    },
  );
}
