// Makes inventories to try the HTML report with from that of the demo company: one with hostile names that also lacks something, and one
// whose report has more than 100,000 findings; and a policy that accepts something. Usage: node inventories.mjs FOLDER, which has demo.jsonl.
import { createReadStream, createWriteStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';

const folder = process.argv[2];

export const HOSTILE = [
  '</script><img src=x onerror=alert(1)>',
  '<!--<script>alert(2)</script>',
  "\u202eevil\u202c'\"><svg onload=alert(3)>",
  `control \u0000\u0007\u001b[31m\u009b31m characters`,
  'x'.repeat(10000),
  'javascript:alert(4)',
  '{{ constructor }} ${alert(5)} %3Cscript%3E &lt;b&gt; &amp;',
  'שלום \u0645\u0631\u062d\u0628\u0627 </style><style>*{display:none}',
];

const lines = (name) => createInterface({ input: createReadStream(`${folder}/${name}`), crlfDelay: Infinity });

const writer = (name) => {
  const stream = createWriteStream(`${folder}/${name}`);
  let records = 0;
  return {
    async line(value) {
      if (value.record) records += 1;
      if (!stream.write(`${JSON.stringify(value)}\n`)) await once(stream, 'drain');
    },
    async end() {
      stream.end(`${JSON.stringify({ end: records })}\n`);
      await once(stream, 'finish');
    },
  };
};

const hostile = async () => {
  const out = writer('hostile.jsonl');
  const names = new Map();
  let tenants = 0;
  for await (const line of lines('demo.jsonl')) {
    const value = JSON.parse(line);
    if ('end' in value) continue;
    if (value.record?.app) {
      const { app } = value.record;
      names.set(app.id, HOSTILE[names.size % HOSTILE.length]);
      app.name = names.get(app.id);
      if (app.publisher.known) app.publisher.known.name = HOSTILE[(names.size + 3) % HOSTILE.length];
    }
    if (value.record?.grant) {
      const { grant } = value.record;
      if (names.has(grant.app)) grant.app_name = names.get(grant.app);
      if (grant.holder.principal?.name?.known) grant.holder.principal.name.known += HOSTILE[grant.id.length % HOSTILE.length];
    }
    if (value.record?.tenant) value.record.tenant.display_name = { known: HOSTILE[0] };
    if (value.tenant_end) {
      tenants += 1;
      const part = value.tenant_end.coverage.parts.find((one) => one.promised);
      if (tenants === 1) part.losses.push({ reason: 'permission', facet: part.facet, detail: `403 from the platform: ${HOSTILE[0]}`, rows: 12 });
      if (tenants === 2) value.tenant_end.failure = { message: `sign-in failed: ${HOSTILE[1]}`, hint: HOSTILE[2] };
    }
    await out.line(value);
  }
  await out.end();
};

// Grants of the first tenant again and again, each for another person.
const large = async (copies) => {
  const out = writer('large.jsonl');
  let first;
  const grants = [];
  for await (const line of lines('demo.jsonl')) {
    const value = JSON.parse(line);
    if ('end' in value) continue;
    if (value.record?.tenant) first ??= value.tenant;
    if (value.record?.grant && value.tenant === first && value.record.grant.holder.principal) grants.push(line);
    if (value.tenant_end?.name === first) {
      for (let copy = 0; copy < copies; copy += 1) {
        for (const text of grants) {
          const again = JSON.parse(text);
          const { grant } = again.record;
          grant.id += `-${copy}`;
          grant.holder.principal.id += `-${copy}`;
          if (grant.holder.principal.name.known) grant.holder.principal.name.known = `person${copy}.${grant.holder.principal.name.known}`;
          await out.line(again);
        }
      }
    }
    await out.line(value);
  }
  await out.end();
};

// The demo company's time is today's, and a waiver must end soon.
const until = new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 10);
writeFileSync(`${folder}/policy.toml`, `[[waiver]]
subject = { tenant = "northwind-robotics", app = "0xILAB0000000012BA" }
rules = ["overbroad", "no-expiry"]
scopes = ["api"]
reason = "moves to its own account"
owner = "jana.novak@northwind.example"
until = "${until}"

[[allow]]
subject = { tenant = "northwind-okta" }
rules = ["no-expiry"]
reason = "known since the review"
`);
await hostile();
await large(Number(process.argv[3] ?? 800));
