import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { streamSSE } from 'hono/streaming';
import { answer } from '../../contract/answer.ts';
import type { CallHandlers } from '../../contract/calls.ts';
import { door } from '../../contract/door.ts';
import { doorPaths, halfHeader, signInPath } from '../../contract/door-paths.ts';
import type { ServiceEvent } from '../../contract/events.ts';
import { Fault } from '../../contract/faults.ts';
import { guard, refused } from './http-guard.ts';
import { pageFile } from './page-files.ts';
import type { Access } from './token.ts';

export interface HttpOptions {
  readonly handlers: CallHandlers;
  readonly access: Access;
  readonly subscribe: (listener: (event: ServiceEvent) => void) => () => void;
  /** 0: any that is free. */
  readonly port: number;
  /** How long a browser may listen before it must ask anew, which is what keeps its session going and ends it. */
  readonly listenMs?: number;
  /** A browser has signed in by this link, which is good no more. */
  readonly onLinkUsed?: (link: string) => void;
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

const largestBody = 2 ** 20;
/** A listener that lags behind by so many events is gone, or as good as that. */
const mostWaiting = 2_000;
const keepAliveMs = 20_000;
const dayMs = 86_400_000;

/** The contract over HTTP, on loopback only: `POST /api/call/<name>`, `GET /api/events`, the door's two (main/contract/door.ts), and the page. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { handlers, access, subscribe, port: wanted, listenMs = dayMs, onLinkUsed } = options;
  let port = wanted;
  const end = new AbortController();
  const app = new Hono();
  app.use(guard({ port: () => port }));
  app.use(bodyLimit({ maxSize: largestBody, onError: (context) => context.json(refused('the request is too large'), 413) }));

  const linkOf = (code: string): string => `http://127.0.0.1:${port}${signInPath}?code=${code}`;
  // By port: several services of one computer share its name, and so all its cookies.
  const cookieName = (): string => `holdfast_session_${port}`;

  // The one call that needs no sign-in is signing in. A link opens the page, which makes it: no browser uses a link up by looking what is behind it.
  app.post(doorPaths.signIn, async (context) => {
    const request = door.signIn.request.safeParse(await context.req.json().catch(() => null));
    if (!request.success || !access.redeem(request.data.code)) {
      return context.json(refused('this link was used already, or is too old: run “holdfast open-page” for a new one'), 403);
    }
    onLinkUsed?.(linkOf(request.data.code));
    const { cookie, half } = access.sessions.begin(cookieName());
    context.header('set-cookie', cookie);
    return context.json({ ok: true, value: door.signIn.reply.parse({ half }) });
  });

  app.use('/api/*', async (context, next) => {
    const { req } = context;
    if (!access.bearer(req.header('authorization'))) {
      const session = access.sessions.look(cookieName(), req.header('cookie'), req.header(halfHeader));
      if (session === null) return context.json(refused('sign in first: run “holdfast open-page”'), 401);
      if (session.renewed !== null) context.header('set-cookie', session.renewed);
    }
    await next();
    return undefined;
  });

  app.post('/api/call/:name', async (context) => {
    let request: unknown;
    try {
      request = await context.req.json();
    } catch {
      return context.json(refused('the body is no JSON'), 400);
    }
    // Whoever hangs up does not want it any more.
    const signal = AbortSignal.any([end.signal, context.req.raw.signal]);
    const reply = await answer(handlers, context.req.param('name'), request, signal);
    return context.json(reply, reply.ok ? 200 : statusOf(reply.fault.code));
  });

  // Only for who has the token: a page that is signed in needs no further link.
  app.post(doorPaths.link, (context) => {
    if (!access.bearer(context.req.header('authorization'))) return context.json(refused('this takes the token'), 403);
    return context.json({ ok: true, value: door.link.reply.parse({ link: linkOf(access.newCode()) }) });
  });

  app.get('/api/events', (context) =>
    streamSSE(context, async (stream) => {
      const waiting: ServiceEvent[] = [];
      let wake: () => void = () => undefined;
      const leave = subscribe((event) => {
        // A reader that has stopped reading holds up the loop below in its write: here is where it must end.
        if (waiting.length < mostWaiting) waiting.push(event);
        wake();
      });
      const timer = setInterval(() => wake(), Math.min(keepAliveMs, listenMs));
      const last = access.bearer(context.req.header('authorization')) ? Infinity : performance.now() + listenMs;
      const stop = (): void => wake();
      stream.onAbort(stop);
      end.signal.addEventListener('abort', stop, { once: true });
      try {
        await stream.write(': here\n\n');
        while (!stream.aborted && !end.signal.aborted && waiting.length < mostWaiting && performance.now() < last) {
          if (waiting.length === 0) {
            await new Promise<void>((go) => (wake = go));
            if (waiting.length === 0) await stream.write(': still here\n\n');
          }
          for (const { event, data } of waiting.splice(0)) await stream.writeSSE({ event, data: JSON.stringify(data) });
        }
      } finally {
        leave();
        clearInterval(timer);
        end.signal.removeEventListener('abort', stop);
      }
    }),
  );

  // Its files are the same for everybody, and hold nothing of what the service knows.
  app.get('*', async (context) => {
    const { path } = context.req;
    const file = await pageFile(path === signInPath ? '/' : path);
    if (file === null) return context.text('There is nothing here.\n', 404);
    return context.body(file.content, 200, { 'content-type': file.type });
  });
  app.notFound((context) => context.json(refused('there is nothing here'), 404));
  app.onError((_, context) => context.json(refused('the request could not be answered'), 500));

  const server = createAdaptorServer({ fetch: app.fetch, serverOptions: { maxHeaderSize: 16_384 } });
  if ('maxConnections' in server) server.maxConnections = 200;
  if ('headersTimeout' in server) Object.assign(server, { headersTimeout: 10_000, requestTimeout: 60_000 });
  await new Promise<void>((settle, reject) => {
    server.once('error', (error: Error) => reject(portFault(error, wanted)));
    server.listen(wanted, '127.0.0.1', settle);
  });
  const address = server.address();
  if (typeof address === 'object' && address !== null) port = address.port;
  return {
    port,
    close: async () => {
      end.abort();
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function statusOf(code: string): 400 | 404 | 409 | 500 {
  if (code === 'not-found') return 404;
  if (code === 'config-invalid') return 400;
  return code === 'unexpected' ? 500 : 409;
}

function portFault(error: Error, port: number): Fault {
  return new Fault('locked', `the port ${port} of this computer is in use`, {
    operation: 'listen',
    context: { port, next: 'Set another one as service.port in the settings, or leave it out.' },
    cause: error,
  });
}
