import { Fault, type FaultCode, type FaultContext } from '../../../contract/faults.ts';
import { uploadEnded } from '../../../engine/storage/upload-ended.ts';
import { accountStep } from '../../network/account-step.ts';
import { foreignFault, slim } from '../../network/errors.ts';
import { setupPage } from './settings.ts';

/** What Dropbox answered instead of doing it. */
export class DropboxError extends Error {
  override readonly name = 'DropboxError';
  readonly status: number;
  /** The tags of the error, outermost first, joined by `/`: `path/not_found`. Empty where the answer was no JSON. */
  readonly summary: string;
  /** The `error` of the answer. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, summary: string, fields: Readonly<Record<string, unknown>>, retryAfterMs?: number) {
    super(summary === '' ? `status ${status}` : `status ${status}, ${summary}`);
    this.status = status;
    this.summary = summary;
    this.fields = fields;
    this.retryAfterMs = retryAfterMs;
  }
}

interface Meaning {
  readonly code: FaultCode;
  /** Follows the name of what was handled. */
  readonly says: string;
  readonly next?: string;
}

const permissions = `Give the app the permissions that ${setupPage} names, then sign in again: permissions count from the next sign-in on.`;

const missing: Meaning = { code: 'not-found', says: 'does not exist' };
const slower: Meaning = { code: 'rate-limited', says: 'was put off: too many requests' };
const signedOut: Meaning = { code: 'sign-in-needed', says: 'was refused: the app is no longer connected to the account' };
const denied: Meaning = { code: 'permission-denied', says: 'was refused: the app has no right to it', next: permissions };
const ownFault: Meaning = { code: 'unavailable', says: 'failed by a fault of the server' };
const full: Meaning = { code: 'quota-exceeded', says: 'found no space left in the account' };
/** `denied`, of a removal: all else goes on. */
const mayNotDelete: Meaning = {
  ...denied,
  says: 'was refused: the app may not delete there',
  next: `Backups and restores work without that right, prune does not. ${denied.next ?? ''}`,
};
const badName: Meaning = { code: 'config-invalid', says: 'was refused: Dropbox does not take this name' };
const changedOnTheWay: Meaning = { code: 'unavailable', says: 'arrived with other bytes than were sent' };

/** By the end of the summary, the first that fits. Dropbox: "Error types" of each route (files namespace of its Stone specification). */
const bySummary: readonly (readonly [RegExp, Meaning])[] = [
  [/(^|\/)too_many_write_operations$/, { code: 'rate-limited', says: 'was put off: something else is being written in this account' }],
  [/(^|\/)too_many_requests$/, slower],
  [/(^|\/)(not_found|not_file|not_folder)$/, missing],
  [/(^|\/)conflict(\/|$)/, { code: 'already-exists', says: 'exists already' }],
  [/(^|\/)insufficient_space$|^insufficient_quota$/, full],
  [/(^|\/)(malformed_path|disallowed_name)$/, badName],
  [/(^|\/)content_hash_mismatch$/, changedOnTheWay],
  [/(^|\/)restricted_content$/, { code: 'permission-denied', says: 'was refused: Dropbox blocks this file' }],
  [/(^|\/)(no_write_permission|team_folder|operation_suppressed|locked)$/, denied],
  [/(^|\/)payload_too_large$|^too_large$/, { code: 'unsupported', says: 'is larger than Dropbox takes' }],
  // A cursor that is no longer good: the listing begins anew.
  [/^reset$/, { code: 'unavailable', says: 'has to be listed anew' }],
  [/^(internal_error|other)$/, ownFault],
  [/^missing_scope$/, denied],
  [/^(invalid_access_token|expired_access_token)$/, signedOut],
  [/^(user_suspended|invalid_select_user|invalid_select_admin|route_access_denied)$/, denied],
];

const byStatus: Readonly<Record<number, Meaning>> = {
  401: signedOut,
  403: denied,
  404: { code: 'unavailable', says: 'was answered by something that is not Dropbox' },
  408: { code: 'timeout', says: 'got no answer in time' },
  416: { code: 'range-invalid', says: 'has no such bytes' },
  429: slower,
  507: full,
};

/** The one mapping of this backend's foreign errors. `what` is the object or folder that was handled. */
export function toFault(error: unknown, operation: string, what: string, context: FaultContext = {}): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof DropboxError) return refused(error, operation, what, context);
  return foreignFault(error, operation, what, context);
}

function refused(error: DropboxError, operation: string, what: string, context: FaultContext): Fault {
  const { status, summary, fields, retryAfterMs } = error;
  const meant = meaningOf(error);
  const meaning = meant === denied && operation === 'remove' ? mayNotDelete : meant;
  const reason = summary === '' ? `status ${status}` : summary;
  const next = meaning === undefined ? undefined : accountStep(meaning, setupPage);
  const options = {
    operation,
    context: { ...context, status, reason, ...(next === undefined ? {} : { next }) },
    cause: slim(error),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  if (isOfSession(summary, operation)) return uploadEnded(operation, what, options);
  if (meaning === undefined) return new Fault('unexpected', `${operation} of ${what} failed: ${reason}`, options);
  const scope = fields['required_scope'];
  const which = typeof scope === 'string' ? `: it lacks ${scope.slice(0, 60)}` : '';
  return new Fault(meaning.code, `${operation} of ${what} ${meaning.says}${which} (${reason})`, options);
}

/** A session that Dropbox no longer knows, or that has become a file ("committed"); appending to it, it says so without naming the look-up. */
function isOfSession(summary: string, operation: string): boolean {
  return /(^|\/)lookup_failed\/(not_found|closed)$/.test(summary) || (operation === 'writePart' && summary === 'not_found');
}

function meaningOf({ status, summary, retryAfterMs }: DropboxError): Meaning | undefined {
  const found = bySummary.find(([pattern]) => pattern.test(summary))?.[1];
  // A summary of 5xx, where there is one, is of whatever stands in front of Dropbox.
  if (status >= 500 && status !== 507) return retryAfterMs === undefined ? ownFault : slower;
  return found ?? byStatus[status];
}

/** A reply with 200 that lacks what Dropbox always gives: most often a network's sign-in page. */
export function notDropbox(operation: string, what: string): Fault {
  return new Fault(
    'unavailable',
    `${operation} of ${what} was answered by something that is not Dropbox: sign in to this network in a browser`,
    {
      operation,
      context: { key: what },
    },
  );
}
