import { Fault } from '../../../contract/faults.ts';
import type { Backend, ByteRange, ObjectInfo, ObjectKey } from '../backend.ts';
import { patience, patiently, type Retrying } from './patience.ts';

/**
 * The bytes of `range`, or of the whole object, read on from where it stood whenever the stream breaks. After each break the object
 * is looked at again; when it has become another one since the break before, or is too short for what was read of it, that is
 * fault source-changed. A stream that ends too early counts as broken. What only trickles in is kept, but is no progress: a server that
 * gives a few bytes to each attempt would be asked for ever.
 */
export async function* resumingRead(
  inner: Backend,
  options: Retrying,
  key: ObjectKey,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const limit = patience(options, 'read', signal);
  const start = range?.offset ?? 0;
  let end = range === undefined ? undefined : range.offset + range.length;
  let position = start;
  let known: ObjectInfo | undefined;

  for (;;) {
    const from = position;
    let cameAt: number | undefined;
    try {
      const rest = end === undefined ? undefined : { offset: position, length: end - position };
      for await (const piece of await inner.read(key, { signal, ...(rest === undefined ? {} : { range: rest }) })) {
        position += piece.byteLength;
        if (end !== undefined && position > end) {
          throw new Fault('corrupt', `more bytes of ${key} came than were asked for`, {
            operation: 'read',
            context: { key, position, end },
          });
        }
        cameAt = options.clock.now();
        yield piece;
      }
      if (end === undefined || position === end) return;
      throw new Fault('unavailable', `${key} broke off at byte ${position} of ${end}`, {
        operation: 'read',
        context: { key, position, end },
      });
    } catch (error) {
      // It was long enough when it was last looked at, so a shorter one has taken its place.
      if (position > start && error instanceof Fault && error.code === 'range-invalid') throw changed(key, position, error);
      if (cameAt !== undefined && !onlyTrickled(error, position - from)) limit.progress(cameAt);
      await limit.afterFailure(error);
    }
    if (position === start) continue;
    const now = await patiently(options, 'stat', signal, () => inner.stat(key, { signal }));
    if (now.size < Math.max(position, end ?? 0) || (known !== undefined && !sameObject(known, now))) {
      throw changed(key, position);
    }
    known = now;
    end ??= now.size;
    if (position === end) return;
  }
}

/** All that came, came in the time that the timeout layer found too long for it. */
function onlyTrickled(error: unknown, came: number): boolean {
  return error instanceof Fault && error.context['trickled'] === came;
}

function changed(key: ObjectKey, position: number, cause?: Fault): Fault {
  return new Fault('source-changed', `${key} has changed while it was read`, { operation: 'read', context: { key, position }, cause });
}

function sameObject(a: ObjectInfo, b: ObjectInfo): boolean {
  return a.size === b.size && a.modifiedAt === b.modifiedAt && a.checksum?.hex === b.checksum?.hex;
}
