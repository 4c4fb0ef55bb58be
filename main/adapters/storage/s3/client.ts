import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import { Fault } from '../../../contract/faults.ts';
import { thriftyAgents } from '../../network/agents.ts';
import type { S3Credentials, S3Place } from './settings.ts';

/** The SDK takes a third of a second to load, so it is loaded when something is first asked of the destination. */
export type Connect = () => Promise<S3>;

export function connector(place: S3Place, credentials: S3Credentials): Connect {
  let client: Promise<S3> | undefined;
  return () => (client ??= connect(place, credentials));
}

async function connect(place: S3Place, credentials: S3Credentials): Promise<S3> {
  const { S3 } = await import('@aws-sdk/client-s3');
  const checksums = place.sendChecksums ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const config: S3ClientConfig = {
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
    // Else AWS_ENDPOINT_URL or a profile's endpoint_url would send what is meant for AWS to another server, perhaps over plain http.
    ignoreConfiguredEndpointUrls: true,
    ...(place.region === undefined ? {} : { region: place.region }),
    ...(credentials === 'chain' ? {} : { credentials: keysOf(credentials) }),
    forcePathStyle: place.pathStyle,
    // There is one retry loop, the engine's.
    maxAttempts: 1,
    requestChecksumCalculation: checksums,
    // All that is read has been sealed and hashed by us; the SDK would hash it a second time.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it the SDK opens a connection for each part.
    expectContinueHeader: false,
    requestHandler: thriftyAgents(),
    // Neither this computer's system nor its Node is anybody's business.
    defaultUserAgentProvider: () => Promise.resolve([['holdfast']]),
  };
  const client = new S3(config);
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      refusePage(result.response);
      refuseSkewed(args.request, result.response);
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'refusePage' },
  );
  return client;
}

function keysOf(keys: Exclude<S3Credentials, 'chain'>): NonNullable<S3ClientConfig['credentials']> {
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/**
 * A network's sign-in page answers everything with 200 and HTML. A parser that finds no S3 in it would take it for an empty listing,
 * and a removal for done.
 */
function refusePage(response: unknown): void {
  if (typeof response !== 'object' || response === null || !('headers' in response) || !('statusCode' in response)) return;
  const headers = response.headers as Readonly<Record<string, string | undefined>>;
  const isPage = response.statusCode === 200 && /^text\/html\b/i.test(headers['content-type'] ?? '') && headers['content-length'] !== '0';
  // Some servers give S3's own replies this type; then an ETag or the number of the request, by one of its two names, is there.
  if (isPage && ['etag', 'x-amz-request-id', 'x-amzn-requestid'].every((name) => headers[name] === undefined)) {
    throw new Fault('unavailable', 'a web page came instead of an answer: sign in to this network in a browser, or check the endpoint');
  }
}

/** Servers refuse what was signed a quarter of an hour before or after their own time. */
const leastSkewMs = 14 * 60_000;

/**
 * A reply to HEAD has no body that could say it, so that a wrong clock would look like a right that is missing. From `$response` the SDK
 * then corrects its clock.
 */
function refuseSkewed(request: unknown, response: unknown): void {
  const [asked, replied] = [request, response] as readonly Partial<HttpMessage>[];
  if (asked?.method !== 'HEAD' || replied?.statusCode !== 403) return;
  const iso = asked.headers?.['x-amz-date']?.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5') ?? '';
  // What has no date to compare is no skew.
  if (!(Math.abs(Date.parse(replied.headers?.['date'] ?? '') - Date.parse(iso)) > leastSkewMs)) return;
  throw Object.assign(new Error('the clock is wrong'), { name: 'RequestTimeTooSkewed', $response: response });
}

interface HttpMessage {
  readonly method: string;
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** The SDK's name for a signal. */
export function stopBy(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
