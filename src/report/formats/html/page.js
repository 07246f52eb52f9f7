// Filters, sorts, and builds the details of a link when they are opened. Text becomes text nodes, never markup.
'use strict'
const data = JSON.parse(document.getElementById('data').textContent)
const body = document.querySelector('#table tbody')
const form = document.querySelector('form')

function element (name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value)
  made.append(...children)
  return made
}

const duration = ms => ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`

if (body) {
  const rows = [...body.rows].map((row, number) => ({ row, number, link: data.links[Number(row.dataset.link)], name: row.cells[0].firstChild }))
  const search = document.getElementById('search')
  const state = document.getElementById('state')
  const shown = document.getElementById('shown')

  const filter = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean)
    let count = 0
    for (const one of rows) {
      one.words ??= one.row.textContent.toLowerCase()
      const fits = (!state.value || one.row.dataset.state === state.value) && wanted.every(word => one.words.includes(word))
      one.row.hidden = !fits
      if (one.detail) one.detail.hidden = !fits || !isOpen(one)
      if (fits) count++
    }
    shown.textContent = `${count} of ${rows.length} shown`
  }
  form.hidden = false
  form.addEventListener('submit', event => event.preventDefault())
  search.addEventListener('input', filter)
  state.addEventListener('change', filter)

  const isOpen = one => one.name.getAttribute('aria-expanded') === 'true'
  const toggle = (one, open) => {
    if (open && !one.detail) {
      one.detail = element('tr', { class: `detail ${one.row.dataset.state}`, id: `detail-${one.number}` }, element('td', { colspan: one.row.cells.length }, ...details(one.link)))
      one.row.after(one.detail)
      one.name.setAttribute('aria-controls', one.detail.id)
    }
    one.name.setAttribute('aria-expanded', String(open))
    if (one.detail) one.detail.hidden = !open || one.row.hidden
  }
  // Not `button`, of which a thousand take long to lay out.
  for (const { name } of rows) {
    name.setAttribute('role', 'button')
    name.setAttribute('tabindex', '0')
    name.setAttribute('aria-expanded', 'false')
  }
  const pressed = event => {
    const name = event.target.closest?.('[role=button]')
    if (!name || (event.type === 'keydown' && event.key !== 'Enter' && event.key !== ' ')) return
    event.preventDefault()
    const one = rows.find(one => one.name === name)
    toggle(one, !isOpen(one))
  }
  body.addEventListener('click', pressed)
  body.addEventListener('keydown', pressed)

  const sort = (column, down) => {
    const key = ({ row }) => row.cells[column].dataset.key ?? row.cells[column].textContent
    const compare = new Intl.Collator('en', { numeric: true }).compare
    const keyed = rows.map(one => ({ one, key: key(one) }))
    keyed.sort((a, b) => (down ? -1 : 1) * compare(a.key, b.key) || a.one.number - b.one.number)
    body.append(...keyed.flatMap(({ one }) => one.detail ? [one.row, one.detail] : [one.row]))
  }
  const heads = [...document.querySelectorAll('#table thead th')]
  heads.forEach((head, column) => {
    const button = element('button', { type: 'button' }, head.textContent)
    head.replaceChildren(button)
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending'
      heads.forEach(other => other.removeAttribute('aria-sort'))
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending')
      sort(column, down)
    })
  })

  // On paper nothing can be opened: what needs attention is printed with its details.
  const most = 50
  let printed = []
  addEventListener('beforeprint', () => {
    printed = rows.filter(one => !one.row.hidden && one.row.dataset.state !== 'works' && !isOpen(one)).slice(0, most)
    printed.forEach(one => toggle(one, true))
  })
  addEventListener('afterprint', () => printed.forEach(one => toggle(one, false)))
  shown.textContent = `${rows.length} of ${rows.length} shown`
}

for (const list of document.querySelectorAll('[data-parts]')) list.append(...parts(data.beside[Number(list.dataset.parts)]))

function details (link) {
  const [account, name] = [link.account, link.name]
  const own = (key, value) => typeof value === 'string' ? value.replaceAll('\uf8ff', account).replaceAll('\uf8fe', name) : value
  const more = JSON.parse(data.shared[link.more], own)
  const text = number => own('', data.strings[number])
  const all = [element('p', {}, link.principals.join(', ') || 'principals not known', ' \u2192 ', element('code', {}, link.role))]
  const facts = [link.at && `tested ${link.at}`, more.tested_as && `as ${more.tested_as}`, link.ms != null && `in ${duration(link.ms)}`, link.since && `the same result since ${link.since}`,
    more.ready != null && `usable ${duration(more.ready)} after the last write`].filter(Boolean)
  if (facts.length) all.push(element('p', { class: 'muted' }, facts.join(', ')))

  if (link.cases.length) {
    all.push(element('h3', {}, 'Steps'))
    const head = element('tr', {}, ...['Result', 'Step', 'Evidence', 'Time'].map(title => element('th', { scope: 'col' }, title)))
    const steps = link.cases.map(([mark, title, evidence, ms, ids]) => element('tr', {},
      element('td', {}, ['ok', '!', 'FAIL', '?', '-'][mark]),
      element('td', {}, text(title)),
      element('td', {}, text(evidence), ...(ids?.length ? [element('div', { class: 'ids' }, 'requests ', ids.join(', '))] : [])),
      element('td', { class: 'number' }, ms === null || ms === undefined ? '' : duration(ms))))
    all.push(element('table', {}, element('thead', {}, head), element('tbody', {}, ...steps)))
  }
  for (const remark of more.remarks) all.push(element('p', { class: 'sub' }, remark))
  if (more.why.length) all.push(element('h3', {}, 'Causes and fixes'), ...parts(more.why))
  all.push(element('h3', {}, 'Policies'))
  for (const policy of more.policies) {
    all.push(element('p', {}, policy.policy))
    for (const { decides, lines } of policy.statements) {
      const label = decides ? [element('p', { class: 'label' }, 'This statement decides:')] : []
      all.push(element('div', { class: decides ? 'statement decides' : 'statement' }, ...label, pre(lines)))
    }
  }
  for (const missing of more.unread) all.push(element('p', { class: 'muted' }, missing))
  if (more.layers.length) {
    all.push(element('h3', {}, 'Policy evaluation'))
    for (const [name, verdict, reasons] of more.layers) {
      all.push(element('p', {}, `${name}: ${verdict}`), ...reasons.map(reason => element('p', { class: 'sub muted' }, reason)))
    }
  }
  return all
}

function pre (lines, name) {
  return element('pre', { class: name, tabindex: '0' }, ...lines.flatMap(([marked, line], number) => [number ? '\n' : '', marked ? element('span', { class: 'mark' }, line) : line]))
}

function parts (all) {
  return all.map(([kind, value]) => typeof kind === 'string' ? pre(value, 'inner') : element('p', kind ? { class: 'sub' } : {}, value))
}
