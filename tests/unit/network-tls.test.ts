import { createServer as createPlainServer, type Server } from 'node:http';
import { createServer } from 'node:https';
import { connect, createServer as createLine, type Server as Line, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { foreignFault } from '../../main/adapters/network/errors.ts';
import { s3Backend } from '../../main/adapters/storage/s3/s3-backend.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import type { Retry } from '../../main/engine/storage/layers/patience.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { patterned, put } from '../conformance/suite-support.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { localCertificate, type LocalCertificate } from '../support/local-certificate.ts';
import { seededRandom } from '../support/seeded-random.ts';

let certificate: LocalCertificate | undefined;
const servers: (Server | Line)[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  certificate?.forget();
  certificate = undefined;
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) await closed(server);
    else await new Promise((done) => server.close(done));
  }
});

const withCode = (code: string, message = code): Error => Object.assign(new Error(message), { code });
const written = (reason: string): Error =>
  withCode('EPROTO', `write EPROTO 80A0:error:0A000119:SSL routines:tls_get_more_records:${reason}:../deps/openssl/record.c:868:\n`);

describe('what breaks TLS', () => {
  test.each([
    withCode('ERR_SSL_TLS_ALERT_BAD_RECORD_MAC'),
    withCode('ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC'),
    withCode('ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC'),
    withCode('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC'),
    withCode('ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR'),
    withCode('ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'),
    withCode('ERR_SSL_UNEXPECTED_EOF_WHILE_READING'),
    withCode('ERR_SSL_UNEXPECTED_MESSAGE'),
    withCode('ERR_SSL_ENCRYPTED_LENGTH_TOO_LONG'),
    written('decryption failed or bad record mac'),
    written('sslv3 alert bad record mac'),
    written('unexpected eof while reading'),
  ])('on a line that flips a bit is weather: $code, $message', (error) => {
    expect(foreignFault(error, 'writePart', 'x', {})).toMatchObject({ code: 'unavailable', persistence: 'temporary' });
  });

  test.each([
    withCode('CERT_HAS_EXPIRED'),
    withCode('CERT_NOT_YET_VALID'),
    withCode('DEPTH_ZERO_SELF_SIGNED_CERT'),
    withCode('SELF_SIGNED_CERT_IN_CHAIN'),
    withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    withCode('UNABLE_TO_GET_ISSUER_CERT_LOCALLY'),
    withCode('ERR_TLS_CERT_ALTNAME_INVALID'),
    withCode('ERR_SSL_WRONG_VERSION_NUMBER'),
    withCode('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'),
    withCode('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'),
    withCode('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'),
    withCode('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED'),
    withCode('EPROTO'),
    written('wrong version number'),
    written('sslv3 alert handshake failure'),
  ])('for good is the settings’ fault: $code, $message', (error) => {
    expect(foreignFault(error, 'writePart', 'x', {})).toMatchObject({
      code: 'config-invalid',
      persistence: 'permanent',
      message: expect.stringContaining('certificate') as string,
    });
  });
});

const content = patterned(300_000);

/** Of one object, as S3 answers; what was put stands in `stored`. */
async function startTlsServer(stored: Buffer[]): Promise<number> {
  certificate = localCertificate();
  const server = createServer(certificate, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      if (request.method === 'PUT') stored.push(Buffer.concat(pieces));
      const size = request.method === 'HEAD' ? content.byteLength : 0;
      response.writeHead(200, { etag: '"tag"', 'last-modified': new Date().toUTCString(), 'content-length': String(size) }).end();
    });
  });
  servers.push(server);
  return await listening(server);
}

/** A line to `port` that turns one bit of what goes up, once, after `after` bytes of the first connection. */
async function startFlippingLine(port: number, after: number): Promise<{ readonly port: number; flips(): number }> {
  let flips = 0;
  let passed = 0;
  const line = createLine((socket) => {
    const onward = connect(port, '127.0.0.1');
    for (const end of [socket, onward]) {
      sockets.add(end);
      end.on('close', () => {
        socket.destroy();
        onward.destroy();
      });
      end.on('error', () => end.destroy());
    }
    socket.on('data', (bytes: Buffer) => {
      const at = after - passed;
      passed += bytes.byteLength;
      if (flips === 0 && at < bytes.byteLength) {
        flips++;
        bytes.writeUInt8(bytes.readUInt8(Math.max(0, at)) ^ 1, Math.max(0, at));
      }
      onward.write(bytes);
    });
    onward.on('data', (bytes: Buffer) => socket.write(bytes));
  });
  servers.push(line);
  await new Promise<void>((done) => line.listen(0, '127.0.0.1', done));
  const address = line.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, flips: () => flips };
}

function stacked(port: number, seen: Retry[]): Backend {
  const base = s3Backend({ bucket: 'b1', endpoint: `https://localhost:${port}` }, { accessKeyId: 'id', secretAccessKey: 'secret' });
  const retry = { baseMs: 2, capMs: 20, onRetry: (pause: Retry) => void seen.push(pause) };
  return standardStack(base, { clock: systemClock, random: seededRandom(1), retry }).backend;
}

test('an object of which the line turns one bit is sent again over a new connection', async () => {
  const stored: Buffer[] = [];
  const line = await startFlippingLine(await startTlsServer(stored), 290_000);
  const seen: Retry[] = [];
  expect((await put(stacked(line.port, seen), 'server/x', content)).size).toBe(content.byteLength);
  expect([line.flips(), seen.length]).toEqual([1, 1]);
  expect(stored.map((bytes) => bytes.equals(content))).toEqual([true]);
});

test('a server that speaks plain HTTP on the port is asked once, and told of', async () => {
  const plain = createPlainServer();
  servers.push(plain);
  const seen: Retry[] = [];
  const work = stacked(await listening(plain), seen).stat('server/x');
  await expect(work).rejects.toMatchObject({ code: 'config-invalid', context: { say: 'certificate-wrong' } });
  expect(seen).toEqual([]);
});
