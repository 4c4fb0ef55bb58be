import { Fault, type FaultCode, type FaultContext, type Persistence } from '../../../contract/faults.ts';
import { cancelledFault } from '../../../engine/storage/cancel.ts';
import { errnoOf, networkMeaning, retryAfterMs, slim } from '../../network/errors.ts';

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
  const network = networkMeaning(seen.errno);
  if (seen.name === 'TimeoutError' && network !== undefined) return network;
  const named = Object.hasOwn(byName, seen.name) ? byName[seen.name] : undefined;
  if (named !== undefined) return named.code === 'unavailable' && seen.retryAfterMs !== undefined ? slower : named;
  if (network !== undefined) return network;
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
  const metadata = record(record(error)['$metadata']);
  // The SDK hides the response from enumeration.
  const response = record(error instanceof Error && '$response' in error ? error.$response : undefined);
  const headers = record(response['headers']);
  const status = number(metadata['httpStatusCode']) ?? number(response['statusCode']);
  return {
    name: error instanceof Error ? error.name : 'Error',
    message: error instanceof Error ? error.message : String(error),
    status,
    errno: errnoOf(error),
    retryAfterMs: retryAfterMs(headers['retry-after'], headers['date']),
  };
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
