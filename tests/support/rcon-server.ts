import { createServer, type AddressInfo, type Socket } from 'node:net';

/** What befalls a command: it is never answered, the line is cut before or within the answer, or the answer waits until a promise settles. */
export type Mishap = 'hang' | 'cut' | 'cut-within' | Promise<void>;

export interface RconServer {
  readonly port: number;
  /** Commands that were carried out, in order, over all connections. */
  readonly done: string[];
  /** Whether the game saves by itself. */
  saving: boolean;
  mishap: (command: string) => Mishap | undefined;
  /** What is answered instead of the game's own reply. */
  reply: (command: string) => string | undefined;
  /** As Source does: an empty value before the answer to the password. */
  emptyValueFirst: boolean;
  /** Each byte comes by itself. */
  byteByByte: boolean;
  connections(): number;
  close(): Promise<void>;
}

const type = { value: 0, command: 2, signedIn: 2, signIn: 3 };

/**
 * The console of a Minecraft server (net.minecraft.server.rcon.thread.RconClient): what comes in one read is one packet, anything behind it is lost;
 * a packet of another kind is answered "Unknown request"; replies go out in pieces of 4096 bytes.
 */
export async function startRconServer(password: string, port = 0): Promise<RconServer> {
  const open = new Set<Socket>();
  const self: Omit<RconServer, 'port' | 'close' | 'connections'> = {
    done: [],
    saving: true,
    mishap: () => undefined,
    reply: () => undefined,
    emptyValueFirst: false,
    byteByByte: false,
  };

  function play(command: string): string {
    self.done.push(command);
    const other = self.reply(command);
    if (other !== undefined) return other;
    const [verb] = command.split(' ');
    if (verb === 'save-off' || verb === 'save-on') {
      const on = verb === 'save-on';
      const already = self.saving === on;
      self.saving = on;
      if (already) return `Saving is already turned ${on ? 'on' : 'off'}`;
      return `Automatic saving is now ${on ? 'enabled' : 'disabled'}`;
    }
    if (command === 'save-all flush') return 'Saving the game (this may take a moment!)Saved the game';
    if (verb === 'say') return '';
    return 'Unknown or incomplete command, see below for error';
  }

  function send(socket: Socket, id: number, kind: number, body: Buffer): void {
    const packet = Buffer.alloc(14 + body.byteLength);
    packet.writeInt32LE(10 + body.byteLength, 0);
    packet.writeInt32LE(id, 4);
    packet.writeInt32LE(kind, 8);
    body.copy(packet, 12);
    if (self.byteByByte) for (const byte of packet) socket.write(Uint8Array.of(byte));
    else socket.write(packet);
  }

  async function answer(socket: Socket, id: number, command: string): Promise<void> {
    const mishap = self.mishap(command);
    if (mishap === 'hang') return;
    if (mishap === 'cut') {
      socket.destroy();
      return;
    }
    const reply = Buffer.from(play(command));
    if (mishap === 'cut-within') {
      socket.end(Uint8Array.of(0x40, 0, 0, 0, 1, 0));
      return;
    }
    await mishap;
    for (let at = 0; at === 0 || at < reply.byteLength; at += 4096) send(socket, id, type.value, reply.subarray(at, at + 4096));
  }

  const server = createServer((socket) => {
    let signedIn = false;
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => socket.destroy());
    socket.on('data', (read) => {
      if (read.byteLength < 14 || read.byteLength > 1460) {
        socket.destroy();
        return;
      }
      const [length, id, kind] = [read.readInt32LE(0), read.readInt32LE(4), read.readInt32LE(8)];
      const body = read.toString('utf8', 12, 4 + length - 2);
      if (kind === type.signIn) {
        signedIn = body === password && body !== '';
        if (self.emptyValueFirst) send(socket, id, type.value, Buffer.alloc(0));
        send(socket, signedIn ? id : -1, type.signedIn, Buffer.alloc(0));
      } else if (!signedIn) send(socket, -1, type.signedIn, Buffer.alloc(0));
      else if (kind === type.command) void answer(socket, id, body);
      else send(socket, id, type.value, Buffer.from(`Unknown request ${kind.toString(16)}`));
    });
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen(port, '127.0.0.1', done));
  return Object.assign(self, {
    port: (server.address() as AddressInfo).port,
    connections: () => open.size,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  });
}
