import { Fault, type FaultCode, type FaultContext, type Persistence } from '../../../contract/faults.ts';
import { cancelledFault } from '../../../engine/storage/cancel.ts';

interface Meaning {
  readonly code: FaultCode;
  readonly persistence?: Persistence;
  /** Follows the name of what was handled. */
  readonly says: string;
}

const missing: Meaning = { code: 'not-found', says: 'does not exist' };
const keysRefused: Meaning = { code: 'unauthenticated', says: 'was refused: the access key or its secret is not right' };
const keysExpired: Meaning = { code: 'unauthenticated', says: 'was refused: the temporary keys have expired' };
const denied: Meaning = { code: 'permission-denied', says: 'was refused: these keys have no right to it' };
const otherRegion: Meaning = { code: 'config-invalid', says: 'was refused: the bucket lies in another region or at another endpoint' };
const slower: Meaning = { code: 'rate-limited', says: 'was put off: too many requests' };
const ownFault: Meaning = { code: 'unavailable', says: 'failed by a fault of the server' };
// Bytes that changed on the way: the same part is sent again.
const changedOnTheWay: Meaning = { code: 'unavailable', says: 'arrived with other bytes than were sent' };
const full: Meaning = { code: 'quota-exceeded', says: 'found no space left in the account' };
const notDone: Meaning = { code: 'unsupported', says: 'asks for something that this server cannot do' };
const noServer: Meaning = { code: 'unavailable', says: 'could not reach the server' };
const broken: Meaning = { code: 'unavailable', says: 'lost its connection' };
const noAnswer: Meaning = { code: 'timeout', says: 'got no answer in time' };

/** S3's error codes (AWS: "Error responses", list of error codes), those of other servers where they differ, and the SDK's own. */
const byName: Readonly<Record<string, Meaning>> = {
  NoSuchKey: missing,
  NotFound: missing,
  NoSuchVersion: missing,
  NoSuchUpload: { code: 'not-found', says: 'belongs to an upload that the server no longer knows' },
  // Not `not-found`: that would look like a destination in which nothing has been stored yet.
  NoSuchBucket: { code: 'config-invalid', says: 'failed: the bucket does not exist' },
  InvalidBucketName: { code: 'config-invalid', says: 'failed: this cannot be the name of a bucket' },
  InvalidRange: { code: 'range-invalid', says: 'has no such bytes' },
  PreconditionFailed: { code: 'already-exists', says: 'exists already' },
  ConditionalRequestConflict: { code: 'unavailable', says: 'is being written by another upload' },
  OperationAborted: { code: 'unavailable', says: 'is being changed by another request' },
  InvalidAccessKeyId: keysRefused,
  SignatureDoesNotMatch: keysRefused,
  AuthFailure: keysRefused,
  InvalidSecurity: keysRefused,
  InvalidToken: keysRefused,
  ExpiredToken: keysExpired,
  ExpiredTokenException: keysExpired,
  TokenRefreshRequired: keysExpired,
  CredentialsProviderError: {
    code: 'unauthenticated',
    says: 'needs access keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
  },
  AccessDenied: denied,
  AllAccessDisabled: denied,
  AccountProblem: denied,
  UnauthorizedAccess: denied,
  // The SDK then corrects its own clock by the server's, so that the next attempt may work.
  RequestTimeTooSkewed: {
    code: 'config-invalid',
    persistence: 'temporary',
    says: "was refused because this computer's clock is wrong: set it, best by switching on its time synchronisation",
  },
  SlowDown: slower,
  Throttling: slower,
  ThrottlingException: slower,
  RequestLimitExceeded: slower,
  TooManyRequests: slower,
  TooManyRequestsException: slower,
  BandwidthLimitExceeded: slower,
  ServiceUnavailable: ownFault,
  InternalError: ownFault,
  RequestTimeout: noAnswer,
  TimeoutError: noAnswer,
  BadDigest: changedOnTheWay,
  InvalidDigest: changedOnTheWay,
  IncompleteBody: changedOnTheWay,
  XAmzContentSHA256Mismatch: changedOnTheWay,
  XAmzContentChecksumMismatch: changedOnTheWay,
  QuotaExceeded: full,
  XMinioStorageFull: full,
  XMinioAdminBucketQuotaExceeded: full,
  PermanentRedirect: otherRegion,
  TemporaryRedirect: otherRegion,
  AuthorizationHeaderMalformed: otherRegion,
  IllegalLocationConstraintException: otherRegion,
  InvalidStorageClass: { code: 'config-invalid', says: 'was refused: the server does not know this storage class' },
  InvalidObjectState: { code: 'unsupported', says: 'lies in an archive storage class and must be restored at the provider first' },
  NotImplemented: notDone,
  MethodNotAllowed: notDone,
  EntityTooLarge: { code: 'unsupported', says: 'is larger than this server takes' },
};

/** Node's errors of network and HTTP (`code`). */
const byErrno: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: noServer,
  EHOSTUNREACH: noServer,
  ENETUNREACH: noServer,
  ENETDOWN: noServer,
  EHOSTDOWN: noServer,
  EADDRNOTAVAIL: noServer,
  ENOTFOUND: { code: 'unavailable', says: "could not find the server's name: no network, or the endpoint is misspelt" },
  EAI_AGAIN: { code: 'unavailable', says: "could not find the server's name just now" },
  ECONNRESET: broken,
  ECONNABORTED: broken,
  EPIPE: broken,
  ERR_STREAM_PREMATURE_CLOSE: broken,
  ETIMEDOUT: noAnswer,
  ESOCKETTIMEDOUT: noAnswer,
  EMFILE: { code: 'unavailable', says: 'failed: too many open files' },
};

const byStatus: Readonly<Record<number, Meaning>> = {
  301: otherRegion,
  302: otherRegion,
  307: otherRegion,
  308: otherRegion,
  401: keysRefused,
  403: denied,
  404: missing,
  405: notDone,
  408: noAnswer,
  409: { code: 'unavailable', says: 'is being changed by another request' },
  412: { code: 'already-exists', says: 'exists already' },
  416: { code: 'range-invalid', says: 'has no such bytes' },
  429: slower,
  501: notDone,
  507: full,
};

/** OpenSSL's and Node's names of certificates that do not hold. Never tried again without the check: somebody may sit in between. */
const tls = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

/** The one mapping of this backend's foreign errors. `what` is the object or bucket that was handled. */
export function toFault(error: unknown, operation: string, what: string, context: FaultContext = {}): Fault {
  if (error instanceof Fault) return error;
  const seen = look(error);
  if (seen.name === 'AbortError') return cancelledFault(operation);
  const known: FaultContext = {
    ...context,
    ...(seen.status === undefined ? {} : { status: seen.status }),
    ...(seen.name === 'Error' ? {} : { reason: seen.errno ?? seen.name }),
  };
  const options = { operation, context: known, cause: slim(error) };
  const meaning = meaningOf(seen);
  if (meaning === undefined) return new Fault('unexpected', `${operation} of ${what} failed: ${plain(seen)}`, options);
  return new Fault(meaning.code, `${operation} of ${what} ${meaning.says} (${seen.errno ?? shortName(seen)})`, {
    ...options,
    ...(meaning.persistence === undefined ? {} : { persistence: meaning.persistence }),
    ...(seen.retryAfterMs === undefined ? {} : { retryAfterMs: seen.retryAfterMs }),
  });
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

interface Seen {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly errno: string | undefined;
  readonly retryAfterMs: number | undefined;
}

function meaningOf(seen: Seen): Meaning | undefined {
  // The SDK calls a reset connection a TimeoutError.
  if (seen.name === 'TimeoutError' && seen.errno !== undefined && Object.hasOwn(byErrno, seen.errno)) return byErrno[seen.errno];
  const named = Object.hasOwn(byName, seen.name) ? byName[seen.name] : undefined;
  if (named !== undefined) return named.code === 'unavailable' && seen.retryAfterMs !== undefined ? slower : named;
  if (seen.errno !== undefined && Object.hasOwn(byErrno, seen.errno)) return byErrno[seen.errno];
  if (seen.errno !== undefined && tls.test(seen.errno)) {
    return { code: 'config-invalid', says: "was stopped: the server's certificate does not hold, or it speaks no TLS" };
  }
  if (seen.errno?.startsWith('HPE_') === true) return { code: 'unavailable', says: 'was answered by something that speaks no proper HTTP' };
  if (/^Region is missing|^Expected region/i.test(seen.message)) {
    return { code: 'config-invalid', says: 'needs a region: add region=… or set AWS_REGION' };
  }
  if (seen.status === undefined) return undefined;
  if (seen.retryAfterMs !== undefined && seen.status >= 500) return slower;
  if (Object.hasOwn(byStatus, seen.status)) return byStatus[seen.status];
  if (seen.status >= 500) return ownFault;
  // A page of HTML where XML should be: a sign-in page of the network, or a server that is no S3.
  if (seen.status < 300) return { code: 'unavailable', says: 'was answered by something that is no S3 server' };
  return undefined;
}

function look(error: unknown): Seen {
  const fields: Readonly<Record<string, unknown>> = typeof error === 'object' && error !== null ? { ...error } : {};
  const metadata = record(fields['$metadata']);
  // The SDK hides the response from enumeration.
  const response = record(error instanceof Error && '$response' in error ? error.$response : undefined);
  const status = number(metadata['httpStatusCode']) ?? number(response['statusCode']);
  const code = typeof fields['code'] === 'string' ? fields['code'] : undefined;
  return {
    name: error instanceof Error ? error.name : 'Error',
    message: error instanceof Error ? error.message : String(error),
    status,
    errno: code ?? errnoWithin(error),
    retryAfterMs: retryAfter(record(response['headers'])),
  };
}

/** Several addresses of one host that all failed come as one error without a code of its own. */
function errnoWithin(error: unknown): string | undefined {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error && 'code' in first && typeof first.code === 'string' ? first.code : undefined;
}

/** RFC 9110 §10.2.3: seconds, or a date, which is taken against the server's own clock. */
function retryAfter(headers: Readonly<Record<string, unknown>>): number | undefined {
  const text = headers['retry-after'];
  if (typeof text !== 'string') return undefined;
  if (/^\d{1,7}$/.test(text)) return Number(text) * 1000;
  const wait = Date.parse(text) - Date.parse(String(headers['date']));
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

/** Without the SDK's fields: a refused signature comes back with the request in it, session token and all. */
function slim(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const copy = new Error(error.message.slice(0, 300));
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = error.stack.slice(0, 4000);
  return copy;
}

function plain(seen: Seen): string {
  const status = seen.status === undefined ? '' : ` (status ${seen.status})`;
  return `${seen.name}: ${seen.message.slice(0, 200)}${status}`;
}

function shortName(seen: Seen): string {
  return /^(Error|Unknown|UnknownError|SyntaxError)$/.test(seen.name) ? `status ${seen.status ?? 'unknown'}` : seen.name;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
