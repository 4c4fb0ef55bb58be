/**
 * The page of the service, until the window of the app takes its place: how each server is, and a backup by hand. Everything is put in as text,
 * never as markup: names come from elsewhere.
 */
const states = {
  new: 'Not backed up yet',
  ok: 'Safe',
  running: 'Working …',
  late: 'Waiting for its turn',
  overdue: 'Overdue',
  failed: 'Failed',
  paused: 'Paused',
  'sign-in-needed': 'Sign-in needed',
};

/** @type {Map<string, object>} */
const servers = new Map();
/** What the running job of a server has done so far. */
const progress = new Map();
const list = document.getElementById('servers');
const problem = document.getElementById('problem');
const secrets = document.getElementById('secrets');

async function call(name, request) {
  const response = await fetch(`/api/call/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const reply = await response.json();
  if (reply.ok) return reply.value;
  throw new Error(reply.fault.message);
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function time(at) {
  return at === null ? 'never' : new Date(at).toLocaleString();
}

function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

function checked({ lastSuccess, unchangedSince }) {
  const since = lastSuccess !== null && unchangedSince !== null && unchangedSince < lastSuccess;
  return since ? `${time(lastSuccess)}, unchanged since ${time(unchangedSince)}` : time(lastSuccess);
}

function card(status) {
  const { settings, state, why, next, nextRun, lastProven, bytes } = status;
  const article = element('article', '', { 'data-state': state });
  const header = element('header', '');
  const button = element('button', 'Back up now', { type: 'button' });
  button.disabled = state === 'running' || state === 'late';
  button.addEventListener('click', () => start(settings.slug));
  header.append(element('h2', settings.name), element('span', states[state] ?? state, { class: 'state' }), button);
  article.append(header);
  if (why !== '') article.append(element('p', next === '' ? why : `${why} ${next}`, { class: 'why' }));
  const facts = [
    ['Folder', settings.folder],
    ['Goes to', settings.destinations.join(', ')],
    ['Last checked', checked(status)],
    ['Next backup', nextRun === null ? 'when you start it' : time(nextRun)],
    ['Last proven restorable', time(lastProven)],
    ['Size', size(bytes)],
  ];
  const done = progress.get(settings.slug);
  if (state === 'running' && done !== undefined) facts.unshift(['Now', `${done.phase}: ${done.files} files, ${size(done.bytes)}`]);
  const rows = element('dl', '');
  for (const [name, value] of facts) rows.append(element('dt', name), element('dd', value));
  article.append(rows);
  return article;
}

function show() {
  const cards = [...servers.values()].map(card);
  list.replaceChildren(
    ...(cards.length > 0 ? cards : [element('p', 'There is no server yet: holdfast server add NAME FOLDER --to PLACE')]),
  );
}

function tell(message) {
  problem.textContent = message;
  problem.hidden = message === '';
}

async function start(slug) {
  try {
    await call('backup.start', { slug });
    tell('');
  } catch (error) {
    tell(error.message);
  }
}

async function load() {
  const [all, info] = await Promise.all([call('servers.list', {}), call('service.info', {})]);
  servers.clear();
  for (const status of all) servers.set(status.settings.slug, status);
  const { says, strong, locked } = info.keychain;
  secrets.textContent = `Secrets are kept ${says}${strong ? '' : ' (weak)'}${locked ? ' (locked now)' : ''}.`;
  tell(info.settingsProblem);
  show();
}

function listen() {
  const events = new EventSource('/api/events');
  events.addEventListener('open', () => load().catch((error) => tell(error.message)));
  events.addEventListener('error', () => tell('The service does not answer; trying again.'));
  events.addEventListener('server', ({ data }) => {
    const status = JSON.parse(data);
    servers.set(status.settings.slug, status);
    show();
  });
  events.addEventListener('server-removed', ({ data }) => {
    servers.delete(JSON.parse(data).slug);
    show();
  });
  events.addEventListener('job', ({ data }) => {
    const job = JSON.parse(data);
    if (job.progress === null) progress.delete(job.server);
    else progress.set(job.server, job.progress);
    if (job.progress !== null) show();
  });
}

listen();
