// Shows the findings and apps of the page as tables, from the data blocks of `findings.rs` and `apps.rs`.

const known = take(byId('known'));
const WORDS = ['active', 'waived', 'allowed', 'baseline'];
const STATUS = { active: 'that count', waived: 'waived', allowed: 'allowed for good', baseline: 'in the baseline' };
const NEWS = ['', 'new', 'back'];
const CONFIDENCE = ['low', 'medium', 'high'];

// Options of a select, and which of them each row has.
const choice = (id, label, any, options, count, value) => {
  const places = new Map(options.map(([option], place) => [option, place]));
  const codes = new Int32Array(count);
  for (let row = 0; row < count; row++) codes[row] = places.has(value(row)) ? places.get(value(row)) : -1;
  return { id, label, any, options, codes };
};
const different = (count, value) => {
  const values = new Set();
  for (let row = 0; row < count; row++) if (value(row) !== '') values.add(value(row));
  return [...values].sort().map((text) => [text, text]);
};
const severities = known.severities.map((word) => [word, word]).reverse();

// Reads the findings block by block.
const readFindings = async () => {
  const texts = take(byId('texts'));
  const text = (value) => (typeof value === 'number' ? texts[value] : value === null ? '' : value);
  const subjects = [];
  const findings = [];
  const words = [];
  const of = new Uint32Array(known.findings);
  let last = performance.now();
  for (const block of document.querySelectorAll('script.findings')) {
    for (const subject of take(block)) {
      const [tenant, , id, label, app, principal, own] = subject;
      const where = tenant < 0 ? '' : known.tenants[tenant].join(' ');
      const about = `${id} ${label} ${text(app)} ${text(principal)} ${where}`;
      for (const finding of own) {
        of[findings.length] = subjects.length;
        // Made in one piece now, so that the first search need not.
        words.push(`${about} ${text(finding[2])} ${finding[3]} ${finding[6]}`.toLowerCase());
        findings.push(finding);
      }
      subject.length = 6;
      subjects.push(subject);
    }
    if (performance.now() - last > 40) {
      await breathe();
      last = performance.now();
    }
  }
  return { text, subjects, findings, of, words };
};

const link = (url) => (/^https:\/\//.test(url) ? make('a', { href: url, rel: 'noopener noreferrer' }, url) : make('span', null, url));
const list = (tag, items) => make(tag, null, ...items.map((item) => make('li', null, item)));
const heading = (text) => make('h3', null, text);

const showFindings = async () => {
  const { text, subjects, findings, of, words } = await readFindings();
  const count = findings.length;
  const subject = (row) => subjects[of[row]];
  const rule = (row) => text(findings[row][2]);
  const severity = (row) => known.severities[findings[row][0]];
  const status = (row) => WORDS[findings[row][4]];
  const tenant = (row) => (subject(row)[0] < 0 ? '' : known.tenants[subject(row)[0]][0]);
  const platform = (row) => (subject(row)[0] < 0 ? '' : known.tenants[subject(row)[0]][1]);
  const name = (row) => text(subject(row)[4]) || subject(row)[3];
  const principal = (row) => text(subject(row)[5]);

  // What a store remembers: when it was first seen, when it came back, and whether either was in this scan.
  const past = (row) => findings[row][8];
  const firstSeen = (row) => (past(row) === null ? '' : text(past(row)[0]));
  const news = (row) => (past(row) === null ? '' : NEWS[past(row)[2]]);
  const since = (row) => {
    if (past(row) === null) return [];
    const parts = [firstSeen(row) === '' ? 'Not known.' : `First seen by the scan of ${firstSeen(row)}.`];
    if (text(past(row)[1]) !== '') parts.push(`It was gone, and came back with the scan of ${text(past(row)[1])}.`);
    return [heading('Since when'), make('p', null, parts.join(' '))];
  };

  const detail = (row) => {
    const [, , , fingerprint, , accepted, , facts] = findings[row];
    const about = known.rules[rule(row)];
    const parts = [];
    if (accepted !== null) parts.push(make('p', null, `Does not count: ${text(accepted)}`));
    const evidence = make('dl', { className: 'facts' });
    for (let at = 0; at < facts.length; at += 3) {
      evidence.append(make('div', null, make('dt', null, text(facts[at])),
        make('dd', null, text(facts[at + 1]), ' ', make('code', null, text(facts[at + 2])))));
    }
    parts.push(heading('Evidence'), facts.length > 0 ? evidence : make('p', null, 'None besides the message.'));
    parts.push(...since(row));
    if (about) {
      const steps = Object.entries(about.remediation)
        .filter(([on, own]) => own.length > 0 && (platform(row) === '' || on === platform(row)));
      parts.push(heading('How to fix'));
      if (steps.length === 0) parts.push(make('p', null, 'Nothing is known about how this is done there.'));
      for (const [on, own] of steps) parts.push(make('p', null, `On ${known.platforms[on] || on}:`), list('ol', own));
      parts.push(heading('Why it matters'), make('p', null, `${about.summary} ${about.why}`));
      if (about.references.length > 0) parts.push(list('ul', about.references.map(link)));
      const controls = about.controls.map((control) => `${control.framework} ${control.id}: ${control.title}`);
      if (controls.length > 0) parts.push(heading('Controls'), list('ul', controls));
    }
    const [, kind, id, label] = subject(row);
    parts.push(heading('Identity'), make('p', null, `${text(kind)} ${label}, id `, make('code', null, id),
      `; confidence ${CONFIDENCE[findings[row][1]]}; finding `, make('code', null, fingerprint), ' ',
      make('a', { href: `#f-${fingerprint}` }, 'Link to this finding')));
    return parts;
  };

  const first = Array.from({ length: count }, (_, row) => row);
  // Those that count before those that are accepted, the gravest first, in the order of the inventory.
  first.sort((a, b) => (findings[a][4] > 0) - (findings[b][4] > 0) || findings[b][0] - findings[a][0] || a - b);
  const selects = [
    choice('severity', 'Severity', 'any', severities, count, severity),
    choice('platform', 'Platform', 'any', different(count, platform), count, platform),
    choice('tenant', 'Tenant', 'any', different(count, tenant), count, tenant),
    choice('rule', 'Rule', 'any', different(count, rule), count, rule),
    choice('status', 'Status', 'any', WORDS.map((word) => [word, STATUS[word]]), count, status),
  ];
  selects[4].initial = findings.some((finding) => finding[4] === 0) ? 'active' : '';
  const grid = new Grid(byId('findings-table'), {
    id: 'finding', noun: 'finding', title: 'Findings, the gravest first; each row opens to its evidence and how to fix it',
    count, first: Uint32Array.from(first), words, selects, detail, anchor: (row) => `f-${findings[row][3]}`,
    name: (row) => `${rule(row)}, ${name(row)}`, isWide: known.dated,
    columns: [
      { label: 'Severity', size: 's', numeric: true, plain: true, key: (row) => findings[row][0], cell: (row) => badge(severity(row)) },
      { label: 'App or subject', size: 'm', isName: true, key: name, cell: (row) => make('bdi', { className: 'clip' }, name(row)) },
      { label: 'Rule', size: 'm', key: rule, cell: (row) => make('code', null, rule(row)) },
      { label: 'Problem', size: 'rest', key: (row) => findings[row][6], cell: (row) => make('span', { className: 'clip' }, findings[row][6]) },
      { label: 'Held by', size: 'l', hasLabel: true, key: principal, cell: (row) => make('bdi', { className: 'clip' }, principal(row) || '–') },
      { label: 'Tenant', size: 'l', hasLabel: true, key: (row) => `${tenant(row)} ${platform(row)}`,
        cell: (row) => place(tenant(row) || 'all tenants', platform(row)) },
      ...(known.dated ? [{ label: 'First seen', size: 's', hasLabel: true, key: firstSeen,
        cell: (row) => make('span', null, firstSeen(row).slice(0, 10) || '–', news(row) === '' ? null : ` ${news(row)}`) }] : []),
      { label: 'Status', size: 's', hasLabel: true, numeric: true, plain: true, key: (row) => findings[row][4], cell: status },
    ],
  });

  const follow = () => {
    const fingerprint = /^#f-([0-9a-f]{32})$/.exec(location.hash);
    if (fingerprint === null) return;
    const row = findings.findIndex((finding) => finding[3] === fingerprint[1]);
    if (row >= 0) grid.show(row);
    else grid.status.textContent = `This page has no finding ${fingerprint[1]}; it may be gone, or left out.`;
  };
  window.addEventListener('hashchange', follow);
  // The same link again changes no hash.
  document.addEventListener('click', (event) => {
    const target = event.target.closest('a[href^="#f-"]');
    if (target !== null && target.getAttribute('href') === location.hash) follow();
  });
  for (const tile of document.querySelectorAll('a[data-severity]')) {
    tile.addEventListener('click', () => {
      grid.clear();
      selects[0].node.value = tile.dataset.severity;
      selects[4].node.value = 'active';
      grid.changed();
    });
  }
  follow();
  return grid;
};

const showApps = () => {
  const apps = take(byId('app-rows'));
  const count = apps.length;
  const at = (column) => (row) => apps[row][column];
  const gravest = (row) => (apps[row][0] === 0 ? 'none' : known.severities[apps[row][0] - 1]);
  const named = (column) => (row) => make('bdi', { className: 'clip' }, apps[row][column] || '–');
  const numbered = (label, column) => ({ label, size: 's', numeric: true, hasLabel: true, key: at(column), cell: (row) => grouped(apps[row][column]) });
  return new Grid(byId('apps-table'), {
    id: 'app', noun: 'app', title: 'Apps, the gravest first', count,
    first: Uint32Array.from({ length: count }, (_, row) => row),
    words: apps.map((app) => app.slice(1, 6).join(' ').toLowerCase()),
    selects: [
      choice('severity', 'Gravest finding', 'any', [...severities, ['none', 'none']], count, gravest),
      choice('platform', 'Platform', 'any', different(count, at(4)), count, at(4)),
      choice('tenant', 'Tenant', 'any', different(count, at(3)), count, at(3)),
    ],
    columns: [
      { label: 'Gravest', size: 's', numeric: true, plain: true, key: at(0), cell: (row) => (apps[row][0] === 0 ? 'none' : badge(gravest(row))) },
      { label: 'App', size: 'rest', isName: true, key: at(1), cell: named(1) },
      { label: 'Vendor', size: 'm', hasLabel: true, key: at(2), cell: named(2) },
      { label: 'Tenant', size: 'l', hasLabel: true, key: at(3),
        cell: (row) => place(apps[row][3], apps[row][4]) },
      { label: 'Kind', size: 'm', hasLabel: true, key: at(5), cell: named(5) },
      numbered('Grants', 6), numbered('Findings', 7), numbered('Exposed', 8),
      { label: 'Last used', size: 'm', hasLabel: true, key: at(9), cell: at(9) },
    ],
  });
};

const start = async () => {
  const grids = [showApps()];
  grids.push(await showFindings());
  const folded = new Set();
  window.addEventListener('beforeprint', () => {
    for (const part of document.querySelectorAll('details:not([open])')) {
      folded.add(part);
      part.open = true;
    }
    for (const grid of grids) grid.print(true);
  });
  window.addEventListener('afterprint', () => {
    for (const part of folded) part.open = false;
    folded.clear();
    for (const grid of grids) grid.print(false);
  });
  document.documentElement.dataset.ready = 'yes';
};
start();
