import { Fault, type FaultCode, type FaultContext } from '../../contract/faults.ts';
import { type Saying } from '../../contract/sayings.ts';
import { cancelledFault } from '../../engine/storage/cancel.ts';

/** What a foreign error means: `says` follows the name of what was handled. */
export interface NetworkMeaning {
  readonly code: FaultCode;
  readonly says: string;
  readonly say?: Saying;
}

const noServer: NetworkMeaning = { code: 'unavailable', says: 'could not reach the server' };
const broken: NetworkMeaning = { code: 'unavailable', says: 'lost its connection' };
const noAnswer: NetworkMeaning = { code: 'timeout', says: 'got no answer in time' };

/** Errors of network and HTTP by `code`: Node's own, and those of its fetch (undici: "Errors"). */
const byErrno: Readonly<Record<string, NetworkMeaning>> = {
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
  UND_ERR_SOCKET: broken,
  UND_ERR_CLOSED: broken,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: broken,
  ETIMEDOUT: noAnswer,
  ESOCKETTIMEDOUT: noAnswer,
  UND_ERR_CONNECT_TIMEOUT: noAnswer,
  UND_ERR_HEADERS_TIMEOUT: noAnswer,
  UND_ERR_BODY_TIMEOUT: noAnswer,
  EMFILE: { code: 'unavailable', says: 'failed: too many open files' },
};

/**
 * OpenSSL's names of what one flipped bit, or a peer that fell over, does to a connection that may be good. To try again is safe: the next connection
 * checks the certificate anew.
 */
const brokenTls =
  /^ERR_SSL_.*(BAD_RECORD_MAC|DECRYPTION_FAILED|DECRYPT_ERROR|DECODE_ERROR|INTERNAL_ERROR|UNEXPECTED_EOF|UNEXPECTED_MESSAGE|RECORD_OVERFLOW|RECORD_LAYER_FAILURE|BAD_RECORD_TYPE|LENGTH_TOO_LONG|CLOSE_NOTIFY|USER_CANCELLED|PROTOCOL_IS_SHUTDOWN)/;

/** OpenSSL's and Node's names of certificates that do not hold, and of peers that speak no TLS. Never tried again without the check: somebody may sit in between. */
const tls = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

/** The meaning of an error's code as `errnoOf` finds it; undefined for one that is none of the network's. */
export function networkMeaning(errno: string | undefined): NetworkMeaning | undefined {
  if (errno === undefined) return undefined;
  if (Object.hasOwn(byErrno, errno)) return byErrno[errno];
  if (brokenTls.test(errno)) return broken;
  if (tls.test(errno)) {
    return {
      code: 'config-invalid',
      says: "was stopped: the server's certificate does not hold, or it speaks no TLS",
      say: 'certificate-wrong',
    };
  }
  if (errno.startsWith('HPE_')) return { code: 'unavailable', says: 'was answered by something that speaks no proper HTTP' };
  return undefined;
}

/**
 * The `code` of an error or, where it has none, of what caused it: fetch wraps what happened, and several addresses of one host that all
 * failed come as one error. TLS that fails while something is written is EPROTO whatever the reason; OpenSSL's own name of it, which stands in the
 * message, is given instead.
 */
export function errnoOf(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code === 'EPROTO' ? protocolReason(at.message) : at.code;
    at = at instanceof AggregateError && at.errors.length > 0 ? at.errors[0] : at.cause;
  }
  return undefined;
}

/** From `write EPROTO …:error:0A00010B:SSL routines:FUNCTION:wrong version number:FILE:LINE:` the name that Node makes of such a reason elsewhere. */
function protocolReason(message: string): string {
  const [, reason] = /:SSL routines:[^:]*:([^:]+):/.exec(message) ?? [];
  return reason === undefined ? 'EPROTO' : `ERR_SSL_${reason.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}`;
}

/** RFC 9110 §10.2.3, in milliseconds: seconds, or a date, which is taken against the server's own clock (its Date header). */
export function retryAfterMs(text: unknown, date?: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  if (/^\d{1,7}$/.test(text)) return Number(text) * 1000;
  const wait = Date.parse(text) - Date.parse(String(date));
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

/** At most so much of a text of others, up to the end of a word: half a secret would be hidden by nobody. */
export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most).replace(/\S*$/, '').trimEnd()}…`;
}

/** Name, message and stack only, cut short: foreign errors carry requests with keys and tokens in them. */
export function slim(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const copy = new Error(shortened(error.message, 300));
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = error.stack.slice(0, 4000);
  return copy;
}

/** What no provider said: a call that was stopped, what the line did, or something that nobody foresaw. */
export function foreignFault(error: unknown, operation: string, what: string, context: FaultContext): Fault {
  if (error instanceof Error && error.name === 'AbortError') return cancelledFault(operation);
  const errno = errnoOf(error);
  const options = { operation, context: errno === undefined ? context : { ...context, reason: errno }, cause: slim(error) };
  const meaning = networkMeaning(errno);
  if (meaning !== undefined) return new Fault(meaning.code, `${operation} of ${what} ${meaning.says} (${errno ?? ''})`, options);
  const says = error instanceof Error ? `${error.name}: ${shortened(error.message, 200)}` : 'something that is no error';
  return new Fault('unexpected', `${operation} of ${what} failed: ${says}`, options);
}
