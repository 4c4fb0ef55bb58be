/**
 * `node scripts/icons.ts`: renders the tray's images and the app's icon from resources/icons/*.svg, with Chromium. The pictures are kept in the
 * repository, so that building the app needs no browser. With a file name it also writes a sheet of all of them there, to be looked at.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { trayStates } from '../main/contract/standing.ts';
import { openBrowser } from '../tests/support/page/browser.ts';

const icons = join(import.meta.dirname, '..', 'resources', 'icons');
const tray = join(icons, 'tray');
/** What is drawn on a light bar, and on a dark one. */
const inks = { light: '#1f2328', dark: '#f2f4f6' } as const;

/** An SVG, `size` pixels square, on nothing. */
async function draw(page: Page, svg: string, size: number): Promise<Buffer> {
  await page.setViewportSize({ width: size, height: size });
  const sized = svg.replace(/^<svg ([^>]*?)width="[^"]*" height="[^"]*"/, `<svg $1 width="${String(size)}" height="${String(size)}"`);
  await page.setContent(`<style>body{margin:0}svg{display:block}</style>${sized}`);
  return await page.screenshot({ omitBackground: true });
}

const coloured = (svg: string, ink: string): string =>
  svg.replace('<svg ', `<svg fill="${ink}" `).replaceAll('stroke="#000"', `stroke="${ink}"`);

const browser = await openBrowser();
try {
  const page = await browser.newPage();
  mkdirSync(tray, { recursive: true });
  const made: { readonly name: string; readonly dark: boolean }[] = [];
  const write = async (name: string, svg: string, size: number, dark: boolean): Promise<void> => {
    writeFileSync(join(tray, name), await draw(page, svg, size));
    made.push({ name, dark });
  };
  for (const state of trayStates) {
    const svg = readFileSync(join(icons, `tray-${state}.svg`), 'utf8');
    for (const [bar, ink] of Object.entries(inks)) {
      for (const size of [16, 22]) {
        await write(`${state}-${bar}-${String(size)}.png`, coloured(svg, ink), size, bar === 'dark');
        await write(`${state}-${bar}-${String(size)}@2x.png`, coloured(svg, ink), 2 * size, bar === 'dark');
      }
    }
    // macOS takes only the opacity of a template.
    await write(`${state}Template.png`, svg, 22, false);
    await write(`${state}Template@2x.png`, svg, 44, false);
  }
  writeFileSync(join(icons, 'app.png'), await draw(page, readFileSync(join(icons, 'app.svg'), 'utf8'), 1024));
  process.stdout.write(`${String(made.length)} images of the tray, and the app's icon\n`);

  const sheet = process.argv[2];
  if (sheet !== undefined) {
    const cell = ({ name, dark }: (typeof made)[number]): string => {
      const data = readFileSync(join(tray, name)).toString('base64');
      return `<div style="background:${dark ? '#22262b' : '#eceef0'};color:${dark ? '#ccc' : '#333'}"><img src="data:image/png;base64,${data}"><br>${name}</div>`;
    };
    await page.setViewportSize({ width: 1500, height: 900 });
    await page.setContent(
      `<style>body{margin:8px;display:grid;grid-template-columns:repeat(10,1fr);gap:4px;font:10px sans-serif}div{padding:8px;overflow-wrap:anywhere}img{zoom:1.5;image-rendering:pixelated}</style>${made.map(cell).join('')}`,
    );
    await page.screenshot({ path: sheet, fullPage: true });
  }
} finally {
  await browser.close();
}
