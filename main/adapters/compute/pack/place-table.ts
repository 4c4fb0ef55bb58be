/** 64 bits of a hash. */
export type Key = readonly [low: number, high: number];

const firstSlots = 2 ** 12;
/** 64 MB, and 3.1 million keys. */
const mostSlots = 2 ** 22;

/** Numbers by key, with open addressing. It holds so many at most: what finds no room is only not found. */
export class PlaceTable {
  readonly #mostSlots: number;
  #keys = new Uint32Array(2 * firstSlots);
  /** One more than the place; 0: free. */
  #places = new Float64Array(firstSlots);
  #used = 0;

  constructor(slots = mostSlots) {
    this.#mostSlots = slots;
  }

  /** Of memory. */
  get bytes(): number {
    return this.#keys.byteLength + this.#places.byteLength;
  }

  get(key: Key): number | null {
    const place = this.#places[this.#slotOf(key)] ?? 0;
    return place === 0 ? null : place - 1;
  }

  /** In the place of what the key had. */
  set(key: Key, place: number): void {
    if (this.#used >= this.#places.length * 0.75) this.#grow();
    const slot = this.#slotOf(key);
    if (this.#places[slot] === 0) {
      if (this.#used >= this.#places.length * 0.75) return;
      this.#used += 1;
    }
    this.#keys.set(key, 2 * slot);
    this.#places[slot] = place + 1;
  }

  #slotOf([low, high]: Key): number {
    const mask = this.#places.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      if (this.#places[slot] === 0 || (this.#keys[2 * slot] === low && this.#keys[2 * slot + 1] === high)) return slot;
    }
  }

  #grow(): void {
    if (this.#places.length >= this.#mostSlots) return;
    const [keys, places] = [this.#keys, this.#places];
    this.#keys = new Uint32Array(2 * keys.length);
    this.#places = new Float64Array(2 * places.length);
    for (const [slot, place] of places.entries()) {
      if (place === 0) continue;
      const key: Key = [keys[2 * slot] ?? 0, keys[2 * slot + 1] ?? 0];
      const to = this.#slotOf(key);
      this.#keys.set(key, 2 * to);
      this.#places[to] = place;
    }
  }
}
