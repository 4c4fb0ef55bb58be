import { Fault, type FaultContext } from '../../../contract/faults.ts';
import { cancelledFault } from '../../../engine/storage/cancel.ts';
import { uploadEnded } from '../../../engine/storage/upload-ended.ts';
import { accountStep } from '../../network/account-step.ts';
import { errnoOf, networkMeaning, retryAfterMs, shortened, slim } from '../../network/errors.ts';
import { byName, byStatus, denied, deniedTo, noSums, ownFault, regionStep, setupPage, slower, type Meaning } from './meanings.ts';

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
  if (seen.name === 'NoSuchUpload') return uploadEnded(operation, what, options);
  const found = meaningOf(seen);
  const meaning = found === denied ? deniedTo(operation) : found;
  if (meaning === undefined) return new Fault('unexpected', `${operation} of ${what} failed: ${plain(seen)}`, options);
  const next = accountStep(meaning, setupPage);
  return new Fault(meaning.code, `${operation} of ${what} ${meaning.says} (${seen.errno ?? shortName(seen)})`, {
    ...options,
    context: {
      ...known,
      ...(meaning.say === undefined ? {} : { say: meaning.say }),
      ...(next === undefined ? {} : { next }),
    },
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
    return { code: 'config-invalid', says: 'needs a region: add region=… or set AWS_REGION', next: regionStep };
  }
  if (/x-amz-(sdk-)?checksum/i.test(seen.message) && (seen.status === 400 || seen.status === 501)) return noSums;
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
  return `${seen.name}: ${shortened(seen.message, 200)}${status}`;
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
