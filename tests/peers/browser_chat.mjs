// Somebody who uses the page of the example browser_chat, in Chromium. Prints what came of it in the Test Anything Protocol.
//
// usage: node browser_chat.mjs DIRECTORY STORY_URL LOSSY_URL
//
// Screenshots go to the directory. At the first URL is the example with its own agent, at the second one that has a token
// only, and whose agent loses the first connection of a session after one message.
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { launch } from './chromium.mjs';

const [directory, story, lossy] = process.argv.slice(2);

// The agent's story about a prompt; these are the ends of it, which is what somebody remembers.
const told = prompt => new RegExp(`^Once upon a time a small crab .* a note that said “${prompt}”\\. Nobody .* The end\\.$`);

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

// The page as its user sees it.
class Visit {
  static async begin(url, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1080, height: 760 }, ...options });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    const visit = new Visit();
    Object.assign(visit, { page, complaints: [] });
    page.on('pageerror', error => visit.complaints.push(error.message));
    page.on('console', message => message.type() === 'error' && visit.complaints.push(message.text()));
    await page.goto(url);
    return visit;
  }

  state(name) {
    return this.page.locator(`#state[data-state=${name}]`).waitFor();
  }

  session() {
    return this.page.locator('#session').textContent();
  }

  trouble() {
    return this.page.getByRole('alert').textContent();
  }

  async say(words) {
    await this.page.getByRole('textbox', { name: 'Message' }).fill(words);
    await this.page.keyboard.press('Enter');
  }

  // The answer of this number, as it stood on the way, and at its end.
  async answer(number) {
    const answer = this.page.locator('.agent p').nth(number - 1);
    await answer.filter({ hasText: 'Once upon' }).waitFor();
    const begun = await answer.textContent();
    await answer.and(this.page.locator(':not([aria-busy])')).waitFor();
    return { begun, whole: await answer.textContent() };
  }

  way(name) {
    return this.page.getByRole('radio', { name });
  }

  picture(name) {
    return this.page.screenshot({ path: path.join(directory, `browser_chat-${name}.png`) });
  }

  async end() {
    await this.page.context().close();
    assert.deepEqual(this.complaints, []);
  }
}

const ways = [
  ['Presigned URL', 'presigned', 'by a presigned URL'],
  ['Subprotocol', 'subprotocol', 'by a subprotocol'],
];
for (const [label, name, how] of ways) {
  test(`${how} two turns are streamed`, async () => {
    const visit = await Visit.begin(story);
    await visit.state('open');
    if (name === 'subprotocol') {
      await visit.way(label).check();
      await visit.page.getByText('Connected again, in the same session').waitFor();
    }
    assert.ok(await visit.way(label).isChecked());
    await visit.say('What is a mock?');
    const { begun, whole } = await visit.answer(1);
    assert.match(whole, told('What is a mock\\?'));
    assert.ok(whole.startsWith(begun) && begun.length < whole.length, `nothing was streamed: ${begun}`);
    await visit.say('And <b>then</b>?');
    assert.match((await visit.answer(2)).whole, told('And <b>then</b>\\?'));
    assert.equal(await visit.page.locator('#talk b').count(), 0);
    await visit.picture(name);
    await visit.end();
  });
}

test('another way in goes on in the same session', async () => {
  const visit = await Visit.begin(story);
  await visit.state('open');
  const session = await visit.session();
  assert.match(session, /^[0-9a-f-]{36}$/);
  for (const [label] of [...ways].reverse()) {
    const key = visit.page.waitForResponse('**/socket');
    await visit.way(label).check();
    assert.equal((await (await key).json()).session, session);
    await visit.state('open');
    assert.equal(await visit.session(), session);
  }
  await visit.end();
});

test('a refused key is explained, and a new one asked for', async () => {
  const visit = await Visit.begin(story);
  await visit.state('open');
  await visit.page.route('**/socket', async route => {
    const response = await route.fetch();
    const key = await response.json();
    await route.fulfill({ response, json: { ...key, url: key.url.replace(/.$/, last => (last === '0' ? '1' : '0')) } });
  });
  await visit.page.getByRole('button', { name: 'Reconnect' }).click();
  await visit.state('refused');
  assert.match(await visit.trouble(), /The key was refused or had expired.* Reconnect asks for a new key/);
  assert.ok(await visit.page.getByRole('button', { name: 'Send' }).isDisabled());
  await visit.picture('refused');
  await visit.page.unroute('**/socket');
  await visit.page.getByRole('button', { name: 'Reconnect' }).click();
  await visit.state('open');
  assert.ok(await visit.page.getByRole('alert').isHidden());
  // That the handshake was refused is the one thing that the browser itself complains of.
  assert.equal(visit.complaints.length, 1);
  assert.match(visit.complaints.pop(), /WebSocket connection to .* failed/);
  await visit.end();
});

test('a lost connection is said, and the conversation goes on in its session', async () => {
  const visit = await Visit.begin(lossy);
  await visit.state('open');
  assert.ok(await visit.way('Presigned URL').isDisabled());
  const session = await visit.session();
  await visit.say('one');
  await visit.state('closed');
  assert.equal(await visit.trouble(), 'The connection was lost.');
  await visit.page.getByRole('button', { name: 'Reconnect' }).click();
  await visit.state('open');
  assert.equal(await visit.session(), session);
  // In a new session this connection would be lost too.
  await visit.say('two');
  await visit.page.locator('.agent p').nth(1).filter({ hasText: '{"prompt":"two"}' }).waitFor();
  await visit.state('open');
  await visit.end();
});

test('another site gets no key', async t => {
  const site = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'));
  await new Promise(resolve => site.listen(0, '127.0.0.1', resolve));
  t.after(() => site.close());
  const visit = await Visit.begin(`http://127.0.0.1:${site.address().port}/`);
  const statuses = [];
  visit.page.on('response', response => statuses.push(response.status()));
  const outcome = await visit.page.evaluate(async url => {
    const request = { method: 'POST', body: '{"way":"presigned"}' };
    const blind = await fetch(url, { ...request, mode: 'no-cors' });
    const open = await fetch(url, { ...request, headers: { 'content-type': 'application/json' } }).catch(String);
    return [blind.type, open];
  }, `${story}/socket`);
  assert.deepEqual(outcome, ['opaque', 'TypeError: Failed to fetch']);
  assert.equal(statuses[0], 403);
  // The browser complains of both requests.
  visit.complaints = [];
  await visit.end();
});

test('in the dark', async () => {
  const visit = await Visit.begin(story, { colorScheme: 'dark' });
  await visit.state('open');
  await visit.say('Is it dark yet?');
  await visit.answer(1);
  await visit.picture('dark');
  await visit.end();
});

test('on a telephone', async () => {
  const visit = await Visit.begin(story, { viewport: { width: 390, height: 844 } });
  await visit.state('open');
  await visit.page.getByRole('button', { name: 'Surprise me' }).click();
  await visit.answer(1);
  await visit.say('What then?');
  await visit.answer(2);
  const size = () => [document.documentElement.scrollWidth, document.documentElement.scrollHeight];
  assert.deepEqual(await visit.page.evaluate(size), [390, 844], 'more than the conversation scrolls');
  await visit.picture('narrow');
  await visit.end();
});
