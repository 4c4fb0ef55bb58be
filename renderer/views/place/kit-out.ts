/**
 * Prints a page from a frame of its own, so that no window must be opened. Its style sheet goes in as an object: the policy of this page, which the frame
 * has as well, would refuse it as markup.
 */
export function printPage(html: string, title: string): void {
  document.querySelector('iframe[data-print]')?.remove();
  const frame = document.createElement('iframe');
  frame.dataset['print'] = '';
  frame.title = title;
  frame.tabIndex = -1;
  frame.setAttribute('aria-hidden', 'true');
  frame.className = 'sr';
  document.body.append(frame);
  const { contentWindow: view, contentDocument: page } = frame;
  if (view === null || page === null) throw new Error('This browser gives the page no frame to print from.');
  const styles: string[] = [];
  const bare = html.replace(/<style[^>]*>([\s\S]*?)<\/style>/g, (_, style: string) => {
    styles.push(style);
    return '';
  });
  const given = new DOMParser().parseFromString(bare, 'text/html');
  const sheet = new (view as Window & typeof globalThis).CSSStyleSheet();
  sheet.replaceSync(styles.join('\n'));
  page.adoptedStyleSheets = [sheet];
  page.title = given.title;
  page.body.replaceChildren(...[...given.body.childNodes].map((node) => page.importNode(node, true)));
  view.print();
}
