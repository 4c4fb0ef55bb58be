import { Fault } from '../../contract/faults.ts';
import { cancelledFault } from '../../engine/storage/cancel.ts';

export interface BodyOptions {
  readonly key: string;
  /** How many bytes must come; fewer is fault unavailable. */
  readonly expected: number;
  readonly signal: AbortSignal | undefined;
  /** The backend's mapping of what the body breaks with. */
  readonly toFault: (error: unknown) => Fault;
}

/** The pieces of a body as they come, exactly as many bytes as were promised. Giving up on it frees the connection. */
export async function* bodyPieces(body: AsyncIterable<Uint8Array>, options: BodyOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const { key, expected, signal, toFault } = options;
  let left = expected;
  try {
    for await (const piece of body) {
      left -= piece.byteLength;
      yield piece;
    }
  } catch (error) {
    if (signal?.aborted === true) throw cancelledFault('read');
    throw toFault(error);
  }
  if (left === 0) return;
  const context = { key, missing: left };
  throw new Fault('unavailable', `read of ${key} broke off with ${left} bytes to come`, { operation: 'read', context });
}
