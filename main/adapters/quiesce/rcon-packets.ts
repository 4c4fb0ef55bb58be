import type { Socket } from 'node:net';
import { Fault } from '../../contract/faults.ts';

/** Valve's "Source RCON Protocol": little-endian length of what follows, id, type, text, two zero bytes. */
export const packetTypes = { command: 2, signedIn: 2, signIn: 3, nothing: 100 } as const;

export interface Packet {
  /** That of the request; −1 where a password was refused. */
  readonly id: number;
  readonly type: number;
  readonly body: Buffer;
}

/** Far above what any server sends in one packet. */
const longest = 64 * 1024;

export function encodePacket(id: number, type: number, body: string): Buffer {
  const text = Buffer.from(body, 'utf8');
  const packet = Buffer.alloc(14 + text.byteLength);
  packet.writeInt32LE(10 + text.byteLength, 0);
  packet.writeInt32LE(id, 4);
  packet.writeInt32LE(type, 8);
  text.copy(packet, 12);
  return packet;
}

/** What comes, packet by packet, however TCP cuts it. Ends with the connection; rejects with what it broke with. */
export async function* packetsOf(socket: Socket, where: string): AsyncGenerator<Packet, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of socket as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, piece]);
    while (rest.byteLength >= 4) {
      const length = rest.readInt32LE(0);
      if (length < 10 || length > longest) {
        throw new Fault('unexpected', `what answers at ${where} speaks no RCON`, {
          operation: 'rcon',
          context: { where, next: 'Compare rcon.port in server.properties with the port that is set here.' },
        });
      }
      if (rest.byteLength < 4 + length) break;
      yield { id: rest.readInt32LE(4), type: rest.readInt32LE(8), body: rest.subarray(12, 4 + length - 2) };
      rest = rest.subarray(4 + length);
    }
  }
}
