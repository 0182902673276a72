// The page's side: asks the backend for a key, opens the agent's WebSocket with it, and shows what is said.
// What people say becomes text, and what agents say Markdown, which makes no markup of texts either.

import { Markdown } from './markdown.js';

const [state, ways, reconnect, talk, welcome, trouble, form, text, stop, send, shownSession] =
  ['state', 'ways', 'reconnect', 'talk', 'welcome', 'trouble', 'say', 'text', 'stop', 'send', 'session']
    .map(id => document.getElementById(id));

let socket; // the present one, from when it opens
let session; // the agent's memory: it stays when the connection does not
let answer; // the answer that is being told: its element, and its text
let following = true; // whether the end of the conversation is in view
let attempts = 0; // to tell the latest attempt to connect from older ones

async function connect() {
  const attempt = ++attempts;
  leave();
  show('opening', 'Connecting…');
  const way = ways.querySelector('input:checked').value;
  let key;
  try {
    key = await ask('socket', { way, session });
  } catch (error) {
    if (attempt === attempts) show('refused', 'Not connected', `The backend gave no key: ${error.message}`);
    return;
  }
  if (attempt !== attempts) return;
  const opening = new WebSocket(key.url, key.protocols);
  opening.onopen = () => {
    if (attempt !== attempts) return opening.close(1000);
    if (session) note('Connected again, in the same session');
    socket = opening;
    session = shownSession.textContent = key.session;
    show('open', 'Connected');
  };
  opening.onmessage = ({ data }) => attempt === attempts && hear(data);
  opening.onclose = ({ code, reason }) => {
    if (attempt !== attempts) return;
    if (answer) note('The answer broke off here');
    if (socket) show('closed', 'Disconnected', `${ENDS[code] ?? `The agent closed the connection with ${code}`}${reason && `: ${reason}`}.`);
    else show('refused', 'Not connected', REFUSED);
    leave();
  };
}

// Lets go of the present socket; what it still says is not heard.
function leave() {
  finish();
  socket?.close(1000);
  socket = undefined;
}

// Asks the backend, which answers with JSON, or with the reason why not.
async function ask(path, wish) {
  const request = wish && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) };
  const response = await fetch(path, request).catch(() => {
    throw new Error('it cannot be reached');
  });
  if (response.ok) return response.json();
  const { error } = await response.json().catch(() => ({}));
  throw new Error(error ?? `it answered ${response.status}`);
}

// An agent streams JSON strings and ends with {"type":"done"}; whatever else it says is shown as it is.
function hear(data) {
  if (typeof data !== 'string') return note(`A binary message of ${data.size} bytes`);
  let value = data;
  try {
    value = JSON.parse(data);
  } catch {} // Plain text is as good.
  if (value?.type === 'done') return finish();
  if (!answer) {
    const words = turn('agent', 'Agent');
    answer = { words, text: new Markdown(words, follow) };
    stop.hidden = false;
  }
  answer.text.push(typeof value === 'string' ? value : data);
}

function finish() {
  if (!answer) return;
  answer.text.flush();
  answer.words.removeAttribute('aria-busy');
  answer = undefined;
  if (document.activeElement === stop) text.focus();
  stop.hidden = true;
}

// Ends the answer, not the session: the socket closes, and another takes its place. The agent may go on working.
function halt() {
  if (!answer) return;
  text.focus();
  finish();
  note('Stopped; the agent may go on working');
  connect();
}

function say(said) {
  if (!socket || !said.trim()) return;
  socket.send(JSON.stringify({ prompt: said }));
  // What comes from now on stands below, even where it still belongs to the answer before.
  finish();
  turn('person', 'You').append(said);
  following = true;
  toEnd();
  text.focus();
}

// Begins a turn and returns the element for its text; a reader of the screen is told of an answer when it is whole.
function turn(whose, name) {
  welcome.remove();
  const speaker = Object.assign(document.createElement('span'), { className: 'unseen', textContent: `${name}: ` });
  const words = Object.assign(document.createElement('div'), { className: 'words' });
  if (whose === 'agent') words.setAttribute('aria-busy', 'true');
  const place = document.createElement('div');
  place.className = whose;
  place.append(speaker, words);
  follow(() => talk.append(place));
  return words;
}

function note(said) {
  follow(() => talk.append(Object.assign(document.createElement('p'), { className: 'note', textContent: said })));
}

// Changes the conversation, and stays at its end unless somebody has scrolled back.
function follow(change) {
  change();
  toEnd();
}

function toEnd() {
  if (following) talk.scrollTop = talk.scrollHeight;
}

function show(name, words, why = '') {
  state.dataset.state = name;
  state.textContent = words;
  trouble.textContent = why;
  trouble.hidden = !why;
  send.disabled = name !== 'open';
}

// RFC 6455 section 7.4.1, as far as the service uses it.
const ENDS = {
  1000: 'The agent ended the conversation',
  1001: 'The agent went away',
  1006: 'The connection was lost',
  1008: 'A limit of the service was exceeded',
  1009: 'A message was too big',
  1011: 'The agent failed',
};
const REFUSED =
  'The socket did not open. The key was refused or had expired, or the runtime cannot be reached: a browser is not told which. ' +
  'Reconnect asks for a new key.';

form.addEventListener('submit', event => {
  event.preventDefault();
  if (!socket || !text.value.trim()) return;
  say(text.value);
  form.reset();
});
text.addEventListener('keydown', event => {
  // Enter also ends the composition of a character, in Japanese for example.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
document.addEventListener('keydown', event => event.key === 'Escape' && halt());
stop.addEventListener('click', halt);
// Who scrolls back reads above. A conversation that had more room for a moment, while the composer was empty, was moved by the browser.
let lastTop = 0;
let tallest = 0;
talk.addEventListener('scroll', () => {
  const left = talk.scrollHeight - talk.scrollTop;
  if (left - talk.clientHeight < 40) following = true;
  else if (following && left <= tallest + 1) toEnd();
  else if (talk.scrollTop < lastTop - 1) following = false;
  lastTop = talk.scrollTop;
});
// The composer grows with its text, a telephone's keyboard comes, a window is resized: the end stays in view.
new ResizeObserver(() => {
  tallest = Math.max(tallest, talk.clientHeight);
  toEnd();
}).observe(talk);
addEventListener('resize', () => (tallest = 0));
addEventListener('offline', () => note('This device is offline'));
welcome.addEventListener('click', ({ target }) => target.matches('button') && say(target.textContent));
reconnect.addEventListener('click', connect);
ways.addEventListener('change', connect);

try {
  for (const way of await ask('ways')) ways.querySelector(`[value=${way}]`).disabled = false;
  ways.querySelector('input:enabled').checked = true;
  connect();
} catch (error) {
  show('refused', 'Not connected', `The backend does not answer: ${error.message}`);
}
