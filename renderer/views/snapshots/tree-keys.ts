import type { Folder, Row, TreeRows } from './tree-rows.ts';

/** What the keyboard can do with a tree. */
export interface TreeHands {
  readonly row: () => Row | undefined;
  readonly rows: () => TreeRows;
  readonly active: () => number;
  /** Rows of a page. */
  readonly page: () => number;
  readonly move: (to: number) => void;
  readonly open: (row: Row) => void;
  readonly close: (folder: Folder) => void;
  readonly openSiblings: (row: Row) => void;
  readonly tick: (row: Row) => void;
}

/** Letters that follow each other so soon are one name. */
const togetherMs = 700;

/** The keys of the tree pattern of the ARIA Authoring Practices: arrows, Home, End, pages, `*`, Space, and names by their letters. */
export function treeKeys(hands: TreeHands): (event: KeyboardEvent) => void {
  let typed = '';
  let typedAt = 0;

  function type(letter: string, at: number): void {
    typed = at - typedAt > togetherMs ? letter : typed + letter;
    typedAt = at;
    // The same letter again goes on to the next name that begins with it.
    const same = typed === letter.repeat(typed.length / letter.length);
    const from = hands.active() + (same ? 1 : 0);
    const found = hands.rows().named(same ? letter : typed, from);
    if (found !== null) hands.move(found);
  }

  return (event) => {
    const row = hands.row();
    if (row === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = hands.active();
    const last = hands.rows().count - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last, PageDown: at + hands.page(), PageUp: at - hands.page() }[
      event.key
    ];
    const folder = row.entry.type === 'directory';
    if (to !== undefined) hands.move(to);
    else if (event.key === 'ArrowRight') {
      if (row.opened !== undefined) hands.move(row.opened.entries.length > 0 ? at + 1 : at);
      else if (folder) hands.open(row);
    } else if (event.key === 'ArrowLeft') {
      const { above, index } = row.folder;
      if (row.opened !== undefined) hands.close(row.opened);
      else if (above !== null) hands.move(hands.rows().numberOf(above, index));
    } else if (event.key === ' ') hands.tick(row);
    else if (event.key === 'Enter') {
      if (!folder) hands.tick(row);
      else if (row.opened === undefined) hands.open(row);
      else hands.close(row.opened);
    } else if (event.key === '*') hands.openSiblings(row);
    else if (event.key.length === 1) type(event.key.toLowerCase(), event.timeStamp);
    else return;
    event.preventDefault();
  };
}
