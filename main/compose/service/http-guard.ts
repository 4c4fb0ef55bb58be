import type { HonoRequest, MiddlewareHandler } from 'hono';
import { signInPath } from '../../contract/door-paths.ts';
import { pageHeaders } from './page-files.ts';

export interface GuardOptions {
  readonly port: () => number;
}

/**
 * Turns away what a page of somebody else could make a browser send. The host must be ours by name: a name that was pointed at this computer
 * (DNS rebinding) is another host. An origin must be ours, and what browsers say of where a request comes from (Sec-Fetch-Site) must be here,
 * or, for a page that is opened, nowhere. Only the page itself may be opened from elsewhere, as a tab of its own: a file leads to it
 * (link-page.ts), and it is the same for everybody. No answer says that others may read it (no CORS), a preflight least of all.
 */
export function guard({ port }: GuardOptions): MiddlewareHandler {
  return async (context, next) => {
    for (const [name, value] of Object.entries(pageHeaders)) context.header(name, value);
    const { req } = context;
    const host = req.header('host');
    const hosts = [`127.0.0.1:${port()}`, `localhost:${port()}`];
    if (host === undefined || !hosts.includes(host)) return context.json(refused('this host is not served here'), 421);
    if (req.method !== 'GET' && req.method !== 'POST') return context.json(refused('only GET and POST are served here'), 405);
    const origin = req.header('origin');
    if (origin !== undefined && origin !== `http://${host}`) return context.json(refused('another site may not ask'), 403);
    const site = req.header('sec-fetch-site');
    const allowed = req.method === 'GET' ? ['same-origin', 'none'] : ['same-origin'];
    if (site !== undefined && !allowed.includes(site) && !isPageInTab(req)) return context.json(refused('another site may not ask'), 403);
    if (req.method === 'POST' && !isJson(req.header('content-type'))) return context.json(refused('only JSON is taken'), 415);
    await next();
    return undefined;
  };
}

/** A link that a person follows, or loads anew. The page asks for its session by a call of its own, which no other site can make. */
function isPageInTab(req: HonoRequest): boolean {
  const isTab = req.header('sec-fetch-mode') === 'navigate' && req.header('sec-fetch-dest') === 'document';
  return req.method === 'GET' && ['/', signInPath].includes(req.path) && isTab;
}

/** Exactly JSON: what a form can send without asking first (text/plain and two others) is none. */
function isJson(type: string | undefined): boolean {
  return /^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(type ?? '');
}

/** In the form of every other reply. */
export function refused(message: string): { readonly ok: false; readonly fault: object } {
  return {
    ok: false,
    fault: { code: 'permission-denied', persistence: 'permanent', operation: 'call', message, context: {} },
  };
}
