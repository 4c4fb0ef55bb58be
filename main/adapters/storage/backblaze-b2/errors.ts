import { Fault, type FaultCode, type FaultContext } from '../../../contract/faults.ts';
import { cancelledFault } from '../../../engine/storage/cancel.ts';
import { uploadEnded } from '../../../engine/storage/upload-ended.ts';
import { accountStep } from '../../network/account-step.ts';
import { foreignFault, slim } from '../../network/errors.ts';
import { setupPage } from './settings.ts';

/** What B2 answered instead of doing it. Its own words may name a token, so the error's message is made of status and code alone. */
export class B2Error extends Error {
  override readonly name = 'B2Error';
  readonly status: number;
  readonly code: string;
  /** B2's sentence, without what could be a token. */
  readonly detail: string;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, code: string, detail: string, retryAfterMs?: number) {
    super(code === '' ? `status ${status}` : `status ${status}, ${code}`);
    this.status = status;
    this.code = code;
    this.detail = detail.replaceAll(/[\w+/=-]{24,}/g, '…').slice(0, 200);
    this.retryAfterMs = retryAfterMs;
  }
}

interface Meaning {
  readonly code: FaultCode;
  /** Follows the name of what was handled. */
  readonly says: string;
  readonly next?: string;
}

const caps = `Raise the cap at Backblaze under “Caps & Alerts”, or wait: daily caps begin anew at midnight UTC (${setupPage}).`;
const otherKey = `Make an application key with the rights that ${setupPage} names.`;

const missing: Meaning = { code: 'not-found', says: 'does not exist' };
const keysRefused: Meaning = {
  code: 'unauthenticated',
  says: 'was refused: the key id or the application key is not right, or the key was deleted',
  next: `Check both halves of the key, or make a new one: ${setupPage} shows how.`,
};
// It has been renewed and refused again, so the next attempt gets another one.
const endedAgain: Meaning = { code: 'unavailable', says: 'was refused: the token had ended again at once' };
const denied: Meaning = { code: 'permission-denied', says: 'was refused: this application key has no right to it', next: otherKey };
const slower: Meaning = { code: 'rate-limited', says: 'was put off: too many requests' };
const ownFault: Meaning = { code: 'unavailable', says: 'failed by a fault of the server' };
const busy: Meaning = { code: 'unavailable', says: 'found the server busy' };
const noAnswer: Meaning = { code: 'timeout', says: 'got no answer in time' };
const changedOnTheWay: Meaning = { code: 'unavailable', says: 'arrived with other bytes than were sent' };
const noBucket: Meaning = {
  code: 'config-invalid',
  says: 'failed: the bucket does not exist',
  next: `Use the name of the bucket as Backblaze shows it; ${setupPage} shows where.`,
};

/** B2's codes (B2: "Error handling" and the calls' own pages). */
const byCode: Readonly<Record<string, Meaning>> = {
  not_found: missing,
  file_not_present: missing,
  no_such_file: missing,
  bad_auth_token: keysRefused,
  expired_auth_token: endedAgain,
  unauthorized: denied,
  unsupported: { code: 'permission-denied', says: 'was refused: this key cannot be used with this interface of B2', next: otherKey },
  email_not_verified: {
    code: 'permission-denied',
    says: 'was refused: the address of the account has not been verified',
    next: 'Follow the link in the mail from Backblaze.',
  },
  // Object Lock, a legal hold, or a bucket that is closed.
  access_denied: {
    code: 'permission-denied',
    says: 'was refused by the bucket: Object Lock may be keeping it',
    next: `Wait until the lock ends, or see ${setupPage}.`,
  },
  storage_cap_exceeded: { code: 'quota-exceeded', says: "was refused: the account's storage cap is reached", next: caps },
  transaction_cap_exceeded: { code: 'quota-exceeded', says: "was refused: the account's daily cap of transactions is reached", next: caps },
  download_cap_exceeded: { code: 'quota-exceeded', says: "was refused: the account's daily cap of downloads is reached", next: caps },
  cap_exceeded: { code: 'quota-exceeded', says: 'was refused: a cap of the account is reached', next: caps },
  bad_bucket_id: noBucket,
  invalid_bucket_id: noBucket,
  range_not_satisfiable: { code: 'range-invalid', says: 'has no such bytes' },
  part_sha1_mismatch: changedOnTheWay,
  missing_part: { code: 'not-found', says: 'lacks a part that the server no longer has' },
  auth_token_limit: busy,
  too_many_requests: slower,
  request_timeout: noAnswer,
  internal_error: ownFault,
  service_unavailable: busy,
  conflict: { code: 'unavailable', says: 'is being changed by another request' },
  method_not_allowed: { code: 'unsupported', says: 'asks for something that this server cannot do' },
};

const byStatus: Readonly<Record<number, Meaning>> = {
  401: denied,
  403: denied,
  404: missing,
  405: { code: 'unsupported', says: 'asks for something that this server cannot do' },
  408: noAnswer,
  409: { code: 'unavailable', says: 'is being changed by another request' },
  416: { code: 'range-invalid', says: 'has no such bytes' },
  429: slower,
  503: busy,
};

/** The one mapping of this backend's foreign errors. `what` is the object or bucket that was handled. */
export function toFault(error: unknown, operation: string, what: string, context: FaultContext = {}): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof B2Error) return refused(error, operation, what, context);
  return foreignFault(error, operation, what, context);
}

function refused(error: B2Error, operation: string, what: string, context: FaultContext): Fault {
  const meaning = meaningOf(error);
  const reason = error.code === '' ? `status ${error.status}` : error.code;
  const next = meaning === undefined ? undefined : accountStep(meaning, setupPage);
  const known = { ...context, status: error.status, reason, ...(next === undefined ? {} : { next }) };
  const options = { operation, context: known, cause: slim(error) };
  // B2 has no code of its own for it.
  if (error.code === 'bad_request' && /^no active upload\b/i.test(error.detail)) return uploadEnded(operation, what, options);
  if (meaning === undefined) {
    return new Fault('unexpected', `${operation} of ${what} failed: ${error.message}: ${error.detail}`, options);
  }
  return new Fault(meaning.code, `${operation} of ${what} ${meaning.says} (${reason})`, {
    ...options,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}

function meaningOf({ code, status, detail, retryAfterMs }: B2Error): Meaning | undefined {
  // B2 has no code of its own for it.
  if (code === 'bad_request' && /\bsha-?1\b|checksum/i.test(detail)) return changedOnTheWay;
  const found = Object.hasOwn(byCode, code) ? byCode[code] : Object.hasOwn(byStatus, status) ? byStatus[status] : undefined;
  const meaning = found ?? (status >= 500 ? ownFault : undefined);
  return meaning?.code === 'unavailable' && status >= 500 && retryAfterMs !== undefined ? slower : meaning;
}

/** At the door itself (b2_authorize_account) `unauthorized` means the key, elsewhere what the key may do. */
export function signInFault(error: unknown, operation: string, what: string): Fault {
  const atDoor = error instanceof B2Error && error.status === 401 && error.code === 'unauthorized';
  return toFault(atDoor ? new B2Error(401, 'bad_auth_token', error.detail) : error, operation, what);
}

/** A reply with 200 that lacks what B2 always gives. */
export function notB2(operation: string, what: string): Fault {
  return new Fault(
    'unavailable',
    `${operation} of ${what} was answered by something that is not Backblaze B2: sign in to this network in a browser, or check the endpoint`,
    { operation, context: { key: what } },
  );
}

/** `work`, its errors as faults; whatever it ended with after the signal is fault cancelled. */
export async function mapped<T>(operation: string, what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) throw cancelledFault(operation);
    throw toFault(error, operation, what, { key: what });
  }
}
