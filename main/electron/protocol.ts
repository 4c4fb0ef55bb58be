import type { PageFile } from '../compose/service/page-files.ts';
import type { ProtocolPort, Scheme } from './ports.ts';

export const pageOrigin = 'app://holdfast';

/** Like https for the page: an origin of its own, relative addresses, storage. It passes by no CSP and reaches no other origin. */
export const scheme: Scheme = {
  scheme: 'app',
  privileges: { standard: true, secure: true, supportFetchAPI: true, bypassCSP: false, corsEnabled: false, allowServiceWorkers: false },
};

/** Serves the built page, and nothing else. `pageFile` takes a path as it stands in the address and knows only names that the build makes. */
export function servePage(
  protocol: ProtocolPort,
  pageFile: (path: string) => Promise<PageFile | null>,
  headers: Readonly<Record<string, string>>,
): void {
  protocol.handle(scheme.scheme, async ({ url, method }) => {
    const { host, pathname } = new URL(url);
    const file = method === 'GET' && host === 'holdfast' ? await pageFile(pathname) : null;
    if (file === null)
      return new Response('There is nothing here.\n', { status: 404, headers: { ...headers, 'content-type': 'text/plain' } });
    return new Response(file.content, { headers: { ...headers, 'content-type': file.type } });
  });
}
