import type { FaultCode, Persistence } from '../../../contract/faults.ts';
import { type Saying } from '../../../contract/sayings.ts';

/** What an S3 error means. */
export interface Meaning {
  readonly code: FaultCode;
  readonly persistence?: Persistence;
  /** Follows the name of what was handled. */
  readonly says: string;
  /** The step to take, where the code's own text says less. */
  readonly next?: string;
  /** In a face's own language, where the code alone says too little. */
  readonly say?: Saying;
}

export const setupPage = 'docs/setup/s3.md';

const missing: Meaning = { code: 'not-found', says: 'does not exist' };
const keysRefused: Meaning = {
  code: 'unauthenticated',
  says: 'was refused: the access key or its secret is not right',
  next: `Check both keys, and that they were made for this endpoint; ${setupPage} says where to make new ones.`,
};
const keysExpired: Meaning = {
  code: 'unauthenticated',
  says: 'was refused: the temporary keys have expired',
  next: `Get new temporary keys, or make lasting ones for the backup alone, as ${setupPage} says.`,
};
export const denied: Meaning = {
  code: 'permission-denied',
  says: 'was refused: these keys have no right to it',
  next: `Give the keys the rights that ${setupPage} lists.`,
};
const bucketStep = `Write the bucket's name as the provider shows it, or make the bucket: ${setupPage} says how.`;
export const regionStep = `Name the region and the endpoint as the bucket's page at the provider shows them; ${setupPage} says how for each.`;
const otherRegion: Meaning = {
  code: 'config-invalid',
  says: 'was refused: the bucket lies in another region or at another endpoint',
  say: 'bucket-elsewhere',
  next: regionStep,
};
export const slower: Meaning = { code: 'rate-limited', says: 'was put off: too many requests' };
export const ownFault: Meaning = { code: 'unavailable', says: 'failed by a fault of the server' };
// Bytes that changed on the way: the same part is sent again.
const changedOnTheWay: Meaning = { code: 'unavailable', says: 'arrived with other bytes than were sent' };
const full: Meaning = {
  code: 'quota-exceeded',
  says: 'found no space left in the account',
  next: `Raise the limit of the bucket or account, keep fewer snapshots (“holdfast prune”), or end older versions, as ${setupPage} says.`,
};
export const noSums: Meaning = {
  code: 'config-invalid',
  says: 'was refused: the server knows no CRC-32 headers',
  say: 'checksums-refused',
  next: 'Set “checksums=false” for this backup place; the signature covers the bytes all the same.',
};
const notDone: Meaning = { code: 'unsupported', says: 'asks for something that this server cannot do' };
const noAnswer: Meaning = { code: 'timeout', says: 'got no answer in time' };

/** S3's error codes (AWS: "Error responses", list of error codes), those of other servers where they differ, and the SDK's own. */
export const byName: Readonly<Record<string, Meaning>> = {
  NoSuchKey: missing,
  NotFound: missing,
  NoSuchVersion: missing,
  // Not `not-found`: that would look like a destination in which nothing has been stored yet.
  NoSuchBucket: { code: 'config-invalid', says: 'failed: the bucket does not exist', say: 'bucket-missing', next: bucketStep },
  InvalidBucketName: {
    code: 'config-invalid',
    says: 'failed: this cannot be the name of a bucket',
    say: 'bucket-name-wrong',
    next: bucketStep,
  },
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

export const byStatus: Readonly<Record<number, Meaning>> = {
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

/** What a key lacks, by what it was used for. */
export function deniedTo(operation: string): Meaning {
  const lacking = (says: string, right: string): Meaning => ({
    code: 'permission-denied',
    says: `was refused: these keys may not ${says}`,
    next: `Give the keys the right ${right}; ${setupPage} has the whole list.`,
  });
  switch (operation) {
    case 'beginUpload':
    case 'writePart':
    case 'complete':
      return lacking('write there, or may only read', 's3:PutObject below the prefix');
    case 'remove':
      return {
        ...lacking('delete', ''),
        next: `Backups work without it, “holdfast prune” does not: give the keys the right s3:DeleteObject, or prune with other keys; see ${setupPage}.`,
      };
    case 'abort':
      return lacking('clear away unfinished uploads', 's3:AbortMultipartUpload');
    case 'list':
      return lacking('list the bucket', 's3:ListBucket on the bucket itself');
    case 'openUploads':
      return lacking('list unfinished uploads', 's3:ListBucketMultipartUploads on the bucket itself');
    default:
      return denied;
  }
}
