export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Frame {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  readonly width: number;
  readonly height: number;
  readonly top: number;
  /** The lowest value of the scale; left out: a little below the least. */
  readonly floor?: number;
}

/** Values in time as points of a picture, y downwards. */
export function scaled(values: readonly { readonly at: number; readonly value: number }[], frame: Frame): readonly Point[] {
  const all = values.map(({ value }) => value);
  const most = Math.max(...all);
  const least = frame.floor ?? Math.min(...all);
  const range = most - least || 1;
  const time = Math.max(1, frame.until - frame.from);
  return values.map(({ at, value }) => ({
    x: round(((at - frame.from) / time) * frame.width),
    y: round(frame.top + (1 - (value - least) / range) * frame.height),
  }));
}

export function line(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join(' ');
}

export function area(points: readonly Point[], bottom: number): string {
  const first = points[0];
  const last = points.at(-1);
  return first === undefined || last === undefined ? '' : `${line(points)} L${last.x} ${bottom} L${first.x} ${bottom}Z`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
