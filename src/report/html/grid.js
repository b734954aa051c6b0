// Tables that filter, sort and turn pages. Every text is set as text, never as HTML; the page's policy (trusted types) would refuse
// anything else.
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
    const table = make('table', { className: `rows grid${this.isWide ? ' widest' : ''}`, role: 'table' }, this.caption,
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
      // Equal rows keep the first order.
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
