// Markdown as agents write it, made into elements while it arrives. Makes no markup of texts: a tag is shown as it was written, a
// picture is a link, and a link leads to http, https or mail alone.

// Shows a text that grows. What stands above the last empty line is made once.
export class Markdown {
  #place;
  #open = ''; // the source of what may still change
  #shown = []; // its elements, at the end of the place
  #frame = 0;
  #after;

  // `after` is called with each change, to be made by the function that it gets.
  constructor(place, after = change => change()) {
    this.#place = place;
    this.#after = after;
  }

  push(text) {
    this.#open += text;
    this.#frame ||= requestAnimationFrame(() => this.flush());
  }

  // Shows all that came.
  flush() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#after(() => {
      for (const element of this.#shown) element.remove();
      const end = closed(this.#open);
      this.#place.append(...blocks(this.#open.slice(0, end)));
      this.#open = this.#open.slice(end);
      this.#shown = blocks(this.#open);
      this.#place.append(...this.#shown);
    });
  }
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)]) +(.*)$/;
const HEADING = /^ {0,3}(#{1,6}) +(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?/;
const ROW = /^ *\|.*\| *$/;
const DELIMITER = /^ *\|?( *:?-+:? *\|)+( *:?-+:? *)?$/;

// Where the blocks end that no further text can change: after the last empty line outside of a fence and of a list.
function closed(source) {
  let [end, position, fence, list] = [0, 0, '', false];
  for (const line of source.split(/(?<=\n)/)) {
    position += line.length;
    const mark = FENCE.exec(line)?.[1];
    if (fence) {
      if (mark?.startsWith(fence) && !line.trim().slice(mark.length)) fence = '';
    } else if (mark) fence = mark;
    else if (line.trim()) list = ITEM.test(line) || (list && line.startsWith(' '));
    else if (!list && line.endsWith('\n')) end = position;
  }
  return end;
}

// The elements of whole blocks.
function blocks(source) {
  const lines = source.replace(/\r\n?/g, '\n').split('\n');
  const made = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at];
    const take = fits => {
      const from = at;
      while (at < lines.length && fits(lines[at])) at++;
      return lines.slice(from, at);
    };
    const fence = FENCE.exec(line);
    if (!line.trim()) at++;
    else if (fence) {
      at++;
      const code = take(it => !(it.trim().startsWith(fence[1]) && !it.trim().replace(/^[`~]+/, '')));
      at++;
      made.push(element('pre', [element('code', [code.join('\n')])], { tabIndex: 0, dataset: { language: fence[2] } }));
    } else if (HEADING.test(line)) {
      const [, marks, text] = HEADING.exec(line);
      at++;
      // The page has headings of its own above these.
      made.push(element(`h${Math.min(marks.length + 2, 6)}`, inline(text)));
    } else if (RULE.test(line)) {
      at++;
      made.push(element('hr'));
    } else if (QUOTE.test(line)) {
      made.push(element('blockquote', blocks(take(it => QUOTE.test(it)).map(it => it.replace(QUOTE, '')).join('\n'))));
    } else if (ROW.test(line) && DELIMITER.test(lines[at + 1] ?? '')) {
      const [head, , ...body] = take(it => ROW.test(it)).map(cells);
      const row = (name, texts) => element('tr', texts.map(text => element(name, inline(text))));
      const table = element('table', [element('thead', [row('th', head)]), element('tbody', body.map(it => row('td', it)))]);
      made.push(element('div', [table], { className: 'wide', tabIndex: 0 }));
    } else if (ITEM.test(line)) {
      const [, indent, mark] = ITEM.exec(line);
      const belongs = ([, its, other]) => its.length > indent.length || /\d/.test(other) === /\d/.test(mark);
      made.push(list(take(it => (ITEM.test(it) ? belongs(ITEM.exec(it)) : /^ +\S/.test(it) || !it.trim()))));
    } else {
      const text = take(it => it.trim() && !FENCE.test(it) && !HEADING.test(it) && !QUOTE.test(it) && !ITEM.test(it));
      made.push(element('p', inline(text.join('\n'))));
    }
  }
  return made;
}

// A list from its lines; an item holds what is indented below it.
function list(lines) {
  const [, indent, mark] = ITEM.exec(lines[0]);
  const items = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1].length <= indent.length) items.push([item[3]]);
    else items.at(-1).push(line);
  }
  const ordered = /\d/.test(mark);
  const made = items.map(([first, ...rest]) => {
    const deepest = Math.min(...rest.filter(it => it.trim()).map(it => it.search(/\S/)));
    return element('li', [...inline(first), ...blocks(rest.map(it => it.slice(deepest)).join('\n'))]);
  });
  return element(ordered ? 'ol' : 'ul', made, ordered ? { start: parseInt(mark) } : {});
}

const cells = line => line.trim().replace(/^\||\|$/g, '').split('|').map(cell => cell.trim());

const INLINE = [
  [/(`+)(.+?)\1(?!`)/s, ([, , code]) => element('code', [code.trim()])],
  [/!?\[([^\]]*)\]\((\S+?)(?: "[^"]*")?\)/, ([all, text, url]) => link(url, text || url) ?? all],
  [/\bhttps?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'*_]/, ([url]) => link(url, url)],
  [/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/s, ([, , text]) => element('strong', inline(text))],
  [/(?<![\w*])([*_])(?=[^\s*_])(.+?)(?<=[^\s*_])\1(?![\w*])/s, ([, , text]) => element('em', inline(text))],
  [/~~(?=\S)(.+?)(?<=\S)~~/s, ([, text]) => element('s', inline(text))],
  [/\\([!-/:-@[-`{-~])/, ([, character]) => character],
  [/ *\n/, () => element('br')],
];

// The nodes of a text within a block.
function inline(text) {
  const nodes = [];
  while (text) {
    let first;
    for (const [pattern, make] of INLINE) {
      const found = pattern.exec(text);
      if (found && (!first || found.index < first.found.index)) first = { found, make };
    }
    if (!first) return [...nodes, text];
    const { found, make } = first;
    if (found.index) nodes.push(text.slice(0, found.index));
    nodes.push(make(found));
    text = text.slice(found.index + found[0].length);
  }
  return nodes;
}

function link(url, text) {
  if (!/^(https?:\/\/|mailto:)/i.test(url)) return undefined;
  return element('a', [text], { href: url, target: '_blank', rel: 'noopener noreferrer' });
}

function element(name, children = [], { dataset, ...properties } = {}) {
  const made = Object.assign(document.createElement(name), properties);
  for (const [key, value] of Object.entries(dataset ?? {})) if (value) made.dataset[key] = value;
  made.append(...children);
  return made;
}
