// A plain page in Chromium that opens WebSockets, one after the other, and tells what its script saw.
//
// usage: node browser_socket.mjs < WISHES
//
// WISHES is a JSON array of {"url", "protocols", "expired"}, of which only the URL is needed: with `expired` it is opened when
// it has expired, if it is a presigned one. Each socket that opens sends a text and two bytes, waits for as many messages, and
// closes. Prints a JSON array of {"protocol", "heard", "closed"}: the protocol selected or null if the socket did not open,
// what was heard, and whether the end was clean and by which code.
import http from 'node:http';
import { text } from 'node:stream/consumers';

import { launch } from './chromium.mjs';

// In the page; nothing of this module is there.
const talk = ({ url, protocols }) => new Promise(resolve => {
  const seen = { protocol: null, heard: [] };
  const socket = new WebSocket(url, protocols);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => {
    seen.protocol = socket.protocol;
    socket.send('héllo from a page 👋');
    socket.send(new Uint8Array([0, 255]));
  };
  socket.onmessage = ({ data }) => {
    seen.heard.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
    if (seen.heard.length === 2) socket.close(1000);
  };
  socket.onclose = ({ code, wasClean }) => resolve({ ...seen, closed: { code, clean: wasClean } });
});

// Waits until a presigned URL is dead for sure, a second after its last.
function expiry(url) {
  const query = new URL(url).searchParams;
  const signed = query.get('X-Amz-Date').replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5');
  const dead = Date.parse(signed) + 1000 * (1 + Number(query.get('X-Amz-Expires')));
  return new Promise(resolve => setTimeout(resolve, dead - Date.now()));
}

const wishes = JSON.parse(await text(process.stdin));
const site = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'));
await new Promise(resolve => site.listen(0, '127.0.0.1', resolve));
const browser = await launch();
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${site.address().port}/`);
const seen = [];
for (const wish of wishes) {
  if (wish.expired) await expiry(wish.url);
  seen.push(await page.evaluate(talk, wish));
}
console.log(JSON.stringify(seen));
await browser.close();
site.close();
