import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface HttpReceiver {
  readonly address: string;
  readonly got: Received[];
  /** What the next requests are answered with; 200 once it is empty. */
  readonly statuses: number[];
  /** Settles once `count` requests have come. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Takes what is posted to it. */
export async function startReceiver(): Promise<HttpReceiver> {
  const got: Received[] = [];
  const statuses: number[] = [];
  const waiting: { count: number; settle: () => void }[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      got.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(pieces).toString('utf8') });
      response.writeHead(statuses.shift() ?? 200).end();
      for (const { count, settle } of waiting) if (got.length >= count) settle();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ got, statuses },
    arrived: (count) => new Promise((settle) => (got.length >= count ? settle() : waiting.push({ count, settle }))),
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

export interface MailReceiver {
  readonly port: number;
  readonly mails: {
    readonly from: string;
    readonly to: readonly string[];
    readonly text: string;
    readonly user: string;
    readonly encrypted: boolean;
  }[];
  close(): Promise<void>;
}

/**
 * A real SMTP server that takes `user` with `password`; without TLS, with a certificate that nobody has signed, or with one that is given: `secure` for
 * TLS from the first byte on.
 */
export async function startMailServer(
  account: { readonly user: string; readonly password: string },
  tls: boolean | { readonly key: Buffer; readonly cert: Buffer; readonly secure: boolean },
): Promise<MailReceiver> {
  const mails: MailReceiver['mails'] = [];
  const server = new SMTPServer({
    ...(tls === false ? { disabledCommands: ['STARTTLS'], allowInsecureAuth: true } : tls === true ? {} : tls),
    authOptional: true,
    onAuth({ username, password }, _session, done) {
      if (username === account.user && password === account.password) done(null, { user: username });
      else done(new Error('no such account'));
    },
    onData(stream, { envelope, user, secure }, done) {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        mails.push({
          from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          text: Buffer.concat(pieces).toString('utf8'),
          user: typeof user === 'string' ? user : '',
          encrypted: secure,
        });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    close: () => new Promise((done) => server.close(done)),
  };
}
