import type { Language } from '../../contract/app-words.ts';
import { kitWords } from './kit-words.ts';
import { markup, type Markup } from './markup.ts';
import { qrCode } from './qr-code.ts';
import type { RecoveryKit } from './recovery-kit.ts';

const style = `
  :root { color-scheme: light; }
  body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #111; background: #fff; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
  code, pre { font: .85rem/1.4 ui-monospace, monospace; } pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  .vault { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; } .vault pre { flex: 1 1 18rem; margin: 0; }
  svg { width: 9rem; height: 9rem; flex: none; } svg.large { width: 16rem; height: 16rem; }
  .keys { border: 2px solid #111; padding: .5rem 1rem; } .keys pre { font-size: 1rem; }
  @page { margin: 18mm 15mm; }
  @media print {
    body { max-width: none; margin: 0; padding: 0; font-size: 10.5pt; }
    h2 { break-after: avoid; } .keys, .vault, li { break-inside: avoid; } .opener { break-before: page; } .opener pre { font-size: 7.5pt; }
  }
`;

/**
 * The kit as one page to print: no script and nothing from elsewhere, so that it opens the same in twenty years and on a computer without a line.
 * The QR code saves typing the vault in from paper.
 */
export function kitPage({ madeOn, host, settings, vault, recoveryKeys, opener, tree }: RecoveryKit, language: Language = 'en'): string {
  const words = kitWords[language];
  const code = qrCode(vault);
  const steps = (all: readonly (readonly string[])[]): Markup =>
    markup`<ol>
      ${all.map(([step, ...more]) => markup`<li>${step ?? ''}${more.map((line) => markup`<br />${line}`)}</li>`)}
    </ol>`;
  const page = markup`<!DOCTYPE html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="viewport" content="width=device-width" />
        <meta name="robots" content="noindex" />
        <title>${words.title}, ${madeOn}</title>
        <style>
          ${{ trusted: style }}
        </style>
      </head>
      <body>
        <h1>${words.title}</h1>
        <p>${words.made(madeOn, host)}</p>
        <section class="destination">
          <h2>${words.place}</h2>
          <dl>
            ${Object.entries(settings).map(
              ([name, value]) =>
                markup`<dt>${name}</dt>
                  <dd>${value}</dd>`,
            )}
          </dl>
        </section>
        <section>
          <h2>${words.withHeading}</h2>
          ${steps(words.withHoldfast.map((step) => [step]))}
        </section>
        <section>
          <h2>${words.withoutHeading}</h2>
          ${steps(words.withoutHoldfast)}
        </section>
        <section>
          <h2>${words.vault}</h2>
          <div class="vault">
            <pre id="vault">${vault.replace(/.{72}(?!$)/g, '$&\n')}</pre>
            ${code ?? markup`<p>${words.tooLong}</p>`}
          </div>
        </section>
        ${
          recoveryKeys.length === 0
            ? markup`<p>${words.noKey}</p>`
            : markup`<section class="keys">
              <h2>${words.key}</h2>
              <pre id="recovery-keys">${recoveryKeys.join('\n')}</pre>
            </section>`
        }
        <section class="opener">
          <h2>tree.py</h2>
          <pre id="tree">${tree}</pre>
        </section>
        <section class="opener">
          <h2>open.py</h2>
          <pre id="opener">${opener}</pre>
        </section>
      </body>
    </html> `;
  return page.trusted;
}
