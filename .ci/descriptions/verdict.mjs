// Fails on every objection that known.json does not have, on every entry of it that nothing matches any more, and when a description
// saw no call.
//
// node verdict.mjs RESULT.json KNOWN.json

import fs from 'node:fs';

const [result, allowed] = process.argv.slice(2).map((file) => JSON.parse(fs.readFileSync(file, 'utf8')));
const fits = (objection) => (entry) =>
  ['description', 'method', 'path'].every((key) => entry[key] === undefined || entry[key] === objection[key]) &&
  new RegExp(entry.objection).test(`${objection.at}: ${objection.message}`);

const unknown = new Map();
const used = new Set();
for (const objection of result.objections) {
  const entry = allowed.find(fits(objection));
  if (entry) used.add(entry);
  else {
    const line = `${objection.description} ${objection.method} ${objection.path}: ${objection.at}: ${objection.message}`;
    unknown.set(line, objection.target);
  }
}
for (const [line, target] of unknown) console.error(`objection: ${line}\n           ${target}`);
const stale = allowed.filter((entry) => !used.has(entry));
for (const entry of stale) console.error(`known.json: nothing matches ${JSON.stringify(entry)}`);
const calls = Object.entries(result.seen).map(([name, count]) => `${name} ${count}`);
console.log(`calls held against descriptions: ${calls.join(', ') || 'none'}; ${result.objections.length} objections, ${unknown.size} not known`);
process.exit(unknown.size > 0 || stale.length > 0 || calls.length < 6 ? 1 : 0);
