import { createHash, hash, type Hash } from 'node:crypto';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { KnownPieces, readingPiece, type KnownContent } from './known-content.ts';
import { readUpTo } from './read-up-to.ts';
import type { Stretch } from './stretches.ts';

export interface OpenLargeFile {
  readonly handle: number;
  readonly size: number;
  /** Takes a piece of a file of this size. */
  readonly room: Buffer;
  /** What it is compared with, cut alike and one after the other; told by the hash of its first piece. Null: none for now. */
  readonly alike: (first: Buffer) => Iterator<KnownContent | null>;
}

/** A file that no frame holds, read once, piece by piece: before any of a piece is sent it is known whether all of it is stored already. */
export class LargeFile {
  readonly #handle: number;
  readonly #size: number;
  readonly #room: Buffer;
  readonly #pieces: KnownPieces | null;
  readonly #hashes: Buffer[] = [];
  /** Null where the one piece's hash is that of the file. */
  readonly #sum: Hash | null;
  /** Where the current piece begins, its bytes, and how many of them have been passed. */
  #start = 0;
  #piece: Buffer = Buffer.alloc(0);
  #passed = 0;
  #kept: readonly Stretch[] | null = null;

  constructor({ handle, size, room, alike }: OpenLargeFile) {
    this.#handle = handle;
    this.#size = size;
    this.#room = room.subarray(0, readingPiece(size));
    this.#sum = size <= this.#room.length ? null : createHash('sha256');
    this.#read();
    const [first] = this.#hashes;
    this.#pieces = first === undefined ? null : new KnownPieces(alike(first));
    this.#compare();
  }

  /** Whether there is anything that it is compared with. */
  get isCompared(): boolean {
    return this.#pieces?.isAny === true;
  }

  /** Where in the file what is next lies. */
  get offset(): number {
    return this.#start + this.#passed;
  }

  get isAtEnd(): boolean {
    return this.#passed === this.#piece.length;
  }

  /** Where the next piece is stored; null where it has to be sent. */
  get kept(): readonly Stretch[] | null {
    return this.#kept;
  }

  /** Passes over a piece that is kept. Its length. */
  keep(): number {
    const { length } = this.#piece;
    this.#pass(length);
    return length;
  }

  /** Puts what is to be sent into `room`: nothing at the end of the file or at `end`, and before a piece that is kept. How many bytes. */
  take(room: Buffer, end: number): number {
    const most = this.#kept === null ? Math.min(room.length, end - this.offset) : 0;
    const taken = this.#piece.copy(room, 0, this.#passed, Math.min(this.#piece.length, this.#passed + most));
    this.#pass(taken);
    return taken;
  }

  /** Of the pieces read so far, the current one included. */
  get hashes(): readonly Buffer[] {
    return this.#hashes;
  }

  /** Once the end is reached: what was read. `twin`: a file with the same content that this run has stored. */
  end(): { readonly size: number; readonly sha256: string; readonly hashes: Buffer; readonly twin: BytePath | null } {
    const [first = hash('sha256', '', 'buffer')] = this.#hashes;
    const [size, hashes] = [this.offset, Buffer.concat(this.#hashes)];
    return { size, sha256: this.#sum?.digest('hex') ?? first.toString('hex'), hashes, twin: this.#pieces?.pathOf(size, hashes) ?? null };
  }

  #pass(bytes: number): void {
    this.#passed += bytes;
    // A piece that ends early was the last one.
    if (bytes === 0 || this.#passed < this.#room.length) return;
    this.#read();
    this.#compare();
  }

  #read(): void {
    this.#start += this.#passed;
    this.#passed = 0;
    const want = Math.min(this.#room.length, this.#size - this.#start);
    this.#piece = this.#room.subarray(0, readUpTo(this.#handle, this.#room.subarray(0, want), this.#start));
    if (this.#piece.length === 0) return;
    this.#hashes.push(hash('sha256', this.#piece, 'buffer'));
    this.#sum?.update(this.#piece);
  }

  #compare(): void {
    const sum = this.#piece.length === 0 ? undefined : this.#hashes.at(-1);
    this.#kept = sum === undefined ? null : (this.#pieces?.find(this.#start, this.#piece.length, sum) ?? null);
  }
}
