// Uses HTML reports in a real browser, as a person would, and fails if one of them breaks a promise of docs/report.md. The folder has
// demo.html, hostile.html and large.html, made from the inventories of inventories.mjs, and node_modules; pictures are left in it.
// Usage: node check.mjs FOLDER CHROMIUM
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [folder, executablePath] = [resolve(process.argv[2]), process.argv[3]];
const require = createRequire(`${folder}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

// Milliseconds that a person takes for a pause, with room for a slow machine.
const KEYSTROKE = 400;
const OPENING = 20_000;

const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

// Opens a report in a window of its own and watches what it does.
const open = async (name, options = {}, hash = '') => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const troubles = [];
  page.on('console', (message) => troubles.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => { troubles.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  const url = `file://${folder}/${name}`;
  page.on('request', (request) => { if (request.url().split('#')[0] !== url) troubles.push(`request: ${request.url()}`); });
  const begin = performance.now();
  await page.goto(url + hash);
  if (options.javaScriptEnabled !== false) await page.waitForSelector('html[data-ready]', { timeout: OPENING });
  const took = performance.now() - begin;
  const close = async () => {
    assert.deepEqual(troubles, [], `${name} is quiet`);
    await context.close();
  };
  return { page, close, took };
};

const status = (page, table = 'findings') => page.textContent(`#${table}-table [role=status]`);
const count = async (page, table) => Number(/of ([\d,]+) shown/.exec(await status(page, table))?.[1].replaceAll(',', '') ?? 0);
const column = (page, nth) => page.$$eval(`#findings-table tbody tr.row > :nth-child(${nth})`, (cells) => cells.map((cell) => cell.textContent));
const step = (text) => console.log(text);

// WCAG 2.2 A and AA, as far as a program can tell.
const accessible = async (page, what) => {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  const said = violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`).join(' | ')}`);
  assert.ok(passes.length > 20, `${passes.length} rules were asked`);
  assert.deepEqual(said, [], `${what} is accessible`);
};

{
  const { page, close } = await open('demo.html');
  const all = await count(page);
  assert.ok(all > 100, `${all} findings`);

  await page.selectOption('#finding-severity', 'critical');
  const critical = await count(page);
  assert.ok(critical > 0 && critical < all);
  assert.ok((await column(page, 2)).every((text) => text === 'critical'));
  await page.fill('#finding-search', 'drift priya');
  assert.ok(await count(page) > 0 && await count(page) < critical);
  await page.fill('#finding-search', 'no such thing');
  assert.match(await status(page), /none shown/);
  await page.click('#findings-table button:text("Show all")');
  assert.ok(await count(page) >= all);
  step(`filter: ${all} findings that count, ${critical} of them critical`);

  for (const [nth, button] of (await page.$$('#findings-table thead button')).entries()) {
    await button.click();
    const cells = await column(page, nth + 2);
    const sort = await page.getAttribute(`#findings-table thead th:nth-child(${nth + 2})`, 'aria-sort');
    assert.ok(['ascending', 'descending'].includes(sort));
    if (sort === 'ascending') {
      const keys = cells.map((text) => (text === '–' ? '' : text.replace('all tenants', '').trim().toLowerCase()));
      assert.deepEqual(keys, [...keys].sort(), `column ${nth}`);
    }
    await button.click();
    await button.click();
    assert.equal(await page.getAttribute(`#findings-table thead th:nth-child(${nth + 2})`, 'aria-sort'), null);
  }
  step('sort: every column, both ways and back');

  await page.click('.tile.high a');
  assert.ok((await column(page, 2)).every((text) => text === 'high'));
  await page.focus('#findings-table .toggle');
  await page.keyboard.press('Enter');
  const detail = await page.textContent('#findings-table .detail');
  for (const heading of ['Evidence', 'How to fix', 'Why it matters', 'Identity']) assert.ok(detail.includes(heading), heading);
  await accessible(page, 'the page with an open finding');
  await page.click('#findings-table .detail a[href^="#f-"]');
  const link = await page.evaluate(() => location.hash);
  await close();

  const other = await open('demo.html', {}, link);
  assert.equal(await other.page.getAttribute(`${link} .toggle`, 'aria-expanded'), 'true');
  assert.ok(await other.page.isVisible(`${link}-detail`));
  await other.page.click('.worst li:nth-child(3) a');
  const second = await other.page.evaluate(() => location.hash);
  assert.ok(await other.page.isVisible(`${second}-detail`));
  step(`link: ${link} opens its finding in a new window, ${second} from the summary`);
  await other.close();
}

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1280, 400]) {
    const { page, close } = await open('demo.html', { colorScheme, viewport: { width, height: 900 } });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, 'nothing is wider than the window');
    await page.click('#findings-table .toggle');
    await accessible(page, `${colorScheme}, ${width} pixels`);
    await page.screenshot({ path: `${folder}/${colorScheme}-${width}.png`, fullPage: true });
    await close();
  }
}
step('looks: light and dark, wide and narrow, without a violation that axe knows');

{
  const { page, close } = await open('demo.html');
  const before = await page.$$eval('#findings-table tbody tr.row', (rows) => rows.length);
  await page.evaluate(() => {
    addEventListener('beforeprint', () => { globalThis.printed = document.querySelectorAll('#findings-table tbody tr.row').length; });
  });
  const pdf = await page.pdf({ path: `${folder}/demo.pdf`, format: 'A4' });
  const printed = await page.evaluate(() => globalThis.printed);
  assert.ok(pdf.length > 50_000 && before === 50 && printed === await count(page), `${printed} rows printed`);
  assert.equal(await page.$$eval('#findings-table tbody tr.row', (rows) => rows.length), before);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.isVisible('.controls'), false);
  step(`print: ${printed} rows on paper, ${before} on the screen`);
  await close();
}

{
  const { page, close } = await open('demo.html', { javaScriptEnabled: false });
  const rows = await page.$$eval('#findings-table tbody tr', (all) => all.length);
  assert.ok(rows > 20 && await page.isVisible('noscript'), `${rows} rows`);
  step(`without the script: ${rows} findings`);
  await close();
}

{
  const { page, close } = await open('hostile.html');
  assert.match(await page.textContent('#coverage .banner'), /^INCOMPLETE\./);
  const banner = await page.locator('#coverage .banner').boundingBox();
  assert.ok(banner.y + banner.height < 900, 'the banner is on the first screen');
  for (const toggle of await page.$$('#findings-table .toggle')) await toggle.click();
  await page.fill('#finding-search', '<img src=x onerror=');
  assert.ok(await count(page) > 0, 'a hostile name is found as text');
  for (const toggle of (await page.$$('#findings-table .toggle[aria-expanded=false]')).slice(0, 5)) await toggle.click();
  const foreign = await page.evaluate(() => [...document.querySelectorAll('*')].filter((node) =>
    ['IMG', 'IFRAME', 'OBJECT', 'EMBED', 'LINK', 'BASE'].includes(node.tagName)
    || [...node.attributes].some(({ name, value }) => name.startsWith('on') || /^\s*(javascript|data):/i.test(value))
    || (node.tagName === 'SCRIPT' && node.type !== 'application/json' && node !== document.body.lastElementChild)).map((node) => node.outerHTML));
  assert.deepEqual(foreign, []);
  const text = await page.evaluate(() => document.body.textContent);
  assert.ok(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(text), 'no control characters');
  assert.ok(text.includes('more characters)'), 'what is cut says so');
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 1280);
  await page.screenshot({ path: `${folder}/hostile.png` });
  await close();
  // What the policy refuses is written to the console, so that this page is not quiet.
  const other = await open('hostile.html');
  const refused = await other.page.evaluate(() => {
    try { document.createElement('p').innerHTML = '<b>x</b>'; return 'allowed'; } catch (error) { return error.name; }
  });
  assert.equal(refused, 'TypeError', 'the policy refuses to make HTML of a text');
  const blocked = await other.page.evaluate(() => new Promise((done) => {
    document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective));
    document.body.append(Object.assign(document.createElement('img'), { src: 'https://example.invalid/x.png' }));
  }));
  assert.equal(blocked, 'img-src', 'the policy refuses to load anything');
  await other.page.context().close();
  step('hostile names: text and nothing else; the policy of the page refuses HTML and pictures');
}

{
  const { page, close, took } = await open('large.html', { viewport: { width: 1280, height: 900 } });
  await page.click('#findings-table button:text("Show all")');
  const all = await count(page);
  assert.equal(all, 100_000);
  assert.match(await page.textContent('#findings .banner'), /are left out \(/);
  // From the event to the next frame, in the page.
  const keystroke = (text) => page.evaluate((value) => new Promise((done) => {
    const input = document.getElementById('finding-search');
    const begin = performance.now();
    input.value = value;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - begin), 0));
  }), text);
  const times = [];
  for (const text of ['p', 'pe', 'per', 'perso', 'person1', 'person12', 'person12 drift', '', 'whoever steals', 'zzz']) times.push(await keystroke(text));
  const worst = Math.max(...times);
  await keystroke('');
  const sorts = [];
  for (const button of await page.$$('#findings-table thead button')) {
    const begin = performance.now();
    await button.click();
    sorts.push(performance.now() - begin);
  }
  step(`100,000 findings: open in ${took.toFixed(0)} ms; keystrokes ${times.map((time) => time.toFixed(0)).join(' ')} ms (bound ${KEYSTROKE}); first sorts ${sorts.map((time) => time.toFixed(0)).join(' ')} ms`);
  assert.ok(worst < KEYSTROKE, `a keystroke took ${worst.toFixed(0)} ms`);
  await close();
}

await browser.close();
console.log('the HTML report holds in the browser');
