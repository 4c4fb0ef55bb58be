import { Fault, type FaultCode, type FaultContext } from '../../../contract/faults.ts';
import { type Saying } from '../../../contract/sayings.ts';
import { accountStep } from '../../network/account-step.ts';
import { foreignFault, retryAfterMs, slim } from '../../network/errors.ts';
import { setupPage } from './settings.ts';

/** What Google answered instead of doing it. */
export class DriveError extends Error {
  override readonly name = 'DriveError';
  readonly status: number;
  /** `errors[0].reason`: what decides. Empty where the answer was no JSON. */
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, retryAfter?: number) {
    super(reason === '' ? `status ${status}` : `status ${status}, ${reason}`);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfter;
  }
}

interface Meaning {
  readonly code: FaultCode;
  /** Follows the name of what was handled. */
  readonly says: string;
  readonly next?: string;
  readonly say?: Saying;
}

const missing: Meaning = { code: 'not-found', says: 'does not exist' };
const slower: Meaning = { code: 'rate-limited', says: 'was put off: too many requests' };
/** `slower`, of an upload: the day's limit shows itself in this way, too. */
const uploadsSlowed: Meaning = {
  ...slower,
  say: 'drive-uploads-slowed',
  next: `Try again later. If it lasts, the 750 GB a day that Google takes from one account may be used up: then try again tomorrow; what is finished is kept. See ${setupPage}.`,
};
const ownFault: Meaning = { code: 'unavailable', says: 'failed by a fault of the server' };
const signedOut: Meaning = { code: 'sign-in-needed', says: 'was refused: the app is no longer connected to the account' };
const denied: Meaning = {
  code: 'permission-denied',
  says: 'was refused: the app has no right to it',
  next: `Sign in again and allow what is asked for; ${setupPage} says what that is.`,
};
/** `denied`, of a removal: all else goes on. */
const mayNotDelete: Meaning = {
  ...denied,
  says: 'was refused: the app may not delete there',
  next: `Backups and restores work without that right, prune does not. ${denied.next ?? ''}`,
};
const full: Meaning = {
  code: 'quota-exceeded',
  says: 'found no space left in the account',
  next: 'Free space at Google (mail and photos count too; so does the trash), keep fewer snapshots, or get more storage.',
};
const daily: Meaning = {
  code: 'quota-exceeded',
  says: "was refused: a day's limit of Google's is reached (750 GB of uploads for an account, or the project's own)",
  say: 'drive-day-limit',
  next: 'Try again tomorrow; what is finished is kept.',
};
const downloadsLimited: Meaning = {
  code: 'quota-exceeded',
  says: 'was refused: Google limits downloads of this file for a day',
  say: 'drive-downloads-limited',
  next: 'Try again tomorrow; the file is kept as it is.',
};
const flagged: Meaning = {
  code: 'permission-denied',
  says: 'was refused: Google has marked this file as harmful',
  say: 'drive-file-flagged',
  next: 'Ask Google for a review of the file at drive.google.com; other snapshots may still be restored.',
};

/** Google: "Resolve errors" of the Drive API, and the common errors of its APIs. */
const byReason: Readonly<Record<string, Meaning>> = {
  notFound: missing,
  fileNotDownloadable: { code: 'unsupported', says: 'is no file with content' },
  authError: signedOut,
  required: signedOut,
  unauthorized: signedOut,
  rateLimitExceeded: slower,
  userRateLimitExceeded: slower,
  sharingRateLimitExceeded: slower,
  dailyLimitExceeded: daily,
  dailyLimitExceededUnreg: daily,
  quotaExceeded: daily,
  uploadLimitExceeded: daily,
  downloadQuotaExceeded: downloadsLimited,
  cannotDownloadAbusiveFile: flagged,
  storageQuotaExceeded: full,
  teamDriveFileLimitExceeded: full,
  numChildrenInNonRootLimitExceeded: full,
  insufficientPermissions: denied,
  insufficientFilePermissions: denied,
  insufficientParentPermissions: denied,
  appNotAuthorizedToFile: denied,
  forbidden: denied,
  domainPolicy: { code: 'permission-denied', says: 'was refused: the administrator of this account does not allow it' },
  accessNotConfigured: {
    code: 'config-invalid',
    says: 'was refused: the Drive API is not switched on in your Google project',
    say: 'drive-off',
    next: `Switch it on: ${setupPage} shows where.`,
  },
  fileIdInUse: { code: 'already-exists', says: 'exists already' },
  fileNotInAppAuthorizedScope: denied,
  requestedRangeNotSatisfiable: { code: 'range-invalid', says: 'has no such bytes' },
  backendError: ownFault,
  internalError: ownFault,
  transientError: ownFault,
  conditionNotMet: { code: 'unavailable', says: 'is being changed by another request' },
};

const byStatus: Readonly<Record<number, Meaning>> = {
  401: signedOut,
  403: denied,
  404: missing,
  408: { code: 'timeout', says: 'got no answer in time' },
  410: missing,
  412: { code: 'unavailable', says: 'is being changed by another request' },
  416: { code: 'range-invalid', says: 'has no such bytes' },
  429: slower,
};

/** The one mapping of this backend's foreign errors, those of the SDK included. `what` is the object or folder that was handled. */
export function toFault(error: unknown, operation: string, what: string, context: FaultContext = {}): Fault {
  if (error instanceof Fault) return error;
  const seen = error instanceof DriveError ? error : fromSdk(error);
  if (seen !== null) return refused(seen, operation, what, context);
  return foreignFault(error, operation, what, context);
}

/** What the SDK threw for an answer; null for anything else. Of it nothing is kept but status and reason: it carries the token. */
export function fromSdk(error: unknown): DriveError | null {
  if (!(error instanceof Error) || !('response' in error)) return null;
  const response = error.response as { readonly status?: unknown; readonly data?: unknown; readonly headers?: unknown } | undefined;
  if (typeof response?.status !== 'number') return null;
  const { status, data, headers } = response;
  return new DriveError(status, reasonIn(data), retryAfterMs(headerOf(headers, 'retry-after'), headerOf(headers, 'date')));
}

/** The SDK brings a fetch of its own, whose Headers are not Node's. */
function headerOf(headers: unknown, name: string): unknown {
  const get = member(headers, 'get');
  return typeof get === 'function' ? (Reflect.apply(get, headers, [name]) as unknown) : undefined;
}

/** `errors[0].reason` of Google's answer to a call that failed. */
export function reasonIn(value: unknown): string {
  const data = typeof value === 'string' ? parsed(value) : value;
  const error = member(data, 'error');
  const errors = member(error, 'errors');
  const reason: unknown = Array.isArray(errors) ? member(errors[0], 'reason') : undefined;
  return typeof reason === 'string' ? reason : '';
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused(error: DriveError, operation: string, what: string, context: FaultContext): Fault {
  const meant = meaningOf(error);
  const meaning = ofOperation(meant, operation, error.reason);
  const reason = error.reason === '' ? `status ${error.status}` : error.reason;
  const next = meaning === undefined ? undefined : accountStep(meaning, setupPage);
  const options = {
    operation,
    context: {
      ...{ ...context, status: error.status, reason },
      ...(meaning?.say === undefined ? {} : { say: meaning.say }),
      ...(next === undefined ? {} : { next }),
    },
    cause: slim(error),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  };
  if (meaning === undefined) return new Fault('unexpected', `${operation} of ${what} failed: ${reason}`, options);
  return new Fault(meaning.code, `${operation} of ${what} ${meaning.says} (${reason})`, options);
}

/** What some operations know better than the reason says. */
function ofOperation(meaning: Meaning | undefined, operation: string, reason: string): Meaning | undefined {
  if (meaning === denied && operation === 'remove') return mayNotDelete;
  return reason === 'userRateLimitExceeded' && (operation === 'writePart' || operation === 'complete') ? uploadsSlowed : meaning;
}

function meaningOf({ status, reason, retryAfterMs: wait }: DriveError): Meaning | undefined {
  const named = Object.hasOwn(byReason, reason) ? byReason[reason] : undefined;
  const meaning = named ?? (status >= 500 ? ownFault : byStatus[status]);
  return meaning?.code === 'unavailable' && wait !== undefined ? slower : meaning;
}

/** A reply with 200 that lacks what Google always gives: most often a network's sign-in page. */
export function notDrive(operation: string, what: string): Fault {
  return new Fault(
    'unavailable',
    `${operation} of ${what} was answered by something that is not Google: sign in to this network in a browser`,
    {
      operation,
      context: { key: what },
    },
  );
}
