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
    const answer = this.page.locator('.agent .words').nth(number - 1);
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
  await visit.page.locator('.agent .words').nth(1).filter({ hasText: '{"prompt":"two"}' }).waitFor();
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

// Plays the agent: what it says are the messages, each of which the page gets as the agent would send it.
async function saying(visit, ...messages) {
  await visit.page.routeWebSocket(/\/ws\?/, socket => {
    socket.onMessage(() => messages.forEach(it => socket.send(JSON.stringify(it))));
  });
  await visit.page.getByRole('button', { name: 'Reconnect' }).click();
  await visit.state('open');
}

const LONG_URL = `https://example.com/${'a-long-path-without-any-space'.repeat(20)}`;
const FENCE = '```';

test('Markdown becomes elements, and markup stays text', async () => {
  const visit = await Visit.begin(story);
  await visit.state('open');
  const parts = [
    '## A pl',
    'an\n\nFirst *this*, then **that** and `x < y`.\nSee [the docs](https://example.com/a) and https://example.com/b.\n',
    `\n${FENCE}rust\nfn main() {}\n\n// <b>\n${FENCE}\n\n- one\n  - inner\n- two\n\n3. three\n4. four\n`,
    '\n| a | b |\n|---|---|\n| 1 | **2** |\n\n> quoted\n\n---\n',
    '\n<img src=x onerror=alert(1)> [bad](javascript:alert(1)) ![p](https://example.com/p.png) a_b_c 2 * 3 * 4',
    { type: 'done' },
  ];
  await saying(visit, ...parts);
  await visit.say('Go');
  const words = visit.page.locator('.agent .words');
  await words.and(visit.page.locator(':not([aria-busy])')).waitFor();
  const html = (await words.innerHTML()).replaceAll(' target="_blank" rel="noopener noreferrer"', '');
  assert.equal(
    html,
    [
      '<h4>A plan</h4>',
      '<p>First <em>this</em>, then <strong>that</strong> and <code>x &lt; y</code>.<br>',
      'See <a href="https://example.com/a">the docs</a> and <a href="https://example.com/b">https://example.com/b</a>.</p>',
      '<pre tabindex="0" data-language="rust"><code>fn main() {}\n\n// &lt;b&gt;</code></pre>',
      '<ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul>',
      '<ol start="3"><li>three</li><li>four</li></ol>',
      '<div class="wide" tabindex="0"><table><thead><tr><th>a</th><th>b</th></tr></thead>',
      '<tbody><tr><td>1</td><td><strong>2</strong></td></tr></tbody></table></div>',
      '<blockquote><p>quoted</p></blockquote><hr>',
      '<p>&lt;img src=x onerror=alert(1)&gt; [bad](javascript:alert(1)) ',
      '<a href="https://example.com/p.png">p</a> a_b_c 2 * 3 * 4</p>',
    ].join(''),
  );
  await visit.picture('markdown');
  await visit.end();
});

for (const width of [320, 390, 1280]) {
  test(`at ${width} pixels nothing moves the page sideways, and the end stays in view`, async () => {
    const visit = await Visit.begin(story, { viewport: { width, height: 720 }, hasTouch: width < 1000 });
    const { page } = visit;
    await visit.state('open');
    await saying(
      visit,
      `${LONG_URL}\n\n${FENCE}\n${'wide '.repeat(80)}\n${FENCE}\n\n|${' a column |'.repeat(12)}\n|${'---|'.repeat(12)}\n`,
      '\n\nA line.'.repeat(60),
      '\n\nThe end.',
    );
    const sideways = () =>
      page.evaluate(() =>
        [document.documentElement, document.body, ...document.querySelectorAll('header, .bar, main, footer, form')]
          .filter(it => it.scrollWidth > it.clientWidth || it.getBoundingClientRect().right > innerWidth)
          .map(it => it.tagName + it.className),
      );
    // Two frames later the layout is done, and whoever watches it or its scrolling was told.
    const settled = () =>
      page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
    const atEnd = async () => {
      await settled();
      const left = await page.locator('#talk').evaluate(it => it.scrollHeight - it.scrollTop - it.clientHeight);
      assert.ok(left < 2, `${left} pixels are below the end of what is in view`);
    };
    const header = await page.locator('.bar').boundingBox();
    assert.ok(header.height < 70, `the header is ${header.height} pixels high`);
    const tops = await page.locator('.bar > :visible').evaluateAll(all => all.map(it => it.getBoundingClientRect()).map(it => it.top + it.height / 2));
    assert.ok(Math.max(...tops) - Math.min(...tops) < 12, `the header has lines: ${tops}`);

    await visit.say(LONG_URL);
    await page.getByText('The end.').waitFor();
    await atEnd();
    assert.deepEqual(await sideways(), []);

    // A tall composer takes its room from the conversation, whose end stays in view.
    const text = page.getByRole('textbox', { name: 'Message' });
    await text.fill(`${LONG_URL}\n`.repeat(3));
    await atEnd();
    await text.fill('line\n'.repeat(40));
    await atEnd();
    assert.ok(await page.getByRole('button', { name: 'Send' }).isVisible());
    assert.deepEqual(await sideways(), []);
    const composer = await page.locator('#say').boundingBox();
    assert.ok(composer.y + composer.height <= 720 && composer.y > 200, JSON.stringify(composer));

    // Somebody who reads above is left there.
    await page.locator('#talk').evaluate(it => it.scrollTo(0, 0));
    await settled();
    await text.fill('short');
    await settled();
    assert.equal(await page.locator('#talk').evaluate(it => it.scrollTop), 0);

    const small = await page.locator('button:visible, #ways input, #text').evaluateAll(all =>
      all
        .map(it => [it.getAttribute('aria-label') ?? it.id, it.getBoundingClientRect()])
        .filter(([, it]) => it.width < 44 || it.height < 44)
        .map(([name, it]) => `${name} ${it.width}x${it.height}`),
    );
    assert.deepEqual(small, [], 'smaller than a finger');
    await visit.picture(`at-${width}`);
    await visit.end();
  });
}

test('an answer is stopped, by button and by key, and the session goes on', async () => {
  const visit = await Visit.begin(story);
  await visit.state('open');
  const session = await visit.session();
  const [stop, text] = [visit.page.getByRole('button', { name: 'Stop the answer' }), visit.page.locator('#text')];
  assert.ok(await stop.isHidden());
  for (const [number, how] of [() => stop.click(), () => visit.page.keyboard.press('Escape')].entries()) {
    await visit.say('Tell me a story');
    await visit.page.locator('.agent .words').nth(number).filter({ hasText: 'small' }).waitFor();
    await how();
    await visit.page.getByText('Stopped; the agent may go on working').nth(number).waitFor();
    await visit.state('open');
    assert.ok(await stop.isHidden());
    assert.ok(await text.evaluate(it => it === document.activeElement), 'the focus is lost');
    assert.doesNotMatch(await visit.page.locator('.agent .words').nth(number).textContent(), /The end\.$/);
  }
  assert.equal(await visit.session(), session);
  await visit.say('Again');
  assert.match((await visit.answer(3)).whole, told('Again'));
  await visit.end();
});

test('by keyboard alone, and as a screen reader has it', async () => {
  const visit = await Visit.begin(story);
  const { page } = visit;
  await visit.state('open');
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.id);
  assert.equal(await focused(), 'text');
  await page.keyboard.type('Hello');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'text');
  await visit.answer(1);
  const stops = [];
  for (let step = 0; step < 5; step++) {
    await page.keyboard.press('Shift+Tab');
    stops.push(await focused());
  }
  assert.deepEqual(stops.slice(0, 3), ['Conversation', 'Reconnect', 'Presigned URL']);
  const snapshot = await page.locator('body').ariaSnapshot();
  for (const line of [
    '- heading "Browser chat" [level=1]',
    '- status: Connected',
    '- group "Way in":',
    '- radio "Presigned URL" [checked]',
    '- radio "Subprotocol"',
    '- button "Reconnect"',
    '- log "Conversation":',
    '- textbox "Message"',
    '- button "Send"',
  ]) {
    assert.ok(snapshot.includes(line), `${line} in\n${snapshot}`);
  }
  await visit.end();
});

test('a connection that is lost within an answer is shown where it broke off', async () => {
  const visit = await Visit.begin(story);
  await visit.state('open');
  await visit.page.routeWebSocket(/\/ws\?/, socket => {
    socket.onMessage(() => {
      socket.send('"Half an"');
      socket.close({ code: 1011, reason: 'no more' });
    });
  });
  await visit.page.getByRole('button', { name: 'Reconnect' }).click();
  await visit.state('open');
  await visit.say('Go');
  await visit.state('closed');
  assert.equal(await visit.trouble(), 'The agent failed: no more.');
  await visit.page.getByText('The answer broke off here').waitFor();
  assert.equal(await visit.page.locator('[aria-busy]').count(), 0);
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
