import type { View } from './views.ts';

const sizes = { tray: { width: 380, height: 640 }, wide: { width: 1100, height: 760 } } as const;

export interface Picture {
  /** Of its file. */
  readonly name: string;
  readonly viewport: { readonly width: number; readonly height: number };
  readonly scheme: 'light' | 'dark';
  readonly language: 'en' | 'de';
}

/** All that are made of a view: of each size, light and dark, in its languages. */
export function picturesOf(view: Pick<View, 'name' | 'languages'>): readonly Picture[] {
  return Object.entries(sizes).flatMap(([size, viewport]) =>
    (['light', 'dark'] as const).flatMap((scheme) =>
      (view.languages ?? ['en']).map((language) => ({
        name: `${view.name}-${size}-${scheme}${language === 'en' ? '' : `-${language}`}.png`,
        ...{ viewport, scheme, language },
      })),
    ),
  );
}
