/** Line icons on a 16 px grid; `fill` marks what is filled. Drawn for Holdfast. */
export interface Icon {
  readonly lines?: readonly string[];
  readonly circles?: readonly (readonly [x: number, y: number, r: number])[];
  readonly dots?: readonly (readonly [x: number, y: number, r: number])[];
}

const disc = [[8, 8, 6]] as const;

export const icons = {
  home: { lines: ['M2.5 7.2 8 2.5l5.5 4.7V13a.8.8 0 0 1-.8.8H3.3a.8.8 0 0 1-.8-.8z', 'M6.3 13.6V9.5h3.4v4.1'] },
  layers: { lines: ['m8 2 6 3-6 3-6-3z', 'm2 8 6 3 6-3', 'm2 11 6 3 6-3'] },
  activity: { lines: ['M1.8 8h2.7l2-4.8 3 9.6 2-4.8h2.7'] },
  sliders: {
    lines: ['M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6'],
    circles: [
      [10, 4.5, 1.9],
      [6, 11.5, 1.9],
    ],
  },
  plus: { lines: ['M8 3v10M3 8h10'] },
  minus: { lines: ['M4.5 8h7'] },
  tick: { lines: ['m3.5 8.4 3 3 6-6.6'] },
  cross: { lines: ['m4.3 4.3 7.4 7.4M11.7 4.3l-7.4 7.4'] },
  down: { lines: ['M3.5 6 8 10.5 12.5 6'] },
  right: { lines: ['m6 3.5 4.5 4.5L6 12.5'] },
  left: { lines: ['M10 3.5 5.5 8l4.5 4.5'] },
  up: { lines: ['M3.5 10.5 8 6l4.5 4.5'] },
  more: {
    dots: [
      [3.2, 8, 1.3],
      [8, 8, 1.3],
      [12.8, 8, 1.3],
    ],
  },
  search: { circles: [[7, 7, 4.5]], lines: ['m10.5 10.5 3.5 3.5'] },
  file: { lines: ['M4 1.8h5l3.2 3.2v9.2H4z', 'M9 1.8V5h3.2'] },
  folder: { lines: ['M1.8 4.2c0-.6.4-1 1-1h3.4l1.5 1.7h5.5c.6 0 1 .4 1 1v6c0 .6-.4 1-1 1H2.8c-.6 0-1-.4-1-1z'] },
  link: { lines: ['M6.8 9.2 9.2 6.8', 'M7.4 4.6 8.8 3.2a2.8 2.8 0 0 1 4 4l-1.4 1.4', 'M8.6 11.4 7.2 12.8a2.8 2.8 0 0 1-4-4l1.4-1.4'] },
  pin: { lines: ['M5.5 2.2h5M6.3 2.2v4.3L4.2 9.3h7.6L9.7 6.5V2.2M8 9.3v4.7'] },
  bin: { lines: ['M2.8 4.3h10.4M6 4.3V2.5h4v1.8M4.2 4.3l.6 9.2h6.4l.6-9.2'] },
  undo: { lines: ['M6 3 2.5 6.5 6 10', 'M2.8 6.5h6.4a4 4 0 0 1 0 8H7'] },
  again: { lines: ['M3 3.5v4h4', 'M3.3 7.5A5.2 5.2 0 1 1 4 11.6'] },
  lock: {
    lines: [
      'M4.7 7h6.6c.8 0 1.5.7 1.5 1.5v3.8c0 .8-.7 1.5-1.5 1.5H4.7c-.8 0-1.5-.7-1.5-1.5V8.500C3.2 7.700 3.900 7 4.700 7z',
      'M5.3 7V5a2.7 2.7 0 0 1 5.4 0v2',
    ],
  },
  cloud: { lines: ['M4.500 12.500a3 3 0 0 1-.3-6 4 4 0 0 1 7.700.8 2.600 2.600 0 0 1-.3 5.200z'] },
  shield: {
    lines: ['M8 1.8 13.3 4v4c0 3.200-2.200 5.300-5.300 6.300C4.900 13.300 2.700 11.200 2.700 8V4z', 'm5.700 8 1.700 1.700 3-3.300'],
  },
  screen: {
    lines: [
      'M3 2.800h10c.7 0 1.200.5 1.200 1.200v5.600c0 .7-.5 1.200-1.200 1.200H3c-.7 0-1.200-.5-1.200-1.200V4c0-.7.5-1.200 1.200-1.200z',
      'M5.500 13.600h5',
    ],
  },
  print: {
    lines: [
      'M4.500 6V2.200h7V6',
      'M4.500 11.500H3c-.7 0-1.200-.5-1.200-1.200V7.200C1.800 6.500 2.300 6 3 6h10c.7 0 1.200.5 1.200 1.200v3.100c0 .7-.5 1.200-1.200 1.200h-1.500',
      'M4.500 9.500h7v4.300h-7z',
    ],
  },
  out: { lines: ['M9 2.500h4.500V7', 'M13.500 2.500 7.500 8.500', 'M11.500 9.500v3c0 .6-.4 1-1 1h-7c-.6 0-1-.4-1-1v-7c0-.6.4-1 1-1h3'] },
  'state-ok': { circles: disc, lines: ['m5.4 8.2 1.9 1.9 3.4-3.9'] },
  'state-run': { circles: disc, lines: ['M8 11V5.2M5.5 7.5 8 5l2.5 2.5'] },
  'state-get': { circles: disc, lines: ['M8 5v5.800M5.500 8.500 8 11l2.500-2.500'] },
  'state-late': { circles: disc, lines: ['M8 4.6V8l2.3 1.500'] },
  'state-fail': { lines: ['M8 2.200 14.300 13.200H1.700z', 'M8 6.300v3.200', 'M8 11.400v.1'] },
  'state-rest': { circles: disc, lines: ['M6.500 5.800v4.400M9.500 5.800v4.400'] },
  'state-new': { circles: disc, lines: ['M5.300 8h5.400'] },
  'state-sign': { circles: [[5.2, 8, 3]], lines: ['M8.2 8h6v2.4M11.600 8v1.800'] },
} as const satisfies Readonly<Record<string, Icon>>;

export type IconName = keyof typeof icons;
