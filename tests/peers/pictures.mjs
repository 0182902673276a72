// Makes the pictures from the real programs: an answer as it was streamed into a terminal, the browser chat, and the trace of a call.
//
// usage: node pictures.mjs DIRECTORY ACORE BROWSER_CHAT OBSERVABILITY CHAPTER
//
// The trace stands in a chapter of the guide, as a text and as a picture.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { launch } from './chromium.mjs';

const [directory, acore, chat, observability, chapter] = process.argv.slice(2);

const COLUMNS = 80;
const WIDTH = 772;
// Before the first word, in milliseconds, so that one sees that it comes later.
const PAUSE = 600;

writeFileSync(path.join(directory, 'terminal.svg'), await terminal(['--mock', 'invoke', 'Tell me a story']));
const printed = execFileSync(observability, { encoding: 'utf8' });
const text = readFileSync(chapter, 'utf8').replace(/```text\n[^]*?```/, `\`\`\`text\n${printed}\`\`\``);
writeFileSync(chapter, text.replace(/<svg[^]*<\/svg>/, trace(printed)));
await pages();

// Runs the program, and returns a picture that plays its output at the speed at which it came.
async function terminal(args) {
  const program = spawn(acore, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const pieces = [];
  let began;
  program.stdout.setEncoding('utf8');
  program.stdout.on('data', text => pieces.push([Date.now() - (began ??= Date.now()), text]));
  const [code] = await once(program, 'close');
  if (code !== 0) throw new Error(`acore ended with ${code}`);

  // As a terminal does: it breaks lines where they end.
  const lines = [[]];
  let column = 0;
  for (const [at, text] of pieces) {
    for (const character of text) {
      if (character === '\n' || column === COLUMNS) {
        lines.push([]);
        column = 0;
      }
      if (character === '\n') continue;
      const last = lines.at(-1).at(-1);
      if (last?.at === at) last.text += character;
      else lines.at(-1).push({ at, text: character });
      column++;
    }
  }
  const typed = `acore ${args.map(it => (it.includes(' ') ? `"${it}"` : it)).join(' ')}`;
  const shown = lines.filter(line => line.length);
  const height = 58 + (shown.length + 1) * 22 + 14;
  const text = (line, row) => `<text x="24" y="${70 + row * 22}" xml:space="preserve">${line}</text>`;
  const span = ({ at, text }) => `<tspan style="animation-delay:${(PAUSE + at) / 1000}s">${escaped(text)}</tspan>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="A terminal in which acore streams an answer">
<style>
text { font: 15px ui-monospace, "Cascadia Mono", "SF Mono", Menlo, "DejaVu Sans Mono", monospace; fill: #e8eaf2; }
tspan { animation: appear 1ms both; }
.prompt { fill: #4ade80; animation: none; }
.typed { animation: none; }
@keyframes appear { from { fill-opacity: 0; } }
@media (prefers-reduced-motion: reduce) { tspan { animation: none; } }
</style>
<rect width="${WIDTH}" height="${height}" rx="12" fill="#171a23"/>
<circle cx="26" cy="24" r="6" fill="#f87171"/><circle cx="48" cy="24" r="6" fill="#fbbf24"/><circle cx="70" cy="24" r="6" fill="#4ade80"/>
${text(`<tspan class="prompt">$ </tspan><tspan class="typed">${escaped(typed)}</tspan>`, 0)}
${shown.map((line, row) => text(line.map(span).join(''), row + 1)).join('\n')}
</svg>
`;
}

// Draws the spans that the example prints, each with its attempts where they ended. It takes the colours of the page.
function trace(printed) {
  const spans = [];
  for (const line of printed.split('\n')) {
    const span = /^ *(?<name>\S.*): (?<from>\d+) to (?<to>\d+) ms$/.exec(line)?.groups;
    const attempt = /^ *at (?<at>\d+) ms: (?<how>.*), (?<status>\d+)$/.exec(line)?.groups;
    if (span) spans.push({ name: span.name, from: Number(span.from), to: Number(span.to), attempts: [] });
    if (attempt) spans.at(-1).attempts.push({ ...attempt, at: Number(attempt.at) });
  }
  if (!spans.at(-1)?.attempts.length) throw new Error(`no attempt in ${printed}`);
  const [left, width, whole] = [190, 420, spans[0].to];
  const at = time => left + Math.round((time / whole) * width);
  const colour = { 2: '#2e9e5b', 4: '#d97706', 5: '#d97706' };
  const row = ({ name, from, to, attempts }, index) => {
    const y = 8 + index * 34;
    const ticks = attempts.map(({ at: time, status }) => {
      const paint = colour[status[0]];
      return `<rect x="${at(time) - 2}" y="${y - 3}" width="4" height="24" fill="${paint}"/><text x="${at(time)}" y="${y + 36}" text-anchor="middle" fill="${paint}">${status} at ${time} ms</text>`;
    });
    return `<text x="0" y="${y + 14}" fill="currentColor">${escaped(name)}</text><rect x="${at(from)}" y="${y}" width="${at(to) - at(from)}" height="18" rx="3" fill="#6b8afd"/><text x="${at(to) + 8}" y="${y + 14}" fill="currentColor">${to - from} ms</text>${ticks.join('')}`;
  };
  const height = 8 + spans.length * 34 + 14;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 ${height}" width="680" style="max-width: 100%" role="img" aria-label="The spans of a call, and when its attempts ended" font-size="13" font-family="sans-serif">
${spans.map(row).join('\n')}
</svg>`;
}

// The example with its own agent: two turns on a desktop, one in the dark on a telephone while the answer comes.
async function pages() {
  const server = spawn(chat, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(server.stdout.setEncoding('utf8'), 'data');
  const url = line.trim().split(' ')[1];
  const browser = await launch();
  const visit = async options => {
    const page = await (await browser.newContext(options)).newPage();
    await page.goto(url);
    await page.locator('#state[data-state=open]').waitFor();
    return page;
  };
  const ask = async (page, words) => {
    await page.getByRole('textbox', { name: 'Message' }).fill(words);
    await page.keyboard.press('Enter');
  };
  const ends = (page, answers) => page.locator('.agent .words:not([aria-busy])').nth(answers - 1).waitFor();
  try {
    const desktop = await visit({ viewport: { width: 900, height: 560 } });
    await ask(desktop, 'Tell me a story');
    await ends(desktop, 1);
    await ask(desktop, 'And then?');
    await ends(desktop, 2);
    await desktop.screenshot({ path: path.join(directory, 'chat-desktop.png') });
    const phone = await visit({ viewport: { width: 360, height: 640 }, colorScheme: 'dark', hasTouch: true });
    await ask(phone, 'Tell me a story');
    await phone.locator('.agent .words', { hasText: 'lighthouse' }).waitFor();
    await phone.screenshot({ path: path.join(directory, 'chat-phone.png') });
  } finally {
    await browser.close();
    server.kill();
  }
}

function escaped(text) {
  return text.replace(/[&<>]/g, it => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[it]);
}
