/**
 * What can go wrong, in a closed list. Callers act on the code, never on the message.
 * Object: not-found … range-invalid. Account: unauthenticated … quota-exceeded (sign-in-needed: the person must sign in with the provider again). Weather: rate-limited … timeout.
 * Archive: wrong-password … truncated.
 */
export const faultCodes = [
  'not-found',
  'already-exists',
  'range-invalid',
  'unauthenticated',
  'sign-in-needed',
  'permission-denied',
  'quota-exceeded',
  'rate-limited',
  'unavailable',
  'timeout',
  'wrong-password',
  'wrong-key',
  'corrupt',
  'truncated',
  'source-changed',
  'disk-full',
  'locked',
  'config-invalid',
  'unsupported',
  'cancelled',
  'unexpected',
] as const;

export type FaultCode = (typeof faultCodes)[number];

/** `temporary`: worth another try. `exhausted`: was temporary, the tries are spent. `permanent`: trying again changes nothing. */
export type Persistence = 'temporary' | 'permanent' | 'exhausted';

/** What was being handled: object, chunk, file, path. Never a secret. `next`: the step to take, where the code's own text would mislead. */
export type FaultContext = Readonly<Record<string, string | number>>;

export interface WireFault {
  readonly code: FaultCode;
  readonly persistence: Persistence;
  readonly operation: string;
  readonly message: string;
  readonly context: FaultContext;
}

export interface FaultOptions {
  readonly operation?: string;
  readonly persistence?: Persistence;
  readonly context?: FaultContext;
  readonly cause?: unknown;
  /** Weather only: the provider asked not to be called again before this many milliseconds have passed. */
  readonly retryAfterMs?: number;
}

const weather: ReadonlySet<FaultCode> = new Set(['rate-limited', 'unavailable', 'timeout']);

/** Whether it speaks of stored data, and not of the way to it. */
export function isDamage(code: FaultCode | undefined): boolean {
  return code === 'corrupt' || code === 'truncated' || code === 'not-found';
}

/** The one error class of the project. `message` says what happened to what; code texts say what to do next. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly persistence: Persistence;
  readonly operation: string;
  readonly context: FaultContext;
  readonly retryAfterMs: number | undefined;

  constructor(code: FaultCode, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.persistence = options.persistence ?? (weather.has(code) ? 'temporary' : 'permanent');
    this.operation = options.operation ?? '';
    this.context = options.context ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }

  toWire(): WireFault {
    return { code: this.code, persistence: this.persistence, operation: this.operation, message: this.message, context: this.context };
  }

  static fromWire(wire: WireFault): Fault {
    return new Fault(wire.code, wire.message, { operation: wire.operation, persistence: wire.persistence, context: wire.context });
  }
}

/** Any thrown thing as a Fault; a foreign error becomes `unexpected` and stays as the cause. */
export function asFault(error: unknown, operation: string): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new Fault('cancelled', 'cancelled', { operation, cause: error });
  }
  return new Fault('unexpected', error instanceof Error ? error.message : String(error), { operation, cause: error });
}
