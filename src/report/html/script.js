// Shows the findings and apps of the page as tables that filter and sort. Every text is set as text, never as HTML; the page's policy
// (trusted types) would refuse anything else.
(() => {
  'use strict';

  const byId = (id) => document.getElementById(id);

  // An element with properties, attributes (those with a dash, and role) and children.
  const make = (tag, properties, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(properties || {})) {
      if (value === null || value === undefined) continue;
      if (key.includes('-') || key === 'role' || key === 'scope') node.setAttribute(key, value);
      else node[key] = value;
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };

  // Takes a data block out of the page, so that its text does not stay in memory twice.
  const take = (node) => {
    const value = JSON.parse(node.textContent);
    node.remove();
    return value;
  };

  // Lets the browser draw and react.
  const breathe = () => new Promise((resolve) => { setTimeout(resolve, 0); });

  const grouped = (number) => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

  const badge = (word) => make('span', { className: `severity ${word}` }, word);

  const place = (tenant, platform) => make('span', { className: 'clip' },
    make('span', null, make('bdi', null, tenant), ' ', make('span', { className: 'note' }, platform)));

  // Rows on a page of a table, and when it is printed.
  const PER_PAGE = 50;
  const PRINTED = 1000;

  // A table of `count` rows. `columns` have a label, the key that row i is sorted by (a number or a text) and the content of its cell;
  // `selects` have a label, the options and the option of row i; `words` gives the text in which row i is looked for.
  class Grid {
    constructor(host, spec) {
      Object.assign(this, spec);
      this.host = host;
      this.base = this.first;
      this.sorted = this.base;
      this.visible = this.base;
      this.ranks = new Map();
      this.sort = null;
      this.page = 0;
      this.open = new Set();
      this.perPage = PER_PAGE;
      this.build();
      this.filter();
    }

    build() {
      this.search = make('input', { type: 'search', id: `${this.id}-search`, autocomplete: 'off', spellcheck: false });
      this.search.addEventListener('input', () => this.changed());
      const fields = this.selects.map((select) => {
        select.node = make('select', { id: `${this.id}-${select.id}` },
          make('option', { value: '' }, select.any),
          ...select.options.map(([value, label]) => make('option', { value }, label)));
        select.node.value = select.initial || '';
        select.node.addEventListener('change', () => this.changed());
        return make('div', null, make('label', { htmlFor: select.node.id }, select.label), select.node);
      });
      const reset = make('button', { type: 'button' }, 'Show all');
      reset.addEventListener('click', () => { this.clear(); this.changed(); });
      const form = make('form', { className: 'controls', role: 'search', 'aria-label': `Filter ${this.noun}s` },
        make('div', { className: 'search' }, make('label', { htmlFor: this.search.id }, `Search ${this.noun}s`), this.search),
        ...fields, make('div', null, reset));
      form.addEventListener('submit', (event) => event.preventDefault());

      this.status = make('p', { role: 'status' });
      this.previous = make('button', { type: 'button' }, 'Previous page');
      this.next = make('button', { type: 'button' }, 'Next page');
      this.previous.addEventListener('click', () => this.turn(-1));
      this.next.addEventListener('click', () => this.turn(1));

      this.heads = this.columns.map((column, at) => {
        const button = make('button', { type: 'button' }, column.label);
        button.addEventListener('click', () => this.sortBy(at));
        return make('th', { scope: 'col', role: 'columnheader', className: `size-${column.size}${column.numeric && !column.plain ? ' n' : ''}` }, button);
      });
      const fold = this.detail
        ? [make('td', { className: 'fold', role: 'cell' })]
        : [];
      this.body = make('tbody', { role: 'rowgroup' });
      this.caption = make('caption', null, this.title);
      const table = make('table', { className: 'rows grid', role: 'table' }, this.caption,
        make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' }, ...fold, ...this.heads)), this.body);
      this.host.replaceChildren(form,
        make('div', { className: 'pager' }, this.previous, this.next, this.status),
        make('div', { className: 'wide' }, table));
    }

    clear() {
      this.search.value = '';
      for (const select of this.selects) select.node.value = '';
    }

    changed() {
      this.page = 0;
      this.filter();
    }

    filter() {
      const terms = this.search.value.toLowerCase().split(/\s+/).filter((term) => term !== '');
      const wanted = this.selects
        .filter((select) => select.node.value !== '')
        .map((select) => [select.codes, select.options.findIndex(([value]) => value === select.node.value)]);
      // Whoever types on narrows what is shown: only that is looked through again.
      const asked = this.selects.map((select) => select.node.value).join('\n');
      const { last } = this;
      const isNarrower = last && last.asked === asked && last.sorted === this.sorted
        && last.terms.every((old) => terms.some((term) => term.includes(old)));
      const found = new Uint32Array(this.count);
      let length = 0;
      next: for (const row of isNarrower ? this.visible : this.sorted) {
        for (const [codes, code] of wanted) if (codes[row] !== code) continue next;
        const words = this.words[row];
        for (const term of terms) if (!words.includes(term)) continue next;
        found[length++] = row;
      }
      this.last = { asked, terms, sorted: this.sorted };
      this.visible = found.subarray(0, length);
      this.draw();
    }

    // The order of all rows by a column: numbers as they are, texts by their place among the different ones.
    rank(at) {
      if (this.ranks.has(at)) return this.ranks.get(at);
      const { key, numeric } = this.columns[at];
      const ranks = new Float64Array(this.count);
      if (numeric) {
        for (let row = 0; row < this.count; row++) ranks[row] = key(row);
      } else {
        const keys = Array.from({ length: this.count }, (_, row) => key(row).toLowerCase());
        const places = new Map([...new Set(keys)].sort().map((text, place) => [text, place]));
        keys.forEach((text, row) => { ranks[row] = places.get(text); });
      }
      this.ranks.set(at, ranks);
      return ranks;
    }

    // Sorts by a column; the same column again turns the order round, and once more gives the first order back.
    sortBy(at) {
      const begin = this.columns[at].numeric ? -1 : 1;
      if (this.sort === null || this.sort.at !== at) this.sort = { at, way: begin };
      else if (this.sort.way === begin) this.sort = { at, way: -begin };
      else this.sort = null;
      this.heads.forEach((head, nth) => {
        if (this.sort !== null && this.sort.at === nth) head.setAttribute('aria-sort', this.sort.way > 0 ? 'ascending' : 'descending');
        else head.removeAttribute('aria-sort');
      });
      if (this.sort === null) {
        this.sorted = this.base;
      } else {
        const ranks = this.rank(at);
        // Rank and place in one number, so that equal rows keep the first order and no comparing function is called.
        const places = Array.from(this.base.keys());
        const { way } = this.sort;
        places.sort((a, b) => way * (ranks[this.base[a]] - ranks[this.base[b]]) || a - b);
        this.sorted = Uint32Array.from(places, (place) => this.base[place]);
      }
      this.changed();
    }

    turn(by) {
      this.page += by;
      this.draw();
      this.host.scrollIntoView({ block: 'start' });
    }

    draw() {
      const { length } = this.visible;
      const pages = Math.max(1, Math.ceil(length / this.perPage));
      this.page = Math.min(Math.max(this.page, 0), pages - 1);
      const from = this.page * this.perPage;
      const rows = Array.from(this.visible.subarray(from, from + this.perPage));
      this.body.replaceChildren(...rows.flatMap((row) => this.row(row)));
      this.previous.disabled = this.page === 0;
      this.next.disabled = this.page === pages - 1;
      const shown = length === 0 ? 'none shown'
        : `${grouped(from + 1)} to ${grouped(from + rows.length)} of ${grouped(length)} shown`;
      this.status.textContent = `${shown}; ${grouped(this.count)} ${this.noun}${this.count === 1 ? '' : 's'} in all`;
    }

    row(row) {
      const cells = this.columns.map((column) => make(column.isName ? 'th' : 'td', {
        scope: column.isName ? 'row' : null,
        role: column.isName ? 'rowheader' : 'cell',
        className: column.numeric && !column.plain ? 'n' : '',
        'data-label': column.hasLabel ? column.label : null,
      }, column.cell(row)));
      if (!this.detail) return [make('tr', { className: 'row', role: 'row' }, ...cells)];
      const isOpen = this.open.has(row);
      const id = this.anchor(row);
      const toggle = make('button', {
        type: 'button', className: 'toggle', 'aria-expanded': String(isOpen), 'aria-controls': isOpen ? `${id}-detail` : null,
        'aria-label': `Details: ${this.name(row)}`,
      });
      const line = make('tr', { className: `row opens${isOpen ? ' open' : ''}`, id, role: 'row' },
        make('td', { className: 'fold', role: 'cell' }, toggle), ...cells);
      line.addEventListener('click', (event) => {
        const selection = window.getSelection();
        if (event.target.closest('a') || (selection && !selection.isCollapsed)) return;
        this.toggle(row, line);
      });
      if (!isOpen) return [line];
      return [line, this.unfold(row, id)];
    }

    unfold(row, id) {
      return make('tr', { className: 'detail', id: `${id}-detail`, role: 'row' },
        make('td', { colSpan: this.columns.length + 1, role: 'cell' }, ...this.detail(row)));
    }

    toggle(row, line) {
      const button = line.querySelector('.toggle');
      const isOpen = !this.open.has(row);
      if (isOpen) {
        this.open.add(row);
        line.after(this.unfold(row, line.id));
        button.setAttribute('aria-controls', `${line.id}-detail`);
      } else {
        this.open.delete(row);
        line.nextElementSibling.remove();
        button.removeAttribute('aria-controls');
      }
      line.classList.toggle('open', isOpen);
      button.setAttribute('aria-expanded', String(isOpen));
    }

    // Shows one row, whatever the filters say.
    show(row) {
      let place = this.visible.indexOf(row);
      if (place < 0) {
        this.clear();
        this.filter();
        place = this.visible.indexOf(row);
      }
      this.page = Math.floor(place / this.perPage);
      this.open.add(row);
      this.draw();
      const line = byId(this.anchor(row));
      line.scrollIntoView({ block: 'start' });
      line.querySelector('.toggle').focus({ preventScroll: true });
    }

    print(isBegun) {
      this.perPage = isBegun ? PRINTED : PER_PAGE;
      if (isBegun) {
        this.pageBefore = this.page;
        this.page = 0;
      } else {
        this.page = this.pageBefore;
      }
      this.draw();
    }
  }

  const known = take(byId('known'));
  const WORDS = ['active', 'waived', 'allowed', 'baseline'];
  const STATUS = { active: 'that count', waived: 'waived', allowed: 'allowed for good', baseline: 'in the baseline' };
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
      name: (row) => `${rule(row)}, ${name(row)}`,
      columns: [
        { label: 'Severity', size: 's', numeric: true, plain: true, key: (row) => findings[row][0], cell: (row) => badge(severity(row)) },
        { label: 'App or subject', size: 'm', isName: true, key: name, cell: (row) => make('bdi', { className: 'clip' }, name(row)) },
        { label: 'Rule', size: 'm', key: rule, cell: (row) => make('code', null, rule(row)) },
        { label: 'Problem', size: 'rest', key: (row) => findings[row][6], cell: (row) => make('span', { className: 'clip' }, findings[row][6]) },
        { label: 'Held by', size: 'l', hasLabel: true, key: principal, cell: (row) => make('bdi', { className: 'clip' }, principal(row) || '–') },
        { label: 'Tenant', size: 'l', hasLabel: true, key: (row) => `${tenant(row)} ${platform(row)}`,
          cell: (row) => place(tenant(row) || 'all tenants', platform(row)) },
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
})();
