import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get, type Agent, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, get as getOverTls, type Server as TlsServer } from 'node:https';
import { afterEach, expect, test } from 'vitest';
import { thriftyAgents } from '../../main/adapters/network/agents.ts';
import { bodyOf } from '../../main/adapters/network/large-body.ts';
import { patterned } from '../conformance/suite-support.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { makeCertificate } from '../support/local-certificate.ts';

const large = patterned(17 * 1024 * 1024 + 333);
const whole = hashOf([large]);
const servers: (Server | TlsServer)[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await closed(server);
});

function hashOf(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

async function serving(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<number> {
  const server = createServer((request, response) => answer(response, request));
  servers.push(server);
  return await listening(server);
}

async function ask(port: number, agent: Agent = thriftyAgents().httpAgent): Promise<IncomingMessage> {
  const [message] = (await once(get({ host: '127.0.0.1', port, agent }), 'response')) as [IncomingMessage];
  return message;
}

async function askOverTls(): Promise<IncomingMessage> {
  const certificate = makeCertificate();
  const server = createTlsServer(certificate, (_, response) => sendLarge(response));
  servers.push(server);
  const { httpsAgent: agent } = thriftyAgents();
  const request = getOverTls({ host: 'localhost', family: 4, port: await listening(server), agent, ca: certificate.cert });
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  return message;
}

const sendLarge = (response: ServerResponse): void => void response.writeHead(200, told).end(large);
const told = { 'content-length': String(large.byteLength) };

test.each(['http', 'https'])('a large body comes whole in large pieces, each valid until the next is asked for: %s', async (scheme) => {
  const message = scheme === 'http' ? await ask(await serving(sendLarge)) : await askOverTls();
  const hash = createHash('sha256');
  const sizes: number[] = [];
  for await (const piece of bodyOf(message)) {
    // The other buffer is being filled meanwhile.
    await new Promise(setImmediate);
    hash.update(piece);
    sizes.push(piece.byteLength);
  }
  expect(hash.digest('hex')).toBe(whole);
  expect(sizes.slice(0, -1).filter((size) => size < 100_000)).toEqual([]);
  expect(Math.max(...sizes)).toBe(512 * 1024);
});

test.each([
  ['a small body', { 'content-length': '100000' }, large.subarray(0, 100_000)],
  ['a large body without its length', {}, large],
])('%s comes as it comes, and its connection is used again', async (_, headers, body) => {
  let connections = 0;
  const port = await serving((response) => response.writeHead(200, headers).end(body));
  servers[0]?.on('connection', () => connections++);
  const { httpAgent } = thriftyAgents();
  for (let round = 0; round < 3; round++) {
    const pieces: Uint8Array[] = [];
    // Kept, as a message may keep them: no read may write into the memory of another.
    for await (const piece of bodyOf(await ask(port, httpAgent))) pieces.push(piece);
    expect(hashOf(pieces)).toBe(hashOf([body]));
  }
  expect(connections).toBe(1);
});

test('a socket of another agent gives its body all the same', async () => {
  const port = await serving(sendLarge);
  const pieces: Uint8Array[] = [];
  const [message] = (await once(get({ host: '127.0.0.1', port }), 'response')) as [IncomingMessage];
  for await (const piece of bodyOf(message)) pieces.push(piece);
  expect(hashOf(pieces)).toBe(whole);
});

test('what came before the line broke is given, then the error', async () => {
  const sent = 3 * 1024 * 1024 + 7;
  const port = await serving((response) => {
    response.writeHead(200, told);
    response.write(large.subarray(0, sent), () => response.socket?.end());
  });
  const hash = createHash('sha256');
  let came = 0;
  const reading = (async () => {
    for await (const piece of bodyOf(await ask(port))) {
      hash.update(piece);
      came += piece.byteLength;
    }
  })();
  await expect(reading).rejects.toThrow(/abort|closed/);
  expect(came).toBe(sent);
  expect(hash.digest('hex')).toBe(hashOf([large.subarray(0, sent)]));
});

test('a request that is called off ends the body with an error, also while it waits', async () => {
  const port = await serving((response) => void response.writeHead(200, told).write(large.subarray(0, 600_000)));
  const request = get({ host: '127.0.0.1', port, agent: thriftyAgents().httpAgent });
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  let came = 0;
  const reading = (async () => {
    for await (const piece of bodyOf(message)) {
      came += piece.byteLength;
      setImmediate(() => request.destroy());
    }
  })();
  await expect(reading).rejects.toThrow(/abort|closed/);
  expect(came).toBeGreaterThanOrEqual(512 * 1024);
});

test('a line that trickles is passed on before a piece is full', async () => {
  const port = await serving((response) => {
    response.writeHead(200, told);
    const trickle = (): void =>
      void response.write(large.subarray(0, 1000), () => (response.destroyed ? undefined : setTimeout(trickle, 20)));
    trickle();
  });
  for await (const piece of bodyOf(await ask(port))) {
    expect(piece.byteLength).toBeLessThan(512 * 1024);
    break;
  }
});

test('whoever gives up frees the connection; whoever is slow stops the sender', async () => {
  let sent = 0;
  let gone = Promise.resolve();
  const port = await serving((response) => {
    gone = once(response, 'close').then(() => undefined);
    const piece = Buffer.alloc(1024 * 1024);
    response.writeHead(200, { 'content-length': String(2 ** 40) });
    const more = (): void => void response.write(piece, (error) => (error ? undefined : ((sent += piece.byteLength), more())));
    more();
  });
  const settled = async (): Promise<number> => {
    // Until a tenth of a second has passed in which nothing more was taken.
    for (let last = -1; last !== sent; await new Promise((done) => setTimeout(done, 100))) last = sent;
    return sent;
  };
  for await (const piece of bodyOf(await ask(port))) {
    expect(piece.byteLength).toBeGreaterThan(0);
    expect(await settled()).toBeLessThan(40 * 1024 * 1024);
    break;
  }
  await gone;
});
